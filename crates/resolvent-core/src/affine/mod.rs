//! Affine SDEs dX = (F(t) X + c(t)) dt + L(t) dW: Gaussian transitions with exact mean and covariance.

mod constant;
mod isotropic;
mod linear;
mod transition;

pub use constant::ConstantLinearSde;
pub use isotropic::Isotropic;
pub use linear::LinearSde;
pub use transition::Transition;
pub(crate) use transition::{Whitening, symmetric};

use nalgebra::{DMatrix, DVector};

use crate::diffusion::Diffusion;

/// A diffusion with drift affine in x and dispersion free of it: given X_s, X_t is Gaussian.
pub trait Affine: Diffusion {
    /// Dimension d.
    fn dim(&self) -> usize;

    /// The law of X at `to` given X at `from` <= `to`. Every entry is NaN if `to` < `from`.
    fn transition(&self, from: f64, to: f64) -> Transition;
}

/// out ← F x + c.
fn affine_map(matrix: &DMatrix<f64>, offset: &DVector<f64>, x: &[f64], out: &mut [f64]) {
    out.copy_from_slice(offset.as_slice());
    for (column, x) in matrix.column_iter().zip(x) {
        out.iter_mut().zip(&column).for_each(|(o, f)| *o += f * x);
    }
}
