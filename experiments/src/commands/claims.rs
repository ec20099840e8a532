//! `resolvent claims DIR`

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use resolvent::data::io::write_atomically;

use crate::Verdict;
use crate::claims::{self, markdown};
use crate::record::{self, Record};

/// Where the records are, and where the page goes.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The folder that `run --out` or `merge --out` wrote
    dir: PathBuf,
    /// The page in Markdown; without it the page goes to standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Judges every claim by the records; whether checks fail is for `run` to say.
pub(crate) fn execute(args: &Args, out: &mut impl Write) -> Result<Verdict> {
    let names = record::names(&args.dir)?;
    let records: Vec<Record> = names
        .iter()
        .map(|name| Record::load(&args.dir, name))
        .collect::<Result<_>>()
        .context("bad record")?;
    let page = markdown(&claims::ALL, &records.iter().collect::<Vec<_>>());
    match &args.out {
        Some(path) => write_atomically(path, |file| file.write_all(page.as_bytes()))?,
        None => out.write_all(page.as_bytes())?,
    }
    Ok(Verdict::Holds)
}
