//! Variance preserving, linear β.

use super::linear_beta::LinearBeta;
use super::{Level, Rates, Schedule};
use crate::error::Result;

/// dX = -½ β(t) X dt + √β(t) dW with β(t) = β_0 + (β_1 - β_0) t/T: α = exp(-½ ∫ β), σ² = 1 - α² (Song et al. 2021, eq.
/// 11, 32-33).
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct VpLinear {
    beta: LinearBeta,
}

impl VpLinear {
    /// β from `beta_min` > 0 at 0 to `beta_max` > 0 at the `horizon` T > 0. The default is 0.1 to 20, T = 1.
    ///
    /// # Errors
    /// If a parameter is not positive and finite.
    pub fn new(beta_min: f64, beta_max: f64, horizon: f64) -> Result<Self> {
        Ok(Self { beta: LinearBeta::new(beta_min, beta_max, horizon)? })
    }

    /// β(t).
    pub fn beta(&self, t: f64) -> f64 {
        self.beta.at(t)
    }
}

impl Schedule for VpLinear {
    fn horizon(&self) -> f64 {
        self.beta.horizon
    }

    fn level(&self, t: f64) -> Level {
        Level::from_beta_integral(t, self.beta.integral(t))
    }

    fn rates(&self, t: f64) -> Rates {
        let beta = self.beta.at(t);
        Rates { drift: -0.5 * beta, noise: beta }
    }

    /// ∫ β = log(1 + (σ/α)²).
    fn time_of_ratio(&self, ratio: f64) -> f64 {
        self.beta.time_of_integral((ratio * ratio).ln_1p())
    }

    fn prior_deviation(&self) -> f64 {
        1.0
    }
}
