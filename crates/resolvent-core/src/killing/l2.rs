//! Dead when the score explodes: the L² norm along the path.

use super::{KillingRule, Memory, not_above_dim};
use crate::error::{Result, at_least, positive};
use crate::killed::KilledBrownianMotion;
use crate::random::Stream;
use crate::sampler::Local;

/// Dead when the L² norm of the score along the path, (∫ |s|² dt)^{1/2}, reaches M; the last step is cut so that it is met, not overshot.
///
/// The stopping distance scatters: its logarithm has standard deviation √(2L/(c-2)) at L = log(ρ_0/δ) (R14).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct L2Score {
    limit: f64,
}

impl L2Score {
    /// Death when the norm reaches `norm` > 0 (per square root of time and length).
    ///
    /// # Errors
    /// If `norm` is not positive and finite.
    pub fn new(norm: f64) -> Result<Self> {
        Ok(Self { limit: positive("l2 threshold", norm)?.powi(2) })
    }

    /// R14: the norm reached on average on the way from distance `from` to distance `to` of a support of codimension
    /// c >= 3, M² = 2(c-2) log(from/to)/σ².
    ///
    /// # Errors
    /// If the codimension is below 3 or above d, a distance is not positive and finite, or `to` >= `from`.
    pub fn at_distance(
        process: &KilledBrownianMotion,
        codimension: usize,
        from: f64,
        to: f64,
    ) -> Result<Self> {
        not_above_dim(codimension, process)?;
        let excess = (at_least("codimension", 3, codimension)? - 2) as f64;
        let ratio = positive("from", from)? / positive("to", to)?;
        let log_ratio = positive("log(from/to)", ratio.ln())?;
        Self::new(f64::sqrt(2.0 * excess * log_ratio) / process.sigma())
    }

    /// The norm M at which particles die.
    pub fn norm(&self) -> f64 {
        self.limit.sqrt()
    }
}

impl<P: ?Sized> KillingRule<P> for L2Score {
    fn kills(&self, memory: &mut Memory, at: &Local<'_, P>, _rng: &mut Stream) -> bool {
        let [integral, density] = memory;
        *integral += *density * at.last_step;
        *density = at.score_norm().powi(2);
        *integral >= self.limit * (1.0 - 1e-12) || density.is_infinite()
    }

    fn longest_step(&self, [integral, density]: &Memory, _at: &Local<'_, P>) -> f64 {
        (self.limit - integral) / density
    }
}
