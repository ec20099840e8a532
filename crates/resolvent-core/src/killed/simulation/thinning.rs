//! Thinning.

use nalgebra::DMatrix;
use rand::{Rng, RngExt};
use rand_distr::Exp1;

use super::{End, run};
use crate::affine::Affine;
use crate::error::{Error, Result, at_least, positive};
use crate::killed::KilledDiffusion;
use crate::sampler::{Ensemble, Exit};

/// Candidates a particle is given, if nothing else is said.
const CAP: usize = 1_000_000;

/// Exact deaths of a process with Gaussian transitions whose rate is bounded: candidates come at the rate of the bound, the
/// process is drawn at each, and dies there with the probability r(X)/bound (Lewis and Shedler 1979, Nav. Res. Logist. Q.
/// 26:403).
#[derive(Debug, Clone, Copy)]
pub struct Thinning<'a, P: ?Sized> {
    process: &'a P,
    bound: f64,
    cap: usize,
}

impl<'a, P: KilledDiffusion + Affine + ?Sized> Thinning<'a, P> {
    /// Deaths of `process`, homogeneous and with r(x) <= `bound` everywhere it goes, `bound` > 0 (per unit time).
    ///
    /// # Errors
    /// If `bound` is not positive and finite.
    pub fn new(process: &'a P, bound: f64) -> Result<Self> {
        Ok(Self { process, bound: positive("bound", bound)?, cap: CAP })
    }

    /// At most `cap` >= 1 candidates for each particle (1,000,000 if not said); a particle that still lives then is left where
    /// it is and counted as capped.
    #[must_use]
    pub fn cap(mut self, cap: usize) -> Self {
        self.cap = cap;
        self
    }

    /// Runs one particle from every column of `starts` (d x n), on all cores. Particle i draws from stream i of `seed`. The
    /// evaluations of the ensemble are the candidates. A place that is no longer finite ends a particle as diverged.
    ///
    /// # Errors
    /// If `starts` has not d rows or is not finite, the cap is zero, or the rate is found to be above the bound, negative or NaN
    /// somewhere.
    pub fn run(&self, starts: &DMatrix<f64>, seed: u64) -> Result<Ensemble> {
        at_least("cap", 1, self.cap)?;
        run(KilledDiffusion::dim(self.process), starts, seed, |place, rng| self.live(place, rng))
    }

    fn live<R: Rng + ?Sized>(&self, place: &mut [f64], rng: &mut R) -> Result<End> {
        let mut next = place.to_vec();
        let mut time = 0.0;
        for step in 0..self.cap {
            let wait = rng.sample::<f64, _>(Exp1) / self.bound;
            let transition = self.process.transition(0.0, wait);
            transition.draw_into(&transition.root(), place, rng, &mut next);
            if next.iter().any(|x| !x.is_finite()) {
                return Ok(End { time, evaluations: step + 1, exit: Exit::Diverged { step } });
            }
            place.copy_from_slice(&next);
            time += wait;
            let rate = self.process.rate(place);
            if !(0.0..=self.bound).contains(&rate) {
                return Err(Error::RateBound { rate, bound: self.bound, place: place.to_vec() });
            }
            if rng.random::<f64>() * self.bound < rate {
                return Ok(End { time, evaluations: step + 1, exit: Exit::Killed { rule: 0 } });
            }
        }
        Ok(End { time, evaluations: self.cap, exit: Exit::StepCap })
    }
}
