//! `projection-noise`: noisy images carried back to the data, the noise level unknown, beside the methods of others.

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

/// Images under noise of several kinds.
pub(crate) struct ProjectionNoise;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// Images that are the data: of the exact score, the nearest neighbour and the classifier.
    n_data: usize,
    /// Repetitions with other images and other noise, and held-out images in each.
    seeds: u64,
    images: usize,
    /// Standard deviations of Gaussian noise; pixels lie in [-1, 1].
    noise_levels: Vec<f64>,
    /// Standard deviations of Laplace noise.
    laplace_levels: Vec<f64>,
    /// Shares of the pixels that are made black or white.
    salt_and_pepper: Vec<f64>,
    /// Deviations in pixels of a Gaussian blur, and of the noise put on the blurred image.
    blur_widths: Vec<f64>,
    blur_noise: f64,
    /// Runs of the backward process from each image, of which the mean is taken.
    runs: usize,
    /// η of the bridge and of the flux flow, and the noise per pixel at which both end.
    bridge_eta: f64,
    flux_eta: f64,
    floor: f64,
    /// Evaluations of a run at most.
    cap: usize,
    /// SDEdit: levels σ/α to start from, of which the best is shown, and steps.
    sdedit_ratios: Vec<f64>,
    sdedit_steps: usize,
    /// Total variation: weights of which the best is shown, and iterations.
    tv_weights: Vec<f64>,
    tv_iterations: usize,
    /// Iterations of the coarse-to-fine ascent at most.
    ascent_cap: usize,
    /// Steps of the classifier's training.
    classifier_steps: u64,
    /// A folder with spatial.safetensors and told.safetensors, or nothing: the glyph networks of the program, and with --data ones
    /// trained in the run in so many steps (0: as the recipes for MNIST have it).
    networks: String,
    training_steps: u64,
    /// Images shown of each kind of noise.
    shown: usize,
}

/// One kind of noise with one seed.
pub(crate) struct Unit {
    corruption: Corruption,
    /// Its number among the kinds.
    tag: usize,
    seed: u64,
}

fn full() -> Settings {
    Settings {
        n_data: 4000,
        seeds: 8,
        images: 16,
        noise_levels: vec![0.1, 0.2, 0.4, 0.8, 1.6, 3.0],
        laplace_levels: vec![0.4, 0.8],
        salt_and_pepper: vec![0.1, 0.3],
        blur_widths: vec![1.0],
        blur_noise: 0.2,
        runs: 16,
        bridge_eta: 0.1,
        flux_eta: 0.12,
        floor: 0.03,
        cap: 150,
        sdedit_ratios: vec![0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.0],
        sdedit_steps: 25,
        tv_weights: vec![0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2],
        tv_iterations: 300,
        ascent_cap: 1500,
        classifier_steps: 2000,
        networks: String::new(),
        training_steps: 0,
        shown: 5,
    }
}

fn quick() -> Settings {
    Settings {
        n_data: 200,
        seeds: 2,
        images: 2,
        noise_levels: vec![0.1, 0.4, 3.0],
        laplace_levels: vec![],
        salt_and_pepper: vec![],
        blur_widths: vec![],
        runs: 2,
        bridge_eta: 0.3,
        flux_eta: 0.15,
        cap: 40,
        sdedit_ratios: vec![0.4],
        sdedit_steps: 2,
        tv_weights: vec![0.2],
        tv_iterations: 30,
        ascent_cap: 3,
        classifier_steps: 60,
        training_steps: 20,
        shown: 2,
        ..full()
    }
}

impl Settings {
    fn validate(&self) -> Result<()> {
        check_levels("noise_levels", &self.noise_levels)?;
        for (name, levels) in [("laplace_levels", &self.laplace_levels), ("blur_widths", &self.blur_widths)] {
            if !levels.is_empty() {
                check_levels(name, levels)?;
            }
        }
        check_levels("sdedit_ratios", &self.sdedit_ratios)?;
        check_levels("tv_weights", &self.tv_weights)?;
        check_levels("floor", &[self.floor])?;
        let share = |share: &f64| *share > 0.0 && *share <= 1.0;
        ensure!(
            self.salt_and_pepper.iter().all(share),
            "setting `salt_and_pepper` = {:?}: shares lie above 0 and at most at 1",
            self.salt_and_pepper
        );
        ensure!(self.blur_noise >= 0.0, "setting `blur_noise` = {}: must not be negative", self.blur_noise);
        ensure!(self.seeds >= 2, "setting `seeds` = {}: at least 2, for standard errors", self.seeds);
        ensure!(self.images >= 2, "setting `images` = {}: at least 2", self.images);
        ensure!(self.runs > 0, "setting `runs` = 0");
        ensure!(self.sdedit_steps > 0, "setting `sdedit_steps` = 0");
        let most = self.images;
        ensure!((1..=most).contains(&self.shown), "setting `shown` = {}: from 1 to `images`", self.shown);
        Ok(())
    }

    fn corruptions(&self) -> Vec<(String, Corruption)> {
        let noise = self.noise_levels.iter().map(|&l| (format!("gaussian-{l}"), Corruption::Noise(l)));
        let laplace = self.laplace_levels.iter().map(|&l| (format!("laplace-{l}"), Corruption::Laplace(l)));
        let salt = self
            .salt_and_pepper
            .iter()
            .map(|&s| (format!("salt-and-pepper-{s}"), Corruption::SaltAndPepper(s)));
        let blur = self
            .blur_widths
            .iter()
            .map(|&width| (format!("blur-{width}"), Corruption::Blur { width, noise: self.blur_noise }));
        noise.chain(laplace).chain(salt).chain(blur).collect()
    }

    /// Images and judge, and the networks.
    fn bench(&self, context: &Context) -> Result<(Arc<ImageBench>, Arc<Networks>)> {
        let n_held_out = (self.images * self.seeds as usize).max(Judge::HELD_OUT);
        let bench = ImageBench::load(self.n_data, n_held_out, self.classifier_steps, context)?;
        let networks = Networks::load(&self.networks, self.training_steps, &bench.images, context)?;
        Ok((bench, networks))
    }
}

impl Sweep for ProjectionNoise {
    type Settings = Settings;
    type Unit = Unit;
    type Measured = Measured;

    fn name(&self) -> &'static str {
        "projection-noise"
    }

    fn summary(&self) -> &'static str {
        "noisy images of unknown level carried back by a learned spatial score, beside eight other methods; --data for MNIST"
    }

    fn seconds(&self) -> u32 {
        1400
    }

    fn full(&self) -> Settings {
        full()
    }

    fn quick(&self) -> Settings {
        quick()
    }

    fn units(&self, settings: &Settings) -> Result<Vec<(String, Unit)>> {
        settings.validate()?;
        let mut units = Vec::new();
        for (tag, (name, corruption)) in settings.corruptions().into_iter().enumerate() {
            for seed in 0..settings.seeds {
                units.push((format!("{name}-s{seed}"), Unit { corruption, tag, seed }));
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
