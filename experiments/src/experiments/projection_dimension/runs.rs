//! One unit: a support in one dimension with one seed.

use std::ops::ControlFlow;

use anyhow::Result;
use nalgebra::DMatrix;
use rand::RngExt;
use rayon::prelude::*;
use resolvent::core::killing::ResidualNoise;
use resolvent::core::random::{Purpose, stream};
use resolvent::core::step::{Bridge, MultistepFlux};
use resolvent::core::{
    Contraction, Ensemble, Exit, KilledBrownianMotion, Sampler, ScoreAdaptive, Step, StepControl,
};
use resolvent::metrics;
use serde::{Deserialize, Serialize};

use super::manifolds::{Kind, Manifold, distance};
use super::starts::{Beside, Start};
use super::{Settings, Unit, pair};
use crate::experiment::Context;
use crate::experiments::ball_bound::BallBound;

/// Points of the law by which the mass of a ball is found.
const LAW: usize = 4000;

/// What one kind of start showed.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    pub(super) starts: String,
    /// How far runs end from the nearest point; not where the support has none to be near to.
    pub(super) errors: Option<Errors>,
    /// Runs that reached the cap or diverged.
    pub(super) lost: usize,
    pub(super) balls: Vec<Ball>,
}

/// How far runs end from the point of the support that is nearest to their start.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Errors {
    /// Mean distance of the starts to the support.
    pub(super) distance: f64,
    /// Medians of |end - nearest|/distance: of single runs, of the mean of the runs from a start, of the flux flow.
    pub(super) single: f64,
    pub(super) averaged: f64,
    pub(super) flux: f64,
    /// Largest distance of an end of a run to the support over the distance of its start.
    pub(super) off: f64,
    /// Evaluations of a run, mean.
    pub(super) evaluations: f64,
    pub(super) flux_evaluations: f64,
}

/// R16 for one share and margin: means over the starts.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ball {
    pub(super) mass: f64,
    pub(super) margin: f64,
    /// The share of runs that ended beyond (1 + δ) R.
    pub(super) outside: f64,
    pub(super) sharp: f64,
    pub(super) odds: f64,
    pub(super) simple: f64,
    /// Runs counted.
    pub(super) runs: usize,
}

/// Carries starts to the support.
struct Carrier<'a> {
    process: &'a KilledBrownianMotion,
    manifold: &'a Manifold,
    settings: &'a Settings,
    context: &'a Context,
}

pub(super) fn measure(unit: &Unit, settings: &Settings, context: &Context) -> Result<Vec<Case>> {
    let d = unit.kind.intrinsic() + unit.codimension;
    let process = KilledBrownianMotion::new(d, 1.0, settings.rate)?;
    // Different units draw from different streams.
    let tag = (unit.kind as u64) << 48 | (unit.codimension as u64) << 32 | unit.seed << 16;
    if unit.kind == Kind::Pair {
        return Ok(vec![pair::measure(&process, settings, tag, context)?]);
    }
    let mut rng = stream(context.seed, Purpose::Experiment, tag);
    let manifold = Manifold::new(unit.kind, &process, settings, &mut rng)?;
    let carrier = Carrier { process: &process, manifold: &manifold, settings, context };
    let besides = if unit.kind == Kind::Glyphs {
        settings.glyph_noise.iter().map(|level| Beside::Noise(*level)).collect()
    } else {
        vec![Beside::Normal(settings.displacement), Beside::Noise(settings.noise)]
    };
    let mut cases = Vec::new();
    for (part, beside) in besides.into_iter().enumerate() {
        let mut rng = stream(context.seed, Purpose::Start, tag | part as u64);
        let starts: Vec<Start> = (0..settings.starts).map(|i| beside.start(&manifold, i, &mut rng)).collect();
        cases.push(carrier.case(beside, &starts, &mut rng)?);
    }
    Ok(cases)
}

