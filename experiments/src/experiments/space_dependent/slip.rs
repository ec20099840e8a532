//! A reversal that forgets div Σ, and distribution functions on a grid to say where it ends.

use resolvent::core::diffusion::{Diffusion, Dispersion};

/// A diffusion whose div Σ is taken for zero.
pub(super) struct Forgetful<'a>(pub(super) &'a dyn Diffusion);

impl Diffusion for Forgetful<'_> {
    fn drift(&self, t: f64, x: &[f64], out: &mut [f64]) {
        self.0.drift(t, x, out);
    }

    fn dispersion(&self, t: f64, x: &[f64], out: &mut Dispersion) {
        self.0.dispersion(t, x, out);
    }
}

/// The drift of one diffusion with the noise of another, div Σ included: schemes need the true one.
pub(super) struct DriftOf<'a> {
    pub(super) drift: &'a dyn Diffusion,
    pub(super) noise: &'a dyn Diffusion,
}

impl Diffusion for DriftOf<'_> {
    fn drift(&self, t: f64, x: &[f64], out: &mut [f64]) {
        self.drift.drift(t, x, out);
    }

    fn dispersion(&self, t: f64, x: &[f64], out: &mut Dispersion) {
        self.noise.dispersion(t, x, out);
    }

    fn divergence(&self, t: f64, x: &[f64], out: &mut [f64]) {
        self.noise.divergence(t, x, out);
    }

    fn drifts(&self, t: f64, dim: usize, points: &[f64], out: &mut [f64]) {
        self.drift.drifts(t, dim, points, out);
    }
}

/// A distribution function on an even grid, linear between its points.
pub(super) struct GridLaw {
    pub(super) low: f64,
    pub(super) step: f64,
    pub(super) values: Vec<f64>,
}

impl GridLaw {
    /// From the values of a density, which is normalised, by the trapezoidal rule.
    pub(super) fn of_density(low: f64, step: f64, density: &[f64]) -> Self {
        let mut sum = 0.0;
        let mut values = vec![0.0];
        for pair in density.windows(2) {
            sum += 0.5 * step * (pair[0] + pair[1]);
            values.push(sum);
        }
        values.iter_mut().for_each(|v| *v /= sum);
        Self { low, step, values }
    }

    pub(super) fn cdf(&self, x: f64) -> f64 {
        let place = (x - self.low) / self.step;
        if place <= 0.0 {
            return 0.0;
        }
        let cell = place as usize;
        match self.values.get(cell..cell + 2) {
            Some(&[a, b]) => (a + (b - a) * (place - cell as f64)).clamp(0.0, 1.0),
            _ => 1.0,
        }
    }

    pub(super) fn range(&self) -> (f64, f64) {
        (self.low, self.low + self.step * (self.values.len() - 1) as f64)
    }
}
