//! What is trained.

use crate::network::Layout;

/// Something with parameters and a random loss whose gradient can be asked for.
pub trait Task: Sync {
    /// The parameters.
    fn layout(&self) -> &Layout;

    /// Adds to `gradient` the gradient of the summed loss of the examples `examples` (counted through the whole training), at
    /// these parameters, and returns that sum. Every example draws from its own stream, so what it draws does not depend on
    /// how the examples are shared out.
    fn gradient(&self, parameters: &[f32], examples: std::ops::Range<u64>, gradient: &mut [f32]) -> f64;

    /// The loss and what else tells how good the parameters are, on examples that are the same every time: names and
    /// values, the loss first; training ends where that is not finite. May share its work on the rayon pool.
    fn validate(&self, parameters: &[f32]) -> Vec<(String, f64)>;
}
