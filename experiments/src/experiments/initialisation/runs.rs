//! Runs in space, from the start law of the method and from the right one.

use anyhow::Result;
use nalgebra::DMatrix;
use resolvent::core::horizon::{Churn, LinearScheme, Multistep, ddim, dpm_solver_pp_2m, heun};
use resolvent::core::htransform::{self, backward_measure};
use resolvent::core::marginal::{StudentT, student_prior};
use resolvent::core::schedule::{Edm, Grid, diffuse};
use resolvent::core::step::PosteriorBridge;
use resolvent::core::{
    Denoiser, EmpiricalMeasure, EmpiricalScore, Ensemble, Exit, HorizonSampler, KilledBrownianMotion,
    Sampler, ScoreAdaptive,
};
use resolvent::data::{Atoms, Law};
use resolvent::metrics;
use serde::{Deserialize, Serialize};

use super::WEIGHTS;
use super::model::Model;
use crate::experiments::horizon_methods::AUGMENTED;

/// Resolution of the backward steps in units of the smallest gap between atoms.
const FLOOR: f64 = 1e-2;
/// The last noisy level of the deterministic horizon; time for VP.
const LAST: f64 = 0.002;
const END_VP: f64 = 1e-3;

/// Where the particles of a run ended.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Counts {
    /// At each atom, the nearest.
    pub(super) atoms: Vec<u64>,
    /// Mean evaluations of a particle.
    pub(super) evaluations: f64,
    /// Particles that did not come to an end.
    pub(super) lost: usize,
}

/// `n` particles of `model` with noise of `level` at the start, from its start law or from the right law, `budget` evaluations each
/// where that can be said.
pub(super) fn run(
    model: Model,
    level: f64,
    right: bool,
    alpha: &EmpiricalMeasure,
    n: usize,
    budget: usize,
    seed: u64,
) -> Result<Counts> {
    let (ensemble, atoms) = match model {
        Model::Laplace | Model::Point => backward(model, level, right, alpha, n, seed)?,
        _ => (scheduled(model, level, right, alpha, n, budget, seed)?, alpha.points().clone()),
    };
    let ended = |exit: &&Exit| matches!(exit, Exit::Killed { .. } | Exit::Horizon);
    Ok(Counts {
        atoms: metrics::counts(&metrics::nearest_index(&ensemble.points, &atoms)?, atoms.ncols())?,
        evaluations: ensemble.mean_evaluations(),
        lost: n - ensemble.exits.iter().filter(ended).count(),
    })
}

/// Draws of the data.
fn drawn(alpha: &EmpiricalMeasure, n: usize, seed: u64) -> Result<DMatrix<f64>> {
    Ok(Atoms::new(alpha.points().clone(), &WEIGHTS)?.sample(n, seed))
}

/// By the posterior bridge, which is exact at any step.
fn backward(
    model: Model,
    level: f64,
    right: bool,
    alpha: &EmpiricalMeasure,
    n: usize,
    seed: u64,
) -> Result<(Ensemble, DMatrix<f64>)> {
    let dim = alpha.dim();
    let process = KilledBrownianMotion::new(dim, 1.0, Model::rate(level))?;
    let (measure, starts) = match (model, right) {
        (Model::Point, _) => {
            let mut point = vec![0.0; dim];
            point[0] = level;
            let transform = htransform::Atoms::point(process.clone(), &point, &vec![0.0; dim])?;
            (backward_measure(&transform, alpha)?, DMatrix::from_fn(dim, n, |i, _| point[i]))
        }
        (_, true) => (alpha.clone(), process.deaths(&drawn(alpha, n, seed)?, seed)?.0),
        (_, false) => (alpha.clone(), process.deaths(&DMatrix::zeros(dim, n), seed)?.0),
    };
    let score = EmpiricalScore::new(&process, measure.clone())?;
    let control = ScoreAdaptive::new(1.0, FLOOR * measure.smallest_gap())?.ignoring_spread();
    let step = PosteriorBridge::new(&score);
    Ok((Sampler::new(&process, &step, &control).run(&starts, seed)?, measure.points().clone()))
}

fn scheduled(
    model: Model,
    level: f64,
    right: bool,
    alpha: &EmpiricalMeasure,
    n: usize,
    budget: usize,
    seed: u64,
) -> Result<Ensemble> {
    let (start, deviation) = model.start(level)?;
    let edm = Edm::new(level)?;
    let karras = |steps| Grid::karras(&edm, steps, LAST, level, 7.0);
    // The denoising step of VP takes one evaluation, Heun's method two a step but for the last.
    let vp = || -> Result<Grid> { Ok(Grid::uniform_log_snr(&Model::vp(level)?, budget - 1, END_VP)?) };
    let scheme: LinearScheme = match model {
        Model::VpSde => ddim(&vp()?, 1.0)?.final_denoise(),
        Model::VpFlow => dpm_solver_pp_2m(&vp()?, Multistep::default())?.final_denoise(),
        Model::VeSde => ddim(&karras(budget)?, 1.0)?,
        _ => heun(&karras(budget.div_ceil(2))?, Churn::NONE)?,
    };
    let student = StudentT::new(alpha.clone(), AUGMENTED)?;
    let denoiser: &dyn Denoiser = if model == Model::Pfgm { &student } else { alpha };
    let starts = match (model, right) {
        (Model::Pfgm, _) => {
            let noise = student_prior(alpha.dim(), AUGMENTED, level, n, seed)?;
            if right { noise + drawn(alpha, n, seed)? } else { noise }
        }
        (_, true) => diffuse(&start, &drawn(alpha, n, seed)?, seed),
        (_, false) => diffuse(
            &resolvent::core::schedule::Level { sigma: deviation, ..start },
            &DMatrix::zeros(alpha.dim(), n),
            seed,
        ),
    };
    Ok(HorizonSampler::new(&scheme.with(denoiser)).run(&starts, seed)?)
}
