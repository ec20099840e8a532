//! The data under a schedule.

use super::{Denoiser, MarginalScore};
use crate::schedule::Schedule;

/// p_t, the law of α(t) x_0 + σ(t) ε, for data x_0 known by a denoiser: its score is (α D - x)/σ², with Jacobian
/// (α J_D - I)/σ².
#[derive(Debug, Clone, Copy)]
pub struct Diffused<'a, S: ?Sized, D: ?Sized> {
    /// α(t) and σ(t).
    pub schedule: &'a S,
    /// The law of the data.
    pub denoiser: &'a D,
}

impl<S: Schedule + ?Sized, D: Denoiser + ?Sized> MarginalScore for Diffused<'_, S, D> {
    fn dim(&self) -> usize {
        self.denoiser.dim()
    }

    fn evaluate(&self, t: f64, points: &[f64], scores: &mut [f64]) {
        self.denoiser.scores(&self.schedule.level(t), points, scores);
    }

    fn jacobian_product(&self, t: f64, x: &[f64], v: &[f64], out: &mut [f64]) {
        let level = self.schedule.level(t);
        self.denoiser.jacobian_product(&level, x, v, out);
        let precision = 1.0 / (level.sigma * level.sigma);
        for (o, v) in out.iter_mut().zip(v) {
            *o = (level.alpha * *o - v) * precision;
        }
    }
}
