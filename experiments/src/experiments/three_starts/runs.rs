//! The backward process run from each start.

use anyhow::Result;
use nalgebra::DMatrix;
use rand::RngExt;
use rand_distr::StandardNormal;
use resolvent::core::htransform::{
    Atoms, ExponentialClock, HTransform, backward_measure, backward_starts, deaths,
};
use resolvent::core::random::{Purpose, stream};
use resolvent::core::step::PosteriorBridge;
use resolvent::core::{EmpiricalMeasure, EmpiricalScore, Exit, KilledBrownianMotion, Sampler, ScoreAdaptive};
use resolvent::metrics;

use super::bias::{Bias, of_laplace, of_stationary, ornstein_uhlenbeck};
use crate::experiment::Context;

/// Resolution of the backward steps in units of the smallest gap between atoms.
const FLOOR: f64 = 1e-2;

/// What came out of a run from one start.
pub(super) struct Run {
    pub(super) name: &'static str,
    pub(super) process: String,
    /// The exact end law.
    pub(super) law: Vec<f64>,
    pub(super) counts: Vec<u64>,
    /// Median; the mean is infinite at r = 0 in three dimensions.
    pub(super) lifetime: f64,
    /// Score evaluations of a particle, where the run has steps.
    pub(super) evaluations: Option<f64>,
}

impl Run {
    /// Deviations of the frequencies from `law`, in standard errors.
    pub(super) fn deviations(&self, law: &[f64]) -> Vec<f64> {
        let n = self.counts.iter().sum::<u64>() as f64;
        self.counts
            .iter()
            .zip(law)
            .map(|(&count, p)| (count as f64 - n * p) / (n * p * (1.0 - p)).sqrt())
            .collect()
    }
}

/// All runs at the killing rate `rate`, `n` particles each, from the point `z` where that is the start.
pub(super) fn all(
    alpha: &EmpiricalMeasure,
    z: &[f64],
    rate: f64,
    n: usize,
    draws: usize,
    context: &Context,
) -> Result<Vec<Run>> {
    let d = alpha.dim();
    let weights: Vec<f64> = alpha.log_weights().iter().map(|w| w.exp()).collect();
    let shifted = |bias: Bias| weights.iter().zip(&bias.shifts).map(|(w, s)| w + s).collect::<Vec<f64>>();
    let brownian = KilledBrownianMotion::new(d, 1.0, rate)?;
    let free = if d > 2 { Some(KilledBrownianMotion::new(d, 1.0, 0.0)?) } else { None };
    let ou = ornstein_uhlenbeck(d, rate)?;
    let (origin, seed) = (vec![0.0; d], context.seed);
    let mut runs = Vec::new();

    let mut normal = DMatrix::zeros(d, n);
    for (i, mut column) in normal.column_iter_mut().enumerate() {
        let mut rng = stream(seed, Purpose::Experiment, i as u64);
        column.iter_mut().for_each(|x| *x = rng.sample(StandardNormal));
    }
    let backward = Atoms::weighted(ou.clone(), alpha.clone())?;
    let law = shifted(of_stationary(rate, alpha, Some((draws, seed)))?);
    runs.push(exactly(
        "stationary law",
        format!("Ornstein-Uhlenbeck, r = {rate}"),
        &backward,
        &normal,
        law,
        seed,
    )?);
    context.proceed()?;

    let mean: Vec<f64> =
        (0..d).map(|k| (0..alpha.len()).map(|i| weights[i] * alpha.point(i)[k]).sum()).collect();
    for (name, from) in [("Laplace law around 0", &origin), ("Laplace law around the mean", &mean)] {
        let starts = brownian.deaths(&DMatrix::from_fn(d, n, |k, _| from[k]), seed)?.0;
        let law = shifted(of_laplace(rate, from, alpha, Some((draws, seed)))?);
        runs.push(in_steps(name, &brownian, alpha, &starts, law, seed)?);
        context.proceed()?;
    }
    let (exact, _) = backward_starts(&ExponentialClock::new(brownian.clone()), alpha, n, seed)?;
    runs.push(in_steps("its own law r u", &brownian, alpha, &exact, weights.clone(), seed)?);

    let point = DMatrix::from_fn(d, n, |k, _| z[k]);
    for process in [Some(brownian), free].into_iter().flatten() {
        context.proceed()?;
        let measure = backward_measure(&Atoms::point(process.clone(), z, &origin)?, alpha)?;
        let law = Atoms::weighted(process.clone(), measure.clone())?.death_law(z);
        runs.push(in_steps("a point", &process, &measure, &point, law, seed)?);
    }
    let measure = backward_measure(&Atoms::point(ou.clone(), z, &origin)?, alpha)?;
    let backward = Atoms::weighted(ou, measure)?;
    let law = backward.death_law(z);
    runs.push(exactly("a point", format!("Ornstein-Uhlenbeck, r = {rate}"), &backward, &point, law, seed)?);
    Ok(runs)
}

/// Steps of the posterior bridge, which is exact for any data.
fn in_steps(
    name: &'static str,
    process: &KilledBrownianMotion,
    measure: &EmpiricalMeasure,
    starts: &DMatrix<f64>,
    law: Vec<f64>,
    seed: u64,
) -> Result<Run> {
    let score = EmpiricalScore::new(process, measure.clone())?;
    let control = ScoreAdaptive::new(1.0, FLOOR * measure.smallest_gap())?.ignoring_spread();
    let step = PosteriorBridge::new(&score);
    let ensemble = Sampler::new(process, &step, &control).run(starts, seed)?;
    anyhow::ensure!(
        ensemble.exits.iter().all(|exit| *exit == Exit::Killed { rule: 0 }),
        "{name}: not every particle died by its lifetime: {:?}",
        ensemble.exit_counts()
    );
    Ok(Run {
        name,
        process: format!("Brownian motion, r = {}", process.rate()),
        law,
        counts: counted(&ensemble.points, measure)?,
        evaluations: Some(ensemble.mean_evaluations()),
        lifetime: median(ensemble.lifetimes)?,
    })
}

/// End points and lifetimes of the backward process without steps, by R10.
fn exactly(
    name: &'static str,
    process: String,
    backward: &Atoms<impl resolvent::core::Resolvent>,
    starts: &DMatrix<f64>,
    law: Vec<f64>,
    seed: u64,
) -> Result<Run> {
    let (ends, lifetimes) = deaths(backward, starts, seed)?;
    debug_assert_eq!(backward.dim(), starts.nrows());
    Ok(Run {
        name,
        process,
        law,
        counts: counted(&ends, backward.kappa())?,
        lifetime: median(lifetimes)?,
        evaluations: None,
    })
}

/// How many particles ended at each atom.
fn counted(ends: &DMatrix<f64>, measure: &EmpiricalMeasure) -> Result<Vec<u64>> {
    Ok(metrics::counts(&metrics::nearest_index(ends, measure.points())?, measure.len())?)
}

fn median(mut sample: Vec<f64>) -> Result<f64> {
    sample.sort_by(f64::total_cmp);
    Ok(metrics::quantile(&sample, 0.5)?)
}
