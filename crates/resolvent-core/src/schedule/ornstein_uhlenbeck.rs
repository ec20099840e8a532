//! Constant coefficients.

use super::{Level, Rates, Schedule};
use crate::error::{Result, positive};

/// dX = -θ X dt + σ dW: α = e^{-θt}, variance σ² (1 - e^{-2θt})/(2θ) (Uhlenbeck and Ornstein 1930). The stationary
/// law N(0, σ²/(2θ) I) is the prior.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OrnsteinUhlenbeck {
    theta: f64,
    sigma: f64,
    horizon: f64,
}

impl OrnsteinUhlenbeck {
    /// Rate of return `theta` > 0 per unit of time, noise `sigma` > 0 per root of it, and the `horizon` T > 0.
    ///
    /// # Errors
    /// If a parameter is not positive and finite.
    pub fn new(theta: f64, sigma: f64, horizon: f64) -> Result<Self> {
        Ok(Self {
            theta: positive("theta", theta)?,
            sigma: positive("sigma", sigma)?,
            horizon: positive("horizon", horizon)?,
        })
    }

    /// σ/√(2θ), the standard deviation of the stationary law.
    pub fn stationary_deviation(&self) -> f64 {
        self.sigma / (2.0 * self.theta).sqrt()
    }
}

impl Schedule for OrnsteinUhlenbeck {
    fn horizon(&self) -> f64 {
        self.horizon
    }

    fn level(&self, t: f64) -> Level {
        let decay = self.theta * t;
        let sigma = self.stationary_deviation() * (-f64::exp_m1(-2.0 * decay)).sqrt();
        Level { time: t, alpha: f64::exp(-decay), sigma }
    }

    fn rates(&self, _t: f64) -> Rates {
        Rates { drift: -self.theta, noise: self.sigma * self.sigma }
    }

    fn time_of_ratio(&self, ratio: f64) -> f64 {
        let scaled = ratio / self.stationary_deviation();
        (0.5 * (scaled * scaled).ln_1p() / self.theta).clamp(0.0, self.horizon)
    }

    fn prior_deviation(&self) -> f64 {
        self.stationary_deviation()
    }
}
