//! Records shown: the page `index.html` and the table on the terminal.

mod claims;
mod contents;
mod numbers;
mod page;
mod rerun;
mod section;
mod terminal;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use resolvent::data::io::write_atomically;

use crate::experiment::AnyExperiment;
use crate::experiments::place;
use crate::record::Record;

pub(crate) use terminal::terminal;

/// A record with the text of its figures, both found sound.
pub(crate) struct Shown {
    pub(crate) record: Record,
    /// The text of each.
    pub(crate) figures: Vec<String>,
}

impl Shown {
    /// Reads `dir/name`; an error names the file at fault.
    pub(crate) fn read(dir: &Path, name: &str) -> Result<Self> {
        let record = Record::load(dir, name)?;
        let folder = dir.join(name);
        let figures =
            record.figures.iter().map(|name| read_svg(&folder.join(name))).collect::<Result<_>>()?;
        Ok(Self { record, figures })
    }
}

/// Writes `dir/index.html` with these records of `dir` and returns its path. The sections stand in the order of the questions,
/// then by name.
pub(crate) fn write(dir: &Path, mut shown: Vec<Shown>, registry: &[&dyn AnyExperiment]) -> Result<PathBuf> {
    shown.sort_by_cached_key(|Shown { record, .. }| (place(&record.experiment), record.experiment.clone()));
    let path = dir.join("index.html");
    let page = page::page(&shown, registry);
    write_atomically(&path, |file| file.write_all(page.as_bytes()))?;
    Ok(path)
}

fn read_svg(path: &Path) -> Result<String> {
    let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let sound = text.starts_with("<svg") && text.trim_end().ends_with("</svg>") && !text.contains("<script");
    ensure!(sound, "{}: no figure of this program", path.display());
    Ok(text)
}
