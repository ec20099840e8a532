//! The data law on circle and sphere: the harmonic measure of a point within, the Poisson kernel.
//!
//! A uniform law would show nothing: start, drift and rules would all share its symmetry, and the end law would be
//! uniform whatever kills.

use std::f64::consts::PI;

/// Density on the circle against the uniform law, up to a constant, at the angle `theta` from the pole, for
/// `concentration` in [0, 1).
pub(super) fn angle_weight(concentration: f64, theta: f64) -> f64 {
    1.0 / (1.0 + concentration * (concentration - 2.0 * theta.cos()))
}

/// P(angle <= `theta`) for `theta` in [-π, π]: the wrapped Cauchy law (Mardia and Jupp 2000, section 3.5.7).
pub(super) fn angle_cdf(concentration: f64, theta: f64) -> f64 {
    let stretch = (1.0 + concentration) / (1.0 - concentration);
    0.5 + (stretch * (0.5 * theta).tan()).atan() / PI
}

/// Density on the two-sphere against the uniform law, up to a constant, at the height `z` in [-1, 1], for
/// `concentration` in (0, 1).
pub(super) fn height_weight(concentration: f64, z: f64) -> f64 {
    (1.0 + concentration * (concentration - 2.0 * z)).powf(-1.5)
}

/// P(height <= `z`): the integral of [`height_weight`], since heights of the uniform law are uniform (Archimedes).
pub(super) fn height_cdf(concentration: f64, z: f64) -> f64 {
    let root = |z: f64| (1.0 + concentration * (concentration - 2.0 * z)).sqrt();
    let scale = (1.0 - concentration * concentration) / (2.0 * concentration);
    (scale * (1.0 / root(z) - 1.0 / root(-1.0))).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::TAU;

    #[test]
    fn distribution_functions_are_integrals_of_the_weights() {
        let n = 200_000;
        for concentration in [0.2, 0.5, 0.8] {
            let angle = |k: usize| TAU * (k as f64 + 0.5) / n as f64 - PI;
            let height = |k: usize| 2.0 * (k as f64 + 0.5) / n as f64 - 1.0;
            let share = |weight: &dyn Fn(usize) -> f64, upto: usize| {
                (0..upto).map(weight).sum::<f64>() / (0..n).map(weight).sum::<f64>()
            };
            for upto in [n / 7, n / 2, 5 * n / 6] {
                let at = upto as f64 / n as f64;
                let angles = share(&|k| angle_weight(concentration, angle(k)), upto);
                let heights = share(&|k| height_weight(concentration, height(k)), upto);
                assert!((angles - angle_cdf(concentration, TAU * at - PI)).abs() < 1e-8);
                assert!((heights - height_cdf(concentration, 2.0 * at - 1.0)).abs() < 1e-8);
            }
        }
    }
}
