//! What the reader is told of a training.

use std::fmt::Write as _;

use resolvent::learn::Recipe;
use resolvent::learn::model::{Conditioning, Model};
use resolvent::learn::network::Architecture;
use resolvent::learn::train::State;
use serde::Serialize;
use serde_json::{Map, Value};

use super::data::DataSettings;

/// What is trained, a heading and a text to a line.
pub(super) fn start(data: &DataSettings, recipe: &Recipe, model: &Model, state: Option<&State>) -> String {
    let mut text = String::new();
    let mut line = |heading: &str, words: String| {
        let _ = writeln!(text, "{heading:12} {words}");
    };
    let training = &recipe.training;
    line("data", inline(data));
    line("model", self::model(model));
    line("examples", inline(&recipe.examples));
    line(
        "training",
        format!(
            "{} steps of {} examples, seed {}, {} threads",
            training.steps,
            training.batch,
            training.seed,
            rayon::current_num_threads()
        ),
    );
    if let Some(state) = state {
        line("resumed", format!("after {} steps and {:.0} s", state.step(), state.seconds()));
    }
    text
}

/// What a model is, on one line.
pub(crate) fn model(model: &Model) -> String {
    let settings = model.settings();
    let (network, dim) = (model.network(), model.dim());
    let kind = match settings.conditioning {
        Conditioning::Blind => "spatial score",
        Conditioning::Told => "denoiser told the noise level",
    };
    let architecture = match network.architecture() {
        Architecture::Mlp(mlp) => format!("residual MLP of width {}, depth {}", mlp.width, mlp.depth),
        Architecture::UNet(unet) => format!(
            "U-Net for {0} x {0} pixels, channels {1:?}, {2} blocks",
            unet.side, unet.channels, unet.blocks
        ),
    };
    format!("{kind} in R^{dim}, {architecture}: {} parameters", network.layout().len())
}

/// The figures of a validation, on one line.
pub(crate) fn validation(figures: &Map<String, Value>) -> String {
    let figure = |(name, value): (&String, &Value)| match value.as_f64() {
        Some(value) => format!("{name} {value:.4}"),
        None => format!("{name} not finite"),
    };
    figures.iter().map(figure).collect::<Vec<_>>().join(", ")
}

/// Settings as they stand in a file, on one line.
fn inline(settings: &impl Serialize) -> String {
    match toml::Value::try_from(settings) {
        Ok(toml::Value::Table(table)) => {
            table.iter().map(|(key, value)| format!("{key} = {value}")).collect::<Vec<_>>().join(", ")
        }
        Ok(value) => value.to_string(),
        Err(_) => String::new(),
    }
}
