//! `learned-toy`: spatial scores learned on sets whose score is known exactly.

mod deaths;
mod errors;
mod figures;
mod samples;
mod sets;

use anyhow::{Result, ensure};
use nalgebra::DMatrix;
use resolvent::learn::score::LearnedScore;
use resolvent::learn::train::TrainingSettings;
use serde::{Deserialize, Serialize};

use self::deaths::Deaths;
use self::errors::Errors;
use self::samples::{Driver, Samples, Way};
use self::sets::{Set, sets};
use super::score_error::check_levels;
use super::training::{Training, train};
use crate::experiment::{Context, Experiment};
use crate::outcome::{Check, Outcome};

/// The bound on the median distance of samples to M.
const MEDIAN: f64 = 0.02;
/// The bound on the sliced Wasserstein distance over that of the exact-score sampler.
const FACTOR: f64 = 1.5;
/// Where the bounds come from.
const TARGET: &str = "target set before training";

/// One blind network for each of four sets.
pub(crate) struct LearnedToy;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// Killing rate r.
    rate: f64,
    /// Data to train on, and as many to validate on.
    data: usize,
    /// Width of the network.
    width: usize,
    /// Its residual layers.
    depth: usize,
    /// Steps of training.
    steps: u64,
    /// Examples in a step.
    batch: usize,
    /// Examples that a thread takes in one go.
    shard: usize,
    /// The learning rate.
    learning_rate: f64,
    /// Mean of log σ in training.
    proposal_mean: f64,
    /// Its standard deviation.
    proposal_deviation: f64,
    /// Examples to validate on.
    validation: usize,
    /// Noise levels at which scores are compared.
    levels: Vec<f64>,
    /// Edges of the regions by distance to M, ascending.
    regions: Vec<f64>,
    /// Points at a level.
    points: usize,
    /// Points of the quadrature over the Swiss roll.
    quadrature: usize,
    /// Levels at which the error on circle and sphere is bounded, among `levels`.
    bound_levels: Vec<f64>,
    /// The bounds, one for each of `bound_levels`.
    bounds: Vec<f64>,
    /// Whether samples on circle and sphere are held to their marks.
    check_samples: bool,
    /// Particles of a run.
    particles: usize,
    /// Sets of fresh data that samples are compared with.
    references: usize,
    /// Directions of the sliced Wasserstein distance.
    projections: usize,
    /// Step of the bridges in local time scales.
    eta: f64,
    /// Step of the flux flow in the logarithm of the distance.
    flux_eta: f64,
    /// Step of Euler-Maruyama under the sup rule, in local time scales.
    euler_eta: f64,
    /// Resolution δ of the samplers on polar data (length).
    delta: f64,
    /// Time step on the checkerboard.
    dt: f64,
    /// Evaluations a particle is given.
    cap: usize,
}

/// Everything measured on one set.
struct Report {
    set: Set,
    training: Training,
    errors: Errors,
    samples: Samples,
    deaths: Vec<Deaths>,
    /// Fresh data, as many as there are samples.
    fresh: DMatrix<f64>,
}

/// What a seed is used for: independent ones for everything drawn.
#[derive(Clone, Copy)]
enum Use {
    Data = 1,
    HeldOut,
    Training,
    Errors,
    Regions,
    Starts,
    Paths,
    Fresh,
    Directions,
    Deaths,
}

impl Use {
    /// The seed of use number `k`. User seeds next to each other do not share any.
    fn seed(self, seed: u64, k: usize) -> u64 {
        seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(100_000 * self as u64 + k as u64)
    }
}

impl Settings {
    fn training(&self, seed: u64) -> TrainingSettings {
        TrainingSettings {
            steps: self.steps,
            batch: self.batch,
            shard: self.shard,
            lanes: 4,
            learning_rate: self.learning_rate,
            warmup: (self.steps / 10).min(200),
            betas: [0.9, 0.99],
            clip: Some(1.0),
            average_decay: 0.999,
            record_every: (self.steps / 200).max(1),
            validate_every: (self.steps / 20).max(1),
            checkpoint_every: 0,
            seed,
            ..TrainingSettings::default()
        }
    }

