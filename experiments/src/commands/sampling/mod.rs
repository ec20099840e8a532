//! What `sample` and `project` share: options, data, starts, the run and its output.

mod data;
mod killing;
mod mask;
mod options;
mod output;
mod process;
mod run;
mod start;
mod stepping;
mod support;

pub(super) use mask::Mask;
pub(super) use options::Options;
pub(super) use output::ARRAYS;
pub(super) use run::Run;
pub(super) use start::Start;

/// A positive finite number, for clap.
fn positive(text: &str) -> Result<f64, String> {
    let number = text.parse::<f64>().ok().filter(|x| x.is_finite() && *x > 0.0);
    number.ok_or_else(|| "not a positive finite number".into())
}
