//! `resolvent inspect CHECKPOINT`

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use resolvent::learn::Recipe;
use resolvent::learn::model::SavedModel;
use serde_json::Value;
use toml::Table;

use super::train::{describe_model, describe_validation};
use crate::Verdict;

/// Which model.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A model that `train` has written
    #[arg(value_name = "FILE.safetensors")]
    file: PathBuf,
}

/// Writes what the model is, as comments, and the settings of its training.
pub(crate) fn execute(args: &Args, out: &mut impl Write) -> Result<Verdict> {
    let saved = SavedModel::read(&args.file)?;
    writeln!(out, "# {}", args.file.display())?;
    writeln!(out, "# model        {}", describe_model(&saved.model))?;
    writeln!(out, "# trained      {} steps", saved.step)?;
    if !saved.validation.is_empty() {
        writeln!(out, "# validation   {}", describe_validation(&saved.validation))?;
    }
    match settings(&saved.description) {
        Ok(settings) => write!(out, "\n{settings}")?,
        Err(_) => writeln!(out, "# description  {}", saved.description)?,
    }
    Ok(Verdict::Holds)
}

/// The settings of the training as a file that `train` reads.
fn settings(description: &Value) -> Result<String> {
    let recipe: Recipe = serde_json::from_value(description["recipe"].clone())?;
    let mut table = Table::try_from(&recipe).context("the recipe is no table")?;
    // It has no part in the result, and the description does not say it.
    if let Some(training) = table.get_mut("training").and_then(toml::Value::as_table_mut) {
        training.remove("checkpoint_every");
    }
    table.insert("data".into(), toml::Value::try_from(&description["data"])?);
    Ok(toml::to_string(&table)?)
}
