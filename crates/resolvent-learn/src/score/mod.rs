//! Learned models where the samplers ask for scores: a blind one is a spatial [`Score`](resolvent_core::score::Score), a told
//! one a [`Denoiser`](resolvent_core::marginal::Denoiser) at every noise level.
//!
//! Points go through the network in tiles of a fixed number of rows, the last of them filled up, so that the value at a point
//! is the same bits in any batch and on any number of threads. Networks compute in f32: a denoised point is exact to about
//! 1e-7 of the largest of its coordinates and those of x and the mean.

mod blind;
mod denoiser;
mod evaluator;
mod saved;
mod spatial;

pub use blind::BlindDenoiser;
pub use denoiser::LearnedDenoiser;
pub use spatial::LearnedScore;
