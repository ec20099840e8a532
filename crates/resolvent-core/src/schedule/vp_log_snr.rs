//! Variance preserving, any log-SNR.

use std::fmt;

use super::{Level, Rates, Schedule};
use crate::error::{Error, Result, positive};

/// Times at which the functions are tried.
const TRIED: usize = 256;
/// Times at which the derivative is compared with differences, and how far they may be apart.
const COMPARED: usize = 16;
const AGREEMENT: f64 = 1e-3;

/// α² = 1/(1 + e^{-λ}), σ² = 1/(1 + e^λ) for a falling function λ(t) = log(α²/σ²) (Kingma et al. 2021): dX = -½ β X dt
/// + √β dW with β = -λ' σ².
///
/// ```
/// use resolvent_core::schedule::{Schedule, VpLogSnr};
/// // λ from 10 to -10 at a constant rate.
/// let linear = VpLogSnr::new(|t| 10.0 - 20.0 * t, |_| -20.0, 1.0)?;
/// assert!((linear.level(0.5).alpha - 0.5_f64.sqrt()).abs() < 1e-15);
/// # Ok::<(), resolvent_core::Error>(())
/// ```
#[derive(Clone)]
pub struct VpLogSnr<F, G> {
    log_snr: F,
    derivative: G,
    horizon: f64,
}

impl<F: Fn(f64) -> f64 + Sync, G: Fn(f64) -> f64 + Sync> VpLogSnr<F, G> {
    /// λ = `log_snr` and λ' = `derivative` < 0 on [0, `horizon`], T > 0. λ may be infinite at 0, where the data are then clean;
    /// if it is, the rates at 0 are not defined.
    ///
    /// # Errors
    /// If T is not positive and finite, or at one of 256 times in (0, T] λ is not finite and lower than before, or λ' is not
    /// finite and negative, or at one of 16 times λ' differs by more than 1e-3 from central differences of λ.
    pub fn new(log_snr: F, derivative: G, horizon: f64) -> Result<Self> {
        positive("horizon", horizon)?;
        let mut before = log_snr(0.0);
        for index in 1..=TRIED {
            let t = horizon * index as f64 / TRIED as f64;
            let value = log_snr(t);
            // The negation refuses NaN too.
            if !(value.is_finite() && value < before) {
                return Err(Error::Ascending { name: "log_snr", index, value });
            }
            positive("-d log_snr/dt", -derivative(t))?;
            before = value;
        }
        for index in 0..COMPARED {
            // Away from round fractions of T, where a function in pieces has its kinks.
            let at = horizon * (index as f64 + 0.37) / COMPARED as f64;
            let h = f64::EPSILON.cbrt() * at;
            let (value, expected) = (derivative(at), (log_snr(at + h) - log_snr(at - h)) / (2.0 * h));
            let rounding = f64::EPSILON * log_snr(at).abs() / h;
            if (value - expected).abs() > AGREEMENT * value.abs() + rounding {
                return Err(Error::Derivative { name: "d log_snr/dt", at, value, expected });
            }
        }
        Ok(Self { log_snr, derivative, horizon })
    }
}

impl<F: Fn(f64) -> f64 + Sync, G: Fn(f64) -> f64 + Sync> Schedule for VpLogSnr<F, G> {
    fn horizon(&self) -> f64 {
        self.horizon
    }

    fn level(&self, t: f64) -> Level {
        Level::from_log_snr(t, (self.log_snr)(t))
    }

    fn rates(&self, t: f64) -> Rates {
        let beta = -(self.derivative)(t) * self.level(t).sigma.powi(2);
        Rates { drift: -0.5 * beta, noise: beta }
    }

    fn prior_deviation(&self) -> f64 {
        1.0
    }
}

impl<F, G> fmt::Debug for VpLogSnr<F, G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VpLogSnr").field("horizon", &self.horizon).finish_non_exhaustive()
    }
}
