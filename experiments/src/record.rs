//! Records: what a run leaves behind, `DIR/NAME/record.json` and its figures beside it.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::identity::Identity;
use crate::outcome::{Check, Figure, Outcome, Table};

const FILE: &str = "record.json";

/// Everything but `seconds` and `git` is a function of version, settings, seed and data.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Record {
    pub(crate) experiment: String,
    pub(crate) summary: String,
    pub(crate) version: String,
    /// The commit that the program was built from, and a hash of the sources where they are not those of a commit.
    pub(crate) git: String,
    pub(crate) seed: u64,
    pub(crate) quick: bool,
    /// The data sets and networks given, as [`describe_inputs`] has them.
    pub(crate) data: String,
    pub(crate) settings: Map<String, Value>,
    /// Seconds by the clock; for an experiment in units the sum over all units, which are measured side by side and perhaps on
    /// several machines, and over the conclusion.
    pub(crate) seconds: f64,
    pub(crate) checks: Vec<Check>,
    pub(crate) tables: Vec<Table>,
    /// File names in the folder of the record.
    pub(crate) figures: Vec<String>,
    /// One caption per figure.
    pub(crate) captions: Vec<String>,
    pub(crate) notes: Vec<String>,
}

impl Record {
    /// What it is a function of.
    pub(crate) fn identity(&self) -> Identity {
        Identity {
            experiment: self.experiment.clone(),
            version: self.version.clone(),
            git: self.git.clone(),
            seed: self.seed,
            quick: self.quick,
            data: self.data.clone(),
            settings: self.settings.clone(),
        }
    }

    /// Whether data sets were given.
    pub(crate) fn has_data(&self) -> bool {
        self.data != NONE && !self.data.starts_with(&format!("{NONE}{BETWEEN}"))
    }

    /// How many checks hold.
    pub(crate) fn held(&self) -> usize {
        self.checks.iter().filter(|check| check.holds).count()
    }

    /// Whether every check holds.
    pub(crate) fn holds(&self) -> bool {
        self.held() == self.checks.len()
    }

    /// Writes the folder `dir/NAME`, whole or not at all: it is assembled beside its place and renamed.
    pub(crate) fn store(&self, dir: &Path, figures: &[Figure]) -> Result<()> {
        for (index, figure) in figures.iter().enumerate() {
            ensure!(is_plain(&figure.stem), "figure stem `{}` is no plain name", figure.stem);
            let twice = figures[..index].iter().any(|other| other.stem == figure.stem);
            ensure!(!twice, "two figures are called `{}`", figure.stem);
        }
        let workshop = tempfile::Builder::new()
            .prefix(&format!(".{}-", self.experiment))
            .tempdir_in(dir)
            .with_context(|| format!("cannot write into {}", dir.display()))?;
        let fresh = workshop.path().join("new");
        fs::create_dir(&fresh)?;
        for figure in figures {
            fs::write(fresh.join(file_name(&figure.stem)), &figure.svg)?;
        }
        fs::write(fresh.join(FILE), serde_json::to_string_pretty(self)? + "\n")?;
        ensure_free(dir, &self.experiment)?;
        let old = workshop.path().join("old");
        replace(&dir.join(&self.experiment), &fresh, &old).inspect_err(|_| {
            if old.exists() {
                eprintln!("the earlier record is in {}", workshop.keep().join("old").display());
            }
        })
    }

    /// Reads `dir/NAME/record.json`; an error names the file and the field.
    pub(crate) fn load(dir: &Path, name: &str) -> Result<Self> {
        let path = path(dir, name);
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let mut deserializer = serde_json::Deserializer::from_str(&text);
        let record: Self = serde_path_to_error::deserialize(&mut deserializer)
            .map_err(|error| anyhow!("{}: field `{}`: {}", path.display(), error.path(), error.inner()))?;
        deserializer.end().with_context(|| path.display().to_string())?;
        record.validate(dir, name).with_context(|| path.display().to_string())?;
        Ok(record)
    }

