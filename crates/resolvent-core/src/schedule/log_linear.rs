//! Log σ as the time.

use super::{Level, Rates, Schedule, Ve};
use crate::error::Result;

/// dX = √2 σ(t) dW with σ(t) = σ_min e^t and T = log(σ_max/σ_min); α = 1: the time is log σ in nats, half the decrease of
/// log-SNR (Permenter and Yuan 2024, "Interpreting and improving diffusion models from an optimization perspective",
/// whose log-linear schedule takes equal steps in log σ).
///
/// The levels are those of [`Ve`], which reaches them in a time of its own: there g² carries the factor
/// log(σ_max/σ_min)/T, here equal steps mean the same whatever the ends are, and there is nothing but σ between the clock
/// and the noise. The level at 0 is σ_min, as in [`Ve::new`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LogLinear {
    ve: Ve,
}

impl LogLinear {
    /// σ from `sigma_min` > 0 to `sigma_max` > `sigma_min`; usual are 0.02 and 10 for data in the plane, 0.005 and 10 for
    /// images in latent space.
    ///
    /// # Errors
    /// If a parameter is not positive and finite, or they do not ascend.
    pub fn new(sigma_min: f64, sigma_max: f64) -> Result<Self> {
        Ok(Self { ve: Ve::new(sigma_min, sigma_max, 1.0)?.in_log_sigma() })
    }
}

impl Schedule for LogLinear {
    fn horizon(&self) -> f64 {
        self.ve.horizon()
    }

    fn level(&self, t: f64) -> Level {
        self.ve.level(t)
    }

    fn rates(&self, t: f64) -> Rates {
        self.ve.rates(t)
    }

    fn time_of_ratio(&self, ratio: f64) -> f64 {
        self.ve.time_of_ratio(ratio)
    }
}
