//! Dead within δ of the data.

use super::{KillingRule, Memory, crossing};
use crate::error::{Result, dimension, positive};
use crate::killed::{KilledDiffusion, LocallyBrownian, distance_squared};
use crate::measure::EmpiricalMeasure;
use crate::random::Stream;
use crate::sampler::Local;

/// Dead within `delta` of a support whose distance function is known: the oracle among the rules.
pub struct DistanceToSupport<F> {
    distance: F,
    delta: f64,
}

impl<F: Fn(&[f64]) -> f64 + Sync> DistanceToSupport<F> {
    /// `distance(x)` is the distance from x to the support; death at `delta` > 0 (length).
    ///
    /// # Errors
    /// If `delta` is not positive and finite.
    pub fn new(distance: F, delta: f64) -> Result<Self> {
        Ok(Self { distance, delta: positive("delta", delta)? })
    }
}

impl<P: LocallyBrownian + ?Sized, F: Fn(&[f64]) -> f64 + Sync> KillingRule<P> for DistanceToSupport<F> {
    fn kills(&self, memory: &mut Memory, at: &Local<'_, P>, rng: &mut Stream) -> bool {
        crossing::entered(memory, (self.distance)(at.point), self.delta, at, rng)
    }

    fn longest_step(&self, memory: &Memory, at: &Local<'_, P>) -> f64 {
        crossing::longest_step(memory[0], self.delta, at)
    }
}

/// Dead within `delta` of the nearest datum: the plug-in rule, for samples of a law whose support is not known.
pub struct DistanceToData {
    data: EmpiricalMeasure,
    delta: f64,
}

impl DistanceToData {
    /// Death within `delta` > 0 (length) of one of the points of `data`.
    ///
    /// # Errors
    /// If `delta` is not positive and finite, or the data are not of the dimension of `process`.
    pub fn new(process: &dyn KilledDiffusion, data: EmpiricalMeasure, delta: f64) -> Result<Self> {
        dimension("data", process.dim(), data.dim())?;
        Ok(Self { data, delta: positive("delta", delta)? })
    }

    fn distance(&self, x: &[f64]) -> f64 {
        (0..self.data.len())
            .map(|i| distance_squared(x, self.data.point(i)))
            .fold(f64::INFINITY, f64::min)
            .sqrt()
    }
}

impl<P: LocallyBrownian + ?Sized> KillingRule<P> for DistanceToData {
    fn kills(&self, memory: &mut Memory, at: &Local<'_, P>, rng: &mut Stream) -> bool {
        crossing::entered(memory, self.distance(at.point), self.delta, at, rng)
    }

    fn longest_step(&self, memory: &Memory, at: &Local<'_, P>) -> f64 {
        crossing::longest_step(memory[0], self.delta, at)
    }
}
