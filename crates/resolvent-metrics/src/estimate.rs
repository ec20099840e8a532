/// A number computed from a random sample, with its standard error.
///
/// The function that returns it says which randomness the error covers and how it was obtained. Neither field
/// is ever NaN.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The estimate.
    pub value: f64,
    /// Its standard error, in the units of the value; not negative.
    pub standard_error: f64,
}
