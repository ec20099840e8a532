//! How the backward process moves: one scheme per file.

mod bridge;
mod euler;
mod posterior_bridge;

pub use bridge::Bridge;
pub use euler::EulerMaruyama;
pub use posterior_bridge::PosteriorBridge;

use crate::random::ChaCha8Rng;
use crate::reversal::Work;
use crate::sampler::{Batch, Local};

/// What a step did to a particle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Fate {
    /// It moved, and the whole time of the step has passed.
    Alive,
    /// It died within the step, after this much of its time.
    Dead {
        /// Time from the beginning of the step to death.
        after: f64,
    },
}

/// One scheme for the backward process: what it evaluates, and how it moves a particle with that.
pub trait Step: Sync {
    /// Evaluates the score at every point of the batch, once per particle.
    fn evaluate(&self, batch: &mut Batch);

    /// Moves one particle over the time `dt` from where it is into `next` (d); `work` is scratch.
    fn advance(
        &self,
        at: &Local<'_>,
        dt: f64,
        rng: &mut ChaCha8Rng,
        next: &mut [f64],
        work: &mut Work,
    ) -> Fate;

    /// Does the step sample the lifetime and so kill particles by itself?
    fn samples_lifetime(&self) -> bool;
}
