//! How the backward process moves: one scheme per file.

mod bridge;
mod corrected_bridge;
mod euler;
mod flux;
mod imposed;
mod posterior_bridge;

pub use bridge::Bridge;
pub use corrected_bridge::CorrectedBridge;
pub use euler::EulerMaruyama;
pub use flux::{AdaptiveFlux, Flux, MultistepFlux};
pub(crate) use flux::{quickening, slowness};
pub use imposed::Imposed;
pub use posterior_bridge::PosteriorBridge;

use crate::killed::KilledBrownianMotion;
use crate::random::Stream;
use crate::reversal::Work;
use crate::sampler::{Batch, Local};

/// What a step did to a particle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Fate {
    /// It moved, and the whole time of the step has passed.
    Alive,
    /// It moved, and this much time has passed, whatever the step was to take: a step that finds its own length.
    Moved {
        /// Time passed.
        time: f64,
    },
    /// It moved to another place at which the same step needs the score. No time has passed; step control and killing
    /// rules are not asked there, and the next call of [`Step::advance`] has the same dt.
    Stage,
    /// It died within the step, after this much of its time.
    Dead {
        /// Time from the beginning of the step to death.
        after: f64,
    },
}

/// One scheme for the backward process of the process `P`: what it evaluates, and how it moves a particle with that.
pub trait Step<P: ?Sized = KilledBrownianMotion>: Sync {
    /// Evaluates the score at every point of the batch, once per particle.
    fn evaluate(&self, batch: &mut Batch);

    /// Moves one particle over the time `dt` from where it is into `next` (d). `carry` is the particle's own, kept from one
    /// call to the next and zero at the start; `work` is scratch.
    fn advance(
        &self,
        at: &Local<'_, P>,
        dt: f64,
        rng: &mut Stream,
        next: &mut [f64],
        carry: &mut [f64],
        work: &mut Work,
    ) -> Fate;

    /// Does the step sample the lifetime and so kill particles by itself?
    fn samples_lifetime(&self) -> bool {
        false
    }

    /// Is there no noise in the step? Then nothing can happen between two looks that was not seen in them.
    fn is_flow(&self) -> bool {
        false
    }

    /// Numbers that the step remembers of each particle in R^`dim`.
    fn carry(&self, _dim: usize) -> usize {
        0
    }
}
