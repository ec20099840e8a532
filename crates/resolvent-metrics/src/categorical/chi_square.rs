use super::validated_total;
use crate::{Error, Result};
use statrs::function::gamma::gamma_ur;

/// Smallest expected count of a cell that is tested on its own.
const SMALLEST_EXPECTED: f64 = 5.0;

/// Outcome of a test of fit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TestResult {
    /// The statistic; infinite when an impossible event was seen.
    pub statistic: f64,
    /// Degrees of freedom of its law under the hypothesis.
    pub degrees_of_freedom: usize,
    /// Probability of a statistic at least as large under the hypothesis.
    pub p_value: f64,
}

/// Pearson's chi-square test that the counts are multinomial with the given probabilities.
///
/// Cells with an expected count below 5 are pooled into one; if the pool still expects fewer than 5 it joins the
/// smallest of the other cells. The pooling looks at the probabilities only, so it does not disturb the p-value.
/// A count in a cell of probability 0 makes the statistic infinite and the p-value 0. Fewer than two cells left
/// after pooling is an error.
///
/// Source: Cochran (1954), Biometrics 10:417.
pub fn chi_square_test(counts: &[u64], probabilities: &[f64]) -> Result<TestResult> {
    let n = validated_total(counts, probabilities)? as f64;
    let mut impossible = false;
    let mut pool = (0.0, 0.0);
    let mut cells = Vec::with_capacity(counts.len());
    for (&count, &p) in counts.iter().zip(probabilities) {
        let (observed, expected) = (count as f64, n * p);
        if p == 0.0 {
            impossible |= count > 0;
        } else if expected < SMALLEST_EXPECTED {
            pool = (pool.0 + observed, pool.1 + expected);
        } else {
            cells.push((observed, expected));
        }
    }
    if pool.1 >= SMALLEST_EXPECTED {
        cells.push(pool);
    } else if let Some(smallest) = cells.iter_mut().min_by(|a, b| a.1.total_cmp(&b.1)) {
        *smallest = (smallest.0 + pool.0, smallest.1 + pool.1);
    }
    if impossible {
        let degrees_of_freedom = cells.len().max(1);
        return Ok(TestResult { statistic: f64::INFINITY, degrees_of_freedom, p_value: 0.0 });
    }
    if cells.len() < 2 {
        return Err(Error::TooFew { what: "cells after pooling", got: cells.len(), needed: 2 });
    }
    let statistic: f64 =
        cells.iter().map(|(observed, expected)| (observed - expected).powi(2) / expected).sum();
    let degrees_of_freedom = cells.len() - 1;
    let p_value =
        if statistic > 0.0 { gamma_ur(0.5 * degrees_of_freedom as f64, 0.5 * statistic) } else { 1.0 };
    Ok(TestResult { statistic, degrees_of_freedom, p_value })
}
