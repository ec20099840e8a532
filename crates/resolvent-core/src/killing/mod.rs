//! When the backward process dies: one rule per file.
//!
//! On data of codimension two or more the backward process dies where it first enters the support, which is where the
//! supremum and the L² norm of the score explode. Rules for data with a density or of codimension one are not offered
//! here: a distance rule stops too early there. The lifetime drawn by a bridge step is a rule that comes with the step.

mod crossing;
mod distance;
mod exponential;
mod fixed;
mod l2;
mod sup;

pub use distance::{DistanceToData, DistanceToSupport};
pub use exponential::ExponentialTime;
pub use fixed::{FixedSteps, FixedTime};
pub use l2::L2Score;
pub use sup::SupScore;

use crate::error::{Error, Result};
use crate::killed::KilledBrownianMotion;
use crate::random::ChaCha8Rng;
use crate::sampler::Local;

/// What a rule remembers of one particle between steps.
pub type Memory = [f64; 2];

/// Decides that a particle is dead, and keeps steps short enough not to miss it. A sampler may hold several: the first
/// that kills does.
pub trait KillingRule: Sync {
    /// The memory of a new particle; `rng` is the particle's own stream for rules.
    fn begin(&self, _rng: &mut ChaCha8Rng) -> Memory {
        [0.0; 2]
    }

    /// Is the particle dead? Asked once per evaluation, before the step.
    fn kills(&self, memory: &mut Memory, at: &Local<'_>, rng: &mut ChaCha8Rng) -> bool;

    /// The longest step that this rule allows from here.
    fn longest_step(&self, _memory: &Memory, _at: &Local<'_>) -> f64 {
        f64::INFINITY
    }
}

/// A support in the space of `process` has at most its dimension as codimension.
fn not_above_dim(codimension: usize, process: &KilledBrownianMotion) -> Result<()> {
    let dim = process.dim();
    if codimension <= dim { Ok(()) } else { Err(Error::Codimension { codimension, dim }) }
}
