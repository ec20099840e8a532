//! A schedule in R^d.

use super::{Affine, Transition};
use crate::diffusion::{Diffusion, Dispersion};
use crate::error::{Result, at_least};
use crate::schedule::Schedule;

use nalgebra::{DMatrix, DVector};

/// A [`Schedule`] in R^d as an affine SDE: X_t given X_s is N((α_t/α_s) X_s, (σ_t² - (α_t/α_s)² σ_s²) I) (Kingma et al. 2021,
/// eq. 20-21).
#[derive(Debug, Clone, Copy)]
pub struct Isotropic<'a, S: ?Sized> {
    schedule: &'a S,
    dim: usize,
}

impl<'a, S: Schedule + ?Sized> Isotropic<'a, S> {
    /// `schedule` in R^`dim`, `dim` >= 1.
    ///
    /// # Errors
    /// If the dimension is zero.
    pub fn new(schedule: &'a S, dim: usize) -> Result<Self> {
        Ok(Self { schedule, dim: at_least("dim", 1, dim)? })
    }
}

impl<S: Schedule + ?Sized> Diffusion for Isotropic<'_, S> {
    fn drift(&self, t: f64, x: &[f64], out: &mut [f64]) {
        self.schedule.drift(t, x, out);
    }

    fn dispersion(&self, t: f64, x: &[f64], out: &mut Dispersion) {
        self.schedule.dispersion(t, x, out);
    }

    fn drifts(&self, t: f64, dim: usize, points: &[f64], out: &mut [f64]) {
        self.schedule.drifts(t, dim, points, out);
    }

    fn span(&self) -> (f64, f64) {
        self.schedule.span()
    }
}

impl<S: Schedule + ?Sized> Affine for Isotropic<'_, S> {
    fn dim(&self) -> usize {
        self.dim
    }

    fn transition(&self, from: f64, to: f64) -> Transition {
        if to < from {
            return Transition::undefined(self.dim);
        }
        let (before, after) = (self.schedule.level(from), self.schedule.level(to));
        let shrink = after.alpha / before.alpha;
        // The difference in the form that does not cancel where one factor is small.
        let old = shrink * before.sigma;
        let variance = ((after.sigma - old) * (after.sigma + old)).max(0.0);
        let d = self.dim;
        Transition {
            matrix: DMatrix::from_diagonal_element(d, d, shrink),
            offset: DVector::zeros(d),
            covariance: DMatrix::from_diagonal_element(d, d, variance),
        }
    }
}
