//! The killing rules, and a run of the backward process with one of them.

use std::ops::ControlFlow;

use anyhow::Result;
use nalgebra::DMatrix;
use resolvent::core::killing::{
    DistanceToData, DistanceToSupport, ExponentialTime, FixedSteps, FixedTime, L2Score, SupScore,
};
use resolvent::core::step::{Bridge, EulerMaruyama, PosteriorBridge};
use resolvent::core::{EmpiricalMeasure, Ensemble, KillingRule, Path, Sampler, ScoreAdaptive, Step};
use resolvent::data::Law;

use super::Settings;
use super::supports::Target;

/// Steps of the posterior bridge in local time scales: it is exact at any.
const EXACT_ETA: f64 = 1.0;

/// What ends the backward process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    Sup,
    L2,
    Data,
    Support,
    Lifetime,
    Exact,
    Time,
    Steps,
    Clock,
}

impl Rule {
    /// In the order of tables and figures; [`Rule::Sup`] before [`Rule::Steps`], which takes its number from it.
    pub(super) const ALL: [Self; 9] = [
        Self::Exact,
        Self::Lifetime,
        Self::Sup,
        Self::L2,
        Self::Support,
        Self::Data,
        Self::Time,
        Self::Clock,
        Self::Steps,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Sup => "sup |s|",
            Self::L2 => "L² norm of s",
            Self::Data => "distance to data",
            Self::Support => "distance to support",
            Self::Lifetime => "lifetime, mean bridge",
            Self::Exact => "lifetime, exact",
            Self::Time => "fixed time",
            Self::Steps => "fixed steps",
            Self::Clock => "independent Exp(r)",
        }
    }

    /// Rules that do not look at the score.
    pub(super) fn is_control(self) -> bool {
        matches!(self, Self::Time | Self::Steps | Self::Clock)
    }

    /// Rules that draw the lifetime and end on the data.
    pub(super) fn samples_lifetime(self) -> bool {
        matches!(self, Self::Lifetime | Self::Exact)
    }

    /// Is there such a rule here? The L² norm has no calibration in codimension 2, where its mean is not logarithmic.
    pub(super) fn exists(self, target: &Target) -> bool {
        self != Self::L2 || target.support.codimension() >= 3
    }
}

/// One run: which rule, from where, under which seed.
pub(super) struct Run<'a> {
    pub(super) target: &'a Target,
    pub(super) settings: &'a Settings,
    pub(super) starts: &'a DMatrix<f64>,
    /// Steps of [`Rule::Steps`].
    pub(super) steps: usize,
    pub(super) seed: u64,
    pub(super) observer: &'a (dyn Fn(usize) -> ControlFlow<()> + Sync),
}

impl Run<'_> {
    /// The backward process from the starts until `rule` ends it.
    pub(super) fn ensemble(&self, rule: Rule) -> Result<Ensemble> {
        let Self { target, settings, .. } = self;
        let step: Box<dyn Step + '_> = match rule {
            Rule::Exact => Box::new(PosteriorBridge::new(&target.score)),
            Rule::Lifetime => Box::new(Bridge::new(&target.score)),
            _ => Box::new(EulerMaruyama::new(&target.score)),
        };
        let control = match rule {
            Rule::Exact => ScoreAdaptive::new(EXACT_ETA, target.delta)?.ignoring_spread(),
            Rule::Lifetime => ScoreAdaptive::new(settings.bridge_eta, target.delta)?,
            _ => ScoreAdaptive::new(settings.eta, 0.0)?,
        };
        let cap = if rule.is_control() { settings.control_cap } else { settings.cap };
        let killing = self.killing(rule)?;
        let mut sampler = Sampler::new(&target.process, &*step, &control).cap(cap);
        if let Some(killing) = &killing {
            sampler = sampler.killing(rule.name(), &**killing);
        }
        Ok(sampler.run_observed(self.starts, self.seed, self.observer)?)
    }

    /// The paths of all particles under the sup rule, with steps `finer` times as short.
    pub(super) fn paths(&self, finer: f64) -> Result<Vec<Path>> {
        let Self { target, settings, starts, .. } = self;
        let step = EulerMaruyama::new(&target.score);
        let control = ScoreAdaptive::new(settings.eta / finer, 0.0)?;
        let sup = sup(target)?;
        let sampler =
            Sampler::new(&target.process, &step, &control).killing("sup", &sup).paths(starts.ncols());
        Ok(sampler.run(starts, self.seed)?.paths)
    }

    fn killing(&self, rule: Rule) -> Result<Option<Box<dyn KillingRule + '_>>> {
        let Self { target, settings, starts, .. } = self;
        let Target { process, support, delta, .. } = target;
        Ok(Some(match rule {
            Rule::Exact | Rule::Lifetime => return Ok(None),
            Rule::Sup => Box::new(sup(target)?),
            Rule::L2 => {
                let distances = target.distances(starts);
                let mean = distances.iter().sum::<f64>() / distances.len() as f64;
                Box::new(L2Score::at_distance(process, support.codimension(), mean, *delta)?)
            }
            Rule::Support => Box::new(DistanceToSupport::new(|x: &[f64]| support.distance(x), *delta)?),
            Rule::Data => {
                // Another seed than that of the starts: a sample that knows nothing of the particles.
                let sample = EmpiricalMeasure::new(target.law.sample(settings.data, !self.seed))?;
                Box::new(DistanceToData::new(process, sample, *delta)?)
            }
            Rule::Time => Box::new(FixedTime::new(1.0 / process.rate())?),
            Rule::Steps => Box::new(FixedSteps::new(self.steps)),
            Rule::Clock => Box::new(ExponentialTime::new(process.rate())?),
        }))
    }
}

/// The sup rule, calibrated to δ by R14.
pub(super) fn sup(target: &Target) -> Result<SupScore> {
    Ok(SupScore::at_distance(&target.process, target.support.codimension(), target.delta)?)
}
