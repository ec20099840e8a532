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
