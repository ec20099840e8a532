//! Sub-variance preserving.

use super::linear_beta::LinearBeta;
use super::{Level, Rates, Schedule};
use crate::error::Result;

/// dX = -½ β(t) X dt + √(β(t) (1 - exp(-2 ∫ β))) dW with the β of [`VpLinear`](super::VpLinear): α = exp(-½ ∫ β) and
/// the standard deviation σ = 1 - exp(-∫ β), below that of VP (Song et al. 2021, eq. 28-29).
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct SubVp {
    beta: LinearBeta,
}

impl SubVp {
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

impl Schedule for SubVp {
    fn horizon(&self) -> f64 {
        self.beta.horizon
    }

    fn level(&self, t: f64) -> Level {
        let integral = self.beta.integral(t);
        Level { time: t, alpha: f64::exp(-0.5 * integral), sigma: -f64::exp_m1(-integral) }
    }

    fn rates(&self, t: f64) -> Rates {
        let beta = self.beta.at(t);
        Rates { drift: -0.5 * beta, noise: beta * -f64::exp_m1(-2.0 * self.beta.integral(t)) }
    }

    /// σ/α = 2 sinh(½ ∫ β).
    fn time_of_ratio(&self, ratio: f64) -> f64 {
        self.beta.time_of_integral(2.0 * (0.5 * ratio).asinh())
    }

    fn prior_deviation(&self) -> f64 {
        1.0
    }
}
