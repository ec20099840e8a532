//! Dead after the exact lifetime, drawn at the start.

use super::fixed::reached;
use super::{KillingRule, Memory};
use crate::oracle::Oracle;
use crate::random::Stream;
use crate::sampler::Local;

/// Dead after a lifetime drawn once, from its exact law given the start (R11 mixed over the end points by R10): a control that knows
/// how long the particle is to live and nothing of where it goes. Lifetime and path are independent given the start, where those of
/// the backward process are not: its path is a bridge that arrives when the lifetime ends.
#[derive(Debug, Clone, Copy)]
pub struct OracleLifetime<'a> {
    oracle: &'a Oracle,
}

impl<'a> OracleLifetime<'a> {
    /// Lifetimes by `oracle`.
    pub fn new(oracle: &'a Oracle) -> Self {
        Self { oracle }
    }
}

/// Remembers the time of death.
impl KillingRule for OracleLifetime<'_> {
    fn kills(&self, [death, _]: &mut Memory, at: &Local<'_>, rng: &mut Stream) -> bool {
        if at.steps == 0 {
            *death = self.oracle.death(at.point, rng).1;
        }
        reached(at.time, *death)
    }

    fn longest_step(&self, [death, _]: &Memory, at: &Local<'_>) -> f64 {
        death - at.time
    }
}
