//! Runs of the backward process, one per rule, under one score with one step.

use std::ops::ControlFlow;

use anyhow::{Context as _, Result};
use nalgebra::DMatrix;
use resolvent::core::killing::{
    DistanceToData, DistanceToSupport, ExponentialTime, FixedSteps, FixedTime, Hazard, L2Score,
    OracleLifetime, ResidualNoise, SupScore, TangentPlane,
};
use resolvent::core::{
    EmpiricalMeasure, EmpiricalScore, KilledBrownianMotion, KillingRule, Oracle, Sampler, Score, StepControl,
};
use resolvent::data::Support;

use super::Settings;
use super::judge::{Cell, Judge};
use super::rules::Rule;
use super::stepping::Stepping;
use crate::experiment::Context;

/// log λ of a hazard.
pub(super) type LogRate<'a> = &'a (dyn Fn(&[f64]) -> f64 + Sync);

/// Everything that the runs of a unit have in common.
#[derive(Clone, Copy)]
pub(super) struct Arena<'a> {
    pub(super) process: &'a KilledBrownianMotion,
    pub(super) score: &'a dyn Score,
    /// The score that knows its data, for the posterior bridge.
    pub(super) posterior: Option<&'a EmpiricalScore>,
    /// Whether the spread of the posterior can be read off the score.
    pub(super) heeds_spread: bool,
    pub(super) stepping: Stepping,
    /// Steps of one length instead of those of the step control.
    pub(super) control: Option<&'a dyn StepControl>,
    /// A sample of the data law, for the rules that plug it in.
    pub(super) sample: &'a EmpiricalMeasure,
    pub(super) support: Option<&'a dyn Support>,
    pub(super) oracle: Option<&'a Oracle>,
    pub(super) hazard: Option<LogRate<'a>>,
    pub(super) learned_hazard: Option<LogRate<'a>>,
    pub(super) codimension: usize,
    /// Dimension of the tangent planes.
    pub(super) planes: usize,
    /// Mean distance of the starts to the support, for the L² rule.
    pub(super) from: Option<f64>,
    /// Evaluations that a particle is given by a rule that looks where it is, and by one that waits for a clock.
    pub(super) caps: (usize, usize),
    pub(super) starts: &'a DMatrix<f64>,
    pub(super) judge: &'a Judge<'a>,
    pub(super) settings: &'a Settings,
    pub(super) context: &'a Context,
    pub(super) seed: u64,
}

impl Arena<'_> {
    /// All `rules` that exist here, at the threshold δ.
    pub(super) fn all(&self, rules: &[Rule]) -> Result<Vec<Cell>> {
        let mut cells: Vec<Cell> = Vec::with_capacity(rules.len());
        // As many steps as the rule that knows the support takes, or the residual noise where nothing knows it.
        let mut steps = 1;
        for &rule in rules.iter().filter(|rule| self.has(**rule)) {
            let cell = self.run(rule, 1.0, steps)?;
            if rule == Rule::Support || (rule == Rule::Noise && self.support.is_none()) {
                let stages = if self.stepping == Stepping::Flux { 2.0 } else { 1.0 };
                steps = (cell.evaluations / stages).round() as usize;
            }
            cells.push(cell);
        }
        Ok(cells)
    }

    /// Whether the rule is defined with what is known here.
    pub(super) fn has(&self, rule: Rule) -> bool {
        rule.goes_with(self.stepping)
            && match rule {
                Rule::Oracle => false,
                Rule::L2 => self.codimension >= 3 && self.from.is_some(),
                Rule::Support => self.support.is_some(),
                Rule::OracleLifetime => self.oracle.is_some(),
                Rule::Hazard => self.hazard.is_some(),
                Rule::LearnedHazard => self.learned_hazard.is_some(),
                _ => true,
            }
    }

    /// One rule at the threshold `factor` δ; `steps` is the number of [`Rule::Steps`].
    pub(super) fn run(&self, rule: Rule, factor: f64, steps: usize) -> Result<Cell> {
        self.context.proceed()?;
        let floor = factor * self.judge.delta;
        let (step, control) = self.stepping.scheme(
            rule,
            floor,
            self.score,
            self.posterior,
            self.heeds_spread,
            self.settings,
        )?;
        let control = self.control.unwrap_or(&*control);
        let cap = if rule.is_clock() { self.caps.1 } else { self.caps.0 };
        let killing = self.killing(rule, floor, steps).with_context(|| rule.name())?;
        let mut sampler = Sampler::new(self.process, &*step, control).cap(cap);
        if let Some(killing) = &killing {
            sampler = sampler.killing(rule.name(), &**killing);
        }
        let observer = |_: usize| {
            if self.context.interrupted() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let ensemble = sampler.run_observed(self.starts, self.seed, &observer)?;
        self.judge.cell(rule, factor, self.starts, &ensemble, self.stepping == Stepping::Flux)
    }

    fn killing(&self, rule: Rule, delta: f64, steps: usize) -> Result<Option<Box<dyn KillingRule + '_>>> {
        let process = self.process;
        Ok(Some(match rule {
            Rule::Oracle | Rule::Lifetime => return Ok(None),
            Rule::Sup => Box::new(SupScore::at_distance(process, self.codimension, delta)?),
            Rule::L2 => {
                // A threshold beyond where particles start is met at once; the rule has none so low.
                let from = self.from.context("the L² rule needs to know how far the starts are")?;
                Box::new(L2Score::at_distance(process, self.codimension, from, delta.min(0.9 * from))?)
            }
            Rule::Noise => Box::new(ResidualNoise::new(process, delta)?),
            Rule::Data => Box::new(DistanceToData::new(process, self.sample.clone(), delta)?),
            Rule::Tangent => {
                let neighbours = self.settings.neighbours;
                Box::new(TangentPlane::new(process, self.sample.clone(), delta, neighbours, self.planes)?)
            }
            Rule::Support => {
                let support = self.support.context("the support is not known")?;
                Box::new(DistanceToSupport::new(|x: &[f64]| support.distance(x), delta)?)
            }
            Rule::Hazard => Box::new(Hazard::new(self.hazard.context("the hazard is not known")?)),
            Rule::LearnedHazard => {
                Box::new(Hazard::new(self.learned_hazard.context("no hazard was learned")?))
            }
            Rule::OracleLifetime => Box::new(OracleLifetime::new(self.oracle.context("there is no oracle")?)),
            Rule::Time => Box::new(FixedTime::new(1.0 / process.rate())?),
            Rule::Steps => Box::new(FixedSteps::new(steps)),
            Rule::Clock => Box::new(ExponentialTime::new(process.rate())?),
        }))
    }
}
