//! `--step`: every model has its own steps.

use std::fmt::Write as _;

use anyhow::{Result, anyhow};
use clap::ValueEnum;

use super::{horizon, killed};

/// The name of a value on the command line.
pub(super) fn name(value: &impl ValueEnum) -> String {
    value.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

/// The step called `text` of the model called `model`.
pub(super) fn parse<S: ValueEnum>(text: &str, model: &str) -> Result<S> {
    S::from_str(text, false).map_err(|_| {
        let names: Vec<String> = S::value_variants().iter().map(name).collect();
        anyhow!("--step {text}: the steps of --model {model} are {}", names.join(", "))
    })
}

/// All steps of all models, for `--help`.
pub(super) fn help() -> String {
    let mut text = String::from(
        "How a particle moves.\n\nThe models killed, drift and, but for the bridges, ou; the bridges sample the lifetime and die by it:\n",
    );
    list::<killed::Scheme>(&mut text);
    text.push_str("\nThe models vp, subvp, ve, edm:\n");
    list::<horizon::Sampler>(&mut text);
    text.push_str("\n[default: killed and drift posterior-bridge, ou euler, edm heun, others dpm++2m]");
    text
}

fn list<S: ValueEnum>(text: &mut String) {
    for value in S::value_variants().iter().filter_map(ValueEnum::to_possible_value) {
        let help = value.get_help().map(ToString::to_string).unwrap_or_default();
        let _ = writeln!(text, "- {}: {help}", value.get_name());
    }
}
