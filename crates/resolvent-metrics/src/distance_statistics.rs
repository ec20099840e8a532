use crate::{Result, check, mean, quantile};

/// Levels of [`DistanceStatistics::quantiles`].
pub const QUANTILE_LEVELS: [f64; 5] = [0.05, 0.25, 0.5, 0.75, 0.95];

/// Summary of a sample of distances, for instance from end points to the data.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DistanceStatistics {
    /// Mean distance.
    pub mean: f64,
    /// Standard error of the mean over independent points, as in [`mean`].
    pub standard_error: f64,
    /// Quantiles at [`QUANTILE_LEVELS`], as in [`quantile`].
    pub quantiles: [f64; 5],
    /// Largest distance.
    pub max: f64,
}

/// Mean, quantiles and maximum of at least two distances, in their own units.
pub fn distance_statistics(distances: &[f64]) -> Result<DistanceStatistics> {
    let average = mean(distances)?;
    let mut sorted = distances.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    check::parameter("smallest distance", sorted[0], "not negative", sorted[0] >= 0.0)?;
    let mut quantiles = [0.0; 5];
    for (value, level) in quantiles.iter_mut().zip(QUANTILE_LEVELS) {
        *value = quantile(&sorted, level)?;
    }
    Ok(DistanceStatistics {
        mean: average.value,
        standard_error: average.standard_error,
        quantiles,
        max: sorted[sorted.len() - 1],
    })
}
