//! Diffusions dX = b(t, X) dt + σ(t, X) dW.

mod dispersion;
mod divergence;
mod field;
mod langevin;

pub use dispersion::Dispersion;
pub use divergence::{divergence_error, finite_divergence};
pub use field::Field;
pub use langevin::Langevin;

use crate::error::{Result, dimension, within};

/// A diffusion dX = b(t, X) dt + σ(t, X) dW on R^d with Σ = σ σᵀ. A homogeneous one ignores `t`.
pub trait Diffusion: Sync {
    /// out ← b(t, x); both of length d.
    fn drift(&self, t: f64, x: &[f64], out: &mut [f64]);

    /// out ← σ(t, x). What `out` holds on entry is of no account, but its storage may be used again.
    fn dispersion(&self, t: f64, x: &[f64], out: &mut Dispersion);

    /// out ← div Σ(t, x), (div Σ)_i = Σ_j ∂_j Σ_ij; zero where σ does not depend on x.
    fn divergence(&self, _t: f64, _x: &[f64], out: &mut [f64]) {
        out.fill(0.0);
    }

    /// out ← b(t, ·) at n points (n rows of d); as [`drift`](Self::drift) point by point, unless a batch can be had for
    /// less.
    fn drifts(&self, t: f64, dim: usize, points: &[f64], out: &mut [f64]) {
        for (x, out) in points.chunks_exact(dim).zip(out.chunks_exact_mut(dim)) {
            self.drift(t, x, out);
        }
    }

    /// The first and the last time at which it is defined: all times, unless there are ends.
    fn span(&self) -> (f64, f64) {
        (f64::NEG_INFINITY, f64::INFINITY)
    }
}

/// Passes if `diffusion` is defined in R^`dim` from the first to the last of `times`: σ, tried at the first, must have the
/// dimension of the space.
///
/// # Errors
/// If a time lies outside the span of the diffusion by more than rounding, or σ has another dimension.
pub(crate) fn fits(diffusion: &dyn Diffusion, dim: usize, times: [f64; 2]) -> Result<()> {
    times.into_iter().try_for_each(|t| within(diffusion.span(), t))?;
    let mut dispersion = Dispersion::default();
    diffusion.dispersion(times[0], &typical(dim), &mut dispersion);
    match &dispersion {
        Dispersion::Scalar(_) => Ok(()),
        Dispersion::Diagonal(diagonal) => dimension("dispersion", dim, diagonal.len()),
        Dispersion::Full(matrix) => {
            dimension("dispersion", dim, matrix.nrows())?;
            dimension("dispersion", dim, matrix.ncols())
        }
    }
}

/// A place in R^`dim` near the origin at which to try coefficients: no coordinate is zero or equal to another, lest a σ that
/// depends on x be flat there.
pub(crate) fn typical(dim: usize) -> Vec<f64> {
    (0..dim).map(|i| 0.5 + 1.0 / (i + 3) as f64).collect()
}
