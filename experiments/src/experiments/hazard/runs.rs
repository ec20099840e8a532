//! The backward process on the line under one rule or another.

use std::ops::ControlFlow;

use anyhow::{Result, ensure};
use nalgebra::DMatrix;
use resolvent::core::killing::{DistanceToData, DistanceToSupport, ExponentialTime, Hazard};
use resolvent::core::score::VectorField;
use resolvent::core::step::EulerMaruyama;
use resolvent::core::{EmpiricalMeasure, Ensemble, Exit, FixedStep, KillingRule, Sampler, Score};
use resolvent::data::Law;
use resolvent::metrics::{self, KsResult};

use super::Settings;
use super::entrance::Entrance;
use super::learned::Learned;
use super::line::Line;
use super::pointed::Pointed;
use crate::experiment::Context;
use crate::progress::Progress;

/// A particle is given up after this many mean lifetimes; e^-40 of the exact ones live so long.
const PATIENCE: f64 = 40.0;
/// Evaluations at most, whatever the step.
const CAP: f64 = 1e6;

/// Where and when the particles of one run died.
pub(super) struct Deaths {
    pub(super) rule: String,
    pub(super) dt: f64,
    pub(super) places: Vec<f64>,
    pub(super) lifetimes: Vec<f64>,
    pub(super) evaluations: f64,
    /// Not killed within the patience, or diverged.
    pub(super) unfinished: usize,
    /// Against the data law.
    pub(super) place: KsResult,
    /// Against the law of the forward lifetime.
    pub(super) lifetime: KsResult,
}

pub(super) struct Runs<'a> {
    line: &'a Line,
    settings: &'a Settings,
    context: &'a Context,
    progress: &'a Progress,
    /// Where the forward process has died (1 x n).
    starts: DMatrix<f64>,
}

impl<'a> Runs<'a> {
    pub(super) fn new(
        line: &'a Line,
        settings: &'a Settings,
        context: &'a Context,
        progress: &'a Progress,
    ) -> Result<Self> {
        let data = line.law.sample(settings.particles, context.seed);
        let (starts, _) = line.process.deaths(&data, context.seed)?;
        Ok(Self { line, settings, context, progress, starts })
    }

    /// The exact rate, with steps of `dt`.
    pub(super) fn exact(&self, dt: f64) -> Result<Deaths> {
        self.deaths("exact rate", dt, &Hazard::new(|x: &[f64]| self.line.occupation.log_hazard(x)))
    }

    /// A learned rate, r e^{ratio}.
    pub(super) fn learned(&self, learned: &Learned) -> Result<Deaths> {
        let log_rate = self.line.process.rate().ln();
        let rule = Hazard::new(|x: &[f64]| log_rate + (learned.ratio)(x));
        self.deaths(&learned.name, self.settings.dt, &rule)
    }

    /// Dead at the first entrance into the middle of a component.
    pub(super) fn entrance(&self) -> Result<Deaths> {
        let delta = self.settings.delta;
        let core = Entrance::new(self.line, delta)?.core(delta);
        let rule = DistanceToSupport::new(|x: &[f64]| Entrance::outside(&core, x[0]), delta)?;
        self.deaths("first entrance", self.settings.dt, &rule)
    }

    /// Dead near a datum.
    pub(super) fn near_data(&self) -> Result<Deaths> {
        let data = self.line.law.sample(self.settings.data, self.context.seed.wrapping_add(1));
        let rule =
            DistanceToData::new(&self.line.process, EmpiricalMeasure::new(data)?, self.settings.delta)?;
        self.deaths("distance to data", self.settings.dt, &rule)
    }

    /// The right lifetime, but independent of the path.
    pub(super) fn clock(&self) -> Result<Deaths> {
        let rule = ExponentialTime::new(self.line.process.rate())?;
        self.deaths("independent clock", self.settings.dt, &rule)
    }

    /// Every path starts at the point at which the conditioned forward process dies.
    pub(super) fn pointed(&self) -> Result<Deaths> {
        let pointed = Pointed::new(self.line, self.settings.point);
        let green = self.line.process.green().clone();
        // The length does not matter to Euler-Maruyama.
        let score = VectorField::new(green, 1.0, |x: &[f64], out: &mut [f64]| out[0] = pointed.score(x[0]))?;
        let rule = Hazard::new(|x: &[f64]| pointed.log_hazard(x[0]));
        let starts = DMatrix::from_element(1, self.settings.particles, pointed.z);
        let ensemble = self.run(&score, self.settings.dt, &rule, &starts)?;
        let law = pointed.lifetime();
        self.judge("exact rate, from the point", self.settings.dt, &ensemble, |t| law.at(t.sqrt()))
    }

    fn deaths(&self, name: &str, dt: f64, rule: &dyn KillingRule) -> Result<Deaths> {
        let ensemble = self.run(&self.line.occupation, dt, rule, &self.starts)?;
        let rate = self.line.process.rate();
        self.judge(name, dt, &ensemble, |t| -f64::exp_m1(-rate * t))
    }

    fn run(
        &self,
        score: &dyn Score,
        dt: f64,
        rule: &dyn KillingRule,
        starts: &DMatrix<f64>,
    ) -> Result<Ensemble> {
        let (step, control) = (EulerMaruyama::new(score), FixedStep::new(dt)?);
        let cap = PATIENCE / (self.line.process.rate() * dt);
        ensure!(cap <= CAP, "settings `rate` and `dt`: {cap} steps in {PATIENCE} lifetimes, at most {CAP}");
        let observer = |ended: usize| {
            self.progress.inc(ended as u64);
            if self.context.interrupted() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        Ok(Sampler::new(&self.line.process, &step, &control)
            .killing("rule", rule)
            .cap((cap as usize).max(100))
            .run_observed(starts, self.context.seed, &observer)?)
    }

    fn judge(
        &self,
        name: &str,
        dt: f64,
        ensemble: &Ensemble,
        lifetime: impl Fn(f64) -> f64 + Sync,
    ) -> Result<Deaths> {
        let places = ensemble.points.as_slice().to_vec();
        let lifetimes = ensemble.lifetimes.clone();
        let killed = ensemble.exits.iter().filter(|exit| matches!(exit, Exit::Killed { .. })).count();
        Ok(Deaths {
            rule: name.to_owned(),
            dt,
            place: metrics::ks_one_sample(&places, |x| self.line.cdf(x))?,
            lifetime: metrics::ks_one_sample(&lifetimes, lifetime)?,
            evaluations: ensemble.mean_evaluations(),
            unfinished: places.len() - killed,
            places,
            lifetimes,
        })
    }
}