    fn validate(&self, dir: &Path, name: &str) -> Result<()> {
        ensure!(self.experiment == name, "field `experiment`: `{}` in the folder `{name}`", self.experiment);
        ensure!(self.seconds >= 0.0, "field `seconds`: {} is negative", self.seconds);
        for (index, check) in self.checks.iter().enumerate() {
            ensure!(check.is_consistent(), "field `checks[{index}].holds`: contradicts value and bound");
        }
        for (index, table) in self.tables.iter().enumerate() {
            let ragged = table.rows.iter().position(|row| row.len() != table.columns.len());
            if let Some(row) = ragged {
                bail!("field `tables[{index}].rows[{row}]`: not one cell per column");
            }
        }
        for (index, figure) in self.figures.iter().enumerate() {
            let plain = figure.strip_suffix(".svg").is_some_and(is_plain);
            ensure!(plain, "field `figures[{index}]`: `{figure}` is no plain name of an SVG file");
            let file = dir.join(name).join(figure);
            ensure!(file.is_file(), "field `figures[{index}]`: there is no {}", file.display());
        }
        ensure!(self.captions.len() == self.figures.len(), "field `captions`: not one per figure");
        Ok(())
    }
}

/// Makes a record of an outcome, which must have made a check, and stores it in `dir`.
pub(crate) fn keep(
    dir: &Path,
    identity: Identity,
    summary: &str,
    seconds: f64,
    outcome: Outcome,
) -> Result<Record> {
    let Identity { experiment, version, git, seed, quick, data, settings } = identity;
    let Outcome { checks, tables, figures, notes } = outcome;
    ensure!(!checks.is_empty(), "made no check");
    let record = Record {
        experiment,
        summary: summary.into(),
        version,
        git,
        seed,
        quick,
        data,
        settings,
        seconds,
        checks,
        tables,
        figures: figures.iter().map(|figure| file_name(&figure.stem)).collect(),
        captions: figures.iter().map(|figure| figure.caption.clone()).collect(),
        notes,
    };
    record.store(dir, &figures)?;
    Ok(record)
}

/// Makes the folder `dir` if need be; an error if nothing can be written there.
pub(crate) fn ensure_writable(dir: &Path) -> Result<()> {
    fs::create_dir_all(dir)?;
    tempfile::tempfile_in(dir)?;
    Ok(())
}

/// An error if `dir/name` holds something else than a record of the experiment `name`: that must not be replaced. An older or
/// damaged record may be.
pub(crate) fn ensure_free(dir: &Path, name: &str) -> Result<()> {
    let place = dir.join(name);
    let text = fs::read_to_string(path(dir, name)).unwrap_or_default();
    let ours = serde_json::from_str::<Value>(&text).is_ok_and(|record| record["experiment"] == name);
    ensure!(
        ours || place.symlink_metadata().is_err(),
        "{}: holds no record of the experiment {name} and is not replaced; move it away or choose another --out",
        place.display()
    );
    Ok(())
}

/// Moves `place` to `old`, if it is there, and `fresh` to `place`; if that fails `place` is again what it was.
fn replace(place: &Path, fresh: &Path, old: &Path) -> Result<()> {
    if place.exists() {
        fs::rename(place, old).with_context(|| format!("cannot replace {}", place.display()))?;
    }
    fs::rename(fresh, place).or_else(|error| {
        if old.exists() {
            fs::rename(old, place).with_context(|| format!("cannot put {} back", place.display()))?;
        }
        Err(error).with_context(|| format!("cannot put {} in place", place.display()))
    })
}

/// The description where no folder is given, and what stands between those of two.
const NONE: &str = "none";
const BETWEEN: &str = "; networks: ";

/// The data sets, described by [`describe_data`], and the files in the folder of networks where the settings name one.
pub(crate) fn describe_inputs(data: &str, settings: &Map<String, Value>) -> Result<String> {
    match settings.get("networks").and_then(Value::as_str) {
        None | Some("") => Ok(data.into()),
        Some(folder) => {
            let networks = describe_data(Some(Path::new(folder))).context("setting `networks`")?;
            Ok(format!("{data}{BETWEEN}{networks}"))
        }
    }
}

