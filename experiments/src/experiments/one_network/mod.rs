//! `one-network`: the same network, told nothing of the noise, under the killed sampler and under a schedule.

mod drive;
mod report;

use anyhow::{Result, ensure};
use rand::RngExt;
use resolvent::core::random::{Purpose, stream};
use serde::{Deserialize, Serialize};

use self::drive::Drive;
use super::horizon_methods::Cost;
use super::quality::Quality;
use crate::experiment::Context;
use crate::outcome::Outcome;
use crate::sweep::Sweep;

/// One network under several samplers.
pub(crate) struct OneNetwork;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// Evaluations of the network granted to an image on average, ascending.
    evaluations: Vec<usize>,
    /// Those granted where the schedule is wrong.
    wrong_evaluations: usize,
    /// Factors by which the noise at the start differs from what the schedule says, ascending; 1 is right.
    factors: Vec<f64>,
    /// The noise in the images that are denoised with a schedule from a wrong level.
    noise: f64,
    /// Evaluations granted to a noisy image.
    noise_evaluations: usize,
    /// Images of a run.
    images: usize,
    /// Runs of each kind.
    seeds: usize,
    /// Sets of images of the data, for the distance that a perfect sampler has.
    floors: usize,
    /// Directions of the sliced Wasserstein distance.
    projections: usize,
    /// The folder of the networks, with spatial.safetensors and told.safetensors; empty for those of the glyphs that come with the
    /// command.
    networks: String,
    /// Images that the classifier learns from.
    n_data: usize,
    /// Images held out, with which samples are compared.
    n_held_out: usize,
    /// Steps of the classifier's training.
    classifier_steps: u64,
    /// Images of a pilot run, which finds the step at which the killed sampler keeps to the budget.
    pilot: usize,
    /// Noise level at which the killed sampler starts.
    start_level: f64,
    /// Noise per pixel at which it ends; what the network can tell from none.
    floor: f64,
    /// Images shown of each sampler.
    shown: usize,
}

impl Settings {
    /// Whether noise by the factor with this number has been measured at that factor already: nothing is wrong.
    fn is_right(&self, k: usize) -> bool {
        self.factors[k] == 1.0 && self.evaluations.contains(&self.wrong_evaluations)
    }
}

/// What a run is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Task {
    /// Images from noise at every budget.
    Right,
    /// Images from noise that is larger or smaller than it should be, by the factor with this number.
    WrongNoise(usize),
    /// Noisy images with a schedule from a level that is theirs times the factor with this number.
    WrongLevel(usize),
}

/// One sampler at one task with one seed; without a sampler, images of the data.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unit {
    drive: Option<Drive>,
    task: Task,
    seed: usize,
}

/// One run.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Run {
    budget: Option<usize>,
    /// The step that a pilot found, for the killed sampler.
    eta: Option<f64>,
    cost: Option<Cost>,
    quality: Quality,
    /// Root mean square error of a pixel, where there is a clean image.
    rmse: Option<f64>,
    /// Accuracy of the classifier, with images of the data.
    accuracy: Option<f64>,
    /// The first images in grey levels of a byte, of the first seed.
    shown: Vec<Vec<u8>>,
}

/// What is drawn for.
#[derive(Clone, Copy)]
enum Use {
    Run = 1,
    Noise,
    Directions,
    Pilot,
    FloorDirections,
}

/// The seed of use number `k`.
fn seed(context: &Context, purpose: Use, k: usize) -> u64 {
    stream(context.seed, Purpose::Experiment, ((purpose as u64) << 48) + k as u64).random()
}

impl Sweep for OneNetwork {
    type Settings = Settings;
    type Unit = Unit;
    type Measured = Vec<Run>;

    fn name(&self) -> &'static str {
        "one-network"
    }

    fn summary(&self) -> &'static str {
        "a network that is told no noise level under the killed sampler and under a schedule, beside its twin that is told"
    }

    fn seconds(&self) -> u32 {
        900
    }

    fn full(&self) -> Settings {
        Settings {
            evaluations: vec![20, 50, 100],
            wrong_evaluations: 50,
            factors: vec![0.5, 0.7, 1.0, 1.4, 2.0],
            noise: 0.8,
            noise_evaluations: 20,
            images: 40,
            seeds: 10,
            floors: 30,
            projections: 64,
            networks: String::new(),
            n_data: 4000,
            n_held_out: 1000,
            classifier_steps: 2000,
            pilot: 32,
            start_level: 10.0,
            floor: 0.03,
            shown: 10,
        }
    }

    fn quick(&self) -> Settings {
        Settings {
            evaluations: vec![8],
            wrong_evaluations: 8,
            factors: vec![0.5, 2.0],
            noise_evaluations: 6,
            images: 20,
            seeds: 2,
            floors: 4,
            projections: 16,
            n_data: 200,
            n_held_out: 60,
            classifier_steps: 40,
            pilot: 4,
            ..self.full()
        }
    }

    fn units(&self, settings: &Settings) -> Result<Vec<(String, Unit)>> {
        let Settings { evaluations, factors, seeds, floors, images, pilot, .. } = settings;
        for (name, value, least) in [
            ("seeds", *seeds, 2),
            ("floors", *floors, 2),
            ("images", *images, 20),
            ("pilot", *pilot, 2),
            ("shown", settings.shown, 1),
            ("wrong_evaluations", settings.wrong_evaluations, 5),
            ("noise_evaluations", settings.noise_evaluations, 5),
        ] {
            ensure!(value >= least, "setting `{name}` = {value}: at least {least}");
        }
        ensure!(!evaluations.is_empty(), "setting `evaluations` is empty");
        ensure!(evaluations.is_sorted_by(|a, b| a < b), "setting `evaluations` does not ascend");
        ensure!(evaluations[0] >= 5, "setting `evaluations`: {}, at least 5", evaluations[0]);
        ensure!(settings.noise > 0.0, "setting `noise` = {}: positive", settings.noise);
        ensure!(factors.len() >= 2, "setting `factors` needs two entries at least");
        ensure!(factors.windows(2).all(|pair| pair[0] < pair[1]), "setting `factors` does not ascend");
        if let Some(factor) = factors.iter().find(|factor| !(0.1..=10.0).contains(*factor)) {
            anyhow::bail!("setting `factors`: {factor}, between 0.1 and 10 each");
        }
        let mut units = vec![("exact".to_owned(), Unit { drive: None, task: Task::Right, seed: 0 })];
        for drive in Drive::ALL {
            for seed in 0..*seeds {
                let mut push = |name: String, task| {
                    units.push((name, Unit { drive: Some(drive), task, seed }));
                };
                push(format!("{}.s{seed}", drive.stem()), Task::Right);
                for (k, factor) in factors.iter().enumerate() {
                    if !settings.is_right(k) {
                        push(format!("{}.noise{factor}.s{seed}", drive.stem()), Task::WrongNoise(k));
                    }
                    if k == 0 || !matches!(drive, Drive::Killed(_)) {
                        push(format!("{}.level{factor}.s{seed}", drive.stem()), Task::WrongLevel(k));
                    }
                }
            }
        }
        Ok(units)
    }

    fn measure(&self, unit: &Unit, settings: &Settings, context: &Context) -> Result<Vec<Run>> {
        drive::measure(unit, settings, context)
    }

    fn conclude(&self, settings: &Settings, measured: Vec<(Unit, Vec<Run>)>) -> Result<Outcome> {
        report::outcome(settings, &measured)
    }
}