    fn validate(&self) -> Result<()> {
        check_levels("levels", &self.levels)?;
        ensure!(self.data >= 2, "setting `data` = {}: at least 2", self.data);
        ensure!(self.points >= 2, "setting `points` = {}: at least 2", self.points);
        ensure!(self.particles >= 2, "setting `particles` = {}: at least 2", self.particles);
        ensure!(self.references >= 2, "setting `references` = {}: at least 2", self.references);
        ensure!(self.quadrature >= 2, "setting `quadrature` = {}: at least 2", self.quadrature);
        ensure!(
            self.bounds.len() == self.bound_levels.len(),
            "settings `bounds` and `bound_levels` must have the same length"
        );
        let known = |level: &f64| self.levels.contains(level);
        ensure!(
            self.bound_levels.iter().all(known),
            "setting `bound_levels`: each must be among the `levels` {:?}",
            self.levels
        );
        let edges = &self.regions;
        ensure!(
            edges.iter().all(|edge| *edge > 0.0) && edges.is_sorted_by(|a, b| a < b),
            "setting `regions` = {edges:?}: must be positive and ascending"
        );
        Ok(())
    }
}

impl Experiment for LearnedToy {
    type Settings = Settings;

    fn name(&self) -> &'static str {
        "learned-toy"
    }

    fn summary(&self) -> &'static str {
        "Learned spatial scores against the exact ones on circle, sphere, Swiss roll and checkerboard: error, samples, deaths"
    }

    fn seconds(&self) -> u32 {
        110
    }

    fn full(&self) -> Settings {
        Settings {
            rate: 1.0,
            data: 200_000,
            width: 128,
            depth: 4,
            steps: 5_000,
            batch: 1024,
            shard: 128,
            learning_rate: 2e-3,
            proposal_mean: -1.2,
            proposal_deviation: 1.5,
            validation: 1024,
            levels: vec![0.01, 0.03, 0.1, 0.3, 1.0, 3.0],
            regions: vec![0.01, 0.03, 0.1, 0.3, 1.0, 3.0],
            points: 1_000,
            quadrature: 1_500,
            bound_levels: vec![0.03, 0.1, 0.3, 1.0, 3.0],
            bounds: vec![0.2, 0.1, 0.1, 0.1, 0.1],
            check_samples: true,
            particles: 1_000,
            references: 8,
            projections: 128,
            eta: 0.2,
            flux_eta: 0.4,
            euler_eta: 0.2,
            delta: 0.03,
            dt: 0.02,
            cap: 3_000,
        }
    }

    fn quick(&self) -> Settings {
        Settings {
            data: 5_000,
            width: 32,
            depth: 2,
            steps: 200,
            batch: 256,
            shard: 64,
            learning_rate: 5e-3,
            validation: 256,
            points: 100,
            quadrature: 500,
            levels: vec![0.1, 0.3, 1.0, 3.0],
            bound_levels: vec![0.3, 1.0, 3.0],
            bounds: vec![1.0, 1.0, 1.0],
            check_samples: false,
            particles: 100,
            references: 2,
            projections: 32,
            eta: 0.5,
            euler_eta: 0.5,
            delta: 0.1,
            dt: 0.05,
            cap: 300,
            ..self.full()
        }
    }

    fn run(&self, settings: &Settings, context: &Context) -> Result<Outcome> {
        settings.validate()?;
        let mut reports = Vec::new();
        for set in sets(settings)? {
            context.proceed()?;
            reports.push(report(set, settings, context)?);
        }
        let errors: Vec<_> = reports.iter().map(|report| (&report.set, &report.errors)).collect();
        let samples: Vec<_> = reports.iter().map(|report| (&report.set, &report.samples)).collect();
        let deaths: Vec<_> = reports.iter().map(|report| (&report.set, &report.deaths[..])).collect();
        let mut notes: Vec<String> = NOTES.map(String::from).to_vec();
        notes.extend(errors::note(&errors, settings));
        if !settings.check_samples {
            notes.push(UNTRAINED.to_owned());
        }
        Ok(Outcome {
            checks: reports.iter().flat_map(|report| report.checks(settings)).collect(),
            tables: vec![
                errors::level_table(&errors, settings.points),
                errors::region_table(&errors, &settings.levels),
                samples::table(&samples, settings),
                deaths::table(&deaths, settings)?,
            ],
            figures: figures::figures(&reports, settings)?,
            notes,
        })
    }
}

