//! The methods that are compared across horizons: the killed process run backward, and the samplers of the field.

mod budget;
mod cost;
mod deterministic;
mod random;

pub(super) use budget::matched;
pub(super) use cost::Cost;
pub(super) use deterministic::{AUGMENTED, Deterministic};
pub(super) use random::{Backward, Death, Random};
