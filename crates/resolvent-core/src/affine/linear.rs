//! Coefficients that depend on time.

use differential_equations::methods::ExplicitRungeKutta;
use differential_equations::prelude::IVP;
use nalgebra::{DMatrix, DVector};

use super::{Affine, Transition};
use crate::diffusion::{Diffusion, Dispersion};
use crate::error::{Error, Result, at_least, dimension, finite};

/// Relative tolerance of the moments.
const RELATIVE: f64 = 1e-12;
/// Absolute tolerance relative to the size that the coefficients give the moments.
const ABSOLUTE: f64 = 1e-14;

/// Steps after which the solver gives up.
const STEPS: usize = 10_000;

/// dX = (F(t) X + c(t)) dt + L(t) dW from functions. L may be singular.
///
/// The moments of a transition solve dM/dt = F M, dm/dt = F m + c, dP/dt = F P + P Fᵀ + L Lᵀ (Särkkä and Solin 2019, eq.
/// 5.50-5.51, 6.2) by the Runge-Kutta method DOP853 of Hairer, Nørsett and Wanner with a relative tolerance of 1e-12: a
/// transition costs some ten to some hundred evaluations of each function, and d³ operations for each. Where the coefficients
/// jump, and over more than a thousand of their periods, compose the transitions of shorter times.
pub struct LinearSde<F, C, L> {
    dim: usize,
    interval: (f64, f64),
    matrix: F,
    offset: C,
    dispersion: L,
}

impl<F, C, L> LinearSde<F, C, L>
where
    F: Fn(f64, &mut DMatrix<f64>) + Sync,
    C: Fn(f64, &mut DVector<f64>) + Sync,
    L: Fn(f64, &mut DMatrix<f64>) + Sync,
{
    /// `matrix(t, out)` writes F(t) (d x d), `offset(t, out)` writes c(t) (d), `dispersion(t, out)` writes L(t) (d x d), all
    /// into zeros; `interval` is the first and last time at which they are defined.
    ///
    /// # Errors
    /// If the dimension is zero, the interval is empty, at one of its ends a coefficient is not finite or has been given
    /// another shape, or the moments from one end of the interval to the other are not finite, or take more than 10,000
    /// steps.
    pub fn new(dim: usize, (start, end): (f64, f64), matrix: F, offset: C, dispersion: L) -> Result<Self> {
        at_least("dim", 1, dim)?;
        for (index, value) in [start, end].into_iter().enumerate() {
            if !value.is_finite() || index == 1 && value <= start {
                return Err(Error::NotAscending { name: "interval", index, value });
            }
        }
        let sde = Self { dim, interval: (start, end), matrix, offset, dispersion };
        for t in [start, end] {
            let (matrix, offset, dispersion) = sde.coefficients(t);
            dimension("offset", dim, offset.len())?;
            for (name, given) in [("matrix", &matrix), ("dispersion", &dispersion)] {
                dimension(name, dim, given.nrows())?;
                dimension(name, dim, given.ncols())?;
                finite(name, given)?;
            }
            finite("offset", &DMatrix::from_column_slice(dim, 1, offset.as_slice()))?;
        }
        let whole = sde.transition(start, end);
        finite("matrix of the transition over the interval", &whole.matrix)?;
        finite("covariance of the transition over the interval", &whole.covariance)?;
        Ok(sde)
    }

    fn coefficients(&self, t: f64) -> (DMatrix<f64>, DVector<f64>, DMatrix<f64>) {
        let d = self.dim;
        let (mut matrix, mut offset) = (DMatrix::zeros(d, d), DVector::zeros(d));
        let mut dispersion = DMatrix::zeros(d, d);
        (self.matrix)(t, &mut matrix);
        (self.offset)(t, &mut offset);
        (self.dispersion)(t, &mut dispersion);
        (matrix, offset, dispersion)
    }

    /// The derivatives of M, m and P, one after the other in `moments`.
    fn rates(&self, t: f64, moments: &[f64], rates: &mut [f64]) {
        let d = self.dim;
        let (matrix, offset, dispersion) = self.coefficients(t);
        let moments = DMatrix::from_column_slice(d, 2 * d + 1, moments);
        let mut moved = &matrix * moments;
        let half = moved.columns(d + 1, d).into_owned();
        let mut covariance = moved.columns_mut(d + 1, d);
        covariance += half.transpose() + &dispersion * dispersion.transpose();
        let mut mean = moved.column_mut(d);
        mean += offset;
        rates.copy_from_slice(moved.as_slice());
    }

    /// The absolute tolerance of every entry of M, m and P over a time: without it an entry that is zero but for rounding
    /// would have no error small enough.
    fn tolerances(&self, from: f64, to: f64) -> Vec<f64> {
        let d = self.dim;
        let (mut pull, mut noise) = (0.0_f64, 0.0_f64);
        for u in [0.0, 0.25, 0.5, 0.75, 1.0] {
            let (_, offset, dispersion) = self.coefficients(from * (1.0 - u) + to * u);
            pull = pull.max(offset.amax());
            noise = noise.max(dispersion.norm_squared());
        }
        let floor = |size: f64| (ABSOLUTE * size * (to - from)).max(f64::MIN_POSITIVE);
        let mut tolerances = vec![ABSOLUTE; d * d];
        tolerances.resize(d * d + d, floor(pull));
        tolerances.resize(2 * d * d + d, floor(noise));
        tolerances
    }
}

