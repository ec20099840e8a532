//! Modes, saddle and Kramers' formula.

use std::f64::consts::TAU;

use resolvent::core::GaussianMixture;
use resolvent::core::schedule::Level;

/// Where the modes are and what lies between.
pub(super) struct Landscape {
    pub(super) saddle: f64,
    /// The mass to the right of the saddle.
    pub(super) right: f64,
    /// Left and right mode.
    pub(super) modes: [f64; 2],
}

impl Landscape {
    pub(super) fn new(law: &GaussianMixture) -> Self {
        let (left, right) = (law.means()[(0, 0)], law.means()[(0, 1)]);
        let slope = |x: f64| score(law, x);
        // The density falls from the left mode to the saddle and rises to the right one.
        let saddle = root(0.9 * left, 0.9 * right, |x| -slope(x));
        let modes = [root(2.0 * left, saddle - 1.0, slope), root(saddle + 1.0, 2.0 * right, slope)];
        Self { saddle, right: 1.0 - law.cdf(&Level::CLEAN, saddle), modes }
    }

    /// Kramers' rate of escape from the well of mode `x` over the saddle, per unit of time.
    pub(super) fn escape(&self, law: &GaussianMixture, x: f64) -> f64 {
        let curvature = |x: f64| (score(law, x + 1e-4) - score(law, x - 1e-4)) / 2e-4;
        let barrier = law.log_density(&[x]) - law.log_density(&[self.saddle]);
        (-curvature(x) * curvature(self.saddle)).sqrt() / TAU * f64::exp(-barrier)
    }

    /// The share of `sample` to the right of the saddle.
    pub(super) fn share(&self, sample: &[f64]) -> f64 {
        sample.iter().filter(|x| **x > self.saddle).count() as f64 / sample.len() as f64
    }
}

/// The score at `x`.
pub(super) fn score(law: &GaussianMixture, x: f64) -> f64 {
    let mut out = [0.0];
    law.score_into(&[x], &mut out);
    out[0]
}

/// Where a function that is positive at `low` and negative at `high` vanishes.
fn root(mut low: f64, mut high: f64, function: impl Fn(f64) -> f64) -> f64 {
    for _ in 0..100 {
        let middle = 0.5 * (low + high);
        if function(middle) > 0.0 { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}