/// What lies in a folder of data sets, without where it is: `name (bytes, checksum)` of its files, sorted; `none` without a folder.
/// The checksum (CRC-32) tells data of one size and name apart, as MNIST and its look-alikes are.
pub(crate) fn describe_data(folder: Option<&Path>) -> Result<String> {
    let Some(folder) = folder else { return Ok(NONE.into()) };
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_file() && !name.starts_with('.') {
            let (bytes, checksum) = checksum(&path).with_context(|| path.display().to_string())?;
            files.push(format!("{name} ({bytes} bytes, {checksum:08x})"));
        }
    }
    files.sort();
    Ok(if files.is_empty() { "a folder without files".into() } else { files.join(", ") })
}

/// Length and CRC-32 of a file.
fn checksum(path: &Path) -> Result<(u64, u32)> {
    let mut file = fs::File::open(path)?;
    let (mut hasher, mut buffer, mut bytes) = (crc32fast::Hasher::new(), vec![0; 1 << 16], 0);
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok((bytes, hasher.finalize()));
        }
        hasher.update(&buffer[..read]);
        bytes += read as u64;
    }
}

/// The place of a record.
pub(crate) fn path(dir: &Path, name: &str) -> PathBuf {
    dir.join(name).join(FILE)
}

/// The file of the figure called `stem`.
pub(crate) fn file_name(stem: &str) -> String {
    format!("{stem}.svg")
}

