//! Numbers on the command line, for clap.

use std::num::NonZeroUsize;

/// The most steps that can be asked for.
const STEPS: usize = 10_000_000;

/// A number of steps.
pub(crate) fn steps(text: &str) -> Result<NonZeroUsize, String> {
    let number = text.parse::<NonZeroUsize>().ok().filter(|n| n.get() <= STEPS);
    number.ok_or_else(|| format!("not a whole number from 1 to {STEPS}"))
}

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

/// Two finite numbers, the first the smaller.
pub(crate) fn interval(text: &str) -> Result<(f64, f64), String> {
    let number = |text: &str| text.parse::<f64>().ok().filter(|x| x.is_finite());
    let both = text.split_once(',').and_then(|(low, high)| Some((number(low)?, number(high)?)));
    both.filter(|(low, high)| low < high)
        .ok_or_else(|| "not LOW,HIGH, two finite numbers with LOW < HIGH".into())
}
