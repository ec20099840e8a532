use thiserror::Error;

/// What can be wrong with the input of a metric.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum Error {
    /// An argument holds no values at all.
    #[error("`{what}` is empty")]
    Empty {
        /// Name of the argument.
        what: &'static str,
    },
    /// The sample is too small for the estimate or for its standard error.
    #[error("`{what}` has {got} elements, at least {needed} are needed")]
    TooFew {
        /// Name of the argument.
        what: &'static str,
        /// Number of elements given.
        got: usize,
        /// Smallest number that works.
        needed: usize,
    },
    /// Two arguments that must agree in shape do not.
    #[error("`{left_name}` has {quantity} {left}, `{right_name}` has {quantity} {right}")]
    Mismatch {
        /// What was compared: "dimension", "length" or "number of columns".
        quantity: &'static str,
        /// Name of the first argument.
        left_name: &'static str,
        /// Its size.
        left: usize,
        /// Name of the second argument.
        right_name: &'static str,
        /// Its size.
        right: usize,
    },
    /// A value is NaN, infinite or so large that its square might overflow.
    #[error("`{what}` holds {value} at position {position}, values must be finite and at most 1e70 in size")]
    OutOfRange {
        /// Name of the argument.
        what: &'static str,
        /// Position in memory order (column-major for a batch: `row + column * rows`).
        position: usize,
        /// The value.
        value: f64,
    },
    /// A weight is negative, above one or NaN.
    #[error("probability {index} is {value}, outside [0, 1]")]
    Probability {
        /// Cell of the weight.
        index: usize,
        /// The weight.
        value: f64,
    },
    /// Probabilities do not sum to one.
    #[error("the probabilities sum to {sum}, not to 1")]
    ProbabilitySum {
        /// Their sum.
        sum: f64,
    },
    /// A category index is outside the table.
    #[error("index {value} at position {position} is outside 0..{cells}")]
    IndexOutOfRange {
        /// Position in the list of indices.
        position: usize,
        /// The index.
        value: usize,
        /// Number of cells.
        cells: usize,
    },
    /// A distribution function returned something that is no probability.
    #[error("the distribution function is {value} at {at}, outside [0, 1]")]
    DistributionFunction {
        /// Where it was evaluated.
        at: f64,
        /// What it returned.
        value: f64,
    },
    /// A scalar parameter is outside its range.
    #[error("`{name}` is {value}, it must be {requirement}")]
    Parameter {
        /// Name of the parameter.
        name: &'static str,
        /// Its value.
        value: f64,
        /// What it has to satisfy.
        requirement: &'static str,
    },
}

/// Result of a metric.
pub type Result<T> = std::result::Result<T, Error>;
