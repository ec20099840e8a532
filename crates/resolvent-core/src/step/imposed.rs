//! A step that leaves known coordinates as they are.

use super::{Fate, Step};
use crate::error::{Result, dimension};
use crate::killed::KilledBrownianMotion;
use crate::random::Stream;
use crate::reversal::Work;
use crate::sampler::{Batch, Local};

/// Another step after which known coordinates are what they were: those of the start, where an observation stands in them. A common
/// way to complete partly observed data (for the deterministic horizon Song et al. 2021, appendix I.2, replaces them at every level
/// of noise; here there is no level, and they are replaced as they are).
///
/// It is no conditioning. The backward process given the known coordinates of its end would let them move until then, and the
/// score is asked at points with noise in some coordinates alone, which the forward process does not visit. What is left true: a
/// datum whose known coordinates differ by κ stays at a distance of κ at least, so where data agree with the observation they win
/// in high dimension, by the factor (κ/ρ)^{d-2} once the others are as near as ρ; and where none does, a distance is left of which a
/// rule may be kept waiting. Of [`final_denoise`](crate::Sampler::final_denoise) nothing is known here: it moves all coordinates.
pub struct Imposed<'a, P: ?Sized = KilledBrownianMotion> {
    step: &'a dyn Step<P>,
    known: &'a [bool],
}

impl<'a, P: ?Sized> Imposed<'a, P> {
    /// `step` in dimension `dim`, keeping the coordinates that are `known` (d).
    ///
    /// # Errors
    /// If `known` has not length `dim`.
    pub fn new(dim: usize, step: &'a dyn Step<P>, known: &'a [bool]) -> Result<Self> {
        dimension("known", dim, known.len())?;
        Ok(Self { step, known })
    }
}

impl<P: ?Sized> Step<P> for Imposed<'_, P> {
    fn evaluate(&self, batch: &mut Batch) {
        self.step.evaluate(batch);
    }

    fn advance(
        &self,
        at: &Local<'_, P>,
        dt: f64,
        rng: &mut Stream,
        next: &mut [f64],
        carry: &mut [f64],
        work: &mut Work,
    ) -> Fate {
        let fate = self.step.advance(at, dt, rng, next, carry, work);
        for ((next, x), known) in next.iter_mut().zip(at.point).zip(self.known) {
            if *known {
                *next = *x;
            }
        }
        fate
    }

    fn samples_lifetime(&self) -> bool {
        self.step.samples_lifetime()
    }

    fn is_flow(&self) -> bool {
        self.step.is_flow()
    }

    fn carry(&self, dim: usize) -> usize {
        self.step.carry(dim)
    }
}
