use crate::neighbourhoods::{Neighbourhoods, check_samples};
use crate::{Estimate, Result, proportion};
use nalgebra::DMatrix;

/// How much of a sample is like the references, and how much of the references the sample reaches; both in [0, 1].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PrecisionRecall {
    /// The share of the samples within the support of the references.
    pub precision: Estimate,
    /// The share of the references within the support of the samples.
    pub recall: Estimate,
}

/// Precision and recall of `samples` (d x n) against `references` (d x m), the support of either set estimated by the union
/// of closed balls that reach from each of its points to its `neighbours`-th nearest fellow (3 in the source); both sets
/// need one point more than that.
///
/// Neither number is 1 for two samples of one law: compare with two sets of references of the same sizes. A single
/// point far off makes a large ball; [`density_coverage`](crate::density_coverage) is less sensitive to it. The standard errors cover the draw of the points
/// that are counted, given the balls. Cost O((n² + m² + nm) d).
///
/// Source: Kynkäänniemi et al. (2019), Advances in Neural Information Processing Systems 32, equations 1 and 2.
pub fn precision_recall(
    samples: &DMatrix<f64>,
    references: &DMatrix<f64>,
    neighbours: usize,
) -> Result<PrecisionRecall> {
    check_samples(samples, references, neighbours)?;
    let share = |points: &DMatrix<f64>, centres: &DMatrix<f64>| {
        let balls = Neighbourhoods::new(centres, neighbours).membership(points).balls;
        proportion(balls.iter().filter(|&&count| count > 0).count() as u64, balls.len() as u64)
    };
    Ok(PrecisionRecall { precision: share(samples, references)?, recall: share(references, samples)? })
}
