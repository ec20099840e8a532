//! The `resolvent` command: experiments, their records and pages, and tables of the functions behind them.

mod claims;
mod commands;
mod experiment;
mod experiments;
mod identity;
mod interrupt;
mod outcome;
mod plot;
mod progress;
mod record;
mod report;
mod rivals;
mod settings;
mod shipped;
mod sweep;
mod units;

#[cfg(test)]
mod gallery;

use std::process::ExitCode;

use clap::Parser;

/// What a command that did its work has to say: the exit status follows from it, here and nowhere else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Every check holds, or there was nothing to check.
    Holds,
    /// The work is done and at least one check does not hold.
    Fails,
}

fn main() -> ExitCode {
    match commands::Cli::parse().execute(&mut std::io::stdout().lock()) {
        Ok(Verdict::Holds) => ExitCode::SUCCESS,
        Ok(Verdict::Fails) => ExitCode::from(1),
        Err(error) if reader_left(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", one_line(&error));
            ExitCode::from(2)
        }
    }
}

/// Whether standard output was closed by whoever read it (`resolvent list | head -1`).
fn reader_left(error: &anyhow::Error) -> bool {
    error.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}

/// The chain of causes on one line; parsers put line breaks into theirs.
pub(crate) fn one_line(error: &anyhow::Error) -> String {
    let chain = format!("{error:#}");
    chain.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}
