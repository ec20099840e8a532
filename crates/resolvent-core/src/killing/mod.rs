//! When the backward process dies: one rule per file.
//!
//! On data of codimension two or more the backward process dies where it first enters the support, which is where the
//! supremum and the L² norm of the score explode. Data with a density kill by a hazard and data of codimension one by local time:
//! a distance rule stops too early there. The lifetime drawn by a bridge step is a rule that comes with the step.

mod crossing;
mod distance;
mod exponential;
mod fixed;
mod flux_crossing;
mod hazard;
mod l2;
mod local_time;
mod oracle_lifetime;
mod residual_noise;
mod sup;
mod tangent;

pub use distance::{DistanceToData, DistanceToSupport};
pub use exponential::ExponentialTime;
pub use fixed::{FixedSteps, FixedTime};
pub use flux_crossing::FluxCrossing;
pub use hazard::Hazard;
pub use l2::L2Score;
pub use local_time::{Hypersurface, Increment, LocalTime, PointsOnLine, Shell, no_local_time};
pub use oracle_lifetime::OracleLifetime;
pub use residual_noise::ResidualNoise;
pub use sup::SupScore;
pub use tangent::TangentPlane;

use crate::error::{Error, Result};
use crate::killed::KilledBrownianMotion;
use crate::random::Stream;
use crate::sampler::Local;

/// What a rule remembers of one particle between steps.
pub type Memory = [f64; 2];

/// Decides that a particle is dead, and keeps steps short enough not to miss it. A sampler may hold several: the first
/// that kills does.
pub trait KillingRule<P: ?Sized = KilledBrownianMotion>: Sync {
    /// The memory of a new particle; `rng` is the particle's own stream for rules.
    fn begin(&self, _rng: &mut Stream) -> Memory {
        [0.0; 2]
    }

    /// Is the particle dead? Asked once per evaluation, before the step.
    fn kills(&self, memory: &mut Memory, at: &Local<'_, P>, rng: &mut Stream) -> bool;

    /// The longest step that this rule allows from here.
    fn longest_step(&self, _memory: &Memory, _at: &Local<'_, P>) -> f64 {
        f64::INFINITY
    }

    /// Where and when a particle died that this rule has just killed, for rules that know better than here and now: moves
    /// `place` (d; the present place on entry) and returns how long ago it was, at most the last step.
    fn death(&self, _memory: &Memory, _at: &Local<'_, P>, _place: &mut [f64]) -> f64 {
        0.0
    }
}

/// A support in the space of `process` has at most its dimension as codimension.
fn not_above_dim(codimension: usize, process: &KilledBrownianMotion) -> Result<()> {
    let dim = process.dim();
    if codimension <= dim { Ok(()) } else { Err(Error::Codimension { codimension, dim }) }
}
