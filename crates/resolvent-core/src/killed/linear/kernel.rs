//! The kernel of a linear diffusion with a quadratic killing rate: a Gaussian times the exponential of a quadratic form.

use nalgebra::{DMatrix, DVector};

use crate::affine::symmetric;

/// K_t(x -> y) = exp(ℓ + η·x - ½ x·J x) N(y; A x + b, C): the density of being at y after the time t, alive, from the start
/// x. Places are measured from the centre of the rate.
///
/// That kernels of this form are closed under composition is the filter of Kalman and Bucy read as a Feynman-Kac formula;
/// the rules of composition are those by which the filter runs in parallel (Särkkä and García-Fernández 2021, IEEE Trans.
/// Autom. Control 66:299), with the mass kept.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Kernel {
    /// A (d x d).
    matrix: DMatrix<f64>,
    /// b (d).
    offset: DVector<f64>,
    /// C (d x d).
    covariance: DMatrix<f64>,
    /// η (d).
    tilt: DVector<f64>,
    /// J (d x d).
    precision: DMatrix<f64>,
    /// ℓ.
    log_mass: f64,
}

/// What is alive of a Gaussian of mass one: e^`log_mass` N(`mean`, `covariance`).
#[derive(Debug, Clone, PartialEq)]
pub struct Survivors {
    /// The logarithm of the probability to be alive.
    pub log_mass: f64,
    /// Mean given that (d).
    pub mean: DVector<f64>,
    /// Covariance given that (d x d).
    pub covariance: DMatrix<f64>,
}

/// dX = (F X + c) dt + L dW with the rate r_0 + ½ x·Q x.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Coefficients {
    /// F (d x d).
    pub(super) matrix: DMatrix<f64>,
    /// c (d), the drift at the centre of the rate.
    pub(super) offset: DVector<f64>,
    /// Σ = L Lᵀ (d x d).
    pub(super) covariance: DMatrix<f64>,
    /// Q (d x d).
    pub(super) curvature: DMatrix<f64>,
    /// r_0.
    pub(super) least: f64,
}

impl Coefficients {
    /// The largest rate at which something happens, but for the noise and the drift, whose effect has no time scale of its own.
    pub(super) fn speed(&self) -> f64 {
        let rows = self.matrix.row_iter().map(|row| row.iter().map(|v| v.abs()).sum());
        rows.fold(0.0, f64::max) + (self.covariance.amax() * self.curvature.amax()).sqrt()
    }

    /// The kernel over the time `t` >= 0.
    pub(super) fn kernel(&self, t: f64) -> Kernel {
        let doublings = (4.0 * self.speed() * t).log2().ceil().clamp(0.0, 1_000.0) as i32;
        let mut kernel = self.short(t * 0.5_f64.powi(doublings));
        for _ in 0..doublings {
            kernel = kernel.then(&kernel);
        }
        kernel
    }

