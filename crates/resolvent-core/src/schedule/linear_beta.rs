//! β(t) = β_0 + (β_1 - β_0) t/T, which VP and sub-VP share.

use crate::error::{Result, positive};

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct LinearBeta {
    min: f64,
    max: f64,
    pub(super) horizon: f64,
}

impl Default for LinearBeta {
    /// β from 0.1 to 20, T = 1.
    fn default() -> Self {
        Self { min: 0.1, max: 20.0, horizon: 1.0 }
    }
}

impl LinearBeta {
    pub(super) fn new(min: f64, max: f64, horizon: f64) -> Result<Self> {
        Ok(Self {
            min: positive("beta_min", min)?,
            max: positive("beta_max", max)?,
            horizon: positive("horizon", horizon)?,
        })
    }

    pub(super) fn at(&self, t: f64) -> f64 {
        self.min + (self.max - self.min) * t / self.horizon
    }

    /// ∫_0^t β.
    pub(super) fn integral(&self, t: f64) -> f64 {
        t * (self.min + 0.5 * (self.max - self.min) * t / self.horizon)
    }

    /// The t in [0, T] with ∫_0^t β = `integral`: a quadratic equation, solved without cancellation.
    pub(super) fn time_of_integral(&self, integral: f64) -> f64 {
        if integral >= self.integral(self.horizon) {
            return self.horizon;
        }
        let slope = (self.max - self.min) / self.horizon;
        let root = (self.min * self.min + 2.0 * slope * integral).sqrt();
        (2.0 * integral / (self.min + root)).clamp(0.0, self.horizon)
    }
}
