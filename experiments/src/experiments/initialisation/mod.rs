//! `initialisation`: what it costs that a sampler starts in another law than its own.

mod line;
mod model;
mod predicted;
mod report;
mod runs;

use anyhow::{Result, ensure};
use nalgebra::DMatrix;
use rand::RngExt;
use rand_distr::StandardNormal;
use resolvent::core::EmpiricalMeasure;
use resolvent::core::random::{Purpose, stream};
use serde::{Deserialize, Serialize};

use self::model::Model;
use self::predicted::Predicted;
use self::runs::Counts;
use crate::experiment::Context;
use crate::outcome::Outcome;
use crate::sweep::Sweep;

/// Weights of the atoms.
const WEIGHTS: [f64; 5] = [0.37, 0.08, 0.15, 0.25, 0.15];
/// Distance of the mean of the data from the origin, around which every start law lies.
const OFFSET: f64 = 0.5;
/// The stream of the data.
const DATA: u64 = 1 << 42;

/// The bias of the start law for both horizons.
pub(crate) struct Initialisation;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// Deviations of the noise at the start, in units of the spread of the data, at which the bias is computed on the line;
    /// ascending.
    line_levels: Vec<f64>,
    /// Those at which samplers are run.
    levels: Vec<f64>,
    /// Dimension of the runs.
    dim: usize,
    /// Draws for the bias in that dimension.
    draws: usize,
    /// Particles of a run.
    particles: usize,
    /// Runs of each kind.
    seeds: usize,
    /// Evaluations of a sampler of the deterministic horizon.
    evaluations: usize,
}

/// A piece of the work.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Unit {
    /// The exact bias on the line.
    Line(Model),
    /// The exact end law in space, at a level by its number.
    Predicted(Model, usize),
    /// A run from the start law and one from the right law, with a seed.
    Runs(Model, usize, usize),
}

/// What came of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Measured {
    /// Total variation at every level, for data around the origin and beside it.
    Line {
        centred: Vec<f64>,
        beside: Vec<f64>,
    },
    Predicted(Predicted),
    Runs {
        wrong: Counts,
        right: Option<Counts>,
    },
}

impl Sweep for Initialisation {
    type Settings = Settings;
    type Unit = Unit;
    type Measured = Measured;

