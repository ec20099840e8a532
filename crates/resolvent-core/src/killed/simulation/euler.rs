//! Euler-Maruyama with an integrated hazard.

use nalgebra::DMatrix;
use rand::{Rng, RngExt};
use rand_distr::{Exp1, StandardNormal};

use super::{End, run};
use crate::error::{Result, at_least, positive};
use crate::killed::KilledDiffusion;
use crate::reversal::Work;
use crate::sampler::{Ensemble, Exit};

/// Steps a particle is given, if nothing else is said.
const CAP: usize = 1_000_000;

/// Deaths of any killed diffusion by Euler-Maruyama steps: a particle dies when ∫ r(X) dt reaches a number drawn from Exp(1).
///
/// Within a step the rate is taken to be linear between its values at the ends; death falls where the integral meets its
/// mark, and the place is drawn from the Brownian bridge between the ends. Weak order 1, as the steps themselves are (Kloeden
/// and Platen 1992, 14.1), and exact for Brownian motion with a constant rate. Draws nothing but normal numbers after the mark.
#[derive(Debug, Clone, Copy)]
pub struct EulerDeaths<'a, P: ?Sized> {
    process: &'a P,
    dt: f64,
    cap: usize,
}

impl<'a, P: KilledDiffusion + ?Sized> EulerDeaths<'a, P> {
    /// Deaths of `process` by steps of time `dt` > 0.
    ///
    /// # Errors
    /// If `dt` is not positive and finite.
    pub fn new(process: &'a P, dt: f64) -> Result<Self> {
        Ok(Self { process, dt: positive("dt", dt)?, cap: CAP })
    }

    /// At most `cap` >= 1 steps for each particle (1,000,000 if not said); a particle that still lives then is left where it is
    /// and counted as capped.
    #[must_use]
    pub fn cap(mut self, cap: usize) -> Self {
        self.cap = cap;
        self
    }

    /// Runs one particle from every column of `starts` (d x n), on all cores. Particle i draws from stream i of `seed`. The
    /// evaluations of the ensemble are those of the drift. A place that is no longer finite, or a rate that is negative or not
    /// finite, ends a particle as diverged, at its last place.
    ///
    /// # Errors
    /// If `starts` has not d rows or is not finite, or the cap is zero.
    pub fn run(&self, starts: &DMatrix<f64>, seed: u64) -> Result<Ensemble> {
        at_least("cap", 1, self.cap)?;
        let dim = self.process.dim();
        run(dim, starts, seed, |place, rng| Ok(self.live(place, rng)))
    }

    fn live<R: Rng + ?Sized>(&self, place: &mut [f64], rng: &mut R) -> End {
        let dt = self.dt;
        let mut work = Work::new(place.len());
        let mut next = place.to_vec();
        let mut left: f64 = rng.sample(Exp1);
        let mut rate = self.process.rate(place);
        let mut time = 0.0;
        for step in 0..self.cap {
            self.process.dispersion(0.0, place, &mut work.dispersion);
            self.process.drift(0.0, place, &mut next);
            draw_noise(&mut work, dt.sqrt(), rng);
            for ((next, x), noise) in next.iter_mut().zip(&*place).zip(&work.noise) {
                *next = x + *next * dt + noise;
            }
            let next_rate = self.process.rate(&next);
            let hazard = 0.5 * dt * (rate + next_rate);
            let sound = rate >= 0.0 && next_rate >= 0.0 && hazard.is_finite();
            if !sound || next.iter().any(|x| !x.is_finite()) {
                return End { time, evaluations: step + 1, exit: Exit::Diverged { step } };
            }
            if hazard < left {
                left -= hazard;
                rate = next_rate;
                time += dt;
                place.copy_from_slice(&next);
                continue;
            }
            // The root of rate s + ½ (next_rate - rate) s² / dt = left in a form without cancellation.
            let root = (rate * rate + 2.0 * (next_rate - rate) * left / dt).max(0.0).sqrt();
            let after = f64::min(2.0 * left / (rate + root), dt);
            draw_noise(&mut work, (after * (dt - after) / dt).sqrt(), rng);
            for ((x, next), noise) in place.iter_mut().zip(&next).zip(&work.noise) {
                *x += after / dt * (next - *x) + noise;
            }
            return End { time: time + after, evaluations: step + 1, exit: Exit::Killed { rule: 0 } };
        }
        End { time, evaluations: self.cap, exit: Exit::StepCap }
    }
}

/// `work.noise` ← `scale` σ N with the σ in `work`.
fn draw_noise<R: Rng + ?Sized>(work: &mut Work, scale: f64, rng: &mut R) {
    let Work { vector, noise, dispersion } = work;
    noise.iter_mut().for_each(|n| *n = scale * rng.sample::<f64, _>(StandardNormal));
    dispersion.apply(noise, vector);
}
