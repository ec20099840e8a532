//! `horizons`: the random horizon against the deterministic one, on the same data, at the same cost.

mod images;
mod panel;
mod report;
mod sets;
mod toys;

use anyhow::{Result, ensure};
use rand::RngExt;
use resolvent::core::random::{Purpose, stream};
use serde::{Deserialize, Serialize};

use self::sets::Set;
use super::horizon_methods::{Cost, Deterministic, Random};
use super::memo::Memo;
use super::quality::Quality;
use crate::experiment::Context;
use crate::outcome::Outcome;
use crate::sweep::Sweep;

/// No particle of the random horizon is granted more evaluations than so many times the budget.
const CAP: usize = 100;

/// Random against deterministic horizon.
pub(crate) struct Horizons;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// Evaluations of score or denoiser granted to a particle on average, ascending.
    evaluations: Vec<usize>,
    /// Runs of every method on every set, each with draws of its own.
    seeds: usize,
    /// Pairs of sets of exact samples, for the distance that a perfect sampler has.
    floors: usize,
    /// Points that are the swiss roll and the checkerboard.
    data: usize,
    /// Samples of a run.
    samples: usize,
    /// Glyphs that are a law of their own, with exact scores.
    image_points: usize,
    /// Samples of a run on them.
    image_points_samples: usize,
    /// Directions of the sliced Wasserstein distance.
    projections: usize,
    /// Killing rate r where scores are exact.
    rate: f64,
    /// Noise per coordinate below which the random horizon resolves nothing; the last noisy level of EDM.
    floor: f64,
    /// Particles of a pilot run, which finds the step at which the random horizon keeps to the budget.
    pilot: usize,
    /// The folder of the networks of the images, with spatial.safetensors and told.safetensors; empty for those of the glyphs
    /// that come with the command.
    networks: String,
    /// Images that the classifier learns from.
    n_data: usize,
    /// Images held out, with which samples are compared.
    n_held_out: usize,
    /// Steps of the classifier's training.
    classifier_steps: u64,
    /// Images of a run.
    images: usize,
    /// Images of a pilot run.
    image_pilot: usize,
    /// Noise level at which the learned backward process starts.
    start_level: f64,
    /// Noise per pixel at which it ends; what its network can tell from none.
    network_floor: f64,
    /// Whether wall time is measured: the only numbers that differ from one run to the next. Units run side by side, a thread
    /// each; with `--threads 1` nothing disturbs them.
    timing: bool,
}

/// Where samples are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// A law with exact scores.
    Exact(Set),
    /// Images, with the two networks.
    Learned,
}

/// A method of either kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    Random(Random),
    Deterministic(Deterministic),
}

/// One method on one set with one seed, at all budgets; without a method, exact samples.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unit {
    place: Place,
    method: Option<Method>,
    seed: usize,
}

/// One run.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Run {
    /// Evaluations granted; none for exact samples.
    budget: Option<usize>,
    /// The step that a pilot found, for the random horizon.
    eta: Option<f64>,
    cost: Option<Cost>,
    quality: Quality,
    /// Wall time.
    seconds: Option<f64>,
    /// Accuracy of the classifier, with exact samples of images.
    accuracy: Option<f64>,
}

/// Steps found by pilots.
static ETAS: Memo<Option<f64>> = Memo::new();

/// What is drawn for.
#[derive(Clone, Copy)]
enum Use {
    Run = 1,
    Draws,
    Floor,
    FloorAgain,
    Directions,
    Pilot,
    FloorDirections,
}

/// The seed of use number `k`.
fn seed(context: &Context, purpose: Use, k: usize) -> u64 {
    stream(context.seed, Purpose::Experiment, ((purpose as u64) << 48) + k as u64).random()
}

impl Place {
    fn name(self) -> &'static str {
        match self {
            Self::Exact(set) => set.name(),
            Self::Learned => "images, learned scores",
        }
    }

    fn stem(self) -> &'static str {
        match self {
            Self::Exact(set) => set.stem(),
            Self::Learned => "images",
        }
    }

    /// The methods that are run there.
    fn methods(self) -> Vec<Method> {
        let (random, deterministic) = match self {
            Self::Exact(set) => (set.methods(), &Deterministic::ALL[..]),
            Self::Learned => (&images::RANDOM[..], &images::DETERMINISTIC[..]),
        };
        let random = random.iter().map(|method| Method::Random(*method));
        random.chain(deterministic.iter().map(|method| Method::Deterministic(*method))).collect()
    }
}

