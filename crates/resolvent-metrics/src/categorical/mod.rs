//! Samples of categories: which of k atoms, classes or bins each draw fell into.

mod chi_square;
mod total_variation;

pub use chi_square::{TestResult, chi_square_test};
pub use total_variation::{expected_total_variation, total_variation, total_variation_critical};

use crate::{Error, Result, check};

/// Number of times each of the categories 0..k occurs.
pub fn counts(indices: &[usize], k: usize) -> Result<Vec<u64>> {
    let mut counts = vec![0; k];
    for (position, &value) in indices.iter().enumerate() {
        *counts.get_mut(value).ok_or(Error::IndexOutOfRange { position, value, cells: k })? += 1;
    }
    Ok(counts)
}

/// Sample size behind the counts, once counts and probabilities are seen to fit together.
fn validated_total(counts: &[u64], probabilities: &[f64]) -> Result<u64> {
    check::probabilities(probabilities)?;
    check::same("length", ("counts", counts.len()), ("probabilities", probabilities.len()))?;
    match counts.iter().sum() {
        0 => Err(Error::Empty { what: "counts" }),
        total => Ok(total),
    }
}
