//! `resolvent tabulate bessel|green`: functions on a grid as CSV, 17 significant digits.

mod bessel;
mod green;
mod grid;

use std::fmt::Write as _;
use std::io::Write;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use resolvent::data::io::write_atomically;

use crate::Verdict;

/// What to tabulate.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Modified Bessel functions: nu, z, log K_nu, K_{nu+1}/K_nu, log I_nu, I_{nu+1}/I_nu
    Bessel(bessel::Args),
    /// The Green kernel of killed Brownian motion as a function of the distance
    Green(green::Args),
}

/// Writes the table.
pub(crate) fn execute(command: &Command, out: &mut impl Write) -> Result<Verdict> {
    match command {
        Command::Bessel(args) => bessel::execute(args, out),
        Command::Green(args) => green::execute(args, out),
    }?;
    Ok(Verdict::Holds)
}

/// A table under construction.
struct Csv {
    text: String,
}

impl Csv {
    fn new(columns: &[&str]) -> Self {
        Self { text: columns.join(",") + "\n" }
    }

    /// Adds a row; `place` says where its arguments came from, in case a value is not a finite number.
    fn push(&mut self, row: &[f64], place: impl FnOnce() -> String) -> Result<()> {
        for (k, &value) in row.iter().enumerate() {
            ensure!(
                value.is_finite(),
                "{}: column {} of the table is {value}: not representable",
                place(),
                k + 1
            );
            let end = if k + 1 < row.len() { ',' } else { '\n' };
            write!(self.text, "{value:.16e}{end}").expect("writing to a string cannot fail");
        }
        Ok(())
    }

    /// Writes the table to the file, whole or not at all, or to `out`.
    fn emit(&self, path: Option<&Path>, out: &mut impl Write) -> Result<()> {
        let bytes = self.text.as_bytes();
        match path {
            Some(path) => write_atomically(path, |file| file.write_all(bytes)).context("--out"),
            None => Ok(out.write_all(bytes)?),
        }
    }
}
