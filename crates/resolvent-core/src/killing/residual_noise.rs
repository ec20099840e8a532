//! Dead when little noise is left.

use super::{KillingRule, Memory, crossing};
use crate::error::{Error, Result, positive};
use crate::killed::{CLOSEST, KilledDiffusion, LocallyBrownian};
use crate::random::Stream;
use crate::sampler::Local;

/// Up to this many times δ a particle counts as near the data.
const NEAR: f64 = 2.0;
/// g |v|² is d - 2 for an atom, c - 2 near data of codimension c > 2 and one over a logarithm in codimension 2, times the share of
/// those data in the posterior. Where data pull in opposite directions it is about d |v|²/ρ². Below this it counts as the latter.
const BALANCE: f64 = 1e-4;

/// Dead when the displacement |D(x) - x| to the denoised point is at most δ: the noise that the score still sees in x. Near data of
/// codimension two or more it is their distance, whatever the codimension, which the threshold of [`SupScore`](super::SupScore)
/// must know.
///
/// The displacement is small too where data pull in opposite directions. There the score is small as well, which near the data
/// it is not, and such places are passed over as long as δ is small against a hundredth of the distance between those data over
/// √d.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ResidualNoise {
    delta: f64,
}

impl ResidualNoise {
    /// Death at |D(x) - x| <= `delta` > 0 (length) under the reversal of `process`.
    ///
    /// # Errors
    /// If `delta` is not positive and finite, or in dimension 1, where no support is polar.
    pub fn new<P: KilledDiffusion + ?Sized>(process: &P, delta: f64) -> Result<Self> {
        if process.dim() < 2 {
            return Err(Error::NotPolar { codimension: process.dim() });
        }
        Ok(Self { delta: positive("delta", delta)? })
    }

    /// δ (length).
    pub fn delta(&self) -> f64 {
        self.delta
    }
}

impl<P: LocallyBrownian + ?Sized> KillingRule<P> for ResidualNoise {
    fn kills(&self, memory: &mut Memory, at: &Local<'_, P>, rng: &mut Stream) -> bool {
        let left = at.displacement_norm();
        // On a datum the score is infinite and nothing is left; that must not be NaN.
        let near = left <= NEAR * self.delta && at.score_norm() * left.max(CLOSEST) >= BALANCE;
        crossing::entered(memory, if near { left } else { f64::INFINITY }, self.delta, at, rng)
    }

    /// A flow is left alone: its steps end short of the data.
    fn longest_step(&self, _memory: &Memory, at: &Local<'_, P>) -> f64 {
        if at.flows {
            return f64::INFINITY;
        }
        crossing::longest_step(f64::max(at.displacement_norm(), self.delta), self.delta, at)
    }
}
