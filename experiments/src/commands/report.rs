//! `resolvent report DIR`

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

use crate::Verdict;
use crate::experiment::AnyExperiment;
use crate::record;
use crate::report::{self, Shown};

/// Where the records are.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The folder that `run --out` wrote
    dir: PathBuf,
}

/// Rebuilds the page.
pub(crate) fn execute(args: &Args, registry: &[&dyn AnyExperiment], out: &mut impl Write) -> Result<Verdict> {
    let page = rebuild(&args.dir, registry)?;
    writeln!(out, "{}", page.display())?;
    Ok(Verdict::Holds)
}

/// Writes the page of `dir`, where every record must be sound, and returns its path. Folders without a record are left alone.
pub(crate) fn rebuild(dir: &Path, registry: &[&dyn AnyExperiment]) -> Result<PathBuf> {
    let names = record::names(dir)?;
    ensure!(!names.is_empty(), "{}: no records", dir.display());
    let shown =
        names.iter().map(|name| Shown::read(dir, name)).collect::<Result<_>>().context("bad record")?;
    report::write(dir, shown, registry)
}
