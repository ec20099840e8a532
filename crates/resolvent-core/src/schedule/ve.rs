//! Variance exploding, geometric σ.

use super::{Level, Rates, Schedule};
use crate::error::{Error, Result, positive};

/// dX = g(t) dW with g² = dσ²/dt and σ(t) = σ_min (σ_max/σ_min)^{t/T}; α = 1 (Song et al. 2021, eq. 9, 30-31).
///
/// Run from X_0 to t, the equation adds the variance σ²(t) - σ²(0). There are two conventions for where the data sit:
/// * [`new`](Self::new), that of the field: X_0 already carries noise of deviation σ_min, the data themselves lie before
///   time 0, and the level at t is σ(t), σ_min at 0.
/// * [`from_data`](Self::from_data): X_0 is the data, and the level at t is √(σ²(t) - σ_min²), 0 at 0. This is the law of
///   the equation started in the data, and the one to compare a simulation with.
///
/// The equation is the same in both.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ve {
    sigma_min: f64,
    log_ratio: f64,
    horizon: f64,
    from_data: bool,
}

impl Default for Ve {
    /// σ from 0.01 to 50, T = 1, in the convention of the field.
    fn default() -> Self {
        Self { sigma_min: 0.01, log_ratio: f64::ln(50.0 / 0.01), horizon: 1.0, from_data: false }
    }
}

impl Ve {
    /// σ from `sigma_min` > 0 at 0 to `sigma_max` > `sigma_min` at the `horizon` T > 0; the level at 0 is σ_min.
    ///
    /// # Errors
    /// If a parameter is not positive and finite, or the sigmas do not ascend.
    pub fn new(sigma_min: f64, sigma_max: f64, horizon: f64) -> Result<Self> {
        positive("sigma_max", sigma_max)?;
        let log_ratio = (sigma_max / positive("sigma_min", sigma_min)?).ln();
        if log_ratio <= 0.0 {
            let name = "sigma_min (below sigma_max)";
            return Err(Error::Outside { name, low: 0.0, high: sigma_max, value: sigma_min });
        }
        Ok(Self {
            sigma_min,
            log_ratio: positive("sigma_max / sigma_min", log_ratio)?,
            horizon: positive("horizon", horizon)?,
            from_data: false,
        })
    }

    /// The same equation started in the data: the level at t is √(σ²(t) - σ_min²), 0 at 0.
    ///
    /// # Errors
    /// Those of [`new`](Self::new).
    pub fn from_data(sigma_min: f64, sigma_max: f64, horizon: f64) -> Result<Self> {
        Ok(Self { from_data: true, ..Self::new(sigma_min, sigma_max, horizon)? })
    }

    /// With the time that makes dσ/dt = σ.
    pub(super) fn in_log_sigma(self) -> Self {
        Self { horizon: self.log_ratio, ..self }
    }

    /// σ(t), whatever the convention of the level.
    fn sigma(&self, t: f64) -> f64 {
        self.sigma_min * f64::exp(self.log_ratio * t / self.horizon)
    }
}

impl Schedule for Ve {
    fn horizon(&self) -> f64 {
        self.horizon
    }

    fn level(&self, t: f64) -> Level {
        let sigma = if self.from_data {
            self.sigma_min * f64::exp_m1(2.0 * self.log_ratio * t / self.horizon).sqrt()
        } else {
            self.sigma(t)
        };
        Level { time: t, alpha: 1.0, sigma }
    }

    fn rates(&self, t: f64) -> Rates {
        Rates { drift: 0.0, noise: 2.0 * self.log_ratio / self.horizon * self.sigma(t).powi(2) }
    }

    fn time_of_ratio(&self, ratio: f64) -> f64 {
        let scaled = ratio / self.sigma_min;
        let log = if self.from_data { 0.5 * (scaled * scaled).ln_1p() } else { scaled.ln() };
        (self.horizon * log / self.log_ratio).clamp(0.0, self.horizon)
    }
}
