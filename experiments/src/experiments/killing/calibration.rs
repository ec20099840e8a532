//! Where the thresholds calibrated by R14 lie, without any time step or with a very short one.

use anyhow::Result;
use nalgebra::DMatrix;
use resolvent::core::killing::L2Score;
use resolvent::core::step::EulerMaruyama;
use resolvent::core::{EmpiricalMeasure, EmpiricalScore, KilledBrownianMotion, Sampler, ScoreAdaptive};
use resolvent::metrics::quantile;

use super::deaths::sorted;
use super::rules::sup;
use super::supports::Target;

/// So slow a killing that only geometry is left.
const SLOW: f64 = 1e-9;
/// Steps short enough for Euler-Maruyama to be off by two percent.
const SHORT: f64 = 0.02;

/// Quantiles at 5, 50 and 95 % over the support and its normals of the distance, in units of δ, at which the score
/// reaches the threshold of the sup rule.
pub(super) fn sup_level(target: &Target, n: usize, seed: u64) -> Result<[f64; 3]> {
    let threshold = sup(target)?.threshold();
    let (feet, normals) = target.normals(n, seed)?;
    let (mut low, mut high) = (vec![0.2 * target.delta; n], vec![3.0 * target.delta; n]);
    for _ in 0..20 {
        let middle: Vec<f64> = low.iter().zip(&high).map(|(a, b)| (a * b).sqrt()).collect();
        let points = DMatrix::from_fn(feet.nrows(), n, |i, j| feet[(i, j)] + middle[j] * normals[(i, j)]);
        for (j, score) in target.score.score(&points)?.column_iter().enumerate() {
            let side = if score.norm() > threshold { &mut low } else { &mut high };
            side[j] = middle[j];
        }
    }
    let levels = sorted(low.iter().map(|distance| distance / target.delta).collect());
    Ok([quantile(&levels, 0.05)?, quantile(&levels, 0.5)?, quantile(&levels, 0.95)?])
}

/// The scatter of the L² rule.
pub(super) struct Scatter {
    /// L = log(ρ_0/δ).
    pub(super) log_ratio: f64,
    /// √(2L/(c-2)) of R14.
    pub(super) expected: f64,
    /// Mean of log(ρ_0/ρ) at death.
    pub(super) mean: f64,
    /// Its standard deviation.
    pub(super) deviation: f64,
}

/// `n` particles from distance 1 of the first atom of `target`, the others far away, killed by the L² norm calibrated to
/// δ, in the limit r -> 0 in which R14 holds.
pub(super) fn l2_scatter(target: &Target, n: usize, seed: u64) -> Result<Scatter> {
    let d = target.process.dim();
    let process = KilledBrownianMotion::new(d, 1.0, SLOW)?;
    let law = &target.law;
    let score =
        EmpiricalScore::new(&process, EmpiricalMeasure::weighted(law.points().clone(), law.weights())?)?;
    let mut start = law.points().column(0).into_owned();
    start[0] += 1.0;
    let starts = DMatrix::from_fn(d, n, |i, _| start[i]);
    let rule = L2Score::at_distance(&process, d, 1.0, target.delta)?;
    let (step, control) = (EulerMaruyama::new(&score), ScoreAdaptive::new(SHORT, 0.0)?);
    let ensemble = Sampler::new(&process, &step, &control).killing("l2", &rule).run(&starts, seed)?;
    let logs: Vec<f64> = target.distances(&ensemble.points).iter().map(|distance| -distance.ln()).collect();
    let estimate = resolvent::metrics::mean(&logs)?;
    let log_ratio = -target.delta.ln();
    Ok(Scatter {
        log_ratio,
        expected: (2.0 * log_ratio / (d as f64 - 2.0)).sqrt(),
        mean: estimate.value,
        deviation: estimate.standard_error * (n as f64).sqrt(),
    })
}
