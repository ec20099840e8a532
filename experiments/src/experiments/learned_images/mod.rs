//! `learned-glyphs` and `learned-mnist`: a spatial score of images that knows no time, and the same network told the time.

mod denoising;
mod recipes;
pub(super) mod sampling;

use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};

use self::denoising::Denoising;
use super::judge::Judge;
use super::labelled_images::LabelledImages;
use super::training::{Training, loss_chart, train};
use crate::experiment::{Context, Experiment};
use crate::outcome::{Check, Figure, Outcome};

/// Where the bounds of the learned models come from.
const TARGET: &str = "target set before training";

/// The noise per pixel that a network of the glyphs can tell from none.
const GLYPH_FLOOR: f64 = 0.03;

/// Images of the glyph family.
pub(crate) struct LearnedGlyphs;

/// The images of a folder in the format of MNIST.
pub(crate) struct LearnedMnist;

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// Images to learn from, and held out.
    n_data: usize,
    n_held_out: usize,
    /// Channels of the U-Net at 14 x 14 and 7 x 7 pixels, and residual blocks at each resolution on each way.
    channels: Vec<usize>,
    blocks: usize,
    /// Steps of training, the same for both models, and examples in each.
    steps: u64,
    batch: usize,
    learning_rate: f64,
    /// Mean and standard deviation of log σ in training.
    level_mean: f64,
    level_deviation: f64,
    /// Killing rate r.
    rate: f64,
    /// Noise levels on which the denoisers are judged.
    levels: Vec<f64>,
    /// The largest root mean square error allowed at each level; 0 stands for that of the Wiener filter told the level, times
    /// `wiener_factor`.
    rmse_bounds: Vec<f64>,
    wiener_factor: f64,
    /// How much larger the spatial model's error may be than that of its twin.
    twin_factor: f64,
    /// The largest relative standard deviation of the estimated level.
    level_scatter: f64,
    /// Steps of the classifier's training.
    classifier_steps: u64,
    /// Images drawn with each sampler, and evaluations granted for each.
    samples: usize,
    evaluations: usize,
    /// The noise level at which the backward process starts.
    start_level: f64,
    /// η of the bridge and of the flux flow, and the noise per coordinate at which both end.
    bridge_eta: f64,
    flux_eta: f64,
    floor: f64,
}

fn full() -> Settings {
    Settings {
        n_data: 8000,
        n_held_out: 2000,
        channels: vec![32, 64],
        blocks: 2,
        steps: 5000,
        batch: 32,
        learning_rate: 2e-3,
        level_mean: -0.4,
        level_deviation: 1.3,
        rate: 0.01,
        levels: vec![0.1, 0.2, 0.4, 0.8, 1.6, 3.0],
        rmse_bounds: vec![0.0; 6],
        wiener_factor: 1.0,
        twin_factor: 1.1,
        level_scatter: 0.05,
        classifier_steps: 2000,
        samples: 512,
        evaluations: 60,
        start_level: 10.0,
        bridge_eta: 0.2,
        flux_eta: 0.12,
        floor: 0.02,
    }
}

fn quick() -> Settings {
    Settings {
        n_data: 300,
        n_held_out: 60,
        channels: vec![8, 16],
        blocks: 1,
        steps: 60,
        levels: vec![0.4, 1.6],
        rmse_bounds: vec![0.0; 2],
        // A minute's training is not to be had in a second: the bounds say only that nothing is broken.
        wiener_factor: 1.1,
        twin_factor: 1.3,
        level_scatter: 0.15,
        classifier_steps: 60,
        samples: 20,
        evaluations: 20,
        bridge_eta: 0.5,
        flux_eta: 0.4,
        ..full()
    }
}

impl Experiment for LearnedGlyphs {
    type Settings = Settings;

    fn name(&self) -> &'static str {
        "learned-glyphs"
    }

    fn summary(&self) -> &'static str {
        "a learned spatial score of digit images beside its time-conditioned twin: denoising, noise levels, samples"
    }

    fn seconds(&self) -> u32 {
        420
    }

    fn full(&self) -> Settings {
        Settings { steps: 3000, floor: GLYPH_FLOOR, ..full() }
    }

    fn quick(&self) -> Settings {
        quick()
    }

    fn run(&self, settings: &Settings, context: &Context) -> Result<Outcome> {
        let glyphs = Context { seed: context.seed, data: None };
        run(settings, &LabelledImages::load(settings.n_data, settings.n_held_out, &glyphs)?, context)
    }
}

impl Experiment for LearnedMnist {
    type Settings = Settings;

    fn name(&self) -> &'static str {
        "learned-mnist"
    }

    fn summary(&self) -> &'static str {
        "the same on the images of --data, with bounds for MNIST; on the glyphs without --data"
    }

    fn seconds(&self) -> u32 {
        900
    }

    fn full(&self) -> Settings {
        Settings { rmse_bounds: vec![0.0, 0.09, 0.14, 0.2, 0.285, 0.0], ..full() }
    }

    fn quick(&self) -> Settings {
        quick()
    }

    fn run(&self, settings: &Settings, context: &Context) -> Result<Outcome> {
        let mut settings = settings.clone();
        if context.data.is_none() {
            // The glyphs stand in, to which the bounds for MNIST do not belong.
            settings.rmse_bounds.fill(0.0);
            settings.floor = settings.floor.max(GLYPH_FLOOR);
        }
        let images = LabelledImages::load(settings.n_data, settings.n_held_out, context)?;
        run(&settings, &images, context)
    }
}

/// The two models that are compared.
struct Twins {
    spatial: Training,
    told: Training,
}

fn run(settings: &Settings, images: &LabelledImages, context: &Context) -> Result<Outcome> {
    let (levels, bounds) = (settings.levels.len(), settings.rmse_bounds.len());
    ensure!(levels == bounds, "{levels} `levels`, but {bounds} `rmse_bounds`");
    ensure!(settings.samples >= 20, "`samples` must be at least 20, got {}", settings.samples);
    let judge = Judge::new(settings.classifier_steps, images, context)?;
    let twin = |name, recipe| train(context, name, &recipe, &images.data, &images.held_out);
    let twins = Twins {
        spatial: twin("spatial score", recipes::spatial(settings, context.seed))?,
        told: twin("time-conditioned", recipes::told(settings, context.seed))?,
    };

    let mut outcome = Outcome::default();
    let denoising = Denoising::measure(settings, &twins, images, context)?;
    denoising.report(settings, &mut outcome)?;
    sampling::report(settings, &twins, images, &judge, context, &mut outcome)?;
    outcome.checks.push(Check::at_least(
        "accuracy of the judging classifier",
        judge.accuracy,
        Judge::least(settings.classifier_steps),
        TARGET,
    ));
    outcome.tables.push(recipes::table(&twins, images));
    let trainings = [("spatial", &twins.spatial), ("time-conditioned", &twins.told)];
    let caption = "Loss of the two models. They are different quantities; what is comparable is the error of the denoisers.";
    outcome.figures.push(Figure::new("loss", caption, loss_chart(&trainings)?));
    Ok(outcome)
}
