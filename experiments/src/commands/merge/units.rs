//! Experiments that were measured unit by unit.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, Result, anyhow, bail, ensure};

use crate::experiment::{AnyExperiment, Work};
use crate::identity::Identity;
use crate::record::{self, Record};
use crate::units::{self, Stored};

/// How many missing units are named.
const NAMED: usize = 5;

/// The files of units in these folders, by experiment.
pub(crate) fn files(dirs: &[PathBuf]) -> Result<BTreeMap<String, Vec<PathBuf>>> {
    let mut found: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for dir in dirs {
        for folder in entries(&units::parent(dir))?.into_iter().filter(|path| path.is_dir()) {
            let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let files =
                entries(&folder)?.into_iter().filter(|path| path.extension() == Some("json".as_ref()));
            let files: Vec<_> = files.collect();
            if !files.is_empty() {
                found.entry(name).or_default().extend(files);
            }
        }
    }
    Ok(found)
}

/// What lies in a folder, sorted and without what is hidden; nothing if the folder is not there.
fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let entry = entry?;
        if !entry.file_name().to_string_lossy().starts_with('.') {
            paths.push(entry.path());
        }
    }
    paths.sort();
    Ok(paths)
}

/// Concludes the experiment `name` from these files; its record and its units are in `out` then.
pub(crate) fn join(
    name: &str,
    files: &[PathBuf],
    registry: &[&dyn AnyExperiment],
    out: &Path,
) -> Result<Record> {
    let experiment = registry.iter().find(|experiment| experiment.name() == name);
    let experiment = experiment.ok_or_else(|| anyhow!("{}: no experiment `{name}`", files[0].display()))?;
    let mut read = Vec::with_capacity(files.len());
    for file in files {
        read.push((file, Stored::read(file)?));
    }
    let (first, identity) = (read[0].0, read[0].1.identity.clone());
    for (file, stored) in &read[1..] {
        if let Some(difference) = identity.difference(&stored.identity) {
            bail!("{} and {} are not of one run: {difference}", first.display(), file.display());
        }
    }
    let Identity { settings, seed, quick, data, .. } = &identity;
    let here = Identity::here(name, settings, *seed, *quick, data);
    if let Some(difference) = identity.difference(&here) {
        bail!("{} is not of this program: {difference}", first.display());
    }
    let prepared = experiment.restore(settings).with_context(|| first.display().to_string())?;
    let Work::Units(units) = prepared.work else {
        bail!("{}: the experiment `{name}` has no units", first.display())
    };

    let mut stored = BTreeMap::new();
    for (file, unit) in &read {
        let known = units.names().contains(&unit.unit.as_str());
        ensure!(known, "{}: field `unit`: these settings have no unit `{}`", file.display(), unit.unit);
        let (other, earlier) = stored.entry(unit.unit.as_str()).or_insert((file, unit));
        ensure!(
            earlier.measured == unit.measured,
            "{} and {} contradict each other in field `measured`",
            other.display(),
            file.display()
        );
    }
    for (_, unit) in stored.values() {
        unit.store(out)?;
    }
    let missing: Vec<_> = units.names().into_iter().filter(|unit| !stored.contains_key(unit)).collect();
    if !missing.is_empty() {
        let some = missing.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
        let dots = if missing.len() > NAMED { ", .." } else { "" };
        bail!("{} of {} units are missing: {some}{dots}", missing.len(), units.names().len());
    }
    let measured = units.names().iter().map(|unit| stored[unit].1.measured.clone()).collect();
    let seconds: f64 = units.names().iter().map(|unit| stored[unit].1.seconds).sum();
    let start = Instant::now();
    let outcome = units.conclude(measured)?;
    record::keep(
        out,
        identity.clone(),
        experiment.summary(),
        seconds + start.elapsed().as_secs_f64(),
        outcome,
    )
}
