//! What a constructor of this crate can refuse.

/// An impossible parameter, a shape that does not fit, or a stopped run.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// A number that must be positive and finite is not.
    #[error("{name} must be positive and finite, got {value}")]
    NotPositive {
        /// The parameter.
        name: &'static str,
        /// The value given.
        value: f64,
    },
    /// A positive number is too large or too small to compute with.
    #[error("{name} must lie between 1e-30 and 1e30, got {value}")]
    OutOfRange {
        /// The parameter.
        name: &'static str,
        /// The value given.
        value: f64,
    },
    /// A number that must be finite and not negative is not.
    #[error("{name} must be finite and not negative, got {value}")]
    Negative {
        /// The parameter.
        name: &'static str,
        /// The value given.
        value: f64,
    },
    /// A whole number that must be at least `least` is smaller.
    #[error("{name} must be at least {least}, got {value}")]
    TooSmall {
        /// The parameter.
        name: &'static str,
        /// The smallest value allowed.
        least: usize,
        /// The value given.
        value: usize,
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
    /// A weight is negative or not finite.
    #[error("weight {index} must be finite and not negative, got {value}")]
    Weight {
        /// Index of the weight.
        index: usize,
        /// The value given.
        value: f64,
    },
    /// All weights are zero.
    #[error("the weights add up to zero")]
    NoMass,
    /// Times must be finite, not negative and ascending.
    #[error("times must be finite, not negative and ascending: entry {index} is {value}")]
    Times {
        /// Index of the offending entry.
        index: usize,
        /// Its value.
        value: f64,
    },
    /// No killing rule and a step that does not kill: the run could only end at the cap.
    #[error(
        "nothing kills the backward process: add a killing rule or take a step that samples the lifetime"
    )]
    NoKillingRule,
    /// The calibration of a threshold by distance needs a support of codimension at least two.
    #[error(
        "a support of codimension {codimension} is not polar: a threshold on the score needs codimension at least 2"
    )]
    NotPolar {
        /// The codimension given.
        codimension: usize,
    },
    /// A support has at most the dimension of the space as its codimension.
    #[error("codimension {codimension} is larger than the dimension {dim}")]
    Codimension {
        /// The codimension given.
        codimension: usize,
        /// The dimension of the space.
        dim: usize,
    },
    /// The observer asked the run to stop.
    #[error("interrupted after {finished} of {total} particles")]
    Interrupted {
        /// Particles that were finished.
        finished: usize,
        /// Particles asked for.
        total: usize,
    },
}

/// The result of a constructor of this crate.
pub type Result<T> = std::result::Result<T, Error>;

pub(crate) fn positive(name: &'static str, value: f64) -> Result<f64> {
    if value.is_finite() && value > 0.0 { Ok(value) } else { Err(Error::NotPositive { name, value }) }
}

pub(crate) fn at_least(name: &'static str, least: usize, value: usize) -> Result<usize> {
    if value >= least { Ok(value) } else { Err(Error::TooSmall { name, least, value }) }
}

pub(crate) fn dimension(name: &'static str, expected: usize, found: usize) -> Result<()> {
    if expected == found { Ok(()) } else { Err(Error::Dimension { name, expected, found }) }
}

/// Every entry of a batch (one point per column) is a number.
pub(crate) fn finite(name: &'static str, points: &nalgebra::DMatrix<f64>) -> Result<()> {
    match points.iter().position(|v| !v.is_finite()) {
        None => Ok(()),
        Some(i) => {
            let (point, coordinate) = (i / points.nrows(), i % points.nrows());
            Err(Error::NotFinite { name, point, coordinate, value: points.as_slice()[i] })
        }
    }
}
