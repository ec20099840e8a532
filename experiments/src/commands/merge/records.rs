//! Experiments that were run as a whole.

use std::path::Path;

use anyhow::{Result, anyhow, bail, ensure};
use serde_json::Value;

use crate::identity::Identity;
use crate::outcome::Figure;
use crate::record::{self, Record};
use crate::report::Shown;

/// The record of the experiment `name`, the same in all of `dirs`, copied to `out`.
pub(crate) fn join(name: &str, dirs: &[&Path], out: &Path) -> Result<Record> {
    let (first, others) = dirs.split_first().ok_or_else(|| anyhow!("no record"))?;
    let shown = Shown::read(first, name)?;
    for other in others {
        let (here, there) = (record::path(first, name), record::path(other, name));
        let second = Shown::read(other, name)?;
        if let Some(field) = difference(&shown.record, &second.record)? {
            bail!("{} and {} differ in field `{field}`", here.display(), there.display());
        }
        let figures = shown.figures == second.figures;
        ensure!(figures, "the figures beside {} and {} differ", here.display(), there.display());
    }
    let Shown { record, figures } = shown;
    let here = Identity::here(name, &record.settings, record.seed, record.quick, &record.data);
    if let Some(difference) = record.identity().difference(&here) {
        bail!("{} is not of this program: {difference}", record::path(first, name).display());
    }
    let figures: Vec<_> = record
        .figures
        .iter()
        .zip(&record.captions)
        .zip(figures)
        .map(|((file, caption), svg)| Figure::new(file.trim_end_matches(".svg"), caption, svg))
        .collect();
    record.store(out, &figures)?;
    Ok(record)
}

/// The first field but the seconds in which two records differ.
fn difference(first: &Record, second: &Record) -> Result<Option<String>> {
    let (first, second) = (serde_json::to_value(first)?, serde_json::to_value(second)?);
    let Value::Object(fields) = &first else { return Ok(None) };
    let differs = |(key, value): &(&String, &Value)| *key != "seconds" && second.get(key) != Some(value);
    Ok(fields.iter().find(differs).map(|(key, _)| key.clone()))
}
