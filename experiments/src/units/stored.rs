//! A measured unit on the disk: `DIR/units/EXPERIMENT/UNIT.json`.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow, ensure};
use resolvent::data::io::write_atomically;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::identity::Identity;

/// What a unit left behind, and what it is a function of.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Stored {
    pub(crate) unit: String,
    pub(crate) identity: Identity,
    /// Seconds by the clock that it took, with others beside it where there were threads for them.
    pub(crate) seconds: f64,
    pub(crate) measured: Value,
}

impl Stored {
    /// Writes its file in the folder `dir`, whole or not at all.
    pub(crate) fn store(&self, dir: &Path) -> Result<()> {
        let place = path(dir, &self.identity.experiment, &self.unit);
        let folder = folder(dir, &self.identity.experiment);
        fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
        let text = serde_json::to_string_pretty(self)? + "\n";
        Ok(write_atomically(&place, |file| file.write_all(text.as_bytes()))?)
    }

    /// Reads a file; an error names it and the field at fault.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
        let mut deserializer = serde_json::Deserializer::from_str(&text);
        let stored: Self = serde_path_to_error::deserialize(&mut deserializer)
            .map_err(|error| anyhow!("{}: field `{}`: {}", path.display(), error.path(), error.inner()))?;
        deserializer.end().with_context(|| path.display().to_string())?;
        let Self { unit, identity, .. } = &stored;
        let called = |path: Option<&Path>, name: &str| {
            path.and_then(Path::file_name).is_some_and(|called| called == name)
        };
        ensure!(
            called(Some(path), &format!("{unit}.json")),
            "{}: field `unit`: `{unit}` is not what the file is called",
            path.display()
        );
        ensure!(
            called(path.parent(), &identity.experiment),
            "{}: field `identity.experiment`: `{}` is not what the folder is called",
            path.display(),
            identity.experiment
        );
        ensure!(stored.seconds >= 0.0, "{}: field `seconds`: {} is negative", path.display(), stored.seconds);
        Ok(stored)
    }
}

/// The folder of all units in `dir`.
pub(crate) fn parent(dir: &Path) -> PathBuf {
    dir.join("units")
}

/// The folder of an experiment's units.
fn folder(dir: &Path, experiment: &str) -> PathBuf {
    parent(dir).join(experiment)
}

/// The file of a unit.
pub(crate) fn path(dir: &Path, experiment: &str, unit: &str) -> PathBuf {
    folder(dir, experiment).join(format!("{unit}.json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored() -> Stored {
        let settings = serde_json::from_str(r#"{"rate": 0.30000000000000004}"#).unwrap();
        Stored {
            unit: "circle-0.1".into(),
            identity: Identity::here("e", &settings, u64::MAX, false, "none"),
            seconds: 0.5,
            measured: serde_json::json!([1e-300 / 3.0, null, 7]),
        }
    }

    #[test]
    fn a_unit_survives_the_disk_bit_for_bit() {
        let dir = tempfile::tempdir().unwrap();
        stored().store(dir.path()).unwrap();
        let back = Stored::read(&path(dir.path(), "e", "circle-0.1")).unwrap();
        assert_eq!((back.identity, back.measured), (stored().identity, stored().measured));
        assert_eq!(fs::read_dir(folder(dir.path(), "e")).unwrap().count(), 1);
    }

    #[test]
    fn a_damaged_file_names_itself_and_the_field() {
        let dir = tempfile::tempdir().unwrap();
        stored().store(dir.path()).unwrap();
        let place = path(dir.path(), "e", "circle-0.1");
        let whole: Value = serde_json::from_str(&fs::read_to_string(&place).unwrap()).unwrap();
        type Change<'a> = &'a dyn Fn(&mut Value);
        let cases: [(Change<'_>, &str); 5] = [
            (&|v| v["seconds"] = (-1).into(), "field `seconds`"),
            (&|v| v["unit"] = "circle".into(), "field `unit`"),
            (&|v| v["identity"]["experiment"] = "f".into(), "field `identity.experiment`"),
            (&|v| v["identity"]["seed"] = "x".into(), "field `identity.seed`"),
            (&|v| drop(v.as_object_mut().unwrap().remove("measured")), "missing field `measured`"),
        ];
        for (change, expected) in cases {
            let mut value = whole.clone();
            change(&mut value);
            fs::write(&place, value.to_string()).unwrap();
            let message = format!("{:#}", Stored::read(&place).unwrap_err());
            assert!(message.contains("circle-0.1.json") && message.contains(expected), "{message}");
        }
        fs::write(&place, &whole.to_string()[..50]).unwrap();
        assert!(Stored::read(&place).unwrap_err().to_string().contains("circle-0.1.json"));
    }
}
