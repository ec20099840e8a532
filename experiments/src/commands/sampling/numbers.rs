//! Numbers on the command line, for clap.

/// A positive finite number.
pub(crate) fn positive(text: &str) -> Result<f64, String> {
    let number = text.parse::<f64>().ok().filter(|x| x.is_finite() && *x > 0.0);
    number.ok_or_else(|| "not a positive finite number".into())
}

/// A finite number that is not negative.
pub(crate) fn not_negative(text: &str) -> Result<f64, String> {
    let number = text.parse::<f64>().ok().filter(|x| x.is_finite() && *x >= 0.0);
    number.ok_or_else(|| "not a finite number >= 0".into())
}
