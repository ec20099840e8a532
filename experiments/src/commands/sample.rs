//! `resolvent sample`

use std::num::NonZeroUsize;

use anyhow::Result;

use super::sampling::{Options, Start, Task, run};
use crate::Verdict;

/// How many particles start where.
#[derive(Debug, clap::Args)]
#[command(after_help = super::sampling::ARRAYS)]
pub(crate) struct Args {
    /// Where particles start: `law`, data drawn by weight and run forward, to the horizon or until killed; `fit`, the same from the
    /// Gaussian fit to the data that comes with --score; `prior`, the normal law that stands for it (not killed, drift, ou); or
    /// a file of points [m, d], in the scale that the model has at its horizon
    /// [default: killed, drift, ou law, or fit without --data; others prior]
    #[arg(long, value_name = "prior|law|fit|FILE")]
    start: Option<Start>,
    /// Number of particles; with a file of starts, from each of them, one start after the other
    #[arg(long, value_name = "N")]
    n: NonZeroUsize,
    #[command(flatten)]
    options: Options,
}

/// Runs the particles and writes the file.
pub(crate) fn execute(args: &Args) -> Result<Verdict> {
    run(&args.options, &Task::Sample { start: args.start.as_ref() }, args.n)?;
    Ok(Verdict::Holds)
}
