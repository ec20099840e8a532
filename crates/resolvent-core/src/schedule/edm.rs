//! σ(t) = t.

use super::{Grid, Level, Rates, Schedule};
use crate::error::{Result, positive};

/// dX = √(2t) dW: α = 1, σ(t) = t, on [0, σ_max] (Karras et al. 2022, table 1 and eq. 1 with s = 1).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Edm {
    sigma_max: f64,
}

impl Default for Edm {
    /// σ_max = 80.
    fn default() -> Self {
        Self { sigma_max: 80.0 }
    }
}

impl Edm {
    /// Up to the horizon `sigma_max` > 0.
    ///
    /// # Errors
    /// If it is not positive and finite.
    pub fn new(sigma_max: f64) -> Result<Self> {
        Ok(Self { sigma_max: positive("sigma_max", sigma_max)? })
    }

    /// The grid of the paper in `steps` >= 2 steps: from σ_max to 0.002 with ρ = 7, then 0. The usual number is 18.
    ///
    /// # Errors
    /// If there are fewer than two steps, or σ_max is not above 0.002.
    pub fn karras(&self, steps: usize) -> Result<Grid> {
        Grid::karras(self, steps, 0.002, self.sigma_max, 7.0)
    }
}

impl Schedule for Edm {
    fn horizon(&self) -> f64 {
        self.sigma_max
    }

    fn level(&self, t: f64) -> Level {
        Level { time: t, alpha: 1.0, sigma: t }
    }

    fn rates(&self, t: f64) -> Rates {
        Rates { drift: 0.0, noise: 2.0 * t }
    }

    fn time_of_ratio(&self, ratio: f64) -> f64 {
        ratio.clamp(0.0, self.sigma_max)
    }
}