const NOTES: [&str; 3] = [
    "Every set has one network that sees the point and nothing else. It is trained on deaths of killed Brownian motion (R15) with a \
     log-normal proposal of the noise level and its importance weight.",
    "The Swiss roll is the curve, in R³: there it has codimension 2 and a particle dies where it first meets it. In the plane, and as a \
     surface in R³, it has codimension 1, and death is by local time. In codimension 2 a particle near the curve may \
     still wander off, so a rule that stops it at δ stops it early.",
    "The edges of the checkerboard are softened by a normal law of deviation 0.045, so that its occupation density is known exactly. \
     Particles die there at the exact rate α/u under both scores. Within a density the gain is large and the score small, so that this \
     parametrisation, made for data of codimension two and more, learns it slowly.",
];

const UNTRAINED: &str = "With these settings training is over after a few steps: samples are not held to their marks, and the \
                         score error to bounds that the score 0 keeps with nothing to spare.";

fn report(set: Set, settings: &Settings, context: &Context) -> Result<Report> {
    let seed = context.seed;
    let data = set.law().sample(settings.data, Use::Data.seed(seed, 0));
    let held_out = set.law().sample(settings.data, Use::HeldOut.seed(seed, 0));
    let recipe = set.recipe(settings, Use::Training.seed(seed, 0));
    let training = train(context, set.name, &recipe, &data, &held_out)?;
    let learned = LearnedScore::new(training.saved.model.clone(), training.saved.parameters.clone())?;
    let errors = Errors::new(&set, &learned, settings, seed)?;
    context.proceed()?;
    let samples = Samples::new(&set, &learned, &data, settings, seed)?;
    context.proceed()?;
    let deaths = deaths::deaths(&set, &learned, settings, seed)?;
    let fresh = set.law().sample(settings.particles, Use::Fresh.seed(seed, 0));
    Ok(Report { set, training, errors, samples, deaths, fresh })
}

impl Report {
    fn checks(&self, settings: &Settings) -> Vec<Check> {
        if !self.set.marked {
            return Vec::new();
        }
        let name = self.set.name;
        let mut checks = Vec::new();
        for (level, bound) in settings.bound_levels.iter().zip(&settings.bounds) {
            let error = self.errors.at(*level).expect("a level of the settings").value;
            checks.push(Check::at_most(
                format!("{name}: relative score error at σ = {level}"),
                error,
                *bound,
                TARGET,
            ));
        }
        if settings.check_samples {
            for way in Way::ALL {
                let step = way.name(&self.set);
                let (exact, learned) =
                    (self.samples.run(way, Driver::Exact), self.samples.run(way, Driver::Learned));
                let median = learned.distances.quantiles[2];
                checks.push(Check::at_most(
                    format!("{name}, {step}: median distance to M"),
                    median,
                    MEDIAN,
                    TARGET,
                ));
                let ratio = learned.wasserstein.value / exact.wasserstein.value;
                checks.push(Check::at_most(
                    format!("{name}, {step}: sliced Wasserstein distance over the exact-score sampler's"),
                    ratio,
                    FACTOR,
                    TARGET,
                ));
            }
        }
        checks
    }
}
