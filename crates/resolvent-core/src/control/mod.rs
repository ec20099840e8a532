//! How long a step is: decided from what is known before the step, never from its noise.

mod adaptive;
mod contraction;
mod fixed;

pub use adaptive::ScoreAdaptive;
pub use contraction::Contraction;
pub use fixed::FixedStep;

use crate::killed::KilledBrownianMotion;
use crate::sampler::Local;

/// Decides the length of the next step of a particle of the process `P`.
pub trait StepControl<P: ?Sized = KilledBrownianMotion>: Sync {
    /// Length in time, > 0.
    fn step(&self, at: &Local<'_, P>) -> f64;
}
