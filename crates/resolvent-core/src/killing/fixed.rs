//! Controls: dead after a fixed time or number of steps, whatever the score says.

use super::{KillingRule, Memory};
use crate::error::{Result, positive};
use crate::random::Stream;
use crate::sampler::Local;

/// Is `end` reached at `time`, up to the rounding of a sum of steps?
pub(super) fn reached(time: f64, end: f64) -> bool {
    end - time <= 1e-12 * end
}

/// Dead at a fixed time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FixedTime {
    time: f64,
}

impl FixedTime {
    /// Death at `time` > 0; the last step is cut to meet it.
    ///
    /// # Errors
    /// If `time` is not positive and finite.
    pub fn new(time: f64) -> Result<Self> {
        Ok(Self { time: positive("time", time)? })
    }
}

impl<P: ?Sized> KillingRule<P> for FixedTime {
    fn kills(&self, _memory: &mut Memory, at: &Local<'_, P>, _rng: &mut Stream) -> bool {
        reached(at.time, self.time)
    }

    fn longest_step(&self, _memory: &Memory, at: &Local<'_, P>) -> f64 {
        self.time - at.time
    }
}

/// Dead after a fixed number of steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FixedSteps {
    steps: usize,
}

impl FixedSteps {
    /// Death after `steps` steps; 0 is death at the start.
    pub fn new(steps: usize) -> Self {
        Self { steps }
    }
}

impl<P: ?Sized> KillingRule<P> for FixedSteps {
    fn kills(&self, _memory: &mut Memory, at: &Local<'_, P>, _rng: &mut Stream) -> bool {
        at.steps >= self.steps
    }
}
