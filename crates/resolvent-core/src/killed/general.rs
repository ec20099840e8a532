//! Any homogeneous diffusion with any killing rate.

use super::KilledDiffusion;
use crate::affine::{Affine, Transition};
use crate::diffusion::{Diffusion, Dispersion, fits, typical};
use crate::error::{Result, at_least, nonnegative};

/// A diffusion killed at the rate r(x), given as a function.
///
/// ```
/// use resolvent_core::KilledDiffusion;
/// use resolvent_core::diffusion::{Diffusion, Dispersion, Field};
/// use resolvent_core::killed::Killed;
/// // Noise that grows with x, killed most near the origin.
/// let diffusion = Field::new(
///     |_t, x: &[f64], out: &mut [f64]| out[0] = -x[0],
///     |_t, x: &[f64], out: &mut Dispersion| *out = Dispersion::Scalar((1.0 + x[0] * x[0]).sqrt()),
/// );
/// let process = Killed::new(1, diffusion, |x: &[f64]| 0.1 + f64::exp(-x[0] * x[0]))?;
/// assert_eq!(process.rate(&[0.0]), 1.1);
/// let mut divergence = [0.0];
/// process.divergence(0.0, &[3.0], &mut divergence);
/// assert!((divergence[0] - 6.0).abs() < 1e-9);
/// # Ok::<(), resolvent_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Killed<D, R> {
    dim: usize,
    diffusion: D,
    rate: R,
}

impl<D: Diffusion, R: Fn(&[f64]) -> f64 + Sync> Killed<D, R> {
    /// `diffusion` in R^`dim`, which must not depend on the time, killed at the rate `rate(x)` >= 0 (per unit time), finite.
    ///
    /// # Errors
    /// If `dim` is 0, σ has another dimension, or the rate is negative or not finite; σ and the rate are tried at one place.
    pub fn new(dim: usize, diffusion: D, rate: R) -> Result<Self> {
        at_least("dim", 1, dim)?;
        fits(&diffusion, dim, [0.0; 2])?;
        nonnegative("rate", rate(&typical(dim)))?;
        Ok(Self { dim, diffusion, rate })
    }

    /// The process without killing.
    pub fn diffusion(&self) -> &D {
        &self.diffusion
    }
}

impl<D: Diffusion, R: Sync> Diffusion for Killed<D, R> {
    fn drift(&self, t: f64, x: &[f64], out: &mut [f64]) {
        self.diffusion.drift(t, x, out);
    }

    fn dispersion(&self, t: f64, x: &[f64], out: &mut Dispersion) {
        self.diffusion.dispersion(t, x, out);
    }

    fn divergence(&self, t: f64, x: &[f64], out: &mut [f64]) {
        self.diffusion.divergence(t, x, out);
    }

    fn drifts(&self, t: f64, dim: usize, points: &[f64], out: &mut [f64]) {
        self.diffusion.drifts(t, dim, points, out);
    }

    fn span(&self) -> (f64, f64) {
        self.diffusion.span()
    }
}

impl<D: Diffusion, R: Fn(&[f64]) -> f64 + Sync> KilledDiffusion for Killed<D, R> {
    fn dim(&self) -> usize {
        self.dim
    }

    fn rate(&self, x: &[f64]) -> f64 {
        (self.rate)(x)
    }
}

impl<D: Affine, R: Sync> Affine for Killed<D, R> {
    fn dim(&self) -> usize {
        self.diffusion.dim()
    }

    /// That of the process without killing.
    fn transition(&self, from: f64, to: f64) -> Transition {
        self.diffusion.transition(from, to)
    }
}
