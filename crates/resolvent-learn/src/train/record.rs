//! Records of a training, one JSON object to a line.

use crate::error::{Error, Result};
use resolvent_data::io::write_atomically;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

/// How training stands after a step. All but `samples_per_second` and `seconds` is the same on any machine of the same
/// instruction set, whatever the number of threads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// Steps taken.
    pub step: u64,
    /// Mean loss of the examples of the last step, at the parameters before it; none before the first.
    pub loss: Option<f64>,
    /// Mean of the losses so far, over the first hundred steps; then an exponential one over about as many.
    pub smoothed_loss: Option<f64>,
    /// Learning rate of the last step.
    pub learning_rate: Option<f64>,
    /// Euclidean norm of the gradient of the last step, before clipping.
    pub gradient_norm: Option<f64>,
    /// Examples per second since the record before; validations and checkpoints count as time.
    pub samples_per_second: Option<f64>,
    /// Seconds since the start, over all runs of this training.
    pub seconds: f64,
    /// What validation found with the averaged parameters; empty where there was none. A value that is not finite is null.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub validation: Map<String, Value>,
}

/// The file that records are appended to.
#[derive(Debug)]
pub struct RecordFile {
    path: PathBuf,
    file: File,
}

impl RecordFile {
    /// A new file.
    ///
    /// # Errors
    /// If there is a file already, or it cannot be written.
    pub fn create(path: impl Into<PathBuf>) -> Result<Self> {
        let path = path.into();
        let file = OpenOptions::new().append(true).create_new(true).open(&path);
        file.map_err(|reason| file_error(&path, &reason)).map(|file| Self { path, file })
    }

    /// The file of a training that goes on after `step` steps: records of later steps are dropped, and so is a last line that
    /// was cut off.
    ///
    /// # Errors
    /// If the file cannot be read or written, or holds something else; it is left as it was then.
    pub fn resume(path: impl Into<PathBuf>, step: u64) -> Result<Self> {
        let path = path.into();
        let text = fs::read_to_string(&path).map_err(|reason| file_error(&path, &reason))?;
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        let mut kept = 0;
        for (index, line) in text[..whole].split_inclusive('\n').enumerate() {
            if parse(&path, index, line)?.step > step {
                break;
            }
            kept += line.len();
        }
        if kept < text.len() {
            write_atomically(&path, |writer| writer.write_all(&text.as_bytes()[..kept]))?;
        }
        let file = OpenOptions::new().append(true).open(&path);
        file.map_err(|reason| file_error(&path, &reason)).map(|file| Self { path, file })
    }

    /// Appends a record.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn append(&mut self, record: &Record) -> Result<()> {
        let mut line = serde_json::to_string(record).expect("a record is JSON");
        line.push('\n');
        self.file.write_all(line.as_bytes()).map_err(|reason| file_error(&self.path, &reason))
    }
}

/// The records in a file; a last line that was cut off is left out.
///
/// # Errors
/// If the file cannot be read or holds something else.
pub fn read_records(path: impl AsRef<Path>) -> Result<Vec<Record>> {
    let path = path.as_ref();
    let text = fs::read_to_string(path).map_err(|reason| file_error(path, &reason))?;
    let whole = text.rfind('\n').map_or(0, |end| end + 1);
    text[..whole].lines().enumerate().map(|(index, line)| parse(path, index, line)).collect()
}

fn parse(path: &Path, index: usize, line: &str) -> Result<Record> {
    serde_json::from_str(line).map_err(|reason| {
        let reason = format!("line {} is no record of a training: {reason}", index + 1);
        Error::File { path: path.to_owned(), reason }
    })
}

fn file_error(path: &Path, reason: &std::io::Error) -> Error {
    Error::File { path: path.to_owned(), reason: reason.to_string() }
}
