//! Scores with an error of known kind and size, to see what it does to whatever is driven by them. One error in each file; they nest.

mod biased;
mod clipped;
mod frozen_noise;

pub use biased::Biased;
pub use clipped::Clipped;
pub use frozen_noise::FrozenNoise;