    /// The kernel over a time `t` that is short on the scale of [`speed`](Self::speed).
    ///
    /// With the constant 1 as a further coordinate drift and rate are homogeneous. The Riccati equation of the covariance,
    /// C' = F C + C Fᵀ + Σ - C Q C, becomes linear for C = Y X⁻¹, X' = -Fᵀ X + Q Y, Y' = Σ X + F Y (Radon), and the blocks of
    /// that flow Φ give A = Φ_11⁻ᵀ, C = Φ_21 Φ_11⁻¹, J = Φ_11⁻¹ Φ_12 and ∫ tr(Q C) = log det Φ_11 + t tr F.
    fn short(&self, t: f64) -> Kernel {
        let d = self.offset.len();
        let unit = |size: f64| if size > 0.0 { size } else { 1.0 };
        let (noise, killing) = (self.covariance.amax(), self.curvature.amax());
        // In these units of length Σ and Q are of one size, or Σ t is one; and so is c t in those of the constant.
        let squared = if killing > 0.0 && noise > 0.0 {
            (killing / noise).sqrt()
        } else if noise > 0.0 {
            1.0 / (noise * unit(t))
        } else {
            unit(killing * t)
        };
        let scale = squared.sqrt();
        let constant = unit(scale * self.offset.amax() * t);
        let n = d + 1;
        let mut flow = DMatrix::zeros(2 * n, 2 * n);
        let matrix = &self.matrix * t;
        let offset = &self.offset * (scale * t / constant);
        flow.view_mut((0, 0), (d, d)).copy_from(&-matrix.transpose());
        flow.view_mut((d, 0), (1, d)).copy_from(&-offset.transpose());
        flow.view_mut((0, n), (d, d)).copy_from(&(&self.curvature * (t / squared)));
        flow.view_mut((n, 0), (d, d)).copy_from(&(&self.covariance * (t * squared)));
        flow.view_mut((n, n), (d, d)).copy_from(&matrix);
        flow.view_mut((n, n + d), (d, 1)).copy_from(&offset);
        let flow = flow.exp();
        let corner = flow.view((0, 0), (n, n)).into_owned();
        let log_determinant = corner.determinant().ln();
        // Near the identity: the time is short.
        let inverse = corner.try_inverse().unwrap_or_else(|| DMatrix::from_element(n, n, f64::NAN));
        let covariance = flow.view((n, 0), (n, n)) * &inverse;
        let precision = &inverse * flow.view((0, n), (n, n));
        let traces = if killing > 0.0 { log_determinant + matrix.trace() } else { 0.0 };
        Kernel {
            matrix: inverse.view((0, 0), (d, d)).transpose(),
            offset: inverse.view((d, 0), (1, d)).transpose().column(0) * (constant / scale),
            covariance: symmetric(&(covariance.view((0, 0), (d, d)) / squared)),
            tilt: precision.view((0, d), (d, 1)).column(0) * (-constant * scale),
            precision: symmetric(&(precision.view((0, 0), (d, d)) * squared)),
            log_mass: -self.least * t - 0.5 * traces - 0.5 * precision[(d, d)] * constant * constant,
        }
    }
}

impl Kernel {
    /// This one and after it `next`.
    pub(super) fn then(&self, next: &Self) -> Self {
        let Met { gain, log_factor } = next.meet(&self.offset, &self.covariance);
        let carry = &next.matrix * &gain;
        let back = self.matrix.transpose() * gain.transpose();
        let pulled = &next.tilt - &next.precision * &self.offset;
        Self {
            offset: &carry * (&self.offset + &self.covariance * &next.tilt) + &next.offset,
            covariance: symmetric(&(&carry * &self.covariance * next.matrix.transpose() + &next.covariance)),
            matrix: carry * &self.matrix,
            tilt: &back * pulled + &self.tilt,
            precision: symmetric(&(&back * &next.precision * &self.matrix + &self.precision)),
            log_mass: self.log_mass + next.log_mass + log_factor,
        }
    }

    /// What is alive after it of N(`mean`, `covariance`).
    pub(super) fn carry(&self, mean: &DVector<f64>, covariance: &DMatrix<f64>) -> Survivors {
        let Met { gain, log_factor } = self.meet(mean, covariance);
        let matrix = &self.matrix * gain;
        Survivors {
            log_mass: self.log_mass + log_factor,
            mean: &matrix * (mean + covariance * &self.tilt) + &self.offset,
            covariance: symmetric(&(matrix * covariance * self.matrix.transpose() + &self.covariance)),
        }
    }

    /// E exp(η·X - ½ X·J X) for X ~ N(m, P), and G = (I + P J)⁻¹: under that weight X has the mean G (m + P η) and the
    /// covariance G P.
    fn meet(&self, mean: &DVector<f64>, covariance: &DMatrix<f64>) -> Met {
        let d = mean.len();
        let sum = DMatrix::identity(d, d) + covariance * &self.precision;
        let log_determinant = sum.determinant().ln();
        // Its eigenvalues are one or more.
        let gain = sum.try_inverse().unwrap_or_else(|| DMatrix::from_element(d, d, f64::NAN));
        let met = &gain * mean;
        let square = mean.dot(&(&self.precision * &met));
        let pull = self.tilt.dot(&met) + 0.5 * self.tilt.dot(&(&gain * (covariance * &self.tilt)));
        Met { gain, log_factor: pull - 0.5 * (square + log_determinant) }
    }
}

/// A Gaussian weighted by the exponential of a quadratic form.
struct Met {
    gain: DMatrix<f64>,
    log_factor: f64,
}
