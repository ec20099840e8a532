//! `resolvent project`

use std::num::NonZeroUsize;
use std::path::PathBuf;

use anyhow::Result;

use super::sampling::{Mask, Options, Run};
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
    /// Particles from each input, one input after the other
    #[arg(long, value_name = "N", default_value = "1")]
    n: NonZeroUsize,
    #[command(flatten)]
    options: Options,
}

/// Runs the particles and writes the file.
pub(crate) fn execute(args: &Args) -> Result<Verdict> {
    Run::prepare(&args.options)?.project(&args.input, &args.mask, args.n)?;
    Ok(Verdict::Holds)
}
