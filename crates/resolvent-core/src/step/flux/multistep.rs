//! The flux flow by a two-step method.

use super::heun::heun;
use super::{Course, follow, length, velocity};
use crate::killed::LocallyBrownian;
use crate::random::Stream;
use crate::reversal::Work;
use crate::sampler::{Batch, Local};
use crate::score::Score;
use crate::step::{Fate, Step};

/// The flux flow R2 by an exponential Adams-Bashforth method of order 2, with one evaluation a step: D goes on to change as it did
/// over the step before (Hochbruck and Ostermann 2010, Acta Numerica 19, section 2.5; on the deterministic horizon, Lu et
/// al. 2022). The first step is that of [`Flux`](super::Flux), which see also for what stops it.
pub struct MultistepFlux<'a, S: ?Sized> {
    score: &'a S,
}

impl<'a, S: Score + ?Sized> MultistepFlux<'a, S> {
    /// The flow of the sampler's process with the score `score`.
    pub fn new(score: &'a S) -> Self {
        Self { score }
    }
}

impl<P: LocallyBrownian + ?Sized, S: Score + ?Sized> Step<P> for MultistepFlux<'_, S> {
    fn evaluate(&self, batch: &mut Batch) {
        batch.evaluate(self.score);
    }

    fn advance(
        &self,
        at: &Local<'_, P>,
        dt: f64,
        _rng: &mut Stream,
        next: &mut [f64],
        carry: &mut [f64],
        work: &mut Work,
    ) -> Fate {
        let (started, carry) = carry.split_first_mut().expect("room for a number");
        let mut course = Course::new(carry);
        if *started == 0.0 {
            let fate = heun(&mut course, at, dt, next, work);
            *started = f64::from(fate == Fate::Alive);
            return fate;
        }
        let slowness = velocity(at, next, work);
        let slope = course.change(at.point, next, slowness, &mut work.vector);
        course.x.copy_from_slice(at.point);
        course.velocity.copy_from_slice(next);
        *course.slowness = slowness;
        *course.length = length(dt, slowness, slope);
        follow(*course.length, course.x, course.velocity, &work.vector, next);
        Fate::Alive
    }

    fn is_flow(&self) -> bool {
        true
    }

    /// Whether a first step has been taken, and where the last one began.
    fn carry(&self, dim: usize) -> usize {
        1 + Course::size(dim)
    }
}
