//! Where training examples come from.

mod deaths;
mod expected_weight;
mod field;
mod noised;
mod occupation;
pub mod places;
pub mod proposal;
mod samples;

pub use deaths::Deaths;
pub use field::Field;
pub use noised::{Noised, Weighting};
pub use occupation::Occupation;
pub use proposal::Proposal;
pub use samples::Samples;

use crate::model::Conditioning;

use resolvent_core::random::Stream;

/// One training example: a point and what is known about where it belongs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Example {
    /// The gain that the model's gain should average to, g(ρ) for a data point at distance ρ (R19).
    pub gain: f64,
    /// The distance that has this gain, ρ itself for a data point.
    pub distance: f64,
    /// The importance weight: the density of the law that is meant over that of the law drawn from. 0 for an example that does not count.
    pub weight: f64,
    /// σ, for models that are told it.
    pub level: f64,
}

/// Draws training examples.
pub trait Source: Sync {
    /// Dimension d.
    fn dim(&self) -> usize;

    /// Whether a model that is told the level, or one that is not, can learn from these examples: that they have a level to
    /// tell, or a gain to be learned.
    fn suits(&self, conditioning: Conditioning) -> bool;

    /// Draws an example: writes the point and the target, the data point it came from or another point to be denoised to
    /// (both of length d).
    fn draw(&self, rng: &mut Stream, point: &mut [f64], target: &mut [f64]) -> Example;

    /// Completes examples that were drawn, without drawing anything: for what is cheaper for many points (n rows of d) at once
    /// than one by one. `targets` (n rows of d) and `examples` (n) come as they were drawn.
    fn complete(&self, _points: &[f64], _targets: &mut [f64], _examples: &mut [Example]) {}

    /// log of the [`weight`](Example::weight) that is met at points of the noise level `level`, where one point can meet several
    /// their mean with each counted in proportion to itself, `E[w²]/E[w]`; 0 where all weigh the same. Its inverse serves as λ(x) of
    /// R15.
    fn log_weight(&self, level: f64) -> f64;
}
