//! How far a mean over few seeds may be off.

use anyhow::{Result, ensure};
use statrs::distribution::{ContinuousCDF, StudentsT};

/// Fewer seeds than this have an error of which too little is known to compare two methods by: with two seeds the bound would be 236
/// standard errors.
pub(super) const ENOUGH_SEEDS: u64 = 5;
/// What a normal variable exceeds on either side as often as three of its standard deviations.
const CHANCE: f64 = 0.002_699_796_063_260_2;

/// The standard errors within which the mean of `seeds` normal numbers lies as often as a normal variable lies within three: the
/// error itself is estimated from the same few numbers, so the quantile is that of Student's t with `seeds` - 1 degrees of
/// freedom.
pub(super) fn three_sigma(seeds: u64) -> Result<f64> {
    ensure!(seeds >= 2, "{seeds} seeds have no standard error");
    Ok(StudentsT::new(0.0, 1.0, seeds as f64 - 1.0)?.inverse_cdf(1.0 - 0.5 * CHANCE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_seeds_have_wide_bounds() {
        // Two degrees of freedom: t = (2 p - 1) √(2/(4 p (1 - p))) at p = 1 - CHANCE/2.
        let p = 1.0 - 0.5 * CHANCE;
        let exact = (2.0 * p - 1.0) * (2.0 / (4.0 * p * (1.0 - p))).sqrt();
        assert!((three_sigma(3).unwrap() / exact - 1.0).abs() < 1e-6);
        assert!((three_sigma(100_000).unwrap() - 3.0).abs() < 1e-3);
        assert!(three_sigma(1).is_err());
    }
}
