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
    /// Times that a diffusion is run through must ascend.
    #[error("{name} must be finite and strictly ascending: entry {index} is {value}")]
    NotAscending {
        /// The array.
        name: &'static str,
        /// Index of the offending entry.
        index: usize,
        /// Its value.
        value: f64,
    },
    /// What a sampler goes through, from noise to data, must descend.
    #[error("{name} must be strictly descending: entry {index} is {value}")]
    Ascending {
        /// The array.
        name: &'static str,
        /// Index of the offending entry.
        index: usize,
        /// Its value.
        value: f64,
    },
    /// A time beyond the ends of a schedule or a diffusion.
    #[error("time {value} lies outside the horizon from {start} to {end}")]
    OutsideHorizon {
        /// The time given.
        value: f64,
        /// The first time.
        start: f64,
        /// The last time.
        end: f64,
    },
    /// A noise level that a grid cannot have.
    #[error(
        "noise level {index} of the grid has sigma/alpha = {value}: levels must be finite, within reach of the schedule and strictly descending, and only the last may be 0"
    )]
    Levels {
        /// Index of the level.
        index: usize,
        /// Its σ/α.
        value: f64,
    },
    /// A number that must lie in an interval does not.
    #[error("{name} must lie between {low} and {high}, got {value}")]
    Outside {
        /// The parameter.
        name: &'static str,
        /// The smallest value allowed.
        low: f64,
        /// The largest value allowed.
        high: f64,
        /// The value given.
        value: f64,
    },
    /// A matrix that must be a covariance is not positive definite.
    #[error("{name} must be symmetric and positive definite: its smallest eigenvalue is {eigenvalue}")]
    Covariance {
        /// The matrix.
        name: String,
        /// Its smallest eigenvalue, or NaN if it is not symmetric.
        eigenvalue: f64,
    },
    /// The last move of a linear scheme must lead to a sample.
    #[error("the scheme ends within step {step}: its last stage reaches no level")]
    Unfinished {
        /// The step of the last stage.
        step: usize,
    },
    /// The noise has iterated integrals that are not functions of its increments.
    #[error(
        "the noise does not commute: sigma changes by {derivative} per unit along a coordinate, and only a diagonal entry sigma_i may change, along x_i"
    )]
    NoncommutingNoise {
        /// The derivative of σ that must not be there.
        derivative: f64,
    },
    /// A coefficient of a linear scheme is not a number.
    #[error("a coefficient of the scheme is not finite in step {step}: {value}")]
    Coefficient {
        /// The step.
        step: usize,
        /// The value found.
        value: f64,
    },
    /// A scheme refers to a denoised point from before its first evaluation.
    #[error(
        "a stage of step {step} wants the denoised point {back} evaluations back, and there are not so many"
    )]
    Memory {
        /// The step.
        step: usize,
        /// How far back, 0 being the present evaluation.
        back: usize,
    },
    /// A derivative that was given is not that of the function.
    #[error("{name} is {value} at {at}, but differences of the function give {expected}")]
    Derivative {
        /// The derivative.
        name: &'static str,
        /// Where they differ.
        at: f64,
        /// The value given.
        value: f64,
        /// The value by differences.
        expected: f64,
    },
    /// A predictor goes from sample to sample by one evaluation and remembers nothing else.
    #[error("step {step} of the predictor needs more than one evaluation or a memory of earlier ones")]
    Predictor {
        /// The step.
        step: usize,
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
    /// Brownian motion that is not killed comes back to every place, or as near as one likes, for ever.
    #[error(
        "rate is 0 in dimension {dim}: Brownian motion is recurrent there and has no Green kernel; the rate must be positive where d <= 2"
    )]
    Recurrent {
        /// The dimension.
        dim: usize,
    },
    /// h or u is infinite at a point of its support that is polar.
    #[error("{name} {index} lies on the support of {support}, where the Green kernel is infinite")]
    OnSupport {
        /// What lies there.
        name: &'static str,
        /// Its index.
        index: usize,
        /// Whose support it is.
        support: &'static str,
    },
    /// Local time is a clock for hypersurfaces that are known.
    #[error("no killing by local time on a support of codimension {codimension}: {reason}")]
    NoLocalTime {
        /// The codimension of the support.
        codimension: usize,
        /// Why not, and what to do instead.
        reason: &'static str,
    },
    /// Without a clock killed Brownian motion does not die.
    #[error("rate is 0: nothing kills the process, so there is no place or time of death to draw")]
    Immortal,
    /// The curvature of a quadratic killing rate.
    #[error(
        "the curvature of the rate must be symmetric and positive semidefinite: its smallest eigenvalue is {eigenvalue}"
    )]
    Curvature {
        /// Its smallest eigenvalue, or NaN if it is not symmetric.
        eigenvalue: f64,
    },
    /// The killing rate vanishes where the process goes.
    #[error("the process is practically never killed: its rate must be positive where it goes")]
    NeverKilled,
    /// A killing rate is not below the bound that was given for it.
    #[error("the rate must lie between 0 and its bound {bound}, but it is {rate} at {place:?}")]
    RateBound {
        /// The rate found.
        rate: f64,
        /// The bound given.
        bound: f64,
        /// Where (d).
        place: Vec<f64>,
    },
    /// A quadrature does not converge.
    #[error("the quadrature reaches an error of {error} only, where {tolerance} was asked for")]
    Quadrature {
        /// The error reached.
        error: f64,
        /// The error asked for.
        tolerance: f64,
    },
    /// The observer asked the run to stop.
    #[error("interrupted after {finished} of {total} particles")]
    Interrupted {
        /// Particles that were finished.
        finished: usize,
        /// Particles asked for.
        total: usize,
    },
    /// A label that names no class.
    #[error("label {index} is {label}: there are {classes} classes, counted from 0")]
    Label {
        /// Index of the label.
        index: usize,
        /// The label given.
        label: usize,
        /// How many classes there are.
        classes: usize,
    },
}

/// The result of a constructor of this crate.
pub type Result<T> = std::result::Result<T, Error>;

pub(crate) fn positive(name: &'static str, value: f64) -> Result<f64> {
    if value.is_finite() && value > 0.0 { Ok(value) } else { Err(Error::NotPositive { name, value }) }
}

pub(crate) fn nonnegative(name: &'static str, value: f64) -> Result<f64> {
    if value.is_finite() && value >= 0.0 { Ok(value) } else { Err(Error::Negative { name, value }) }
}

pub(crate) fn at_least(name: &'static str, least: usize, value: usize) -> Result<usize> {
    if value >= least { Ok(value) } else { Err(Error::TooSmall { name, least, value }) }
}

pub(crate) fn dimension(name: &'static str, expected: usize, found: usize) -> Result<()> {
    if expected == found { Ok(()) } else { Err(Error::Dimension { name, expected, found }) }
}

/// `time` lies between `start` and `end`, but for rounding.
pub(crate) fn within((start, end): (f64, f64), time: f64) -> Result<()> {
    let finite = [start, end].into_iter().filter(|t| t.is_finite());
    let slack = 1e-12 * finite.fold(time.abs(), |a, t| a.max(t.abs()));
    // NaN fails as well.
    if time >= start - slack && time <= end + slack {
        return Ok(());
    }
    Err(Error::OutsideHorizon { value: time, start, end })
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
