//! How long a step is: decided from what is known before the step, never from its noise.

mod adaptive;
mod fixed;

pub use adaptive::ScoreAdaptive;
pub use fixed::FixedStep;

use crate::sampler::Local;

/// Decides the length of the next step.
pub trait StepControl: Sync {
    /// Length in time, > 0.
    fn step(&self, at: &Local<'_>) -> f64;
}
