//! What the experiments on forward and reversed SDEs share: runs seen on the way, exact moments, critical values, the
//! discretisation error of a scheme, and seeds.

use std::ops::ControlFlow;
use std::sync::{Mutex, PoisonError};

use anyhow::{Result, ensure};
use nalgebra::DMatrix;
use rand::RngExt;
use rand_distr::StandardNormal;
use rayon::prelude::*;
use resolvent::core::diffusion::Diffusion;
use resolvent::core::horizon::Simulation;
use resolvent::core::integrate::{Increments, Integrator, Scratch};
use resolvent::core::random::{Purpose, stream};
use resolvent::core::schedule::Level;
use resolvent::core::{Exit, GaussianMixture, HorizonSampler, Path};

use crate::experiment::Context;

/// Particles that are carried together.
const BATCH: usize = 500;
/// Intervals on which two distribution functions are compared.
const GRID: usize = 20_000;

/// A diffusion through `segments` equal parts of [0, `horizon`], each in `steps` steps.
#[derive(Clone, Copy)]
pub(super) struct Plan<'a> {
    pub(super) diffusion: &'a dyn Diffusion,
    pub(super) integrator: &'a dyn Integrator,
    pub(super) horizon: f64,
    pub(super) segments: usize,
    pub(super) steps: usize,
}

/// Where the particles were.
pub(super) struct Run {
    /// The ends of the segments, from 0 to the horizon, in the own time of the diffusion.
    pub(super) times: Vec<f64>,
    /// The places at these times (d x n each).
    pub(super) places: Vec<DMatrix<f64>>,
    /// The paths of the first particles.
    pub(super) paths: Vec<Path>,
}

impl Run {
    /// The places at the horizon.
    pub(super) fn end(&self) -> &DMatrix<f64> {
        &self.places[self.places.len() - 1]
    }
}

impl Plan<'_> {
    /// Runs one particle from every column of `starts` and records the paths of the first `paths`.
    pub(super) fn run(
        &self,
        starts: &DMatrix<f64>,
        seed: u64,
        paths: usize,
        context: &Context,
    ) -> Result<Run> {
        let (dim, n) = starts.shape();
        let steps = self.segments * self.steps;
        let method = Simulation::uniform(self.diffusion, self.integrator, dim, (0.0, self.horizon), steps)?;
        let seen = Mutex::new(vec![DMatrix::zeros(dim, n); self.segments]);
        let sampler = HorizonSampler::new(&method).batch(BATCH).paths(paths);
        let ensemble = sampler.run_observed(starts, seed, &|seen_now| {
            if context.interrupted() {
                return ControlFlow::Break(());
            }
            if seen_now.step % self.steps == 0 {
                let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
                let columns = seen_now.particles.start * dim..seen_now.particles.end * dim;
                seen[seen_now.step / self.steps].as_mut_slice()[columns].copy_from_slice(seen_now.points);
            }
            ControlFlow::Continue(())
        })?;
        let lost = ensemble.exits.iter().filter(|exit| **exit != Exit::Horizon).count();
        ensure!(lost == 0, "{lost} of {n} particles diverged: more `steps` are needed");
        let mut places = seen.into_inner().unwrap_or_else(PoisonError::into_inner);
        places.push(ensemble.points);
        let part = |k| self.horizon * k as f64 / self.segments as f64;
        Ok(Run { times: (0..=self.segments).map(part).collect(), places, paths: ensemble.paths })
    }

    /// The ends of the same Brownian paths by the steps of the plan and by steps of half the length: what the two differ
    /// by is the discretisation error, freed from most of the Monte-Carlo error. For schemes that use ΔW alone.
    pub(super) fn halved(&self, starts: &DMatrix<f64>, seed: u64) -> [DMatrix<f64>; 2] {
        let dim = starts.nrows();
        let steps = self.segments * self.steps;
        let half = 0.5 * self.horizon / steps as f64;
        let (mut coarse, mut fine) = (starts.clone(), starts.clone());
        let chunks = coarse.as_mut_slice().par_chunks_mut(BATCH * dim);
        chunks.zip(fine.as_mut_slice().par_chunks_mut(BATCH * dim)).enumerate().for_each(
            |(chunk, (coarse, fine))| {
                let own = |j| stream(seed, Purpose::Experiment, (chunk * BATCH + j) as u64);
                let mut rngs: Vec<_> = (0..coarse.len() / dim).map(own).collect();
                let mut scratch = Scratch::default();
                let (mut dw, mut sum) = (vec![0.0; coarse.len()], vec![0.0; coarse.len()]);
                for step in 0..2 * steps {
                    for (row, rng) in dw.chunks_exact_mut(dim).zip(&mut rngs) {
                        row.iter_mut().for_each(|w| *w = half.sqrt() * rng.sample::<f64, _>(StandardNormal));
                    }
                    sum.iter_mut().zip(&dw).for_each(|(s, w)| *s += w);
                    let mut carry = |points: &mut [f64], t: f64, dt: f64, dw: &[f64]| {
                        let increments = Increments { dw, dz: &[] };
                        self.integrator.step(self.diffusion, t, dt, dim, increments, points, &mut scratch);
                    };
                    carry(fine, half * step as f64, half, &dw);
                    if step % 2 == 1 {
                        carry(coarse, half * (step - 1) as f64, 2.0 * half, &sum);
                        sum.fill(0.0);
                    }
                }
            },
        );
        [coarse, fine]
    }
}

