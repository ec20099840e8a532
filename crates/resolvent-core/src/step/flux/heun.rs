//! The flux flow by Heun's method.

use super::{Course, follow, length, quickening, velocity};
use crate::killed::LocallyBrownian;
use crate::random::Stream;
use crate::reversal::Work;
use crate::sampler::{Batch, Local};
use crate::score::Score;
use crate::step::{Fate, Step};

/// The flux flow R2 by an exponential Heun method, of order 2, with two evaluations a step: a first move towards D(x) as if it
/// stayed, and a second with D changing linearly from there to what it is at the end of the first (Hochbruck and Ostermann
/// 2010, Acta Numerica 19, section 2.3). The time dt is that of dx/dτ = -J/u, and [`Contraction`](crate::control::Contraction) is the
/// control made for it. Exact towards a single atom near it; no step overshoots it.
///
/// Where data are polar a [rule](crate::killing::ResidualNoise) stops it near them, and
/// [the last denoised point](crate::Sampler::final_denoise) is on them. Where they have a density it is killed by the
/// [`Hazard`](crate::killing::Hazard) α/u, and on a support of codimension 1 by [`FluxCrossing`](crate::killing::FluxCrossing).
pub struct Flux<'a, S: ?Sized> {
    score: &'a S,
}

impl<'a, S: Score + ?Sized> Flux<'a, S> {
    /// The flow of the sampler's process with the score `score`.
    ///
    /// ```
    /// use nalgebra::DMatrix;
    /// use resolvent_core::killing::ResidualNoise;
    /// use resolvent_core::{Contraction, EmpiricalMeasure, EmpiricalScore, KilledBrownianMotion, Sampler, step::Flux};
    ///
    /// let process = KilledBrownianMotion::new(3, 1.0, 0.1)?;
    /// let data = EmpiricalMeasure::new(DMatrix::from_column_slice(3, 2, &[0., 0., 1., 0., 0., -1.]))?;
    /// let score = EmpiricalScore::new(&process, data)?;
    /// let (step, control) = (Flux::new(&score), Contraction::new(0.5)?);
    /// let rule = ResidualNoise::new(&process, 1e-3)?;
    /// let sampler = Sampler::new(&process, &step, &control).killing("noise", &rule).final_denoise(true);
    /// let ensemble = sampler.run(&process.deaths(&DMatrix::zeros(3, 10), 7)?.0, 7)?;
    /// assert!(ensemble.points.column_iter().all(|x| (x.norm() - 1.0).abs() < 1e-5));
    /// # Ok::<(), resolvent_core::Error>(())
    /// ```
    pub fn new(score: &'a S) -> Self {
        Self { score }
    }
}

impl<P: LocallyBrownian + ?Sized, S: Score + ?Sized> Step<P> for Flux<'_, S> {
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
        let mut course = Course::new(carry);
        let fate = heun(&mut course, at, dt, next, work);
        if fate == Fate::Alive {
            *course.length = 0.0;
        }
        fate
    }

    fn is_flow(&self) -> bool {
        true
    }

    /// Where the step began.
    fn carry(&self, dim: usize) -> usize {
        Course::size(dim)
    }
}

/// One stage of a step; the first if `course` has no length.
pub(super) fn heun<P: LocallyBrownian + ?Sized>(
    course: &mut Course<'_>,
    at: &Local<'_, P>,
    dt: f64,
    next: &mut [f64],
    work: &mut Work,
) -> Fate {
    if *course.length == 0.0 {
        course.x.copy_from_slice(at.point);
        *course.slowness = velocity(at, course.velocity, work);
        *course.length = length(dt, *course.slowness, -quickening(at));
        work.vector.fill(0.0);
        follow(*course.length, course.x, course.velocity, &work.vector, next);
        return Fate::Stage;
    }
    let slowness = velocity(at, next, work);
    let slope = course.change(at.point, next, slowness, &mut work.vector);
    // dt has passed when log m is linear in s, which it is to the order of the method.
    let foreseen = *course.length;
    *course.length = length(dt, *course.slowness, slope).clamp(0.5 * foreseen, 2.0 * foreseen);
    follow(*course.length, course.x, course.velocity, &work.vector, next);
    Fate::Alive
}
