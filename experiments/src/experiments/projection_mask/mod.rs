//! `projection-mask`: images of which a part is hidden, carried back to the data, beside the methods of others.

mod methods;
mod report;

use std::sync::Arc;

use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};

use self::methods::Measured;
use super::corruption::Corruption;
use super::image_bench::ImageBench;
use super::judge::Judge;
use super::networks::Networks;
use super::score_error::check_levels;
use crate::experiment::Context;
use crate::outcome::Outcome;
use crate::sweep::Sweep;

/// Images with a hidden part.
pub(crate) struct ProjectionMask;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// Images that are the data: of the exact score, the nearest neighbour, the mean and the classifier.
    n_data: usize,
    /// Repetitions with other images and other noise, and held-out images in each.
    seeds: u64,
    images: usize,
    /// Whether the lower half and a square in the centre are hidden, and shares of the pixels hidden at random.
    lower_half: bool,
    centre: bool,
    random: Vec<f64>,
    /// Deviations of the noise around the mean of the data with which hidden pixels are filled.
    fill_noise: Vec<f64>,
    /// Runs of the backward process from each input.
    runs: usize,
    /// η of the bridge, the noise per pixel at which it ends, and evaluations of a run at most.
    bridge_eta: f64,
    floor: f64,
    cap: usize,
    /// Steps of replacement and of SDEdit; levels σ/α for the latter to start from, of which the best is shown.
    steps: usize,
    sdedit_ratios: Vec<f64>,
    /// Iterations of the coarse-to-fine ascent at most.
    ascent_cap: usize,
    /// Steps of the classifier's training.
    classifier_steps: u64,
    /// A folder with spatial.safetensors and told.safetensors, or nothing: the glyph networks of the program, and with --data ones
    /// trained in the run in so many steps (0: as the recipes for MNIST have it).
    networks: String,
    training_steps: u64,
    /// Steps of training of a spatial score that sees masked images too (0: as its recipe has it).
    masked_steps: u64,
    /// Images shown of each mask.
    shown: usize,
}

/// One mask with one seed.
pub(crate) struct Unit {
    mask: Corruption,
    /// Its number among the masks.
    tag: usize,
    seed: u64,
}

impl Settings {
    fn validate(&self) -> Result<()> {
        check_levels("fill_noise", &self.fill_noise)?;
        check_levels("sdedit_ratios", &self.sdedit_ratios)?;
        check_levels("floor", &[self.floor])?;
        let share = |share: &f64| *share > 0.0 && *share < 1.0;
        ensure!(
            self.random.iter().all(share),
            "setting `random` = {:?}: shares lie between 0 and 1",
            self.random
        );
        ensure!(
            self.lower_half || self.centre || !self.random.is_empty(),
            "settings `lower_half`, `centre` and `random` leave no mask"
        );
        ensure!(self.seeds >= 2, "setting `seeds` = {}: at least 2, for standard errors", self.seeds);
        ensure!(self.images >= 2, "setting `images` = {}: at least 2", self.images);
        ensure!(self.runs > 0 && self.steps > 0, "settings `runs` and `steps` must not be 0");
        let most = self.images;
        ensure!((1..=most).contains(&self.shown), "setting `shown` = {}: from 1 to `images`", self.shown);
        Ok(())
    }

    fn masks(&self) -> Vec<(String, Corruption)> {
        let mut masks = Vec::new();
        if self.lower_half {
            masks.push(("lower-half".to_owned(), Corruption::LowerHalf));
        }
        if self.centre {
            masks.push(("centre".to_owned(), Corruption::Centre));
        }
        masks.extend(self.random.iter().map(|&share| (format!("random-{share}"), Corruption::Random(share))));
        masks
    }

    /// Images and judge, and the networks.
    fn bench(&self, context: &Context) -> Result<(Arc<ImageBench>, Arc<Networks>)> {
        let n_held_out = (self.images * self.seeds as usize).max(Judge::HELD_OUT);
        let bench = ImageBench::load(self.n_data, n_held_out, self.classifier_steps, context)?;
        let networks = Networks::load(&self.networks, self.training_steps, &bench.images, context)?;
        Ok((bench, networks))
    }
}

impl Sweep for ProjectionMask {
    type Settings = Settings;
    type Unit = Unit;
    type Measured = Measured;

    fn name(&self) -> &'static str {
        "projection-mask"
    }

    fn summary(&self) -> &'static str {
        "masked images carried back by learned spatial scores: what to fill with, what to train on, and other methods"
    }

    fn seconds(&self) -> u32 {
        1200
    }

    fn full(&self) -> Settings {
        Settings {
            n_data: 4000,
            seeds: 6,
            images: 20,
            lower_half: true,
            centre: true,
            random: vec![0.5, 0.8],
            fill_noise: vec![0.5, 1.0, 2.0],
            runs: 1,
            bridge_eta: 0.2,
            floor: 0.03,
            cap: 150,
            steps: 50,
            sdedit_ratios: vec![0.1, 0.2, 0.4, 0.8, 1.6, 3.0],
            ascent_cap: 1500,
            classifier_steps: 2000,
            networks: String::new(),
            training_steps: 0,
            masked_steps: 0,
            shown: 5,
        }
    }

    fn quick(&self) -> Settings {
        Settings {
            n_data: 200,
            seeds: 2,
            images: 2,
            centre: false,
            random: vec![],
            fill_noise: vec![1.0],
            runs: 1,
            bridge_eta: 0.4,
            cap: 25,
            steps: 3,
            sdedit_ratios: vec![0.8],
            ascent_cap: 3,
            classifier_steps: 60,
            training_steps: 20,
            masked_steps: 20,
            shown: 2,
            ..self.full()
        }
    }

    fn units(&self, settings: &Settings) -> Result<Vec<(String, Unit)>> {
        settings.validate()?;
        let mut units = Vec::new();
        for (tag, (name, mask)) in settings.masks().into_iter().enumerate() {
            for seed in 0..settings.seeds {
                units.push((format!("{name}-s{seed}"), Unit { mask, tag, seed }));
            }
        }
        Ok(units)
    }

    fn measure(&self, unit: &Unit, settings: &Settings, context: &Context) -> Result<Measured> {
        methods::measure(unit, settings, context)
    }

    fn conclude(&self, settings: &Settings, measured: Vec<(Unit, Measured)>) -> Result<Outcome> {
        report::conclude(settings, measured)
    }
}