    fn name(&self) -> &'static str {
        "initialisation"
    }

    fn summary(&self) -> &'static str {
        "the bias of the start law: random horizon, VP, VE, EDM and PFGM++ against the noise at the start"
    }

    fn seconds(&self) -> u32 {
        60
    }

    fn full(&self) -> Settings {
        Settings {
            line_levels: (0..=7).map(|k| f64::from(1 << k)).collect(),
            levels: vec![1.0, 2.0, 4.0, 16.0],
            dim: 3,
            draws: 200_000,
            particles: 4_000,
            seeds: 10,
            evaluations: 100,
        }
    }

    fn quick(&self) -> Settings {
        Settings {
            levels: vec![1.0, 4.0],
            draws: 4_000,
            particles: 500,
            seeds: 2,
            evaluations: 30,
            ..self.full()
        }
    }

    fn units(&self, settings: &Settings) -> Result<Vec<(String, Unit)>> {
        ensure!(settings.dim >= 3, "setting `dim` = {}: at least 3, where points are hit", settings.dim);
        ensure!(settings.seeds >= 2, "setting `seeds` = {}: at least 2", settings.seeds);
        ensure!(settings.draws >= 2, "setting `draws` = {}: at least 2", settings.draws);
        ensure!(settings.particles >= 100, "setting `particles` = {}: at least 100", settings.particles);
        ensure!(settings.evaluations >= 5, "setting `evaluations` = {}: at least 5", settings.evaluations);
        for (name, levels, least) in
            [("line_levels", &settings.line_levels, 2), ("levels", &settings.levels, 1)]
        {
            ensure!(levels.len() >= least, "setting `{name}` needs {least} entries at least");
            ensure!(levels.windows(2).all(|pair| pair[0] < pair[1]), "setting `{name}` does not ascend");
            let unfit = |level: &&f64| !(0.5..=1e3).contains(*level);
            if let Some(level) = levels.iter().find(unfit) {
                anyhow::bail!("setting `{name}`: {level}, between 0.5 and 1000 each");
            }
        }
        let mut units = Vec::new();
        for model in Model::ALL {
            if model.on_the_line() {
                units.push((format!("line.{}", model.stem()), Unit::Line(model)));
            }
            for level in 0..settings.levels.len() {
                if model.is_predicted() {
                    units.push((format!("law.{}.{level}", model.stem()), Unit::Predicted(model, level)));
                }
                for seed in 0..settings.seeds {
                    let name = format!("runs.{}.{level}.s{seed}", model.stem());
                    units.push((name, Unit::Runs(model, level, seed)));
                }
            }
        }
        Ok(units)
    }

    fn measure(&self, unit: &Unit, settings: &Settings, context: &Context) -> Result<Measured> {
        match *unit {
            Unit::Line(model) => {
                let bias = |offset| line::bias(model, &settings.line_levels, offset);
                Ok(Measured::Line { centred: bias(0.0)?, beside: bias(OFFSET)? })
            }
            Unit::Predicted(model, level) => {
                let alpha = data(settings.dim, context.seed)?;
                let seed = seed(context, level, usize::MAX);
                let level = settings.levels[level];
                Ok(Measured::Predicted(predicted::end_law(model, level, &alpha, settings.draws, seed)?))
            }
            Unit::Runs(model, level, k) => {
                let alpha = data(settings.dim, context.seed)?;
                let (seed, level) = (seed(context, level, k), settings.levels[level]);
                let (n, budget) = (settings.particles, settings.evaluations);
                let run = |right| runs::run(model, level, right, &alpha, n, budget, seed);
                let wrong = run(false)?;
                context.proceed()?;
                let right = if model == Model::Point { None } else { Some(run(true)?) };
                Ok(Measured::Runs { wrong, right })
            }
        }
    }

    fn conclude(&self, settings: &Settings, measured: Vec<(Unit, Measured)>) -> Result<Outcome> {
        report::outcome(settings, &measured)
    }
}

/// The seed of repetition `k` at level number `level`.
fn seed(context: &Context, level: usize, k: usize) -> u64 {
    let index = ((level as u64) << 32).wrapping_add(k as u64);
    stream(context.seed, Purpose::Experiment, index).random()
}

/// The atoms on the line, of variance 1.2 around their mean, which lies at `offset`.
fn on_the_line(offset: f64) -> Result<EmpiricalMeasure> {
    let points = [-1.3, -0.4, 0.3, 0.8, 1.7];
    let mean: f64 = points.iter().zip(WEIGHTS).map(|(y, w)| w * y).sum();
    let points = points.map(|y| y - mean + offset);
    Ok(EmpiricalMeasure::weighted(DMatrix::from_row_slice(1, 5, &points), &WEIGHTS)?)
}

/// Five normal atoms in R^`dim` of mean square norm about one, around a mean at the distance [`OFFSET`] from the origin.
fn data(dim: usize, seed: u64) -> Result<EmpiricalMeasure> {
    let mut rng = stream(seed, Purpose::Experiment, DATA);
    let scale = 1.0 / (dim as f64).sqrt();
    let mut points = DMatrix::from_fn(dim, 5, |_, _| scale * rng.sample::<f64, _>(StandardNormal));
    for mut row in points.row_iter_mut() {
        let mean: f64 = row.iter().zip(WEIGHTS).map(|(y, w)| w * y).sum();
        row.iter_mut().for_each(|y| *y += OFFSET * scale - mean);
    }
    Ok(EmpiricalMeasure::weighted(points, &WEIGHTS)?)
}
