//! `resolvent project`

use std::num::NonZeroUsize;
use std::path::PathBuf;

use anyhow::Result;

use super::sampling::{Mask, Options, Task, positive, run};
use crate::Verdict;

/// What is carried to the data.
#[derive(Debug, clap::Args)]
#[command(after_help = super::sampling::ARRAYS)]
pub(crate) struct Args {
    /// Noisy or masked inputs [m, d], in the formats of --data
    #[arg(long, value_name = "FILE")]
    input: PathBuf,
    #[command(flatten)]
    mask: Mask,
    /// Standard deviation of the Gaussian noise in every coordinate of the inputs: the models vp, subvp, ve, edm, which need
    /// it, start at the time of that noise level; the models killed, drift and ou find it by themselves
    #[arg(long, value_name = "SIGMA", value_parser = positive, allow_negative_numbers = true)]
    noise: Option<f64>,
    /// Particles from each input, one input after the other
    #[arg(long, value_name = "N", default_value = "1")]
    n: NonZeroUsize,
    #[command(flatten)]
    options: Options,
}

/// Runs the particles and writes the file.
pub(crate) fn execute(args: &Args) -> Result<Verdict> {
    let task = Task::Project { input: &args.input, mask: &args.mask, noise: args.noise };
    run(&args.options, &task, args.n)?;
    Ok(Verdict::Holds)
}
