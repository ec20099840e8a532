//! `noise-level`: how well a network knows the noise that it was never told.

use anyhow::Result;
use nalgebra::DMatrix;
use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;
use resolvent::core::random::Stream;
use resolvent::core::random::{Purpose, stream};
use resolvent::data::Glyphs;
use resolvent::data::glyphs::SIDE;
use resolvent::learn::engine::Native;
use resolvent::learn::model::SavedModel;
use resolvent::metrics::{Estimate, mean};
use serde::{Deserialize, Serialize};

use super::labelled_images::{grey, pixels};
use crate::experiment::{Context, Experiment};
use crate::outcome::{Check, Figure, Outcome, Table, cells};
use crate::plot::{Axis, Chart, ImagePanel, Series, image_panels};
use crate::shipped;

/// Images that go through the network together.
const TOGETHER: usize = 32;
/// Images shown of each kind of noise.
const SHOWN: usize = 6;
/// Where the bounds come from.
const TARGET: &str = "target set before training";

/// The experiment.
pub(crate) struct NoiseLevel;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// Images, none of which the network has seen.
    images: usize,
    /// Standard deviations of Gaussian noise.
    levels: Vec<f64>,
    /// The largest relative standard deviation allowed of the estimate, and its largest relative bias, at levels from 0.2 to 3.
    scatter: f64,
    bias: f64,
    /// The root mean square of the other kinds of noise.
    other_level: f64,
}

/// Noise of some kind whose root mean square is given.
#[derive(Clone, Copy)]
enum Noise {
    Gaussian,
    Laplace,
    Uniform,
    SaltAndPepper,
    /// On a random half of the pixels, √2 times as much.
    HalfOfThePixels,
    /// On the lower half of the image, √2 times as much.
    LowerHalf,
}

impl Noise {
    const ALL: [Self; 6] = [
        Self::Gaussian,
        Self::Laplace,
        Self::Uniform,
        Self::SaltAndPepper,
        Self::HalfOfThePixels,
        Self::LowerHalf,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Gaussian => "Gaussian",
            Self::Laplace => "Laplace",
            Self::Uniform => "uniform",
            Self::SaltAndPepper => "salt and pepper",
            Self::HalfOfThePixels => "Gaussian on half of the pixels",
            Self::LowerHalf => "Gaussian on the lower half",
        }
    }

    /// A draw of unit mean square for pixel `pixel`.
    fn draw(self, pixel: usize, rng: &mut Stream) -> f64 {
        let normal: f64 = StandardNormal.sample(rng);
        let u: f64 = rng.random();
        match self {
            Self::Gaussian => normal,
            // The double exponential law of scale b has the variance 2 b².
            Self::Laplace => {
                (u - 0.5).signum() * -(1.0 - (2.0 * u - 1.0).abs()).max(f64::MIN_POSITIVE).ln() / 2f64.sqrt()
            }
            Self::Uniform => 12f64.sqrt() * (u - 0.5),
            // One pixel in ten is off by as much up or down.
            Self::SaltAndPepper if u < 0.1 => 10f64.sqrt() * normal.signum(),
            Self::HalfOfThePixels if u < 0.5 => 2f64.sqrt() * normal,
            Self::LowerHalf if pixel >= SIDE * SIDE / 2 => 2f64.sqrt() * normal,
            Self::SaltAndPepper | Self::HalfOfThePixels | Self::LowerHalf => 0.0,
        }
    }
}

/// Levels seen over the level given, by the network and by the Gaussian fit alone.
struct Seen {
    network: Estimate,
    scatter: f64,
    fit: Estimate,
    fit_scatter: f64,
}

fn noisy(images: &DMatrix<f64>, noise: Noise, level: f64, seed: u64, part: usize) -> DMatrix<f64> {
    let mut out = images.clone();
    let n = images.ncols();
    for (i, mut column) in out.column_iter_mut().enumerate() {
        let mut rng = stream(seed, Purpose::Experiment, (part * n + i) as u64);
        column.iter_mut().enumerate().for_each(|(pixel, x)| *x += level * noise.draw(pixel, &mut rng));
    }
    out
}

fn seen(saved: &SavedModel, points: &DMatrix<f64>, level: f64) -> Result<Seen> {
    let d = points.nrows();
    let with = |parameters: &[f32]| -> Vec<f64> {
        let tiles = points.as_slice().par_chunks(TOGETHER * d);
        let levels =
            tiles.flat_map_iter(|tile| saved.model.estimate(&Native, parameters, tile, None).log_levels);
        levels.map(|l| l.exp() / level).collect()
    };
    let statistics = |ratios: &[f64]| -> Result<(Estimate, f64)> {
        let mean = mean(ratios)?;
        Ok((mean, mean.standard_error * (ratios.len() as f64).sqrt() / mean.value))
    };
    let (network, scatter) = statistics(&with(&saved.parameters))?;
    // Without its head the level is that of the Gaussian fit.
    let (fit, fit_scatter) = statistics(&with(&vec![0.0; saved.parameters.len()]))?;
    Ok(Seen { network, scatter, fit, fit_scatter })
}

impl Experiment for NoiseLevel {
    type Settings = Settings;

