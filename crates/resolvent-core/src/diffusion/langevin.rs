//! Langevin dynamics.

use super::{Diffusion, Dispersion};
use crate::error::{Result, positive};

/// Overdamped Langevin dynamics dX = D s(X) dt + √(2D) dW with s = ∇ log p: p is its stationary law (Langevin 1908;
/// Roberts and Tweedie 1996, Bernoulli 2:341).
///
/// ```
/// use resolvent_core::diffusion::{Diffusion, Langevin};
/// use resolvent_core::marginal::{Denoiser, GaussianMixture};
/// use resolvent_core::schedule::Level;
///
/// let law = GaussianMixture::one_dimensional(&[0.5, 0.5], &[-2.0, 2.0], &[1.0, 1.0])?;
/// let score = |points: &[f64], out: &mut [f64]| law.scores(&Level::CLEAN, points, out);
/// let langevin = Langevin::new(0.5, score)?;
/// let mut drifts = [f64::NAN; 3];
/// langevin.drifts(0.0, 1, &[-4.0, 0.0, 4.0], &mut drifts);
/// assert!(drifts[0] > 0.0 && drifts[1].abs() < 1e-15 && drifts[2] < 0.0);
/// # Ok::<(), resolvent_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Langevin<F> {
    diffusivity: f64,
    score: F,
}

impl<F: Fn(&[f64], &mut [f64]) + Sync> Langevin<F> {
    /// `score(points, out)` writes ∇ log p at `points` (n rows of d) into `out` (n rows of d), for any n; `diffusivity` D > 0
    /// sets the unit of time.
    ///
    /// # Errors
    /// If `diffusivity` is not positive and finite.
    pub fn new(diffusivity: f64, score: F) -> Result<Self> {
        Ok(Self { diffusivity: positive("diffusivity", diffusivity)?, score })
    }
}

impl<F: Fn(&[f64], &mut [f64]) + Sync> Diffusion for Langevin<F> {
    fn drift(&self, t: f64, x: &[f64], out: &mut [f64]) {
        self.drifts(t, x.len(), x, out);
    }

    fn dispersion(&self, _t: f64, _x: &[f64], out: &mut Dispersion) {
        *out = Dispersion::Scalar((2.0 * self.diffusivity).sqrt());
    }

    fn drifts(&self, _t: f64, _dim: usize, points: &[f64], out: &mut [f64]) {
        (self.score)(points, out);
        out.iter_mut().for_each(|b| *b *= self.diffusivity);
    }
}
