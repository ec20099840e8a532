//! Control: dead at an independent exponential time.

use rand::RngExt;
use rand_distr::Exp;

use super::fixed::reached;
use super::{KillingRule, Memory};
use crate::error::{Result, positive};
use crate::random::Stream;
use crate::sampler::Local;

/// Dead at a time ~ Exp(rate) drawn at the start, independent of the path. The lifetime of the backward process has this
/// law over all starts, but it is not independent of the path: that is what this control shows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ExponentialTime {
    law: Exp<f64>,
}

impl ExponentialTime {
    /// Death at rate `rate` > 0 (per unit time).
    ///
    /// # Errors
    /// If `rate` is not positive and finite.
    pub fn new(rate: f64) -> Result<Self> {
        Ok(Self { law: Exp::new(positive("rate", rate)?).expect("a positive rate") })
    }
}

impl<P: ?Sized> KillingRule<P> for ExponentialTime {
    fn begin(&self, rng: &mut Stream) -> Memory {
        [rng.sample(self.law), 0.0]
    }

    fn kills(&self, [end, _]: &mut Memory, at: &Local<'_, P>, _rng: &mut Stream) -> bool {
        reached(at.time, *end)
    }

    fn longest_step(&self, [end, _]: &Memory, at: &Local<'_, P>) -> f64 {
        end - at.time
    }
}
