//! The flux flow by an embedded Runge-Kutta pair.

use super::{LONGEST, length, quickening, velocity};
use crate::error::{Result, positive};
use crate::killed::LocallyBrownian;
use crate::random::Stream;
use crate::reversal::Work;
use crate::sampler::{Batch, Local};
use crate::score::Score;
use crate::step::{Fate, Step};

/// The first step tried, in s.
const FIRST: f64 = 0.5;
/// A step aims at this share of the length that would just pass.
const SAFETY: f64 = 0.9;
/// From one step to the next the length changes by a factor within these.
const FACTOR: (f64, f64) = (0.2, 3.0);

/// The flux flow R2 with steps of its own: the three stages of order 3 of Bogacki and Shampine (1989, Appl. Math. Lett. 2:321),
/// compared with the midpoint rule of order 2 that its first two make up, three evaluations an accepted step and two a
/// rejected one. (Their own fourth stage, at the end of the step, would be the first of the next; a rejected step would then be
/// found out after the rules have seen where it leads.)
///
/// The variable is λ = 1 - e^-s, in which the way to a single atom is straight and its time τ a parabola. The particle goes on if
/// the two orders differ by less than `rtol` ρ_g, ρ_g being the distance that the gain tells (R19) where the step begins.
/// The step control gives the longest step allowed: [`Contraction`](crate::control::Contraction) by 2 or so. The time that passes is at most a
/// little more than its dt. What stops the flow is said at [`Flux`](super::Flux).
pub struct AdaptiveFlux<'a, S: ?Sized> {
    score: &'a S,
    rtol: f64,
}

impl<'a, S: Score + ?Sized> AdaptiveFlux<'a, S> {
    /// The flow of the sampler's process with the score `score` and the tolerance `rtol` > 0.
    ///
    /// # Errors
    /// If `rtol` is not positive and finite.
    pub fn new(score: &'a S, rtol: f64) -> Result<Self> {
        Ok(Self { score, rtol: positive("rtol", rtol)? })
    }
}

/// The stages and what they have found: x and k1, k2 (d each) and six numbers.
struct Stages<'c> {
    x: &'c mut [f64],
    first: &'c mut [f64],
    second: &'c mut [f64],
    /// The stage under way, 0 to 2.
    stage: &'c mut f64,
    /// The length of this step, in s.
    length: &'c mut f64,
    /// The length wanted by the error of the last; 0 before the first.
    wanted: &'c mut f64,
    /// ρ_g at the beginning.
    radius: &'c mut f64,
    /// dτ/dλ of the first two stages.
    times: &'c mut [f64; 2],
}

impl<'c> Stages<'c> {
    fn new(carry: &'c mut [f64]) -> Self {
        let (rest, numbers) = carry.split_last_chunk_mut::<6>().expect("room for six numbers");
        let [stage, length, wanted, radius, times @ ..] = numbers;
        let (x, rest) = rest.split_at_mut(rest.len() / 3);
        let (first, second) = rest.split_at_mut(rest.len() / 2);
        Self { x, first, second, stage, length, wanted, radius, times }
    }

    /// next ← x + λ share k for the k of the stage just made; returns the stage after it.
    fn go(&mut self, share: f64, next: &mut [f64]) -> Fate {
        let k = if *self.stage == 0.0 { &*self.first } else { &*self.second };
        let lambda = -f64::exp_m1(-*self.length) * share;
        for (i, next) in next.iter_mut().enumerate() {
            *next = self.x[i] + lambda * k[i];
        }
        *self.stage += 1.0;
        Fate::Stage
    }
}

impl<P: LocallyBrownian + ?Sized, S: Score + ?Sized> Step<P> for AdaptiveFlux<'_, S> {
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
        let mut stages = Stages::new(carry);
        if *stages.stage == 0.0 {
            stages.x.copy_from_slice(at.point);
            let slowness = velocity(at, stages.first, work);
            stages.times[0] = slowness;
            *stages.radius = at.radius();
            let wanted = if *stages.wanted > 0.0 { *stages.wanted } else { FIRST };
            *stages.length = length(dt, slowness, -quickening(at)).min(wanted);
            return stages.go(0.5, next);
        }
        let lambda = -f64::exp_m1(-*stages.length);
        // dx/dλ = (D - x)/(1 - λ).
        let share = if *stages.stage == 1.0 { 0.5 } else { 0.75 };
        let left = 1.0 - share * lambda;
        if *stages.stage == 1.0 {
            stages.times[1] = velocity(at, stages.second, work) / left;
            stages.second.iter_mut().for_each(|k| *k /= left);
            return stages.go(0.75, next);
        }
        let time = velocity(at, next, work) / left;
        let mut error = 0.0;
        for (i, next) in next.iter_mut().enumerate() {
            let (first, second, third) = (stages.first[i], stages.second[i], *next / left);
            let step = (2.0 * first + 3.0 * second + 4.0 * third) / 9.0;
            error += (step - second).powi(2);
            *next = stages.x[i] + lambda * step;
        }
        let error = lambda * f64::sqrt(error) / (self.rtol * *stages.radius);
        let factor = (SAFETY * error.powf(-1.0 / 3.0)).clamp(FACTOR.0, FACTOR.1);
        *stages.wanted = f64::min(*stages.length * factor, LONGEST);
        *stages.stage = 0.0;
        if error > 1.0 {
            *stages.length = *stages.wanted;
            return stages.go(0.5, next);
        }
        Fate::Moved { time: lambda * (2.0 * stages.times[0] + 3.0 * stages.times[1] + 4.0 * time) / 9.0 }
    }

    fn is_flow(&self) -> bool {
        true
    }

    /// The beginning and the stages of a step.
    fn carry(&self, dim: usize) -> usize {
        3 * dim + 6
    }
}
