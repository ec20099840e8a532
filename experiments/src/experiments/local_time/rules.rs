//! The backward process until a rule ends it, and how its deaths compare with the exact laws.

use std::ops::ControlFlow;

use anyhow::{Result, ensure};
use resolvent::core::killing::{DistanceToSupport, Increment, LocalTime};
use resolvent::core::step::{EulerMaruyama, PosteriorBridge};
use resolvent::core::{Ensemble, FixedStep, Sampler};
use resolvent::metrics::{self, Estimate};

use super::super::reverse_time::derived_seed;
use super::Settings;
use super::problem::{Data, Ends, Problem};
use crate::experiment::Context;
use crate::progress::Progress;

/// The exact step, which may be as long as one likes: this many of them in the time 1/r.
const BRIDGES: f64 = 2.0;

/// What kills.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// Nothing but the lifetime that a bridge to an end point drawn from the posterior samples.
    Posterior,
    LocalTime(Increment),
    /// The first entrance, which is wrong here.
    Entrance,
}

impl Rule {
    pub(super) const ALL: [Self; 4] = [
        Self::Posterior,
        Self::LocalTime(Increment::Tanaka),
        Self::LocalTime(Increment::Bridge),
        Self::Entrance,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Posterior => "posterior bridge",
            Self::LocalTime(Increment::Tanaka) => "local time",
            Self::LocalTime(Increment::Bridge) => "local time of the bridge",
            Self::Entrance => "first entrance",
        }
    }

    /// The posterior bridge needs atoms, and a sphere takes too many.
    pub(super) fn exists(self, problem: &Problem) -> bool {
        self != Self::Posterior || problem.data != Data::Sphere(3)
    }
}

/// One run against the exact laws.
pub(super) struct Deaths {
    pub(super) rule: Rule,
    /// Kolmogorov-Smirnov distance of the end points, and the value that a right sampler exceeds with a given probability.
    pub(super) ends: f64,
    /// That of the lifetimes.
    pub(super) lifetimes: f64,
    pub(super) mean: Estimate,
    pub(super) evaluations: f64,
    /// Lifetimes, for the figures.
    pub(super) sample: Vec<f64>,
}

impl Deaths {
    pub(super) fn new(
        problem: &Problem,
        rule: Rule,
        resolution: f64,
        settings: &Settings,
        context: &Context,
        index: u64,
        progress: &Progress,
    ) -> Result<Self> {
        context.proceed()?;
        let observer = |ended: usize| {
            progress.inc(ended as u64);
            if context.interrupted() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let starts = problem.starts(settings.particles);
        let seed = derived_seed(context.seed, index);
        let surface = problem.surface()?;
        let ensemble = match rule {
            Rule::Posterior => {
                let atoms = problem.atoms(settings.atoms)?;
                let step = PosteriorBridge::new(&atoms);
                let control = FixedStep::new(1.0 / (BRIDGES * settings.rate))?;
                Sampler::new(&problem.process, &step, &control).run_observed(&starts, seed, &observer)?
            }
            Rule::LocalTime(increment) => {
                let score = problem.score()?;
                let (step, control) = (EulerMaruyama::new(&*score), FixedStep::new(resolution * resolution)?);
                let local_time = LocalTime::new(surface).increment(increment).resolution(resolution)?;
                Sampler::new(&problem.process, &step, &control)
                    .killing(rule.name(), &local_time)
                    .run_observed(&starts, seed, &observer)?
            }
            Rule::Entrance => {
                let score = problem.score()?;
                let (step, control) = (EulerMaruyama::new(&*score), FixedStep::new(resolution * resolution)?);
                let distance = |x: &[f64]| surface.signed_distance(x).abs();
                let entrance = DistanceToSupport::new(distance, settings.delta)?;
                Sampler::new(&problem.process, &step, &control)
                    .killing(rule.name(), &entrance)
                    .run_observed(&starts, seed, &observer)?
            }
        };
        let (_, killed) = &ensemble.exit_counts()[0];
        ensure!(
            *killed == settings.particles,
            "{} of {} particles killed: {}",
            killed,
            settings.particles,
            problem.name
        );
        Ok(Self {
            rule,
            ends: ends(problem, &ensemble)?,
            lifetimes: metrics::ks_one_sample(&ensemble.lifetimes, |t| problem.lifetime_cdf(t))?.statistic,
            mean: metrics::mean(&ensemble.lifetimes)?,
            evaluations: ensemble.mean_evaluations(),
            sample: ensemble.lifetimes,
        })
    }
}

/// The Kolmogorov-Smirnov distance between the end points and their law. For two points it is the error of the share.
fn ends(problem: &Problem, ensemble: &Ensemble) -> Result<f64> {
    match &problem.ends {
        Ends::Share(share, _) => {
            let n = ensemble.points.ncols() as f64;
            let at_first = match problem.data {
                Data::Point => n,
                _ => ensemble.points.iter().filter(|x| **x < 0.0).count() as f64,
            };
            Ok((at_first / n - share).abs())
        }
        Ends::Angle(law) => {
            let angles: Vec<f64> =
                ensemble.points.column_iter().map(|x| (x[0] / x.norm()).clamp(-1.0, 1.0).acos()).collect();
            Ok(metrics::ks_one_sample(&angles, |angle| law.at(angle))?.statistic)
        }
    }
}
