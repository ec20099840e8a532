//! Two atoms for which the bound R16 is an equality.

use anyhow::Result;
use nalgebra::DMatrix;
use rand::RngExt;
use resolvent::core::random::{Purpose, stream};
use resolvent::core::step::PosteriorBridge;
use resolvent::core::{EmpiricalMeasure, EmpiricalScore, KilledBrownianMotion, Sampler, ScoreAdaptive};

use super::Settings;
use super::runs::{Ball, Case, lost};
use crate::experiment::Context;
use crate::experiments::ball_bound::BallBound;

/// How far beyond (1 + δ) R the farther atom lies, as a share: not within the ball.
const BEYOND: f64 = 1e-9;

/// From the origin, with an atom of weight ε at the distance R = 1 and one of weight 1 - ε opposite to it, just beyond 1 + δ: the
/// process ends at the latter with the probability q/(1 + q). The step is the exact one.
pub(super) fn measure(
    process: &KilledBrownianMotion,
    settings: &Settings,
    tag: u64,
    context: &Context,
) -> Result<Case> {
    let (d, runs) = (process.dim(), settings.starts * settings.runs);
    let control = ScoreAdaptive::new(1.0, settings.floor)?.ignoring_spread();
    let mut rng = stream(context.seed, Purpose::Experiment, tag);
    let mut case = Case { starts: "between two atoms".into(), errors: None, lost: 0, balls: Vec::new() };
    for &mass in &settings.ball_masses {
        for &margin in &settings.ball_margins {
            let mut atoms = DMatrix::zeros(d, 2);
            atoms[(0, 0)] = 1.0;
            atoms[(0, 1)] = -(1.0 + margin) * (1.0 + BEYOND);
            let measure = EmpiricalMeasure::weighted(atoms, &[mass, 1.0 - mass])?;
            let score = EmpiricalScore::new(process, measure)?;
            let step = PosteriorBridge::new(&score);
            let ends = Sampler::new(process, &step, &control).run(&DMatrix::zeros(d, runs), rng.random())?;
            let beyond = ends.points.column_iter().filter(|end| end[0] < 0.0).count();
            let bound = BallBound::new(process.green(), mass, 1.0, margin);
            case.lost += lost(&ends);
            case.balls.push(Ball {
                mass,
                margin,
                outside: beyond as f64 / runs as f64,
                sharp: bound.sharp,
                odds: bound.odds.min(1.0),
                simple: bound.simple.min(1.0),
                runs,
            });
        }
    }
    Ok(case)
}