/// Names of the folders in `dir` that hold a record, sound or not, sorted; hidden ones are left out.
pub(crate) fn names(dir: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(dir).with_context(|| dir.display().to_string())? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if path(dir, &name).is_file() && !name.starts_with('.') {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

fn is_plain(stem: &str) -> bool {
    !stem.is_empty() && stem.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        let mut table = Table::new("t", "caption", &["d", "value"]);
        table.push(crate::outcome::cells![3, 0.1 + 0.2]);
        Record {
            experiment: "e".into(),
            summary: "s".into(),
            version: "1".into(),
            git: "unknown".into(),
            seed: u64::MAX,
            quick: true,
            data: "none".into(),
            settings: serde_json::from_str(r#"{"rate":0.30000000000000004,"dims":[2,3]}"#).unwrap(),
            seconds: 1.5,
            checks: vec![Check::at_most("c", 1e-300 / 3.0, 0.1, "R3")],
            tables: vec![table],
            figures: vec!["f.svg".into()],
            captions: vec!["a figure".into()],
            notes: vec!["note".into()],
        }
    }

    fn figures() -> Vec<Figure> {
        vec![Figure::new("f", "a figure", "<svg/>".into())]
    }

    #[test]
    fn a_record_survives_the_disk_bit_for_bit() {
        let dir = tempfile::tempdir().unwrap();
        record().store(dir.path(), &figures()).unwrap();
        let back = Record::load(dir.path(), "e").unwrap();
        assert_eq!(serde_json::to_string(&back).unwrap(), serde_json::to_string(&record()).unwrap());
        assert_eq!(back.checks[0].value.to_bits(), (1e-300_f64 / 3.0).to_bits());
    }

    #[test]
    fn storing_again_replaces_the_whole_folder_and_leaves_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        record().store(dir.path(), &figures()).unwrap();
        fs::write(dir.path().join("e/old.svg"), "").unwrap();
        record().store(dir.path(), &figures()).unwrap();
        let names = |path: &Path| {
            let mut names: Vec<_> =
                fs::read_dir(path).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
            names.sort();
            names
        };
        assert_eq!(names(dir.path()), ["e"]);
        assert_eq!(names(&dir.path().join("e")), ["f.svg", "record.json"]);
    }

    #[test]
    fn a_bad_figure_leaves_no_folder() {
        let dir = tempfile::tempdir().unwrap();
        let bad = [Figure::new("../f", "", String::new())];
        assert!(record().store(dir.path(), &bad).is_err());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn only_a_record_of_the_same_experiment_is_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let place = dir.path().join("e");
        let refused = || {
            let message = record().store(dir.path(), &figures()).unwrap_err().to_string();
            assert!(message.contains(&place.display().to_string()) && message.contains("not replaced"));
        };
        fs::write(&place, "a file").unwrap();
        refused();
        assert_eq!(fs::read_to_string(&place).unwrap(), "a file");
        fs::remove_file(&place).unwrap();
        fs::create_dir(&place).unwrap();
        for text in ["", "[]", r#"{"experiment": "f"}"#] {
            fs::write(place.join("thesis.tex"), "years of work").unwrap();
            fs::write(place.join(FILE), text).unwrap();
            refused();
            assert_eq!(fs::read_to_string(place.join("thesis.tex")).unwrap(), "years of work");
        }
        fs::write(place.join(FILE), r#"{"experiment": "e", "of": "an earlier version"}"#).unwrap();
        record().store(dir.path(), &figures()).unwrap();
        assert!(Record::load(dir.path(), "e").is_ok() && !place.join("thesis.tex").exists());
    }

    #[test]
    fn the_earlier_folder_comes_back_when_the_new_one_cannot_be_put_in_place() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::create_dir(at("place")).unwrap();
        fs::write(at("place").join("file"), "kept").unwrap();
        assert!(replace(&at("place"), &at("nothing"), &at("old")).is_err());
        assert_eq!(fs::read_to_string(at("place").join("file")).unwrap(), "kept");
        assert!(!at("old").exists());
    }

    #[test]
    fn data_are_described_by_what_they_are_not_where() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(describe_data(None).unwrap(), "none");
        assert_eq!(describe_data(Some(dir.path())).unwrap(), "a folder without files");
        fs::write(dir.path().join("b"), "12").unwrap();
        fs::write(dir.path().join("a.gz"), "").unwrap();
        fs::write(dir.path().join(".hidden"), "").unwrap();
        fs::create_dir(dir.path().join("folder")).unwrap();
        assert_eq!(
            describe_data(Some(dir.path())).unwrap(),
            "a.gz (0 bytes, 00000000), b (2 bytes, 4f5344cd)"
        );
        assert!(describe_data(Some(&dir.path().join("none"))).is_err());
    }

    #[test]
    fn networks_are_described_beside_the_data() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("b"), "12").unwrap();
        let settings = |folder: &Path| {
            let mut settings = Map::new();
            settings.insert("networks".into(), folder.to_str().unwrap().into());
            settings
        };
        let of = |data: &str, settings: &Map<String, Value>| Record {
            data: describe_inputs(data, settings).unwrap(),
            ..record()
        };
        assert_eq!(of("none", &Map::new()).data, "none");
        assert_eq!(of("none", &settings(Path::new(""))).data, "none");
        let given = of("none", &settings(dir.path()));
        assert_eq!(given.data, "none; networks: b (2 bytes, 4f5344cd)");
        assert!(!given.has_data());
        assert!(of("a (0 bytes, 00000000)", &settings(dir.path())).has_data());
        let error = describe_inputs("none", &settings(&dir.path().join("nowhere"))).unwrap_err();
        assert!(format!("{error:#}").contains("setting `networks`"));
    }

    #[test]
    fn a_bad_record_names_file_and_field() {
        let spoil = |change: &dyn Fn(&mut Value)| {
            let dir = tempfile::tempdir().unwrap();
            let mut value = serde_json::to_value(record()).unwrap();
            change(&mut value);
            fs::create_dir(dir.path().join("e")).unwrap();
            fs::write(dir.path().join("e/f.svg"), "<svg/>").unwrap();
            fs::write(path(dir.path(), "e"), value.to_string()).unwrap();
            format!("{:#}", Record::load(dir.path(), "e").unwrap_err())
        };
        type Spoil<'a> = &'a dyn Fn(&mut Value);
        let cases: [(Spoil<'_>, &str); 8] = [
            (&|v| v["checks"][0]["value"] = "x".into(), "`checks[0].value`"),
            (&|v| v["checks"][0]["holds"] = false.into(), "`checks[0].holds`"),
            (&|v| v["seed"] = (-1).into(), "`seed`"),
            (&|v| drop(v.as_object_mut().unwrap().remove("tables")), "missing field `tables`"),
            (&|v| v["tables"][0]["rows"][0] = Value::Array(vec![]), "`tables[0].rows[0]`"),
            (&|v| v["figures"][0] = "../../f.svg".into(), "`figures[0]`"),
            (&|v| v["figures"][0] = "g.svg".into(), "`figures[0]`"),
            (&|v| v["experiment"] = "other".into(), "`experiment`"),
        ];
        for (change, expected) in cases {
            let message = spoil(change);
            assert!(message.contains("record.json") && message.contains(expected), "{message}");
        }
    }
}
