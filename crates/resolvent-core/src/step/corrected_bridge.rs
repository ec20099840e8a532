//! The bridge step, corrected to second order at one evaluation a step.

use rand_distr::Distribution;

use super::bridge::piece;
use super::{Fate, Step};
use crate::random::Stream;
use crate::reversal::Work;
use crate::sampler::{Batch, Local};
use crate::score::Score;

/// Below this share of the bridge the weight of the correction is summed as a series, which is then exact to 1e-9.
const SHORT: f64 = 1e-3;

/// The bridge step R18/R19 as the predictor of a trapezoidal rule, of weak order 2 in the step.
///
/// The bridge to the stand-in atom is the exact flow of dX = σ² ŝ dt + σ dW, where t after the start of the step
///
/// ŝ(x, t) = ĝ (D - x),   ĝ = E[1/τ] under  τ^{-d/2} exp(-rτ - |D - x|²/2τ - S²/2(τ + t)),   S² = ρ_g² - |v|²
///
/// (σ = 1 here). To the first order in t, ĝ is the gain at the distance whose square is |D - x|² + S²/(1 + t/τ)², with
/// the [time scale](Local::time_scale) τ. At the start of a step ŝ is the score s. By its end s - ŝ has grown, with the
/// noise of the step, for the posterior over end points turns; the drift s being a martingale, that is all that the first
/// order lacks. So the predicted place x̃ is corrected to
///
/// x = x̃ + (1 - e^{-c g}) (D' - x̃) - (1 - e^{-c ĝ}) (D - x̃),
///
/// where g and D' are the score at x̃, and c is σ² times the effect at the end of the step of a force that grows from 0 to 1
/// through it, under the contraction of the bridge of length ζ:
///
/// c = σ² (ζ - dt)/dt · (ζ log(ζ/(ζ - dt)) - dt),   about σ² dt/2.
///
/// The exponentials keep a particle that was thrown close to a datum from being thrown beyond it. The next step starts
/// from x with the score at x̃, at a distance of the order dt^{3/2}: it is not evaluated again, so a step costs one
/// evaluation as that of [`Bridge`](super::Bridge). It is exact for one atom at any step size, as that one is.
///
/// Killing rules and recorded paths see x̃, which the law of the particle at that time has to the first order only, and with
/// an error that does not add up.
pub struct CorrectedBridge<'a, S: ?Sized> {
    score: &'a S,
}

impl<'a, S: Score + ?Sized> CorrectedBridge<'a, S> {
    /// The corrected bridge step driven by `score`.
    pub fn new(score: &'a S) -> Self {
        Self { score }
    }
}

impl<S: Score + ?Sized> Step for CorrectedBridge<'_, S> {
    fn evaluate(&self, batch: &mut Batch) {
        batch.evaluate(self.score);
    }

    fn advance(
        &self,
        at: &Local<'_>,
        dt: f64,
        rng: &mut Stream,
        next: &mut [f64],
        carry: &mut [f64],
        work: &mut Work,
    ) -> Fate {
        let (target, step) = carry.split_at_mut(at.point.len());
        let Work { vector: x, noise: v, .. } = work;
        correct(at, target, step, x);
        let mut squared = at.spread();
        for (((target, v), x), (p, displacement)) in
            target.iter_mut().zip(v.iter_mut()).zip(&*x).zip(at.point.iter().zip(at.displacement))
        {
            *target = p + displacement;
            *v = *target - x;
            squared += *v * *v;
        }
        let green = at.process.green();
        let lifetime = green.lifetime(squared.sqrt()).sample(rng);
        let variance = at.process.sigma().powi(2);
        step[0] = at.spread() / (1.0 + variance * dt / at.time_scale()).powi(2);
        step[1] = variance * weight(dt, lifetime);
        piece(at.process, x, v, lifetime, dt, rng, next)
    }

    fn samples_lifetime(&self) -> bool {
        true
    }

    /// The target D, and of the step that led to where the particle is the aged spread and the weight c.
    fn carry(&self, dim: usize) -> usize {
        dim + 2
    }
}

/// x ← the corrected place, from the `target` and the `[spread, weight]` of the last step; at the start the weight is 0.
fn correct(at: &Local<'_>, target: &[f64], step: &[f64], x: &mut [f64]) {
    let (spread, weight) = (step[0], step[1]);
    let squared: f64 = at.point.iter().zip(target).map(|(p, y)| (y - p) * (y - p)).sum();
    let gain = at.process.green().gain((squared + spread).sqrt());
    let (new, old) = (-f64::exp_m1(-weight * at.gain), -f64::exp_m1(-weight * gain));
    for (((x, p), v), y) in x.iter_mut().zip(at.point).zip(at.displacement).zip(target) {
        *x = p + new * v - old * (y - p);
    }
}

/// c/σ² for a step of length `dt` along the bridge of length `lifetime`; 0 where it ends within the step.
fn weight(dt: f64, lifetime: f64) -> f64 {
    let share = dt / lifetime;
    if share >= 1.0 {
        0.0
    } else if share < SHORT {
        dt * (1.0 - share) * (0.5 + share * (1.0 / 3.0 + 0.25 * share))
    } else {
        (lifetime - dt) * (-f64::ln_1p(-share) / share - 1.0)
    }
}
