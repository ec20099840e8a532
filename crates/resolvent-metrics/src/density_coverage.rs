use crate::neighbourhoods::{Neighbourhoods, check_samples};
use crate::{Estimate, Result, mean, proportion};
use nalgebra::DMatrix;

/// How densely a sample lies among the references, and how many of the references have a sample near them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DensityCoverage {
    /// The mean number of neighbourhoods of references that hold a sample, divided by the number of neighbours; not
    /// negative, about 1 for samples of the law of the references, and it may exceed 1.
    pub density: Estimate,
    /// The share of the references whose neighbourhood holds a sample, in [0, 1].
    pub coverage: Estimate,
}

/// Density and coverage of `samples` (d x n) against `references` (d x m), the neighbourhood of a reference being the closed
/// ball to its `neighbours`-th nearest fellow (5 in the source); both sets need one point more than that.
///
/// For two samples of one law the expected coverage is 1 - (m - 1) ⋯ (m - k)/((n + m - 1) ⋯ (n + m - k)), about 1 - 2^{-k} for equal
/// sizes and k neighbours. The standard errors cover the draw of the points that are counted, given the balls. Cost O((m² + nm) d).
///
/// Source: Naeem et al. (2020), Proceedings of Machine Learning Research 119:7176, section 3.
pub fn density_coverage(
    samples: &DMatrix<f64>,
    references: &DMatrix<f64>,
    neighbours: usize,
) -> Result<DensityCoverage> {
    check_samples(samples, references, neighbours)?;
    let membership = Neighbourhoods::new(references, neighbours).membership(samples);
    let counts: Vec<f64> = membership.balls.iter().map(|&count| count as f64 / neighbours as f64).collect();
    let occupied = membership.occupied.iter().filter(|&&held| held).count();
    Ok(DensityCoverage {
        density: mean(&counts)?,
        coverage: proportion(occupied as u64, membership.occupied.len() as u64)?,
    })
}