    fn name(&self) -> &'static str {
        "noise-level"
    }

    fn summary(&self) -> &'static str {
        "the noise level that the shipped spatial score of the glyphs reads off an image, for noise of several kinds"
    }

    fn seconds(&self) -> u32 {
        15
    }

    fn full(&self) -> Settings {
        Settings {
            images: 1000,
            levels: vec![0.03, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.0, 6.0],
            scatter: 0.05,
            bias: 0.05,
            other_level: 0.5,
        }
    }

    fn quick(&self) -> Settings {
        Settings { images: 100, levels: vec![0.1, 0.4, 1.6], ..self.full() }
    }

    fn run(&self, settings: &Settings, context: &Context) -> Result<Outcome> {
        let saved = shipped::glyphs_spatial()?;
        // The checkpoint was trained on other glyphs: its seed is 1, its held-out images those of seed 2.
        let (images, _) = Glyphs.dataset(settings.images, context.seed.wrapping_add(1000));
        let mut outcome = Outcome::default();
        let columns = ["σ", "seen by the network/σ", "±", "scatter", "by the Gaussian fit/σ", "±", "scatter"];
        let caption = "The level estimated by the network, and by the likelihood of a Gaussian fit to the data that it starts from, over \
                       the true one; the scatter is the standard deviation over the mean.";
        let mut table = Table::new("gaussian-noise", caption, &columns);
        let mut rows = Vec::new();
        for (part, &level) in settings.levels.iter().enumerate() {
            context.proceed()?;
            let seen = seen(&saved, &noisy(&images, Noise::Gaussian, level, context.seed, part), level)?;
            if (0.2..=3.0).contains(&level) {
                let scatter = format!("scatter of the level seen at σ = {level}");
                let bias = format!("bias of the level seen at σ = {level}");
                outcome.checks.push(Check::at_most(scatter, seen.scatter, settings.scatter, TARGET));
                outcome.checks.push(Check::at_most(
                    bias,
                    (seen.network.value - 1.0).abs(),
                    settings.bias,
                    TARGET,
                ));
            }
            let (network, fit) = (seen.network, seen.fit);
            table.push(cells![
                level,
                network.value,
                network.standard_error,
                seen.scatter,
                fit.value,
                fit.standard_error,
                seen.fit_scatter
            ]);
            rows.push((level, seen));
        }
        outcome.tables.push(table);
        let of = |f: fn(&Seen) -> f64| rows.iter().map(|(level, seen)| (*level, f(seen))).collect::<Vec<_>>();
        let chart =
            Chart::new(Axis::log("noise level σ"), Axis::log("relative standard deviation of the estimate"))
                .series(Series::marked("network", of(|seen| seen.scatter)))
                .series(Series::marked("Gaussian fit", of(|seen| seen.fit_scatter)))
                .reference(settings.scatter, "target");
        let caption = "Scatter of the noise level that the spatial score reads off an image it is not told the noise of.";
        outcome.figures.push(Figure::new("scatter", caption, chart.svg()?));

        let caption = format!(
            "Noise of other kinds with the root mean square {}: what matters to the score is how far the image is from the data, and \
             the network reads that off what it was never trained on as well or badly as this shows.",
            settings.other_level
        );
        let columns = [
            "noise",
            "seen by the network/root mean square",
            "±",
            "scatter",
            "by the Gaussian fit/root mean square",
            "±",
        ];
        let mut table = Table::new("other-noise", caption, &columns);
        let mut shown = Vec::new();
        for (kind, noise) in Noise::ALL.into_iter().enumerate() {
            context.proceed()?;
            let part = settings.levels.len() + kind;
            let points = noisy(&images, noise, settings.other_level, context.seed, part);
            let seen = seen(&saved, &points, settings.other_level)?;
            let (network, fit) = (seen.network, seen.fit);
            table.push(cells![
                noise.name(),
                network.value,
                network.standard_error,
                seen.scatter,
                fit.value,
                fit.standard_error
            ]);
            let few = points.columns(0, SHOWN.min(points.ncols())).into_owned();
            let estimate = saved.model.estimate(&Native, &saved.parameters, few.as_slice(), None);
            let denoised: Vec<f64> = estimate.denoised.iter().map(|v| f64::from(*v)).collect();
            let denoised = DMatrix::from_vec(few.nrows(), few.ncols(), denoised);
            shown.push((noise.name().to_owned(), few, denoised));
        }
        outcome.tables.push(table);
        let labels: Vec<String> = shown.iter().map(|(name, _, _)| name.clone()).collect();
        let row =
            |batch| -> Vec<_> { (0..SHOWN.min(settings.images)).map(|i| grey(pixels(batch, i))).collect() };
        let panels = [
            ImagePanel {
                heading: "noisy".to_owned(),
                rows: shown.iter().map(|(_, few, _)| row(few)).collect(),
            },
            ImagePanel {
                heading: "denoised".to_owned(),
                rows: shown.iter().map(|(_, _, d)| row(d)).collect(),
            },
        ];
        let caption = "Glyphs under noise of several kinds, all with the same root mean square, and what the spatial score denoises them to.";
        outcome.figures.push(Figure::new("kinds-of-noise", caption, image_panels(&labels, &panels)?));
        Ok(outcome)
    }
}
