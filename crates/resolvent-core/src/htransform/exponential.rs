//! κ = r m: nothing but the exponential clock.

use rand::Rng;

use super::HTransform;
use crate::killed::ExactDeath;

/// h = 1: the killed process itself, which dies by its own rate.
#[derive(Debug, Clone, PartialEq)]
pub struct ExponentialClock<P> {
    process: P,
}

impl<P: ExactDeath> ExponentialClock<P> {
    /// The law at death of `process` itself.
    pub fn new(process: P) -> Self {
        Self { process }
    }
}

impl<P: ExactDeath> HTransform for ExponentialClock<P> {
    fn dim(&self) -> usize {
        self.process.dim()
    }

    fn log_value_and_gradient(&self, _x: &[f64], gradient: &mut [f64]) -> f64 {
        gradient.fill(0.0);
        0.0
    }

    fn death_into(&self, x: &[f64], rng: &mut dyn Rng, out: &mut [f64]) -> f64 {
        self.process.death_into(x, rng, out)
    }
}
