//! What the occupation density u = Σ_i α_i G_r(·, y_i) of known data is good for beside driving a process: the class of a noisy
//! input, how far from the data it is, how long the way back takes, and the dimension of what the data lie on.
//!
//! With bare data and in high dimension the weights α_i G_r(x, y_i) single out one datum: log G_r falls like -(d - 2) log ρ. Data
//! smoothed by N(0, h² I) let more of them have a say; h is then a bandwidth to be chosen by cross-validation.

mod classes;
mod codimension;
mod density;
mod distances;

pub use classes::ClassPosterior;
pub use codimension::{codimension_by_gap, codimension_by_norm, score_singular_values};
pub use density::{Occupation, Reading};
pub use distances::squared_distances;
