//! Milstein.

use super::euler_maruyama::euler;
use super::{Increments, Integrator, Scratch, commuting};
use crate::diffusion::{Diffusion, Dispersion};
use crate::error::Result;

/// x_i += b_i dt + σ_i ΔW_i + ½ σ_i ∂_i σ_i (ΔW_i² - dt) (Milstein 1974, Theory Probab. Appl. 19:557), with
/// ½ σ_i ∂_i σ_i = ¼ (div Σ)_i. Strong and weak order 1 (Kloeden and Platen 1992, 10.3 and 14.1).
///
/// It is for one dimension, for a diagonal σ whose entry σ_i depends on x_i (and t) alone, and for any σ that does not
/// depend on x, where it is Euler-Maruyama. Elsewhere, as for σ(x) times the identity in d >= 2, order 1 would take the
/// iterated integrals ∫ W_i dW_j, which are not functions of ΔW; such diffusions are refused.
#[derive(Debug, Clone, Copy)]
pub struct Milstein {
    // Built by `new` alone, so that every one has passed the check.
    _checked: (),
}

impl Milstein {
    /// The scheme for `diffusion`, after a check by differences of σ at (`t`, `x`) that it is one of those the scheme is
    /// for. The point should be a typical one: σ may be flat elsewhere. Given another diffusion than the one checked, the
    /// scheme still converges to the Itô solution, for the correction has mean zero, but only as Euler-Maruyama does.
    ///
    /// # Errors
    /// If σ_i changes along another coordinate than x_i, or σ is not diagonal and changes at all.
    pub fn new(diffusion: &dyn Diffusion, t: f64, x: &[f64]) -> Result<Self> {
        commuting(diffusion, t, x)?;
        Ok(Self { _checked: () })
    }
}

impl Integrator for Milstein {
    fn step(
        &self,
        diffusion: &dyn Diffusion,
        t: f64,
        dt: f64,
        dim: usize,
        increments: Increments<'_>,
        points: &mut [f64],
        scratch: &mut Scratch,
    ) {
        euler(diffusion, t, dt, dim, increments.dw, points, scratch, |dispersion, x, dw, noise, row| {
            if has_correction(dispersion, dim) {
                diffusion.divergence(t, x, row);
                correct(dt, dw, row, noise);
            }
        });
    }
}

/// A dispersion of any other shape is constant in x where the scheme may be used, and needs no correction.
pub(crate) fn has_correction(dispersion: &Dispersion, dim: usize) -> bool {
    dim == 1 || matches!(dispersion, Dispersion::Diagonal(_))
}

/// noise_i += ¼ (div Σ)_i (ΔW_i² - dt).
pub(crate) fn correct(dt: f64, dw: &[f64], divergence: &[f64], noise: &mut [f64]) {
    for ((n, dw), v) in noise.iter_mut().zip(dw).zip(divergence) {
        *n += 0.25 * v * (dw * dw - dt);
    }
}
