//! The backward process from the data, ready to be started at images.

use std::ops::ControlFlow;

use anyhow::Result;
use nalgebra::DMatrix;
use rand::RngExt;
use resolvent::core::random::{Purpose, stream};
use resolvent::core::step::{Bridge, PosteriorBridge};
use resolvent::core::{
    EmpiricalMeasure, EmpiricalScore, Ensemble, Exit, GreenKernel, KilledBrownianMotion, Oracle, Sampler,
    ScoreAdaptive,
};
use resolvent::metrics::{self, Nearest};

use super::Settings;
use super::images::Images;
use crate::experiment::Context;

/// Particles to a chunk: the tile of the score, so that a few hundred particles occupy every core.
const BATCH: usize = 32;

/// How a particle steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    /// Towards an end point drawn from the posterior: exact.
    Posterior,
    /// Towards the posterior mean, with steps that heed its spread.
    Mean,
}

impl Scheme {
    /// Both.
    pub(super) const ALL: [Self; 2] = [Self::Posterior, Self::Mean];

    /// The name in tables.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Posterior => "posterior-bridge",
            Self::Mean => "bridge",
        }
    }
}

/// Killed Brownian motion from the data, its exact score and the two schemes that reverse it.
pub(super) struct Method<'a> {
    process: KilledBrownianMotion,
    score: EmpiricalScore,
    posterior_steps: ScoreAdaptive,
    mean_steps: ScoreAdaptive,
    data: &'a DMatrix<f64>,
    context: &'a Context,
}

/// The particles of one run at their end, and the datum next to each.
pub(super) struct Ends {
    pub(super) ensemble: Ensemble,
    pub(super) nearest: Nearest,
}

impl Ends {
    /// How many particles the lifetime killed, how many reached the cap and how many diverged.
    pub(super) fn exits(&self) -> [usize; 3] {
        let mut counts = [0; 3];
        for exit in &self.ensemble.exits {
            counts[match exit {
                Exit::Killed { .. } | Exit::Horizon => 0,
                Exit::StepCap => 1,
                Exit::Diverged { .. } => 2,
            }] += 1;
        }
        counts
    }

    /// The largest distance of an end point to the data.
    pub(super) fn farthest(&self) -> f64 {
        self.nearest.distances.iter().fold(0.0, |a, &b| a.max(b))
    }

    /// The evaluations of each particle.
    pub(super) fn evaluations(&self) -> Vec<f64> {
        self.ensemble.evaluations.iter().map(|&count| count as f64).collect()
    }
}

impl<'a> Method<'a> {
    pub(super) fn new(images: &'a Images, settings: &Settings, context: &'a Context) -> Result<Self> {
        let dim = images.data.nrows();
        let process = KilledBrownianMotion::new(dim, 1.0, settings.rate)?;
        let score = EmpiricalScore::new(&process, EmpiricalMeasure::new(images.data.clone())?)?;
        let floor = floor(settings, dim);
        Ok(Self {
            process,
            score,
            posterior_steps: ScoreAdaptive::new(settings.posterior_eta, floor)?.ignoring_spread(),
            mean_steps: ScoreAdaptive::new(settings.bridge_eta, floor)?,
            data: &images.data,
            context,
        })
    }

    /// Starts one particle at every column of `starts`; runs of different `part` are independent.
    pub(super) fn run(
        &self,
        scheme: Scheme,
        starts: &DMatrix<f64>,
        part: u64,
        message: &str,
    ) -> Result<Ends> {
        let progress = self.context.progress(starts.ncols() as u64, message);
        let observer = |ended: usize| {
            progress.inc(ended as u64);
            if self.context.interrupted() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let seed = stream(self.context.seed, Purpose::Experiment, u64::MAX - part).random();
        let (posterior, mean) = (PosteriorBridge::new(&self.score), Bridge::new(&self.score));
        let sampler = match scheme {
            Scheme::Posterior => Sampler::new(&self.process, &posterior, &self.posterior_steps),
            Scheme::Mean => Sampler::new(&self.process, &mean, &self.mean_steps),
        };
        let ensemble = sampler.batch(BATCH).run_observed(starts, seed, &observer)?;
        let nearest = metrics::nearest(&ensemble.points, self.data)?;
        Ok(Ends { ensemble, nearest })
    }

    /// R10: the law of the end point from `x`.
    pub(super) fn posterior(&self, x: &[f64]) -> Vec<f64> {
        self.score.posterior(x)
    }

    /// R10 at another killing rate.
    pub(super) fn posterior_at_rate(&self, x: &[f64], rate: f64) -> Result<Vec<f64>> {
        let process = KilledBrownianMotion::new(x.len(), 1.0, rate)?;
        Ok(EmpiricalScore::new(&process, self.score.measure().clone())?.posterior(x))
    }

    /// The exact sampler of the same backward process.
    pub(super) fn oracle(&self) -> Result<Oracle> {
        Ok(Oracle::new(self.process.clone(), self.score.measure().clone())?)
    }

    /// The Green kernel of the process.
    pub(super) fn green(&self) -> &GreenKernel {
        self.process.green()
    }

    /// Distances from `x` to the data.
    pub(super) fn distances(&self, x: &[f64]) -> Vec<f64> {
        let squares = |y: &[f64]| x.iter().zip(y).map(|(x, y)| (x - y).powi(2)).sum::<f64>();
        self.data.as_slice().chunks_exact(x.len()).map(|y| squares(y).sqrt()).collect()
    }
}

/// The length δ below which nothing is resolved: noise of the setting `resolution` on every pixel.
pub(super) fn floor(settings: &Settings, dim: usize) -> f64 {
    settings.resolution * (dim as f64).sqrt()
}
