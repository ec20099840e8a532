//! Dead when the score explodes: the supremum.

use super::{KillingRule, Memory, crossing, not_above_dim};
use crate::error::{Error, Result, positive};
use crate::killed::{GreenKernel, KilledBrownianMotion, LocallyBrownian};
use crate::random::Stream;
use crate::sampler::Local;

/// From this share of the threshold on a particle counts as near it.
const NEAR: f64 = 0.5;

/// Dead when |s| >= C: for data of codimension at least two, sup |s| explodes exactly at the lifetime.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SupScore {
    threshold: f64,
}

impl SupScore {
    /// Death at |s| >= `threshold` > 0 (per length).
    ///
    /// # Errors
    /// If `threshold` is not positive and finite.
    pub fn new(threshold: f64) -> Result<Self> {
        Ok(Self { threshold: positive("sup threshold", threshold)? })
    }

    /// R14: the threshold that the score reaches at distance `delta` from a smooth support of codimension
    /// `codimension` >= 2, (a/σ) R_{c/2-1}(aδ/σ), about (c-2)/δ for c >= 3. In codimension 2 the score grows only like
    /// 1/(δ log(1/δ)) and its level sets follow the density of the data along the support: the distance then scatters.
    ///
    /// # Errors
    /// If `delta` is not positive and finite, the codimension is below 2 or above d, or r = 0 in codimension 2.
    pub fn at_distance(process: &KilledBrownianMotion, codimension: usize, delta: f64) -> Result<Self> {
        if codimension < 2 {
            return Err(Error::NotPolar { codimension });
        }
        if codimension == 2 && process.rate() == 0.0 {
            return Err(Error::Recurrent { dim: codimension });
        }
        not_above_dim(codimension, process)?;
        let delta = positive("delta", delta)?;
        Self::new(GreenKernel::new(codimension, process.sigma(), process.rate()).score_norm(delta))
    }

    /// The threshold C (per length).
    pub fn threshold(&self) -> f64 {
        self.threshold
    }

    /// |s| over the threshold.
    fn share<P: ?Sized>(&self, at: &Local<'_, P>) -> f64 {
        at.score_norm() / self.threshold
    }
}

impl<P: LocallyBrownian + ?Sized> KillingRule<P> for SupScore {
    fn kills(&self, memory: &mut Memory, at: &Local<'_, P>, rng: &mut Stream) -> bool {
        let share = self.share(at);
        if share >= 1.0 {
            return true;
        }
        // Near the data the displacement is their distance, and the score falls like one over it, so that the threshold
        // lies at `share` times the distance. Elsewhere displacements towards several data may cancel, and the
        // threshold is too far away to be reached in a step.
        let (distance, radius) = if share >= NEAR {
            (at.displacement_norm(), share * at.displacement_norm())
        } else {
            (f64::INFINITY, 0.0)
        };
        crossing::entered(memory, distance, radius, at, rng)
    }

    fn longest_step(&self, _memory: &Memory, at: &Local<'_, P>) -> f64 {
        let share = self.share(at);
        let distance = if share >= NEAR { at.displacement_norm() } else { at.radius() };
        crossing::longest_step(distance, share * distance, at)
    }
}
