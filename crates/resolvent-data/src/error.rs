//! The errors of this crate. Each names the file, the field and the value at fault.

use std::fmt::Display;
use std::path::{Path, PathBuf};

/// What can be wrong with a parameter of a law or with a file.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A constructor was given a value outside its range.
    #[error("{name} = {value}: must be {expected}")]
    Parameter {
        /// Name of the parameter.
        name: &'static str,
        /// The value given.
        value: String,
        /// What the value has to satisfy.
        expected: String,
    },

    /// The operating system could not read or write a file.
    #[error("{path}: {reason}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The operating system's (or the decompressor's) message.
        reason: std::io::Error,
    },

    /// A file is not what its format asks for, or not what the reader can use.
    #[error("{path}: {field} is {value}, expected {expected}")]
    Format {
        /// The file.
        path: PathBuf,
        /// The part of the file at fault.
        field: String,
        /// What was found there.
        value: String,
        /// What should have been there.
        expected: String,
    },

    /// An array holds NaN or an infinity where points are needed.
    #[error("{path}: row {row}, column {column} is {value}, expected a finite number")]
    NotFinite {
        /// The file, with the array's name for an npz file.
        path: PathBuf,
        /// Index along the first axis, from 0.
        row: usize,
        /// Index along the remaining axes, flattened, from 0.
        column: usize,
        /// The value found.
        value: f64,
    },

    /// A cell of a CSV file is not a finite number.
    #[error("{path}: line {line}, column {column:?}: {value:?} is not a finite number")]
    Cell {
        /// The file.
        path: PathBuf,
        /// Line of the file, from 1.
        line: u64,
        /// Name of the column, or its index from 0 where the file has no header.
        column: String,
        /// The text found.
        value: String,
    },

    /// A named part (an array of an npz file, a column of a CSV file) is not there.
    #[error("{path}: no {kind} named {name:?}; it holds {}", listed(present))]
    Missing {
        /// The file.
        path: PathBuf,
        /// "array" or "column".
        kind: &'static str,
        /// The name asked for.
        name: String,
        /// The names that are there.
        present: Vec<String>,
    },

    /// A folder holds no data set of the kind looked for.
    #[error("{folder}: no file {looked_for}")]
    NoDataset {
        /// The folder searched.
        folder: PathBuf,
        /// The names looked for.
        looked_for: String,
    },
}

/// Shorthand for results of this crate.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    pub(crate) fn parameter(name: &'static str, value: impl Display, expected: impl Display) -> Self {
        Self::Parameter { name, value: value.to_string(), expected: expected.to_string() }
    }

    pub(crate) fn io(path: &Path, reason: std::io::Error) -> Self {
        Self::Io { path: path.to_owned(), reason }
    }

    pub(crate) fn format(
        path: &Path,
        field: impl Display,
        value: impl Display,
        expected: impl Display,
    ) -> Self {
        Self::Format {
            path: path.to_owned(),
            field: field.to_string(),
            value: value.to_string(),
            expected: expected.to_string(),
        }
    }
}

/// A positive finite parameter, or the error that names it.
pub(crate) fn positive(name: &'static str, value: f64) -> Result<f64> {
    if value.is_finite() && value > 0.0 {
        Ok(value)
    } else {
        Err(Error::parameter(name, value, "positive and finite"))
    }
}

/// A dimension of at least `least`, or the error that names it.
pub(crate) fn dimension(value: usize, least: usize) -> Result<usize> {
    if value >= least {
        Ok(value)
    } else {
        Err(Error::parameter("dim", value, format_args!("at least {least}")))
    }
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}