impl Method {
    fn name(self) -> &'static str {
        match self {
            Self::Random(method) => method.name(),
            Self::Deterministic(method) => method.name(),
        }
    }

    fn stem(self) -> &'static str {
        match self {
            Self::Random(method) => method.stem(),
            Self::Deterministic(method) => method.stem(),
        }
    }

    fn is_random(self) -> bool {
        matches!(self, Self::Random(_))
    }
}

impl Sweep for Horizons {
    type Settings = Settings;
    type Unit = Unit;
    type Measured = Vec<Run>;

    fn name(&self) -> &'static str {
        "horizons"
    }

    fn summary(&self) -> &'static str {
        "random against deterministic horizon: the same data, the same judge, the same number of evaluations"
    }

    fn seconds(&self) -> u32 {
        600
    }

    fn full(&self) -> Settings {
        Settings {
            evaluations: vec![20, 50, 100],
            seeds: 10,
            floors: 30,
            data: 200,
            samples: 500,
            image_points: 200,
            image_points_samples: 200,
            projections: 64,
            rate: 1e-3,
            floor: 0.002,
            pilot: 1_000,
            networks: String::new(),
            n_data: 4000,
            n_held_out: 1000,
            classifier_steps: 2000,
            images: 64,
            image_pilot: 32,
            start_level: 10.0,
            network_floor: 0.03,
            timing: false,
        }
    }

    fn quick(&self) -> Settings {
        Settings {
            evaluations: vec![12],
            seeds: 2,
            floors: 4,
            data: 20,
            samples: 60,
            image_points: 20,
            image_points_samples: 20,
            projections: 16,
            pilot: 40,
            n_data: 200,
            n_held_out: 60,
            classifier_steps: 40,
            images: 20,
            image_pilot: 4,
            timing: false,
            ..self.full()
        }
    }

    fn units(&self, settings: &Settings) -> Result<Vec<(String, Unit)>> {
        let Settings { evaluations, seeds, floors, samples, images, pilot, image_pilot, .. } = settings;
        ensure!(!evaluations.is_empty(), "setting `evaluations` is empty");
        ensure!(evaluations.is_sorted_by(|a, b| a < b), "setting `evaluations` does not ascend");
        for &budget in evaluations {
            ensure!((5..=1000).contains(&budget), "setting `evaluations`: {budget}, between 5 and 1000 each");
        }
        for (name, value, least) in [
            ("seeds", *seeds, 2),
            ("floors", *floors, 2),
            ("samples", *samples, 20),
            ("image_points_samples", settings.image_points_samples, 20),
            ("data", settings.data, 10),
            ("image_points", settings.image_points, 10),
            ("images", *images, 20),
            ("pilot", *pilot, 2),
            ("image_pilot", *image_pilot, 2),
        ] {
            ensure!(value >= least, "setting `{name}` = {value}: at least {least}");
        }
        let mut units = Vec::new();
        for place in Set::ALL.into_iter().map(Place::Exact).chain([Place::Learned]) {
            units.push((format!("{}.exact", place.stem()), Unit { place, method: None, seed: 0 }));
            for method in place.methods() {
                for seed in 0..*seeds {
                    let name = format!("{}.{}.s{seed}", place.stem(), method.stem());
                    units.push((name, Unit { place, method: Some(method), seed }));
                }
            }
        }
        Ok(units)
    }

    fn measure(&self, unit: &Unit, settings: &Settings, context: &Context) -> Result<Vec<Run>> {
        match unit.place {
            Place::Exact(set) => toys::measure(set, unit.method, unit.seed, settings, context),
            Place::Learned => images::measure(unit.method, unit.seed, settings, context),
        }
    }

    fn conclude(&self, settings: &Settings, measured: Vec<(Unit, Vec<Run>)>) -> Result<Outcome> {
        report::outcome(settings, &measured)
    }
}

/// The step of a method of the random horizon at a budget, where there is one: found once, whichever unit asks first.
fn eta(
    place: Place,
    method: Random,
    budget: usize,
    settings: &Settings,
    context: &Context,
    pilot: impl FnOnce() -> Result<Option<f64>>,
) -> Result<Option<f64>> {
    let key = format!(
        "{} {} {budget} {} {:?} {}",
        place.stem(),
        method.stem(),
        context.seed,
        context.data,
        serde_json::to_string(settings)?
    );
    Ok(*ETAS.get(&key, pilot)?)
}
