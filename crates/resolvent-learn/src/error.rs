//! What this crate can refuse.

use std::path::PathBuf;

/// An impossible setting, data that do not fit, or a file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A whole number that must be at least `least` is smaller.
    #[error("{name} must be at least {least}, got {value}")]
    TooSmall {
        /// The setting.
        name: &'static str,
        /// The smallest value allowed.
        least: usize,
        /// The value given.
        value: usize,
    },
    /// A whole number that may be at most `most` is larger.
    #[error("{name} must be at most {most}, got {value}")]
    TooLarge {
        /// The setting.
        name: &'static str,
        /// The largest value allowed.
        most: usize,
        /// The value given.
        value: usize,
    },
    /// A number lies outside what makes sense.
    #[error("{name} must be {allowed}, got {value}")]
    Number {
        /// The setting.
        name: &'static str,
        /// What is allowed, in words.
        allowed: &'static str,
        /// The value given.
        value: f64,
    },
    /// Two dimensions that must agree do not.
    #[error("{name} has dimension {found}, expected {expected}")]
    Dimension {
        /// What has the wrong dimension.
        name: &'static str,
        /// The dimension wanted.
        expected: usize,
        /// The dimension given.
        found: usize,
    },
    /// Points that are no images of the network's side.
    #[error("{name}: {found} numbers to a point are no whole number of images of {side} x {side} pixels")]
    Pixels {
        /// Inputs or outputs.
        name: &'static str,
        /// Numbers to a point.
        found: usize,
        /// Pixels along a side.
        side: usize,
    },
    /// An image that cannot be halved so often.
    #[error("side {side} cannot be halved {halvings} times")]
    Side {
        /// Pixels along a side.
        side: usize,
        /// Halvings wanted.
        halvings: usize,
    },
    /// There is nothing to work on.
    #[error("{name} is empty")]
    Empty {
        /// What is empty.
        name: &'static str,
    },
    /// An array holds NaN or an infinity.
    #[error("{name} is not finite at point {point}, coordinate {coordinate}: {value}")]
    NotFinite {
        /// The array.
        name: &'static str,
        /// Index of the point (column).
        point: usize,
        /// Index of the coordinate (row).
        coordinate: usize,
        /// The value found.
        value: f64,
    },
    /// Two settings that exclude each other.
    #[error("{what}")]
    Settings {
        /// What is wrong, in words.
        what: String,
    },
    /// A file that cannot be used.
    #[error("{}: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why, in words.
        reason: String,
    },
    /// From the probability beneath.
    #[error(transparent)]
    Core(#[from] resolvent_core::Error),
    /// From the data.
    #[error(transparent)]
    Data(#[from] resolvent_data::Error),
}

/// The result of something that can refuse.
pub type Result<T> = std::result::Result<T, Error>;

/// There are points, and all their coordinates are numbers.
pub(crate) fn usable(name: &'static str, points: &nalgebra::DMatrix<f64>) -> Result<()> {
    if points.is_empty() {
        return Err(Error::Empty { name });
    }
    match points.iter().position(|x| !x.is_finite()) {
        None => Ok(()),
        Some(i) => {
            let (point, coordinate) = (i / points.nrows(), i % points.nrows());
            Err(Error::NotFinite { name, point, coordinate, value: points.as_slice()[i] })
        }
    }
}
