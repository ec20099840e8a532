//! Constant coefficients.

use nalgebra::{DMatrix, DVector};

use super::{Affine, Transition};
use crate::diffusion::{Diffusion, Dispersion};
use crate::error::{Error, Result, dimension, finite};

/// dX = (F X + c) dt + L dW with constant matrices: the Ornstein-Uhlenbeck process with a matrix, the damped oscillator
/// with noise, Langevin dynamics of positions and momenta. L may be singular.
///
/// ```
/// use nalgebra::{DMatrix, DVector};
/// use resolvent_core::affine::{Affine, ConstantLinearSde};
/// // Position and momentum in a well, with friction; noise drives the momentum alone.
/// let sde = ConstantLinearSde::new(
///     DMatrix::from_row_slice(2, 2, &[0.0, 1.0, -1.0, -0.5]),
///     DVector::zeros(2),
///     DMatrix::from_row_slice(2, 2, &[0.0, 0.0, 0.0, 1.0]),
/// )?;
/// let (_, covariance) = sde.stationary()?;
/// assert!((sde.transition(0.0, 100.0).covariance - covariance).amax() < 1e-9);
/// # Ok::<(), resolvent_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ConstantLinearSde {
    matrix: DMatrix<f64>,
    offset: DVector<f64>,
    dispersion: DMatrix<f64>,
    covariance: DMatrix<f64>,
}

impl ConstantLinearSde {
    /// F = `matrix` (d x d), c = `offset` (d), L = `dispersion` (d x d).
    ///
    /// # Errors
    /// If there is nothing, the shapes differ, or an entry is not finite.
    pub fn new(matrix: DMatrix<f64>, offset: DVector<f64>, dispersion: DMatrix<f64>) -> Result<Self> {
        let d = offset.len();
        if d == 0 {
            return Err(Error::Empty { name: "offset" });
        }
        for (name, given) in [("matrix", &matrix), ("dispersion", &dispersion)] {
            dimension(name, d, given.nrows())?;
            dimension(name, d, given.ncols())?;
            finite(name, given)?;
        }
        finite("offset", &DMatrix::from_column_slice(d, 1, offset.as_slice()))?;
        let covariance = &dispersion * dispersion.transpose();
        Ok(Self { matrix, offset, dispersion, covariance })
    }

    /// Mean and covariance of the stationary law, N(μ, C) with F μ + c = 0 and F C + C Fᵀ + L Lᵀ = 0 (Lyapunov's equation).
    ///
    /// # Errors
    /// If an eigenvalue of F has not a negative real part: there is no stationary law.
    pub fn stationary(&self) -> Result<(DVector<f64>, DMatrix<f64>)> {
        let largest = self.matrix.complex_eigenvalues().iter().fold(f64::NEG_INFINITY, |a, v| a.max(v.re));
        // Rounding gives an eigenvalue zero a real part of this size.
        if largest >= -(self.dim() as f64) * f64::EPSILON * self.size() {
            let name = "largest real part of the eigenvalues of the matrix (below 0)";
            return Err(Error::Outside { name, low: f64::NEG_INFINITY, high: 0.0, value: largest });
        }
        // Doubling the time converges quadratically; all terms of the covariance are positive.
        let mut transition = self.short(0.5 / self.size());
        while transition.matrix.amax() > f64::EPSILON * f64::EPSILON {
            transition = transition.then(&transition);
        }
        Ok((transition.offset, transition.covariance))
    }

    /// The largest absolute row sum of F: a bound on |F x| by |x|, in the largest coordinate.
    fn size(&self) -> f64 {
        self.matrix.row_iter().map(|row| row.iter().map(|v| v.abs()).sum()).fold(0.0, f64::max)
    }

    /// The transition over a time `step` with |F| step < 1: exponentials of block matrices (Van Loan 1978, IEEE Trans. Autom.
    /// Control 23:395). Over longer times the block with -F would grow and its digits cancel.
    fn short(&self, step: f64) -> Transition {
        let d = self.dim();
        // Moments are linear in c and L Lᵀ; of size one they lose no digits beside F.
        let unit = |size: f64| if size > 0.0 { size } else { 1.0 };
        let (pull, noise) = (unit(self.offset.amax()), unit(self.covariance.amax()));
        let mut block = DMatrix::zeros(2 * d, 2 * d);
        block.view_mut((0, 0), (d, d)).copy_from(&(&self.matrix * -step));
        block.view_mut((0, d), (d, d)).copy_from(&(&self.covariance / noise));
        block.view_mut((d, d), (d, d)).copy_from(&(self.matrix.transpose() * step));
        let covariances = block.exp();
        let mut block = DMatrix::zeros(d + 1, d + 1);
        block.view_mut((0, 0), (d, d)).copy_from(&(&self.matrix * step));
        block.view_mut((0, d), (d, 1)).copy_from(&(&self.offset / pull));
        let means = block.exp();
        let matrix = means.view((0, 0), (d, d)).into_owned();
        let covariance = &matrix * covariances.view((0, d), (d, d)) * (noise * step);
        Transition {
            offset: means.view((0, d), (d, 1)).column(0) * (pull * step),
            covariance: super::transition::symmetric(&covariance),
            matrix,
        }
    }
}

impl Diffusion for ConstantLinearSde {
    fn drift(&self, _t: f64, x: &[f64], out: &mut [f64]) {
        super::affine_map(&self.matrix, &self.offset, x, out);
    }

    fn dispersion(&self, _t: f64, _x: &[f64], out: &mut Dispersion) {
        match out {
            Dispersion::Full(matrix) => matrix.clone_from(&self.dispersion),
            _ => *out = Dispersion::Full(self.dispersion.clone()),
        }
    }
}

impl Affine for ConstantLinearSde {
    fn dim(&self) -> usize {
        self.offset.len()
    }

    fn transition(&self, from: f64, to: f64) -> Transition {
        if to < from {
            return Transition::undefined(self.dim());
        }
        let time = to - from;
        let doublings = (2.0 * self.size() * time).log2().ceil().clamp(0.0, 1_000.0) as i32;
        let mut transition = self.short(time * 0.5_f64.powi(doublings));
        for _ in 0..doublings {
            transition = transition.then(&transition);
        }
        transition
    }
}
