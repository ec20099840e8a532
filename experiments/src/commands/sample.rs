//! `resolvent sample`

use std::num::NonZeroUsize;

use anyhow::Result;

use super::sampling::{Options, Run, Start};
use crate::Verdict;

/// How many particles start where.
#[derive(Debug, clap::Args)]
#[command(after_help = super::sampling::ARRAYS)]
pub(crate) struct Args {
    /// Where particles start: `law`, data drawn by weight and run forward until killed, or a file of points [m, d]
    #[arg(long, value_name = "law|FILE", default_value = "law")]
    start: Start,
    /// Number of particles; with a file of starts, from each of them, one start after the other
    #[arg(long, value_name = "N")]
    n: NonZeroUsize,
    #[command(flatten)]
    options: Options,
}

/// Runs the particles and writes the file.
pub(crate) fn execute(args: &Args) -> Result<Verdict> {
    Run::prepare(&args.options)?.sample(&args.start, args.n)?;
    Ok(Verdict::Holds)
}
