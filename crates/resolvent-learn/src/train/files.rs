//! The files of a training.

use super::observer::Observer;
use super::record::{Record, RecordFile};
use super::state::State;
use crate::error::{Error, Result};
use std::path::{Path, PathBuf};

/// Keeps a training in three files: `NAME.safetensors`, the averaged parameters, with which one samples;
/// `NAME.state.safetensors`, from which the training is resumed; `NAME.jsonl`, the records.
#[derive(Debug)]
pub struct Files {
    model: PathBuf,
    state: PathBuf,
    records: RecordFile,
}

fn with_ending(stem: &Path, ending: &str) -> PathBuf {
    let mut path = stem.as_os_str().to_owned();
    path.push(ending);
    path.into()
}

impl Files {
    /// The model file of the training `stem` (folder and name without ending).
    pub fn model(stem: impl AsRef<Path>) -> PathBuf {
        with_ending(stem.as_ref(), ".safetensors")
    }

    /// The state file of that training.
    pub fn state(stem: impl AsRef<Path>) -> PathBuf {
        with_ending(stem.as_ref(), ".state.safetensors")
    }

    /// The records of that training.
    pub fn records(stem: impl AsRef<Path>) -> PathBuf {
        with_ending(stem.as_ref(), ".jsonl")
    }

    /// The files of a new training.
    ///
    /// # Errors
    /// If one of them is there already, or cannot be written.
    pub fn create(stem: impl AsRef<Path>) -> Result<Self> {
        let (model, state) = (Self::model(&stem), Self::state(&stem));
        for path in [&model, &state] {
            if path.exists() {
                let reason = "is there already; resume it, or choose another name".into();
                return Err(Error::File { path: path.clone(), reason });
            }
        }
        let records = RecordFile::create(Self::records(&stem))?;
        Ok(Self { model, state, records })
    }

    /// The files of a training that goes on, and its state. Records later than the state are dropped.
    ///
    /// # Errors
    /// If a file is missing, damaged or of another kind.
    pub fn resume(stem: impl AsRef<Path>) -> Result<(Self, State)> {
        let (model, path) = (Self::model(&stem), Self::state(&stem));
        let state = State::read(&path)?;
        let records = RecordFile::resume(Self::records(&stem), state.step())?;
        Ok((Self { model, state: path, records }, state))
    }
}

impl Observer for Files {
    fn record(&mut self, record: &Record) -> Result<()> {
        self.records.append(record)
    }

    fn checkpoint(&mut self, state: &State) -> Result<()> {
        state.write(&self.state)?;
        state.model().write(&self.model)
    }

    fn diverged(&mut self, state: &State) -> Result<()> {
        state.last_good().map_or(Ok(()), |model| model.write(&self.model))
    }
}
