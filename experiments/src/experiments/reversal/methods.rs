//! The steps compared, and what is measured of each.

use std::ops::ControlFlow;

use anyhow::Result;
use nalgebra::DMatrix;
use rayon::prelude::*;
use resolvent::core::killing::SupScore;
use resolvent::core::step::{Bridge, CorrectedBridge, EulerMaruyama, PosteriorBridge};
use resolvent::core::{Ensemble, Sampler, ScoreAdaptive, Step};
use resolvent::metrics::{self, Estimate};

use super::Settings;
use super::problem::Problem;
use crate::experiment::Context;
use crate::progress::Progress;

/// A scheme for the step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// R18 towards a datum drawn from the posterior.
    PosteriorBridge,
    /// R19, steps that heed the spread of the posterior.
    Bridge,
    /// R19, steps of η time scales.
    PlainBridge,
    /// The bridge corrected to second order, with its own rule for the steps.
    CorrectedBridge,
    /// R19 at the steps of the corrected bridge.
    UncorrectedBridge,
    /// Euler-Maruyama, killed by the supremum of the score at the resolution.
    Euler,
}

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::PosteriorBridge => "posterior bridge",
            Self::Bridge => "bridge",
            Self::PlainBridge => "bridge, plain",
            Self::CorrectedBridge => "corrected bridge",
            Self::UncorrectedBridge => "bridge, uncorrected",
            Self::Euler => "Euler-Maruyama",
        }
    }
}

/// A scheme at a step size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Method {
    pub(super) kind: Kind,
    pub(super) eta: f64,
}

/// What was measured of one method on one problem.
pub(super) struct Measured {
    pub(super) dim: usize,
    pub(super) problem: usize,
    pub(super) particles: usize,
    pub(super) method: Method,
    /// One less the largest posterior weight at the start.
    pub(super) spread: f64,
    pub(super) tv: Estimate,
    /// The mean total variation of a perfect sampler.
    pub(super) tv_floor: f64,
    /// p-value of the end points (chi-square).
    pub(super) end_p: f64,
    pub(super) lifetime_ks: f64,
    pub(super) lifetime_p: f64,
    /// Mean score evaluations of a particle.
    pub(super) evaluations: f64,
    /// Share of particles ended by lifetime or rule.
    pub(super) ended: f64,
}

impl Method {
    /// The schemes of the step-size sweep.
    pub(super) const SWEPT: [Kind; 5] =
        [Kind::PosteriorBridge, Kind::Bridge, Kind::PlainBridge, Kind::CorrectedBridge, Kind::Euler];

    /// The methods run in every dimension.
    pub(super) fn all() -> Vec<Self> {
        [
            (Kind::PosteriorBridge, 1.0),
            (Kind::Bridge, 1.0),
            (Kind::Bridge, 0.2),
            (Kind::Bridge, 0.1),
            (Kind::PlainBridge, 0.2),
            (Kind::Euler, 0.1),
        ]
        .map(|(kind, eta)| Self { kind, eta })
        .to_vec()
    }

    pub(super) fn is_exact(&self) -> bool {
        self.kind == Kind::PosteriorBridge
    }

    /// The bridge at the step size that the declared accuracy is for.
    pub(super) fn is_default_bridge(&self) -> bool {
        *self == Self { kind: Kind::Bridge, eta: 0.2 }
    }

    pub(super) fn kills_by_lifetime(&self) -> bool {
        self.kind != Kind::Euler
    }

    /// Runs the method and measures it against the exact law.
    pub(super) fn measure(
        self,
        problem: &Problem,
        settings: &Settings,
        context: &Context,
        progress: &Progress,
    ) -> Result<(Measured, Ensemble)> {
        context.proceed()?;
        let observer = |ended: usize| {
            progress.inc(ended as u64);
            if context.interrupted() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let ensemble = self.run(problem, &problem.starts, context.seed, &observer)?;
        let weights = problem.end_law();
        let nearest = metrics::nearest_index(&ensemble.points, problem.measure.points())?;
        let counts = metrics::counts(&nearest, settings.atoms)?;
        let law = problem.lifetime_law();
        let levels: Vec<f64> = ensemble.lifetimes.par_iter().map(|t| law.cdf(*t)).collect();
        let lifetimes = metrics::ks_one_sample(&levels, |u| u)?;
        let n = settings.particles as f64;
        let ended = ensemble.exit_counts()[0].1 as f64 / n;
        let measured = Measured {
            dim: problem.process.dim(),
            problem: problem.number,
            particles: settings.particles,
            method: self,
            spread: 1.0 - weights.iter().fold(0.0, |a: f64, w| a.max(*w)),
            tv: metrics::total_variation(&counts, &weights)?,
            tv_floor: metrics::expected_total_variation(&weights, settings.particles as u64)?,
            end_p: end_p_value(&counts, &weights)?,
            lifetime_ks: lifetimes.statistic,
            lifetime_p: lifetimes.p_value,
            evaluations: ensemble.mean_evaluations(),
            ended,
        };
        Ok((measured, ensemble))
    }

    /// Runs the method from `starts` with the stream of `seed`.
    pub(super) fn run(
        &self,
        problem: &Problem,
        starts: &DMatrix<f64>,
        seed: u64,
        observer: &(dyn Fn(usize) -> ControlFlow<()> + Sync),
    ) -> Result<Ensemble> {
        let (process, score) = (&problem.process, &problem.score);
        let adaptive = |floor: f64| ScoreAdaptive::new(self.eta, floor);
        let (control, step): (ScoreAdaptive, Box<dyn Step + '_>) = match self.kind {
            Kind::PosteriorBridge => {
                (adaptive(problem.floor)?.ignoring_spread(), Box::new(PosteriorBridge::new(score)))
            }
            Kind::Bridge => (adaptive(problem.floor)?, Box::new(Bridge::new(score))),
            Kind::PlainBridge => (adaptive(problem.floor)?.ignoring_spread(), Box::new(Bridge::new(score))),
            Kind::CorrectedBridge => {
                (adaptive(problem.floor)?.second_order(), Box::new(CorrectedBridge::new(score)))
            }
            Kind::UncorrectedBridge => {
                (adaptive(problem.floor)?.second_order(), Box::new(Bridge::new(score)))
            }
            Kind::Euler => (adaptive(0.0)?.ignoring_spread(), Box::new(EulerMaruyama::new(score))),
        };
        let sup = SupScore::at_distance(process, process.dim(), problem.floor)?;
        let mut sampler = Sampler::new(process, step.as_ref(), &control);
        if self.kind == Kind::Euler {
            sampler = sampler.killing("sup", &sup);
        }
        Ok(sampler.run_observed(starts, seed, observer)?)
    }
}

/// The p-value of the end points: Pearson's test, or, where all but one expected count are too small for it, the
/// Poisson probability of at least as many end points elsewhere.
fn end_p_value(counts: &[u64], weights: &[f64]) -> Result<f64> {
    let n: u64 = counts.iter().sum();
    let largest =
        (0..weights.len()).max_by(|a, b| weights[*a].total_cmp(&weights[*b])).expect("there are atoms");
    let elsewhere = n as f64 * (1.0 - weights[largest]);
    if elsewhere >= 5.0 {
        return Ok(metrics::chi_square_test(counts, weights)?.p_value);
    }
    let below = (0..n - counts[largest])
        .fold((0.0, f64::exp(-elsewhere)), |(sum, term), k| (sum + term, term * elsewhere / (k + 1) as f64));
    Ok(1.0 - below.0)
}
