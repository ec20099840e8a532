//! The exact backward process from weighted points: end point, lifetime and path without a time step.

use nalgebra::DMatrix;
use rand::{Rng, RngExt};
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;
use resolvent_special::Gig;

use crate::error::{Error, Result, dimension, finite};
use crate::killed::{KilledBrownianMotion, Path, distance_squared};
use crate::measure::EmpiricalMeasure;
use crate::random::{Purpose, stream};
use crate::score::{EmpiricalScore, PosteriorScore};

/// Exact sampler of the backward process of killed Brownian motion started in weighted points: end points by R10,
/// lifetimes by R11, paths as Brownian bridges. Every discretised sampler is measured against it.
#[derive(Debug, Clone)]
pub struct Oracle {
    process: KilledBrownianMotion,
    score: EmpiricalScore,
}

/// What the oracle draws for n starts.
#[derive(Debug, Clone)]
pub struct ExactDeaths {
    /// Index of the end point of each particle (n).
    pub atoms: Vec<usize>,
    /// Lifetimes (n).
    pub lifetimes: Vec<f64>,
}

impl Oracle {
    /// The backward process of `process` started in `measure`.
    ///
    /// # Errors
    /// If their dimensions differ.
    pub fn new(process: KilledBrownianMotion, measure: EmpiricalMeasure) -> Result<Self> {
        let score = EmpiricalScore::new(&process, measure)?;
        Ok(Self { process, score })
    }

    /// R10: the law of the end point from the start `x` (length m).
    pub fn end_law(&self, x: &[f64]) -> Vec<f64> {
        self.score.posterior(x)
    }

    /// The law of the lifetime from the start `x`: the mixture of the laws R11 with weights R10.
    pub fn lifetime_law(&self, x: &[f64]) -> LifetimeLaw {
        let components = self
            .end_law(x)
            .into_iter()
            .enumerate()
            .filter(|(_, w)| *w > 1e-17)
            .map(|(i, w)| (w, self.lifetime_given(x, i)))
            .collect();
        LifetimeLaw { components }
    }

    /// End points and lifetimes from the columns of `starts` (d x n); particle i draws from stream i of `seed`.
    ///
    /// # Errors
    /// If `starts` has not d rows or is not finite.
    pub fn draw(&self, starts: &DMatrix<f64>, seed: u64) -> Result<ExactDeaths> {
        dimension("starts", self.process.dim(), starts.nrows())?;
        finite("starts", starts)?;
        let d = self.process.dim();
        let (atoms, lifetimes) = starts
            .as_slice()
            .par_chunks(d)
            .enumerate()
            .map(|(i, x)| self.death(x, &mut stream(seed, Purpose::Oracle, i as u64)))
            .unzip();
        Ok(ExactDeaths { atoms, lifetimes })
    }

    /// One end point (its index) and lifetime from the start `x`.
    pub fn death<R: Rng + ?Sized>(&self, x: &[f64], rng: &mut R) -> (usize, f64) {
        let (mut gain, mut displacement, mut atom) = ([0.0], vec![0.0; x.len()], [0]);
        self.score.evaluate_and_draw(x, &[rng.random()], &mut gain, &mut displacement, &mut atom);
        (atom[0], self.lifetime_given(x, atom[0]).sample(rng))
    }

    /// The path from `x` that dies at point `atom` after `lifetime`, at `times` (ascending, not negative): a Brownian
    /// bridge up to the lifetime, at the end point from then on.
    ///
    /// # Errors
    /// If `times` is not finite, ascending and not negative, or `x` has not length d.
    ///
    /// # Panics
    /// If there is no point `atom`.
    pub fn path<R: Rng + ?Sized>(
        &self,
        x: &[f64],
        atom: usize,
        lifetime: f64,
        times: &[f64],
        rng: &mut R,
    ) -> Result<Path> {
        dimension("x", self.process.dim(), x.len())?;
        let ascending =
            |i: &usize| times[*i].is_finite() && times[*i] >= if *i == 0 { 0.0 } else { times[i - 1] };
        if let Some(index) = (0..times.len()).find(|i| !ascending(i)) {
            return Err(Error::Times { index, value: times[index] });
        }
        let target = self.score.atom(atom);
        let (mut now, mut place) = (0.0, x.to_vec());
        let mut path = Path { times: times.to_vec(), points: Vec::with_capacity(times.len() * x.len()) };
        for &time in times {
            if time >= lifetime {
                path.points.extend_from_slice(target);
                continue;
            }
            let (step, left) = (time - now, lifetime - now);
            let noise = self.process.sigma() * f64::sqrt(step * (left - step) / left);
            for (p, y) in place.iter_mut().zip(target) {
                *p += step / left * (y - *p) + noise * rng.sample::<f64, _>(StandardNormal);
            }
            now = time;
            path.points.extend_from_slice(&place);
        }
        Ok(path)
    }

    fn lifetime_given(&self, x: &[f64], atom: usize) -> Gig {
        self.process.green().lifetime(distance_squared(x, self.score.atom(atom)).sqrt())
    }
}

/// The law of the lifetime of the backward process from one start: a finite mixture of generalised inverse Gaussians.
#[derive(Debug, Clone)]
pub struct LifetimeLaw {
    components: Vec<(f64, Gig)>,
}

impl LifetimeLaw {
    /// P(ζ <= t).
    pub fn cdf(&self, t: f64) -> f64 {
        self.components.iter().map(|(w, gig)| w * gig.cdf(t)).sum()
    }

    /// The density at `t` > 0.
    pub fn density(&self, t: f64) -> f64 {
        self.components.iter().map(|(w, gig)| w * gig.log_density(t).exp()).sum()
    }

    /// E ζ.
    pub fn mean(&self) -> f64 {
        self.components.iter().map(|(w, gig)| w * gig.mean()).sum()
    }
}