impl Carrier<'_> {
    fn case(&self, beside: Beside, starts: &[Start], rng: &mut impl rand::Rng) -> Result<Case> {
        let (d, runs) = (self.process.dim(), self.settings.runs);
        let distances: Vec<f64> = starts.iter().map(|start| start.distance).collect();
        let mean_distance = distances.iter().sum::<f64>() / distances.len() as f64;
        let floor = self.settings.floor * mean_distance;
        let seed = rng.random();

        let repeated = |times: usize| {
            let columns = starts.iter().flat_map(|start| start.place.iter().copied().cycle().take(times * d));
            DMatrix::from_iterator(d, times * starts.len(), columns)
        };
        let score = self.manifold.score();
        let bridge = Bridge::new(score);
        let adaptive = ScoreAdaptive::new(self.settings.bridge_eta, floor)?;
        let ends = self.run(&bridge, &adaptive, None, &repeated(runs), seed)?;
        let (flow, contraction) = (MultistepFlux::new(score), Contraction::new(self.settings.flux_eta)?);
        let rule = ResidualNoise::new(self.process, floor)?;
        let flux = self.run(&flow, &contraction, Some(&rule), &repeated(1), seed)?;

        let mut single = Vec::with_capacity(runs * starts.len());
        let (mut averaged, mut flowed) = (Vec::new(), Vec::new());
        for (i, start) in starts.iter().enumerate() {
            let share = |end: &[f64]| distance(end, &start.nearest) / start.distance;
            let ended = ends.points.columns(i * runs, runs);
            single.extend(ended.column_iter().map(|end| share(end.as_slice())));
            averaged.push(share(ended.column_mean().as_slice()));
            flowed.push(share(flux.points.column(i).as_slice()));
        }
        let off = (0..ends.exits.len()).into_par_iter().map(|k| {
            let end = ends.points.column(k);
            distance(end.as_slice(), &self.manifold.project(end.as_slice())) / starts[k / runs].distance
        });
        let errors = Errors {
            distance: mean_distance,
            single: median(single)?,
            averaged: median(averaged)?,
            flux: median(flowed)?,
            off: off.collect::<Vec<_>>().into_iter().fold(0.0, f64::max),
            evaluations: ends.mean_evaluations(),
            flux_evaluations: flux.mean_evaluations(),
        };
        Ok(Case {
            starts: beside.name(),
            errors: Some(errors),
            lost: [&ends, &flux].map(lost).iter().sum(),
            balls: self.balls(starts, &ends, rng),
        })
    }

    fn run(
        &self,
        step: &dyn Step,
        control: &dyn StepControl,
        rule: Option<&ResidualNoise>,
        starts: &DMatrix<f64>,
        seed: u64,
    ) -> Result<Ensemble> {
        let mut sampler = Sampler::new(self.process, step, control).final_denoise(true).batch(32);
        if let Some(rule) = rule {
            sampler = sampler.killing("noise", rule);
        }
        let observer =
            |_| if self.context.interrupted() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
        Ok(sampler.run_observed(starts, seed, &observer)?)
    }

    fn balls(&self, starts: &[Start], ends: &Ensemble, rng: &mut impl rand::Rng) -> Vec<Ball> {
        let (runs, green) = (self.settings.runs, self.process.green());
        let distances: Vec<Vec<f64>> =
            starts.iter().map(|start| self.manifold.distances(&start.place, LAW, rng)).collect();
        let mut balls = Vec::new();
        for &mass in &self.settings.ball_masses {
            for &margin in &self.settings.ball_margins {
                let mut ball = Ball {
                    mass,
                    margin,
                    outside: 0.0,
                    sharp: 0.0,
                    odds: 0.0,
                    simple: 0.0,
                    runs: ends.exits.len(),
                };
                for (i, (start, distances)) in starts.iter().zip(&distances).enumerate() {
                    // Of the draws so many lie within R that the ball has less than the mass with a probability of 1e-3.
                    let n = distances.len() as f64;
                    let exact = matches!(self.manifold, Manifold::Glyphs(..));
                    let slack = if exact { 0.0 } else { 3.1 * (mass * (1.0 - mass) / n).sqrt() };
                    let rank = ((mass + slack) * n).ceil().clamp(1.0, n);
                    // Of finite data the ball holds whole ones.
                    let mass = if exact { rank / n } else { mass };
                    let bound = BallBound::new(green, mass, distances[rank as usize - 1], margin);
                    let beyond = (0..runs)
                        .filter(|k| {
                            let end = ends.points.column(i * runs + k);
                            distance(end.as_slice(), &start.place) > bound.radius
                        })
                        .count();
                    let share = 1.0 / starts.len() as f64;
                    ball.outside += share * beyond as f64 / runs as f64;
                    ball.sharp += share * bound.sharp;
                    ball.odds += share * bound.odds.min(1.0);
                    ball.simple += share * bound.simple.min(1.0);
                }
                balls.push(ball);
            }
        }
        balls
    }
}

pub(super) fn lost(ensemble: &Ensemble) -> usize {
    ensemble.exits.iter().filter(|exit| !matches!(exit, Exit::Killed { .. })).count()
}

fn median(mut values: Vec<f64>) -> Result<f64> {
    values.sort_unstable_by(f64::total_cmp);
    Ok(metrics::quantile(&values, 0.5)?)
}
