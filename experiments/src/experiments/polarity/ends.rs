//! Two atoms: at which of them the rule kills.

use std::ops::ControlFlow;

use anyhow::Result;
use nalgebra::DMatrix;
use resolvent::core::killing::DistanceToData;
use resolvent::core::step::PosteriorBridge;
use resolvent::core::{EmpiricalMeasure, EmpiricalScore, FixedStep, KilledBrownianMotion, Sampler};
use resolvent::metrics::{self, Estimate};
use serde::{Deserialize, Serialize};

use super::super::estimate::StoredEstimate;
use super::super::reverse_time::derived_seed;
use super::Settings;
use crate::experiment::Context;

/// The atoms lie at -1 and 1 on the first axis, with these shares.
pub(super) const SHARES: [f64; 2] = [0.8, 0.2];
/// Where the process starts on that axis.
pub(super) const START: f64 = 0.2;

/// Where the distance rule kills at one δ.
#[derive(Serialize, Deserialize)]
pub(super) struct Row {
    pub(super) codimension: usize,
    pub(super) delta: f64,
    /// Share killed at the first atom.
    #[serde(with = "StoredEstimate")]
    pub(super) share: Estimate,
    /// The probability of that: exact for c = 1, to leading order in δ above.
    pub(super) expected: f64,
    /// R10.
    pub(super) exact: f64,
}

pub(super) fn rows(codimension: usize, settings: &Settings, context: &Context) -> Result<Vec<Row>> {
    let process = KilledBrownianMotion::new(codimension, 1.0, settings.rate)?;
    let mut atoms = DMatrix::zeros(codimension, 2);
    (atoms[(0, 0)], atoms[(0, 1)]) = (-1.0, 1.0);
    let measure = EmpiricalMeasure::weighted(atoms, &SHARES)?;
    let score = EmpiricalScore::new(&process, measure.clone())?;
    let (step, control) = (PosteriorBridge::new(&score), FixedStep::new(1.0 / settings.rate)?);
    let observer = |_ended: usize| {
        if context.interrupted() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let mut points = DMatrix::zeros(codimension, settings.particles);
    points.row_mut(0).fill(START);
    let exact = score.posterior(points.column(0).as_slice())[0];
    let mut rows = Vec::new();
    for (k, &delta) in settings.deltas.iter().enumerate() {
        let rule = DistanceToData::new(&process, measure.clone(), delta)?;
        let seed = derived_seed(context.seed, (codimension * 100 + 50 + k) as u64);
        let ensemble = Sampler::new(&process, &step, &control)
            .killing("distance", &rule)
            .run_observed(&points, seed, &observer)?;
        let first = ensemble.points.row(0).iter().filter(|x| **x < 0.0).count();
        rows.push(Row {
            codimension,
            delta,
            share: metrics::proportion(first as u64, settings.particles as u64)?,
            expected: expected(&process, &score, delta),
            exact,
        });
        points = ensemble.points;
    }
    Ok(rows)
}

/// The probability of coming within `delta` of the first atom before the second, E_x[e^{-rT}; first] u/u(x) with u on the edge
/// of the ball.
///
/// On the line the expectation is a ratio of hyperbolic sines. Above, it is the combination of both kernels that is 1 on one
/// ball and 0 on the other, up to a share of δ by which they vary over the balls: with g at δ and k at the distance of
/// the atoms, (g G(x, y_1) - k G(x, y_2))/(g² - k²). In codimension 2 k/g is of the order of 1/log(1/δ), in c >= 3 of δ^{c-2}.
fn expected(process: &KilledBrownianMotion, score: &EmpiricalScore, delta: f64) -> f64 {
    let green = process.green();
    if process.dim() == 1 {
        let edge = 1.0 - delta;
        let reach = f64::sinh(green.decay() * (edge - START)) / f64::sinh(2.0 * green.decay() * edge);
        return reach * f64::exp(score.log_density(&[-edge]) - score.log_density(&[START]));
    }
    let value = |rho: f64| green.log_value(rho).exp();
    let (first, second) = (value(1.0 + START), value(1.0 - START));
    let (edge, other) = (value(delta), value(2.0));
    let reach = (edge * first - other * second) / (edge * edge - other * other);
    reach * (SHARES[0] * edge + SHARES[1] * other) / (SHARES[0] * first + SHARES[1] * second)
}