/// The seed of the `index`-th run of an experiment: a hash of both, so that no runs of experiments with seeds next to
/// each other share their draws.
pub(super) fn derived_seed(seed: u64, index: u64) -> u64 {
    stream(seed, Purpose::Experiment, index).random()
}

/// Mean, variance and fourth central moment of a mixture on the line.
pub(super) fn moments(law: &GaussianMixture) -> (f64, f64, f64) {
    let mean = law.mean()[0];
    let (mut second, mut fourth) = (0.0, 0.0);
    for (k, weight) in law.weights().iter().enumerate() {
        let (variance, away) = (law.component_covariance(k)[(0, 0)], law.means()[(0, k)] - mean);
        second += weight * (variance + away * away);
        fourth += weight * (3.0 * variance * variance + 6.0 * variance * away * away + away.powi(4));
    }
    (mean, second, fourth)
}

/// N(`mean`, `variance`) on the line.
pub(super) fn gaussian(mean: f64, variance: f64) -> Result<GaussianMixture> {
    Ok(GaussianMixture::one_dimensional(&[1.0], &[mean], &[variance.sqrt()])?)
}

/// The distribution function of a mixture on the line.
pub(super) fn cdf(law: &GaussianMixture) -> impl Fn(f64) -> f64 + Sync {
    |x| law.cdf(&Level::CLEAN, x)
}

/// The density of a mixture on the line.
pub(super) fn density(law: &GaussianMixture) -> impl Fn(f64) -> f64 {
    |x| law.log_density(&[x]).exp()
}

/// What the largest of `comparisons` standard normal numbers in absolute value exceeds with probability at most
/// `significance` (Bonferroni).
pub(super) fn critical_z(significance: f64, comparisons: usize) -> Result<f64> {
    let normal = gaussian(0.0, 1.0)?;
    let tail = 0.5 * significance / comparisons as f64;
    let (mut low, mut high) = (0.0, 40.0);
    while high - low > 1e-12 {
        let middle = 0.5 * (low + high);
        if normal.cdf(&Level::CLEAN, -middle) > tail { low = middle } else { high = middle }
    }
    Ok(high)
}

/// Where on [`low`, `high`] the distribution function `p` is furthest from `q`, and p - q there.
pub(super) fn largest_gap(
    p: impl Fn(f64) -> f64,
    q: impl Fn(f64) -> f64,
    (low, high): (f64, f64),
) -> (f64, f64) {
    let at = |k: usize| low + (high - low) * k as f64 / GRID as f64;
    let gaps = (0..=GRID).map(|k| (at(k), p(at(k)) - q(at(k))));
    gaps.fold((low, 0.0), |worst: (f64, f64), gap| if gap.1.abs() > worst.1.abs() { gap } else { worst })
}

/// The share of a sample up to `place`.
pub(super) fn share_below(sample: &[f64], place: f64) -> f64 {
    sample.iter().filter(|x| **x <= place).count() as f64 / sample.len() as f64
}
