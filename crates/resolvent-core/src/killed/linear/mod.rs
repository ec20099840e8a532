//! Linear diffusions with a quadratic killing rate: everything stays Gaussian.

mod death;
mod gaussians;
mod kernel;
mod occupation;
mod quadrature;
mod rate;

pub use kernel::Survivors;
pub use occupation::GaussianOccupation;
pub use rate::QuadraticRate;

use nalgebra::{DMatrix, DVector};

use super::{KilledBrownianMotion, KilledDiffusion};
use crate::affine::{Affine, ConstantLinearSde, Transition};
use crate::diffusion::{Diffusion, Dispersion};
use crate::error::{Result, dimension};
use death::Ladder;
use kernel::Coefficients;

/// dX = (F X + c) dt + L dW, killed at the rate r_0 + ½ (X - q)ᵀ Q (X - q). F need not be symmetric, nor the process
/// self-dual.
///
/// By the formula of Feynman and Kac the unkilled part of N(m_0, P_0) stays Gaussian, with (Kalman and Bucy 1961, J. Basic
/// Eng. 83:95)
///
/// P' = F P + P Fᵀ + Σ - P Q P, m' = F m + c - P Q (m - q), (log mass)' = -E r(X) under N(m, P).
///
/// ```
/// use nalgebra::{DMatrix, DVector};
/// use resolvent_core::diffusion::Dispersion;
/// use resolvent_core::killed::{KilledLinear, QuadraticRate};
/// // A rotation that contracts, killed faster the farther it is from the origin.
/// let process = KilledLinear::new(
///     DMatrix::from_row_slice(2, 2, &[-0.2, -1.0, 1.0, -0.2]),
///     DVector::zeros(2),
///     Dispersion::Scalar(1.0),
///     QuadraticRate::new(0.1, DVector::zeros(2), DMatrix::identity(2, 2))?,
/// )?;
/// let alive = process.survivors(1.0, &DVector::from_vec(vec![1.0, 0.0]), &DMatrix::zeros(2, 2));
/// assert!(alive.log_mass < -0.1 && alive.covariance[(0, 0)] < 1.0);
/// # Ok::<(), resolvent_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct KilledLinear {
    sde: ConstantLinearSde,
    dispersion: Dispersion,
    rate: QuadraticRate,
    coefficients: Coefficients,
    ladder: Ladder,
}

impl KilledLinear {
    /// F = `matrix` (d x d), c = `offset` (d), L = `dispersion` (d x d, may be singular), killed at `rate`.
    ///
    /// # Errors
    /// If there is no coordinate, the shapes differ, an entry is not finite, or a particle at the centre of the rate is
    /// practically never killed: the rate vanishes where the process goes.
    pub fn new(
        matrix: DMatrix<f64>,
        offset: DVector<f64>,
        dispersion: Dispersion,
        rate: QuadraticRate,
    ) -> Result<Self> {
        let d = offset.len();
        dimension("rate", d, rate.dim())?;
        if let Dispersion::Diagonal(diagonal) = &dispersion {
            dimension("dispersion", d, diagonal.len())?;
        }
        let sde = ConstantLinearSde::new(matrix.clone(), offset.clone(), dispersion.matrix(d))?;
        let coefficients = Coefficients {
            offset: offset + &matrix * &rate.centre,
            matrix,
            covariance: dispersion.covariance(d),
            curvature: rate.curvature.clone(),
            least: rate.least,
        };
        let ladder = Ladder::new(&coefficients)?;
        Ok(Self { sde, dispersion, rate, coefficients, ladder })
    }

    /// Killed Brownian motion: F = 0, c = 0, L = σ I, a constant rate.
    ///
    /// # Errors
    /// If the rate is zero.
    pub fn brownian(process: &KilledBrownianMotion) -> Result<Self> {
        let d = process.dim();
        let rate = QuadraticRate::constant(d, process.rate())?;
        Self::new(DMatrix::zeros(d, d), DVector::zeros(d), Dispersion::Scalar(process.sigma()), rate)
    }

    /// Dimension d.
    pub fn dim(&self) -> usize {
        self.rate.dim()
    }

    /// r.
    pub fn killing(&self) -> &QuadraticRate {
        &self.rate
    }

    /// The process without killing.
    pub fn sde(&self) -> &ConstantLinearSde {
        &self.sde
    }

    /// What is alive at `time` of N(`mean`, `covariance`) at time 0; a point has the covariance zero.
    ///
    /// # Panics
    /// If the dimensions differ, or `time` is negative or NaN.
    pub fn survivors(&self, time: f64, mean: &DVector<f64>, covariance: &DMatrix<f64>) -> Survivors {
        assert!(time >= 0.0, "time {time} is negative");
        self.alive(&self.coefficients.kernel(time), mean, covariance)
    }

    /// What is alive after `kernel`.
    fn alive(&self, kernel: &kernel::Kernel, mean: &DVector<f64>, covariance: &DMatrix<f64>) -> Survivors {
        let mut alive = kernel.carry(&(mean - &self.rate.centre), covariance);
        alive.mean += &self.rate.centre;
        alive
    }
}

impl Diffusion for KilledLinear {
    fn drift(&self, t: f64, x: &[f64], out: &mut [f64]) {
        self.sde.drift(t, x, out);
    }

    fn dispersion(&self, _t: f64, _x: &[f64], out: &mut Dispersion) {
        match (out, &self.dispersion) {
            (Dispersion::Full(out), Dispersion::Full(matrix)) => out.clone_from(matrix),
            (Dispersion::Diagonal(out), Dispersion::Diagonal(diagonal)) => out.clone_from(diagonal),
            (out, dispersion) => out.clone_from(dispersion),
        }
    }
}

impl Affine for KilledLinear {
    fn dim(&self) -> usize {
        self.sde.dim()
    }

    /// That of the process without killing.
    fn transition(&self, from: f64, to: f64) -> Transition {
        self.sde.transition(from, to)
    }
}

impl KilledDiffusion for KilledLinear {
    fn dim(&self) -> usize {
        self.rate.dim()
    }

    fn rate(&self, x: &[f64]) -> f64 {
        self.rate.at(x)
    }
}
