//! `training-choices`: what the choices of a training do to the score, at equal budget.

mod choices;
mod laws;
mod matching;

use anyhow::{Result, ensure};
use resolvent::learn::model::{Conditioning, Embedding, ModelSettings, Preconditioning};
use resolvent::learn::network::{Architecture, ResidualMlp};
use resolvent::learn::train::TrainingSettings;
use serde::{Deserialize, Serialize};

use super::score_error::check_levels;
use crate::experiment::{Context, Experiment};
use crate::outcome::Outcome;

/// Proposals, weights, forms, scales, preconditionings, losses and laws of the points.
pub(crate) struct TrainingChoices;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// Killing rate r.
    rate: f64,
    /// Data to train on, and as many to validate on.
    data: usize,
    /// Width of the networks.
    width: usize,
    /// Their residual layers.
    depth: usize,
    /// Steps of a training.
    steps: u64,
    /// Examples in a step.
    batch: usize,
    /// Trainings of each kind.
    seeds: usize,
    /// The learning rate.
    learning_rate: f64,
    /// Whether all combinations are tried, or only those that differ from the default choices in one.
    all_combinations: bool,
    /// Noise levels at which scores are compared.
    levels: Vec<f64>,
    /// Points at a level.
    points: usize,
    /// The bound on the error of the default choices at the levels from `bound_from` on.
    bound: f64,
    /// The least level that is bounded.
    bound_from: f64,
    /// Steps of a training by score matching.
    matching_steps: u64,
    /// Images of the reference batch.
    n_data: usize,
    /// Images to validate on.
    n_held_out: usize,
    /// Laws of points on images that are trained on, by name.
    image_laws: Vec<String>,
    /// Width of the network for images.
    image_width: usize,
    /// Steps of a training on images.
    image_steps: u64,
    /// Examples in a step on images.
    image_batch: usize,
    /// Points of each law on which scores are compared.
    image_points: usize,
}

/// What a seed is used for: independent ones for everything drawn.
#[derive(Clone, Copy)]
enum Use {
    Data = 1,
    HeldOut,
    Training,
    Points,
    Matching,
    Images,
}

impl Use {
    /// The seed of use number `k`. User seeds next to each other do not share any.
    fn seed(self, seed: u64, k: usize) -> u64 {
        seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(100_000 * self as u64 + k as u64)
    }
}

impl Settings {
    fn architecture(&self) -> Architecture {
        Architecture::Mlp(ResidualMlp { width: self.width, depth: self.depth })
    }

    fn model(&self, architecture: Architecture, preconditioning: Preconditioning) -> ModelSettings {
        ModelSettings {
            architecture,
            conditioning: Conditioning::Blind,
            preconditioning,
            embedding: Embedding::SinCos { frequencies: 16 },
            rate: self.rate,
        }
    }

    fn training(&self, steps: u64, batch: usize, seed: u64) -> TrainingSettings {
        TrainingSettings {
            steps,
            batch,
            shard: 64,
            lanes: 4,
            learning_rate: self.learning_rate,
            warmup: (steps / 10).min(200),
            betas: [0.9, 0.99],
            clip: Some(1.0),
            average_decay: 0.998,
            record_every: (steps / 20).max(1),
            validate_every: 0,
            checkpoint_every: 0,
            seed,
            ..TrainingSettings::default()
        }
    }
}

impl Experiment for TrainingChoices {
    type Settings = Settings;

    fn name(&self) -> &'static str {
        "training-choices"
    }

    fn summary(&self) -> &'static str {
        "Score error at equal budget by proposal, weight, form, preconditioning and loss, and by the law of the training points"
    }

    fn seconds(&self) -> u32 {
        140
    }

    fn full(&self) -> Settings {
        Settings {
            rate: 1.0,
            data: 50_000,
            width: 64,
            depth: 3,
            steps: 3_000,
            batch: 256,
            seeds: 2,
            learning_rate: 3e-3,
            all_combinations: true,
            levels: vec![0.03, 0.1, 0.3, 1.0, 3.0],
            points: 1_000,
            bound: 0.1,
            bound_from: 0.1,
            matching_steps: 3_000,
            n_data: 500,
            n_held_out: 300,
            image_laws: laws::names(),
            image_width: 256,
            image_steps: 600,
            image_batch: 128,
            image_points: 300,
        }
    }

    fn quick(&self) -> Settings {
        Settings {
            data: 2_000,
            width: 32,
            depth: 2,
            steps: 120,
            batch: 128,
            seeds: 1,
            all_combinations: false,
            points: 50,
            bound: 1.0,
            bound_from: 0.3,
            matching_steps: 40,
            n_data: 40,
            n_held_out: 20,
            image_laws: vec!["noise".to_owned(), laws::ALL.to_owned()],
            image_width: 16,
            image_steps: 5,
            image_batch: 16,
            image_points: 16,
            ..self.full()
        }
    }

    fn run(&self, settings: &Settings, context: &Context) -> Result<Outcome> {
        check_levels("levels", &settings.levels)?;
        ensure!(settings.seeds >= 1, "setting `seeds` = {}: at least 1", settings.seeds);
        ensure!(settings.points >= 2, "setting `points` = {}: at least 2", settings.points);
        ensure!(settings.data >= 2, "setting `data` = {}: at least 2", settings.data);
        ensure!(settings.image_points >= 2, "setting `image_points` = {}: at least 2", settings.image_points);
        let mut outcome = Outcome::default();
        choices::run(settings, context, &mut outcome)?;
        matching::run(settings, context, &mut outcome)?;
        laws::run(settings, context, &mut outcome)?;
        Ok(outcome)
    }
}
