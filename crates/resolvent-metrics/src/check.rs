//! Validation shared by all metrics.

use crate::{Error, Result};
use nalgebra::DMatrix;

/// Largest value accepted: sums of squares and of fourth powers of samples stay finite below it.
const LARGEST: f64 = 1e70;

/// At least `needed` values, none NaN and none beyond `LARGEST`.
pub(crate) fn sample(what: &'static str, values: &[f64], needed: usize) -> Result<()> {
    if values.is_empty() {
        return Err(Error::Empty { what });
    }
    if values.len() < needed {
        return Err(Error::TooFew { what, got: values.len(), needed });
    }
    match values.iter().position(|v| v.is_nan() || v.abs() > LARGEST) {
        Some(position) => Err(Error::OutOfRange { what, position, value: values[position] }),
        None => Ok(()),
    }
}

/// At least `needed` columns, all entries as in `sample`.
pub(crate) fn batch(what: &'static str, points: &DMatrix<f64>, needed: usize) -> Result<()> {
    sample(what, points.as_slice(), 1)?;
    if points.ncols() < needed {
        return Err(Error::TooFew { what, got: points.ncols(), needed });
    }
    Ok(())
}

/// Two sizes that must agree.
pub(crate) fn same(
    quantity: &'static str,
    (left_name, left): (&'static str, usize),
    (right_name, right): (&'static str, usize),
) -> Result<()> {
    if left == right { Ok(()) } else { Err(Error::Mismatch { quantity, left_name, left, right_name, right }) }
}

/// Two batches in the same space, each with at least `needed` points.
pub(crate) fn batches(a: &DMatrix<f64>, b: &DMatrix<f64>, needed: usize) -> Result<()> {
    batch("a", a, needed)?;
    batch("b", b, needed)?;
    same("dimension", ("a", a.nrows()), ("b", b.nrows()))
}

/// Weights in [0, 1] that sum to one up to rounding.
pub(crate) fn probabilities(probabilities: &[f64]) -> Result<()> {
    if probabilities.is_empty() {
        return Err(Error::Empty { what: "probabilities" });
    }
    if let Some(index) = probabilities.iter().position(|p| !(0.0..=1.0).contains(p)) {
        return Err(Error::Probability { index, value: probabilities[index] });
    }
    let sum: f64 = probabilities.iter().sum();
    if (sum - 1.0).abs() > 1e-9 { Err(Error::ProbabilitySum { sum }) } else { Ok(()) }
}

/// A scalar parameter.
pub(crate) fn parameter(
    name: &'static str,
    value: f64,
    requirement: &'static str,
    holds: bool,
) -> Result<()> {
    if holds { Ok(()) } else { Err(Error::Parameter { name, value, requirement }) }
}
