//! One atom: when the rule kills, and when the process dies.

use std::ops::ControlFlow;

use anyhow::Result;
use nalgebra::DMatrix;
use resolvent::core::killing::DistanceToSupport;
use resolvent::core::step::Bridge;
use resolvent::core::{EmpiricalMeasure, EmpiricalScore, FixedStep, KilledBrownianMotion, Sampler};
use resolvent::metrics::{self, Estimate};
use serde::{Deserialize, Serialize};

use super::super::estimate::StoredEstimate;
use super::super::reverse_time::derived_seed;
use super::{Settings, hitting};
use crate::experiment::Context;

/// Distance of the start.
pub(super) const START: f64 = 1.0;
/// By this share of δ a distance rule may miss its mark.
pub(super) const TOLERANCE: f64 = 0.05;

/// What the distance rule does at one δ.
#[derive(Serialize, Deserialize)]
pub(super) struct Row {
    pub(super) codimension: usize,
    pub(super) delta: f64,
    /// T_δ.
    #[serde(with = "StoredEstimate")]
    pub(super) time: Estimate,
    /// m at the place where the rule killed: the mean lifetime left.
    #[serde(with = "StoredEstimate")]
    pub(super) left: Estimate,
    /// T_δ and what is left, together m(ρ_0) in the mean.
    #[serde(with = "StoredEstimate")]
    pub(super) total: Estimate,
    /// m(ρ_0).
    pub(super) mean_lifetime: f64,
    /// m(δ).
    pub(super) exact_left: f64,
    /// Half of m((1 + tolerance) δ) - m((1 - tolerance) δ).
    pub(super) left_tolerance: f64,
    /// Kolmogorov-Smirnov distance of T_δ to its own law, and what the tolerance of the rule adds to it.
    pub(super) ks_own: f64,
    pub(super) ks_tolerance: f64,
    /// That of T_δ to the law of the lifetime, measured and exact.
    pub(super) ks_lifetime: f64,
    pub(super) ks_exact: f64,
    /// Largest error of the inversion of the Laplace transform where a closed form exists.
    pub(super) inversion: Option<f64>,
    /// Particles whose lifetime ended within a step.
    pub(super) unseen: usize,
    /// Evaluations from the last δ to this one.
    pub(super) evaluations: f64,
}

/// Bridge steps are exact for one atom, so that the rule alone is at work. Each δ goes on from where the one before it
/// killed.
pub(super) fn rows(codimension: usize, settings: &Settings, context: &Context) -> Result<Vec<Row>> {
    let Settings { rate, particles, .. } = *settings;
    let process = KilledBrownianMotion::new(codimension, 1.0, rate)?;
    let score = EmpiricalScore::new(&process, EmpiricalMeasure::new(DMatrix::zeros(codimension, 1))?)?;
    let (step, control) = (Bridge::new(&score), FixedStep::new(1.0 / rate)?);
    let observer = |_ended: usize| {
        if context.interrupted() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let lifetime = process.green().lifetime(START);
    let mut points = DMatrix::zeros(codimension, particles);
    points.row_mut(0).fill(START);
    let mut times = vec![0.0; particles];
    let mut unseen = 0;
    let mut rows = Vec::new();
    for (k, &delta) in settings.deltas.iter().enumerate() {
        let rule = DistanceToSupport::new(norm, delta)?;
        let seed = derived_seed(context.seed, (codimension * 100 + k) as u64);
        let ensemble = Sampler::new(&process, &step, &control)
            .killing("distance", &rule)
            .run_observed(&points, seed, &observer)?;
        times.iter_mut().zip(&ensemble.lifetimes).for_each(|(time, more)| *time += more);
        unseen += ensemble.exit_counts()[0].1;
        let mean_left = |rho: f64| process.green().lifetime(rho).mean();
        // A particle on the atom has died.
        let left: Vec<f64> = ensemble
            .points
            .column_iter()
            .map(|x| if x.norm() > 0.0 { mean_left(x.norm()) } else { 0.0 })
            .collect();
        let total: Vec<f64> = times.iter().zip(&left).map(|(time, left)| time + left).collect();
        let law = hitting::law(codimension, rate, START, delta)?;
        let (near, far) = ((1.0 - TOLERANCE) * delta, (1.0 + TOLERANCE) * delta);
        let nearer = hitting::law(codimension, rate, START, near)?;
        let further = hitting::law(codimension, rate, START, far)?;
        let closed = hitting::closed_form(codimension, rate, START, delta)?;
        rows.push(Row {
            codimension,
            delta,
            time: metrics::mean(&times)?,
            left: metrics::mean(&left)?,
            total: metrics::mean(&total)?,
            mean_lifetime: lifetime.mean(),
            exact_left: mean_left(delta),
            left_tolerance: 0.5 * (mean_left(far) - mean_left(near)),
            ks_own: metrics::ks_one_sample(&times, |t| law.at(t.ln()))?.statistic,
            ks_tolerance: 0.5 * nearer.distance(|log_t| further.at(log_t)),
            ks_lifetime: metrics::ks_one_sample(&times, |t| lifetime.cdf(t))?.statistic,
            ks_exact: law.distance(|log_t| lifetime.cdf(log_t.exp())),
            inversion: closed.map(|gig| law.distance(|log_t| gig.cdf(log_t.exp()))),
            unseen,
            evaluations: ensemble.mean_evaluations(),
        });
        points = ensemble.points;
    }
    Ok(rows)
}

fn norm(x: &[f64]) -> f64 {
    x.iter().map(|x| x * x).sum::<f64>().sqrt()
}
