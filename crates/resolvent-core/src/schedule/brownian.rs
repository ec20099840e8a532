//! Brownian motion.

use super::{Level, Rates, Schedule};
use crate::error::{Result, positive};

/// dX = σ dW: α = 1, standard deviation σ √t.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Brownian {
    sigma: f64,
    horizon: f64,
}

impl Brownian {
    /// Noise `sigma` > 0 per root of the unit of time, up to the `horizon` T > 0.
    ///
    /// # Errors
    /// If a parameter is not positive and finite.
    pub fn new(sigma: f64, horizon: f64) -> Result<Self> {
        Ok(Self { sigma: positive("sigma", sigma)?, horizon: positive("horizon", horizon)? })
    }
}

impl Schedule for Brownian {
    fn horizon(&self) -> f64 {
        self.horizon
    }

    fn level(&self, t: f64) -> Level {
        Level { time: t, alpha: 1.0, sigma: self.sigma * t.sqrt() }
    }

    fn rates(&self, _t: f64) -> Rates {
        Rates { drift: 0.0, noise: self.sigma * self.sigma }
    }

    fn time_of_ratio(&self, ratio: f64) -> f64 {
        (ratio / self.sigma).powi(2).min(self.horizon)
    }
}
