//! One killed diffusion, run forward to death and backward from there.

use anyhow::Result;
use nalgebra::DMatrix;
use resolvent::core::killed::EulerDeaths;
use resolvent::core::killing::Hazard;
use resolvent::core::step::EulerMaruyama;
use resolvent::core::{Ensemble, Exit, FixedStep, GaussianMixture, KilledDiffusion, Path, Sampler, Score};

use super::super::reverse_time::derived_seed;

/// Backward time that a particle is given, in mean lifetimes.
pub(super) const PATIENCE: f64 = 40.0;
/// Paths that are kept for the figures.
const PATHS: usize = 3;

/// What is reversed, and with what.
pub(super) struct Problem<'a> {
    pub(super) process: &'a dyn KilledDiffusion,
    /// α.
    pub(super) data: &'a GaussianMixture,
    /// log(α/u).
    pub(super) log_hazard: &'a (dyn Fn(&[f64]) -> f64 + Sync),
    pub(super) mean_lifetime: f64,
}

/// A number for each life.
pub(super) type Statistic = fn(&Lives) -> Vec<f64>;

/// Two ends of a life, whichever way it was run.
pub(super) struct Lives {
    /// Where it began forward, in the data (d x n).
    pub(super) data: DMatrix<f64>,
    /// Where it ended forward (d x n).
    pub(super) deaths: DMatrix<f64>,
    pub(super) lifetimes: Vec<f64>,
    /// Particles that did not die.
    pub(super) unfinished: usize,
    /// Paths of a few.
    pub(super) paths: Vec<Path>,
}

fn unfinished(ensemble: &Ensemble) -> usize {
    ensemble.exits.iter().filter(|exit| !matches!(exit, Exit::Killed { .. })).count()
}

impl Problem<'_> {
    /// `n` particles from α to their death.
    pub(super) fn forward(&self, n: usize, dt: f64, seed: u64) -> Result<Lives> {
        let data = self.data.sample(n, derived_seed(seed, 0));
        let ensemble = EulerDeaths::new(self.process, dt)?.run(&data, derived_seed(seed, 1))?;
        let (unfinished, Ensemble { points: deaths, lifetimes, paths, .. }) =
            (unfinished(&ensemble), ensemble);
        Ok(Lives { data, deaths, lifetimes, unfinished, paths })
    }

    /// Back from `deaths` (d x n) by R1 with `score` for ∇ log u, killed at the rate α/u, for `patience` mean lifetimes at most.
    pub(super) fn backward(
        &self,
        score: &dyn Score,
        deaths: DMatrix<f64>,
        dt: f64,
        patience: f64,
        seed: u64,
    ) -> Result<Lives> {
        let (step, control) = (EulerMaruyama::new(score), FixedStep::new(dt)?);
        // Steps of one length, however near death: their error is then of one order.
        let hazard = Hazard::new(self.log_hazard).share(1.0)?;
        let ensemble = Sampler::new(self.process, &step, &control)
            .killing("hazard", &hazard)
            .cap((patience * self.mean_lifetime / dt).ceil() as usize + 1)
            .paths(PATHS)
            .run(&deaths, derived_seed(seed, 2))?;
        let (unfinished, Ensemble { points: data, lifetimes, paths, .. }) = (unfinished(&ensemble), ensemble);
        Ok(Lives { data, deaths, lifetimes, unfinished, paths })
    }
}

/// A score given as ∇ log u alone, with the gain one.
pub(super) struct Plain<F> {
    pub(super) dim: usize,
    pub(super) field: F,
}

impl<F: Fn(&[f64], &mut [f64]) + Sync> Score for Plain<F> {
    fn dim(&self) -> usize {
        self.dim
    }

    fn evaluate(&self, points: &[f64], gains: &mut [f64], displacements: &mut [f64]) {
        gains.fill(1.0);
        for (x, v) in points.chunks_exact(self.dim).zip(displacements.chunks_exact_mut(self.dim)) {
            (self.field)(x, v);
        }
    }
}
