//! Kolmogorov-Smirnov tests.
//!
//! The p-values hold for continuous laws. When the law has atoms the true p-value is larger: the tests are
//! conservative, and [`crate::chi_square_test`] is the one to use for a law on a few points.

mod distribution;
mod one_sample;
mod two_sample;

pub use distribution::{expected_ks, ks_critical, ks_p_value};
pub use one_sample::ks_one_sample;
pub use two_sample::ks_two_sample;

/// Outcome of a Kolmogorov-Smirnov test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KsResult {
    /// Largest distance between the two distribution functions, in [0, 1].
    pub statistic: f64,
    /// Probability of a distance at least as large under the hypothesis.
    pub p_value: f64,
    /// Effective sample size: n for one sample, n m / (n + m) for two.
    pub n: f64,
}

fn sorted(sample: &[f64]) -> Vec<f64> {
    let mut sorted = sample.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted
}
