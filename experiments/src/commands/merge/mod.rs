//! `resolvent merge DIR... --out OUT`

mod records;
mod units;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};

use super::run::sound_records;
use crate::experiment::AnyExperiment;
use crate::record::{self, Record};
use crate::{Verdict, one_line, report};

/// What to join.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Folders that `run --shard I/N --out DIR` wrote
    #[arg(required = true, value_name = "DIR")]
    dirs: Vec<PathBuf>,
    /// Folder for the page, the records and all units; may be one of those joined
    #[arg(long, value_name = "OUT")]
    out: PathBuf,
}

/// Makes the records that one run would have made. An experiment that is not complete does not keep the others back.
pub(crate) fn execute(args: &Args, registry: &[&dyn AnyExperiment], out: &mut impl Write) -> Result<Verdict> {
    for dir in &args.dirs {
        ensure!(dir.is_dir(), "{}: no such folder", dir.display());
    }
    record::ensure_writable(&args.out).with_context(|| format!("--out {}", args.out.display()))?;
    let sweeps = units::files(&args.dirs)?;
    let mut whole = BTreeMap::new();
    for dir in &args.dirs {
        for name in record::names(dir)?.into_iter().filter(|name| !sweeps.contains_key(name)) {
            whole.entry(name).or_insert_with(Vec::new).push(dir.as_path());
        }
    }
    ensure!(!sweeps.is_empty() || !whole.is_empty(), "no units and no records in the folders given");

    let mut names: Vec<&String> = sweeps.keys().chain(whole.keys()).collect();
    let rank = |name: &str| registry.iter().position(|experiment| experiment.name() == name);
    names.sort_by_key(|name| (rank(name).unwrap_or(registry.len()), *name));
    let (mut verdict, mut failed, mut joined) = (Verdict::Holds, Vec::new(), Vec::new());
    for name in names {
        let found = match (sweeps.get(name), whole.get(name)) {
            (Some(files), _) => units::join(name, files, registry, &args.out),
            (None, dirs) => records::join(name, dirs.map_or(&[], Vec::as_slice), &args.out),
        };
        match found {
            Ok(record) => {
                verdict = judged(&record, verdict, out);
                joined.push(record.experiment);
            }
            Err(error) => {
                eprintln!("{name}: {}", one_line(&error));
                failed.push(name.as_str());
            }
        }
    }
    // What else lies in OUT is of another run.
    let mut shown = sound_records(&args.out)?;
    shown.retain(|shown| joined.contains(&shown.record.experiment));
    if !shown.is_empty() {
        let page = report::write(&args.out, shown, registry)?;
        let _ = writeln!(out, "  page: {}", page.display());
    }
    ensure!(failed.is_empty(), "did not merge: {}", failed.join(", "));
    Ok(verdict)
}

fn judged(record: &Record, verdict: Verdict, out: &mut impl Write) -> Verdict {
    // A closed pipe does not end the work.
    let _ = writeln!(out, "{}", report::terminal(record));
    if record.holds() { verdict } else { Verdict::Fails }
}

#[cfg(test)]
pub(crate) use records::join as join_records;
#[cfg(test)]
pub(crate) use units::{files as unit_files, join as join_units};
