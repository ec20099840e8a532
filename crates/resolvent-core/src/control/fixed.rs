//! Steps of one length.

use super::StepControl;
use crate::error::{Result, positive};
use crate::sampler::Local;

/// Every step takes the same time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FixedStep {
    dt: f64,
}

impl FixedStep {
    /// Steps of time `dt` > 0.
    ///
    /// # Errors
    /// If `dt` is not positive and finite.
    pub fn new(dt: f64) -> Result<Self> {
        Ok(Self { dt: positive("dt", dt)? })
    }
}

impl<P: ?Sized> StepControl<P> for FixedStep {
    fn step(&self, _at: &Local<'_, P>) -> f64 {
        self.dt
    }
}