impl<F, C, L> Diffusion for LinearSde<F, C, L>
where
    F: Fn(f64, &mut DMatrix<f64>) + Sync,
    C: Fn(f64, &mut DVector<f64>) + Sync,
    L: Fn(f64, &mut DMatrix<f64>) + Sync,
{
    fn drift(&self, t: f64, x: &[f64], out: &mut [f64]) {
        self.drifts(t, self.dim, x, out);
    }

    fn dispersion(&self, t: f64, _x: &[f64], out: &mut Dispersion) {
        match out {
            Dispersion::Full(matrix) if matrix.shape() == (self.dim, self.dim) => {
                matrix.fill(0.0);
                (self.dispersion)(t, matrix);
            }
            _ => {
                let mut matrix = DMatrix::zeros(self.dim, self.dim);
                (self.dispersion)(t, &mut matrix);
                *out = Dispersion::Full(matrix);
            }
        }
    }

    fn drifts(&self, t: f64, dim: usize, points: &[f64], out: &mut [f64]) {
        let (mut matrix, mut offset) = (DMatrix::zeros(dim, dim), DVector::zeros(dim));
        (self.matrix)(t, &mut matrix);
        (self.offset)(t, &mut offset);
        for (x, out) in points.chunks_exact(dim).zip(out.chunks_exact_mut(dim)) {
            super::affine_map(&matrix, &offset, x, out);
        }
    }

    fn span(&self) -> (f64, f64) {
        self.interval
    }
}

impl<F, C, L> Affine for LinearSde<F, C, L>
where
    F: Fn(f64, &mut DMatrix<f64>) + Sync,
    C: Fn(f64, &mut DVector<f64>) + Sync,
    L: Fn(f64, &mut DMatrix<f64>) + Sync,
{
    fn dim(&self) -> usize {
        self.dim
    }

    /// The entries are NaN too where the moments cannot be had, which [`new`](LinearSde::new) rules out for the interval.
    fn transition(&self, from: f64, to: f64) -> Transition {
        let d = self.dim;
        if to < from {
            return Transition::undefined(d);
        }
        let start = Transition::identity(d);
        if to == from {
            return start;
        }
        let mut moments = start.matrix.as_slice().to_vec();
        moments.resize(d * (2 * d + 1), 0.0);
        let method =
            ExplicitRungeKutta::dop853().rtol(RELATIVE).atol(self.tolerances(from, to)).max_steps(STEPS);
        // The solver works in u from 0 to 1: it looks for the end with an absolute tolerance.
        let length = to - from;
        let rates = |u: f64, moments: &Vec<f64>, rates: &mut Vec<f64>| {
            self.rates(from + length * u, moments, rates);
            rates.iter_mut().for_each(|r| *r *= length);
        };
        let solution = IVP::ode_from_fn(rates, 0.0, 1.0, moments).method(method).solve();
        let end = solution.ok().and_then(|solution| solution.y.last().cloned());
        let end = end.unwrap_or_else(|| vec![f64::NAN; d * (2 * d + 1)]);
        let end = DMatrix::from_vec(d, 2 * d + 1, end);
        Transition {
            matrix: end.columns(0, d).into_owned(),
            offset: end.column(d).into_owned(),
            covariance: super::transition::symmetric(&end.columns(d + 1, d).into_owned()),
        }
    }
}
