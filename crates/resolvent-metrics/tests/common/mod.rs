//! What the tests share: seeded samples and the comparison of a standard error with an observed spread.

#![allow(dead_code, unreachable_pub)]

use nalgebra::DMatrix;
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use resolvent_metrics::Estimate;

pub fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// d x n standard normal points, moved by `shift` along the first axis.
pub fn gaussian(d: usize, n: usize, shift: f64, rng: &mut ChaCha8Rng) -> DMatrix<f64> {
    let mut points = DMatrix::from_fn(d, n, |_, _| StandardNormal.sample(rng));
    points.row_mut(0).add_scalar_mut(shift);
    points
}

/// Runs an estimator on 200 seeds and returns the root mean square of its standard error over the spread of its
/// values. The spread of 200 values is known to 5 %.
pub fn error_over_spread(estimator: impl Fn(u64) -> Estimate) -> f64 {
    let estimates: Vec<Estimate> = (0..200).map(estimator).collect();
    let n = estimates.len() as f64;
    let mean = estimates.iter().map(|e| e.value).sum::<f64>() / n;
    let spread = estimates.iter().map(|e| (e.value - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let stated = estimates.iter().map(|e| e.standard_error.powi(2)).sum::<f64>() / n;
    (stated / spread).sqrt()
}

pub fn assert_calibrated(estimator: impl Fn(u64) -> Estimate) {
    let ratio = error_over_spread(estimator);
    println!("standard error / spread = {ratio}");
    assert!((0.7..1.4).contains(&ratio), "standard error / spread = {ratio}");
}

/// Within four standard errors.
pub fn assert_close(estimate: Estimate, truth: f64) {
    let Estimate { value, standard_error } = estimate;
    assert!((value - truth).abs() <= 4.0 * standard_error, "{value} +- {standard_error}, expected {truth}");
}

pub fn assert_relative(value: f64, truth: f64, tolerance: f64) {
    assert!((value - truth).abs() <= tolerance * truth.abs(), "{value}, expected {truth}");
}

/// Rows of a reference table without its header.
pub fn table(text: &str) -> Vec<Vec<&str>> {
    text.lines().skip(1).map(|line| line.split(',').collect()).collect()
}

/// Numbers separated by blanks.
pub fn numbers(cell: &str) -> Vec<f64> {
    cell.split(' ').map(|value| value.parse().unwrap()).collect()
}
