//! The subcommands, one file each. A new one is a file, a variant of [`Command`] and its arm in [`Cli::execute`].

mod claims;
mod inspect;
mod list;
mod merge;
mod project;
mod report;
mod run;
mod sample;
mod sampling;
mod tabulate;
mod threads;
mod train;

use std::io::Write;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::{Verdict, experiments, interrupt};

/// Diffusion generative models with a random time horizon: experiments, tables and pages.
#[derive(Debug, Parser)]
#[command(name = "resolvent", version)]
#[command(after_help = "Exit status: 0 all checks hold, 1 a check does not hold, 2 bad use or input.")]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the experiments: name, time on two cores, what it reproduces
    List,
    /// Run experiments; write their records, figures and the page DIR/index.html
    Run(run::Args),
    /// Join the parts that `run --shard` measured into records and the page OUT/index.html
    Merge(merge::Args),
    /// Sample from data: particles run backward until they die
    Sample(sample::Args),
    /// Carry noisy or masked inputs to the data
    Project(project::Args),
    /// Train a score on data, as a file of settings says
    Train(train::Args),
    /// Show what a trained model is and how it was trained, as settings that `train` reads
    Inspect(inspect::Args),
    /// Tabulate special functions with 17 significant digits
    #[command(subcommand)]
    Tabulate(tabulate::Command),
    /// Rebuild the page DIR/index.html from the records in DIR alone
    Report(report::Args),
    /// Write the claims of the sources as a page, and whether they held in the records in DIR
    Claims(claims::Args),
}

impl Cli {
    /// Does the work; what is for other programs or the reader goes to `out`.
    pub(crate) fn execute(&self, out: &mut impl Write) -> Result<Verdict> {
        match &self.command {
            Command::List => list::execute(experiments::ALL, out),
            Command::Run(args) => {
                interrupt::install()?;
                run::execute(args, experiments::ALL, out)
            }
            Command::Merge(args) => merge::execute(args, experiments::ALL, out),
            Command::Sample(args) => {
                interrupt::install()?;
                sample::execute(args)
            }
            Command::Project(args) => {
                interrupt::install()?;
                project::execute(args)
            }
            Command::Train(args) => {
                interrupt::install()?;
                train::execute(args)
            }
            Command::Inspect(args) => inspect::execute(args, out),
            Command::Tabulate(command) => tabulate::execute(command, out),
            Command::Claims(args) => claims::execute(args, out),
            Command::Report(args) => report::execute(args, experiments::ALL, out),
        }
    }
}

#[cfg(test)]
pub(crate) use merge::{Args as MergeArgs, execute as merge_parts, join_records, join_units, unit_files};
#[cfg(test)]
pub(crate) use report::rebuild;
#[cfg(test)]
pub(crate) use run::{Args as RunArgs, execute as run_experiments};
