//! Dead at the rate at which the backward process meets a density (R13).

use rand::RngExt;
use rand_distr::Exp1;

use super::{KillingRule, Memory};
use crate::error::{Error, Result};
use crate::random::Stream;
use crate::sampler::Local;

/// A step uses up at most this much of the clock, if nothing else is said; its mean is 1.
const SHARE: f64 = 0.1;

/// Dead at the rate λ(x) per unit of backward time: data with a density are not hit but met at a rate. For the process
/// started in the density α and killed at r(x), with occupation density u, that is R13,
///
/// λ = α/u,
///
/// and for the h-transform of a process symmetric with respect to m, whose backward process is driven by ∇ log h~ and
/// started from h~ κ, it is λ = α/(h h~ m). Along the flux flow (R2) λ is the same per unit of the time τ of
/// dx/dτ = -b + ½ div Σ + ½ Σ ∇ log w, which is the time such a step counts.
///
/// A clock ~ Exp(1) is drawn at the start from the particle's stream for rules. What a step uses up of it is the mean of
/// λ at its two ends times its length (the trapezoidal rule), and a step that would outlive the clock at the present rate
/// is cut to end with it: the particle dies there. The cut step takes λ at its beginning, so its length does not depend on the noise
/// in it; it happens once in a life, and place and time of death are of second order in the length of the steps, like the rest.
/// A clock that runs out within a step that was not cut, because λ has grown, kills at the end of that step. A constant
/// rate gives a lifetime that is exponential at any step.
///
/// The rule sees λ at the ends of the steps alone and keeps λ dt below its [share](Self::share) at their beginning; that steps are
/// not longer than the distance over which λ varies is for the step control. A rate that is not a number kills nothing: such
/// a particle ends at the cap and is counted there.
pub struct Hazard<F> {
    log_rate: F,
    share: f64,
}

impl<F: Fn(&[f64]) -> f64 + Sync> Hazard<F> {
    /// `log_rate(x)` is log λ at x (d), λ per unit time; -∞ where nothing dies, +∞ where everything does at once.
    pub fn new(log_rate: F) -> Self {
        Self { log_rate, share: SHARE }
    }

    /// A step uses up at most `share` of the clock, whose mean is 1, at the rate where it begins: in (0, 1], 0.1 if not said.
    ///
    /// # Errors
    /// If `share` is not in (0, 1].
    pub fn share(self, share: f64) -> Result<Self> {
        if !(share > 0.0 && share <= 1.0) {
            return Err(Error::Outside { name: "share", low: 0.0, high: 1.0, value: share });
        }
        Ok(Self { share, ..self })
    }
}

/// Remembers what is left of the clock, and the rate where the last step began.
impl<P: ?Sized, F: Fn(&[f64]) -> f64 + Sync> KillingRule<P> for Hazard<F> {
    fn begin(&self, rng: &mut Stream) -> Memory {
        [rng.sample(Exp1), 0.0]
    }

    fn kills(&self, [left, rate]: &mut Memory, at: &Local<'_, P>, _rng: &mut Stream) -> bool {
        let before = std::mem::replace(rate, f64::exp((self.log_rate)(at.point)));
        // Up to rounding: was the last step cut to end with the clock?
        if *rate == f64::INFINITY || before * at.last_step >= *left * (1.0 - 1e-12) {
            return true;
        }
        *left -= 0.5 * (before + *rate) * at.last_step;
        *left <= 0.0
    }

    fn longest_step(&self, [left, rate]: &Memory, _at: &Local<'_, P>) -> f64 {
        left.min(self.share) / rate
    }
}
