//! What a run is judged by.

use anyhow::Result;
use nalgebra::DMatrix;
use resolvent::core::{Ensemble, Exit};
use resolvent::metrics::{Estimate, ks_one_sample, mean, quantile};

use super::rules::{Rule, sup};
use super::supports::Target;
use crate::experiments::harmonic::end_law::EndError;

/// Significance of every Monte-Carlo bound.
pub(super) const ALPHA: f64 = 1e-3;
/// A particle further away than this many δ was killed too early.
pub(super) const PREMATURE: f64 = 2.0;
/// A particle nearer than this share of δ was killed too late.
pub(super) const DEEP: f64 = 0.8;

/// How the particles under one rule died. Diverged particles are counted and then left out.
pub(super) struct Deaths {
    pub(super) rule: Rule,
    pub(super) n: usize,
    pub(super) end: EndError,
    /// The probability of so bad a fit of the end law on cells.
    pub(super) end_p: f64,
    /// Distances to the support in units of δ, ascending.
    pub(super) distances: Vec<f64>,
    pub(super) capped: usize,
    pub(super) diverged: usize,
    pub(super) premature: usize,
    /// Particles that started outside δ and ended deep inside it.
    pub(super) deep: usize,
    pub(super) evaluations: Estimate,
    /// The 95 % quantile.
    pub(super) most_evaluations: f64,
    /// Ascending, in units of 1/r.
    pub(super) lifetimes: Vec<f64>,
    pub(super) lifetime: Estimate,
    /// Lifetime, and what was left of it on average, less what the start promises: 0 for any rule that knows no future,
    /// but for the error of the step.
    pub(super) bias: Estimate,
    pub(super) lifetime_ks: f64,
    pub(super) lifetime_p: f64,
}

impl Deaths {
    /// The deaths of `ensemble`, run from `starts` with the mean lifetimes `promised` in units of 1/r.
    pub(super) fn new(
        rule: Rule,
        target: &Target,
        starts: &DMatrix<f64>,
        promised: &[f64],
        ensemble: &Ensemble,
    ) -> Result<Self> {
        let n = ensemble.exits.len();
        let kept: Vec<_> = (0..n).filter(|&i| !matches!(ensemble.exits[i], Exit::Diverged { .. })).collect();
        let points = ensemble.points.select_columns(&kept);
        let in_deltas = |points: &DMatrix<f64>| -> Vec<f64> {
            target.distances(points).iter().map(|distance| distance / target.delta).collect()
        };
        let distances = in_deltas(&points);
        let before = in_deltas(&starts.select_columns(&kept));
        let depths = if rule == Rule::Sup { score_depths(target, &points)? } else { distances.clone() };
        let rate = target.process.rate();
        let lifetimes: Vec<f64> = kept.iter().map(|&i| rate * ensemble.lifetimes[i]).collect();
        let ks = ks_one_sample(&lifetimes, |t| -f64::exp_m1(-t))?;
        let left =
            if rule.samples_lifetime() { vec![0.0; kept.len()] } else { target.remainders(&points)? };
        let bias: Vec<f64> = kept
            .iter()
            .zip(&lifetimes)
            .zip(left)
            .map(|((&i, past), left)| past + left - promised[i])
            .collect();
        let evaluations: Vec<f64> = ensemble.evaluations.iter().map(|&count| count as f64).collect();
        Ok(Self {
            rule,
            n,
            end: target.end_law.error(&target.law, &points, ALPHA)?,
            end_p: target.end_law.p_value(&target.law, &points)?,
            capped: ensemble.exits.iter().filter(|exit| **exit == Exit::StepCap).count(),
            diverged: n - kept.len(),
            premature: distances.iter().filter(|distance| **distance > PREMATURE).count(),
            deep: depths.iter().zip(&before).filter(|(end, start)| **end < DEEP && **start > 1.0).count(),
            evaluations: mean(&evaluations)?,
            most_evaluations: quantile(&sorted(evaluations), 0.95)?,
            lifetime: mean(&lifetimes)?,
            bias: mean(&bias)?,
            lifetime_ks: ks.statistic,
            lifetime_p: ks.p_value,
            lifetimes: sorted(lifetimes),
            distances: sorted(distances),
        })
    }

    /// The quantile of the distances, in units of δ.
    pub(super) fn distance(&self, level: f64) -> Result<f64> {
        Ok(quantile(&self.distances, level)?)
    }

    /// This count among all particles.
    pub(super) fn share(&self, count: usize) -> f64 {
        count as f64 / self.n as f64
    }
}

/// Threshold over score: the depth as the sup rule sees it, 1 at its threshold.
fn score_depths(target: &Target, points: &DMatrix<f64>) -> Result<Vec<f64>> {
    let threshold = sup(target)?.threshold();
    Ok(target.score.score(points)?.column_iter().map(|score| threshold / score.norm()).collect())
}

pub(super) fn sorted(mut sample: Vec<f64>) -> Vec<f64> {
    sample.sort_unstable_by(f64::total_cmp);
    sample
}
