//! Euler-Maruyama.

use super::{Fate, Step};
use crate::diffusion::Diffusion;
use crate::random::Stream;
use crate::reversal::{Work, sde_drift};
use crate::sampler::{Batch, Local};
use crate::score::Score;

/// x += (-b + div Σ + Σ s)(x) dt + σ √dt N: the Euler-Maruyama scheme for the reverse SDE R1 (Maruyama 1955). Weak and
/// strong order 1 where σ is constant and the score is smooth, which it is not near the data: a baseline.
pub struct EulerMaruyama<'a, S: ?Sized> {
    score: &'a S,
}

impl<'a, S: Score + ?Sized> EulerMaruyama<'a, S> {
    /// The reversal of the sampler's process with the score `score`.
    pub fn new(score: &'a S) -> Self {
        Self { score }
    }
}

impl<P: Diffusion + ?Sized, S: Score + ?Sized> Step<P> for EulerMaruyama<'_, S> {
    fn evaluate(&self, batch: &mut Batch) {
        batch.evaluate(self.score);
    }

    fn advance(
        &self,
        at: &Local<'_, P>,
        dt: f64,
        rng: &mut Stream,
        next: &mut [f64],
        _carry: &mut [f64],
        work: &mut Work,
    ) -> Fate {
        for (s, v) in next.iter_mut().zip(at.displacement) {
            *s = at.gain * v;
        }
        sde_drift(at.process, at.time, at.point, next, work);
        // The drift has left σ behind.
        let Work { vector, noise, dispersion } = work;
        rng.fill_normals(noise);
        dispersion.apply(noise, vector);
        let root = dt.sqrt();
        for ((next, x), noise) in next.iter_mut().zip(at.point).zip(noise) {
            *next = x + *next * dt + root * *noise;
        }
        Fate::Alive
    }
}
