//! The Green kernel of the killed Ornstein-Uhlenbeck process.

use nalgebra::DMatrix;
use rand::Rng;
use rayon::prelude::*;

use super::quadrature::{Integrand, Lattice, integrate};
use super::{lifetime, sum_of_squares};
use crate::error::{Result, dimension};
use crate::killed::{CLOSEST, distance_squared};

/// R6: g_r(x, y) = ∫ e^{-rt} p_t(x, y)/m(x) dt of dX = -θ X dt + σ dW with respect to its stationary law m, symmetric in x and
/// y. With q = e^{-θt}, x and y in units of √(σ²/(2θ)), and Mehler's formula for p_t/m (Mehler 1866; Bakry, Gentil and Ledoux
/// 2014, section 2.7.1)
///
/// g_r = ∫ e^{-rt} (1 - q²)^{-d/2} exp(|x + y|² q/(4(1 + q)) - |x - y|² q/(4(1 - q))) dt.
///
/// No terms cancel in this form. The integral is taken by the trapezoidal rule in log t, where the integrand falls off doubly
/// exponentially at both ends and the rule converges geometrically (Takahasi and Mori 1974); the step is halved until two
/// values agree. A value costs some hundred exponentials, more in high dimension.
#[derive(Debug, Clone)]
pub struct OrnsteinUhlenbeckGreen {
    dim: usize,
    theta: f64,
    /// √(2θ)/σ, per length.
    scale: f64,
    lattice: Lattice,
}

impl OrnsteinUhlenbeckGreen {
    /// Parameters as checked by [`super::KilledOrnsteinUhlenbeck::new`].
    pub(super) fn new(dim: usize, theta: f64, sigma: f64, rate: f64) -> Self {
        let scale = f64::sqrt(2.0 * theta) / sigma;
        Self { dim, theta, scale, lattice: Lattice::new(dim, rate / theta) }
    }

    /// Dimension d.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// log g_r at `x` and `y` (both d), in units of log time. Finite: where x and y are closer than 1e-120 stationary
    /// deviations, they are taken to be that far apart.
    pub fn log_value(&self, x: &[f64], y: &[f64]) -> f64 {
        self.log_value_and_error(x, y).0
    }

    /// [`log_value`](Self::log_value), and an estimate of its absolute error, that is the relative error of the kernel: what
    /// the last halving of the step tells of the one that would follow, and rounding.
    pub fn log_value_and_error(&self, x: &[f64], y: &[f64]) -> (f64, f64) {
        let sums = integrate(&self.integrand(x, y));
        (sums.log_mass - self.theta.ln(), sums.error)
    }

    /// ∇_x log g_r into `gradient` (per length), all of length d; returns log g_r.
    pub fn log_value_and_gradient(&self, x: &[f64], y: &[f64], gradient: &mut [f64]) -> f64 {
        let sums = integrate(&self.integrand(x, y));
        let factor = 2.0 * self.scale * self.scale;
        for (g, (x, y)) in gradient.iter_mut().zip(x.iter().zip(y)) {
            *g = factor * (sums.sum * (x + y) + sums.difference * (y - x));
        }
        sums.log_mass - self.theta.ln()
    }

    /// log g_r between every column of `x` (d x n) and every column of `y` (d x m), on all cores: m x n, one column for each
    /// column of `x`.
    ///
    /// # Errors
    /// If `x` or `y` has not d rows.
    pub fn log_values(&self, x: &DMatrix<f64>, y: &DMatrix<f64>) -> Result<DMatrix<f64>> {
        dimension("x", self.dim, x.nrows())?;
        dimension("y", self.dim, y.nrows())?;
        let mut out = DMatrix::zeros(y.ncols(), x.ncols());
        let rows = x.as_slice().par_chunks(self.dim);
        out.as_mut_slice().par_chunks_mut(y.ncols().max(1)).zip(rows).for_each(|(out, x)| {
            for (out, y) in out.iter_mut().zip(y.as_slice().chunks(self.dim)) {
                *out = self.log_value(x, y);
            }
        });
        Ok(out)
    }

    /// ∇_x log g_r(x_i, y_i) for the columns of `x` and `y` (both d x n), on all cores: d x n (per length).
    ///
    /// # Errors
    /// If `x` or `y` has not d rows, or they have not the same number of columns.
    pub fn gradients(&self, x: &DMatrix<f64>, y: &DMatrix<f64>) -> Result<DMatrix<f64>> {
        dimension("x", self.dim, x.nrows())?;
        dimension("y", self.dim, y.nrows())?;
        dimension("the set of y", x.ncols(), y.ncols())?;
        let mut out = DMatrix::zeros(self.dim, x.ncols());
        let pairs = x.as_slice().par_chunks(self.dim).zip(y.as_slice().par_chunks(self.dim));
        out.as_mut_slice().par_chunks_mut(self.dim).zip(pairs).for_each(|(out, (x, y))| {
            self.log_value_and_gradient(x, y, out);
        });
        Ok(out)
    }

    /// A draw of the time that a path from `x` to `y` takes, its density proportional to e^{-rt} p_t(x, y).
    pub(super) fn lifetime(&self, x: &[f64], y: &[f64], rng: &mut dyn Rng) -> f64 {
        lifetime::draw(&self.integrand(x, y), rng) / self.theta
    }

    fn integrand(&self, x: &[f64], y: &[f64]) -> Integrand<'_> {
        let square = self.scale * self.scale;
        let sum = sum_of_squares(x.iter().zip(y).map(|(x, y)| x + y));
        // Neither an underflow nor an overflow of the square is a distance.
        let apart = (square * distance_squared(x, y)).clamp(CLOSEST * CLOSEST, f64::MAX);
        Integrand { lattice: &self.lattice, sum: (square * sum).min(f64::MAX), apart }
    }
}
