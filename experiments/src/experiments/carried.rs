//! Images carried to the data by the backward process with a learned spatial score, and what came of images by any method.

use std::ops::ControlFlow;

use anyhow::Result;
use nalgebra::DMatrix;
use resolvent::core::control::Contraction;
use resolvent::core::killing::ResidualNoise;
use resolvent::core::step::{Bridge, MultistepFlux};
use resolvent::core::{Ensemble, Exit, KilledBrownianMotion, Sampler, Score, ScoreAdaptive, Step};
use resolvent::data::glyphs::SIDE;
use resolvent::learn::model::SavedModel;
use resolvent::learn::score::LearnedScore;
use resolvent::metrics;
use serde::{Deserialize, Serialize};

use super::judge::Judge;
use crate::interrupt;

/// White on black is one, so the whole range is two.
pub(super) const RANGE: f64 = 2.0;
/// Images that go through a network together.
const TOGETHER: usize = 32;

/// The backward process with a learned score.
pub(super) struct Carrier {
    process: KilledBrownianMotion,
    score: LearnedScore,
    control: ScoreAdaptive,
    contraction: Contraction,
    rule: ResidualNoise,
    cap: usize,
}

impl Carrier {
    /// With these η of the bridge and of the flux flow; both end at noise of `floor` per pixel, or after `cap` evaluations.
    pub(super) fn new(
        saved: &SavedModel,
        (bridge_eta, flux_eta): (f64, f64),
        floor: f64,
        cap: usize,
    ) -> Result<Self> {
        let score = LearnedScore::new(saved.model.clone(), saved.parameters.clone())?.clip(-1.0, 1.0)?;
        let dim = score.dim();
        let process = KilledBrownianMotion::new(dim, 1.0, saved.model.settings().rate)?;
        let delta = floor * (dim as f64).sqrt();
        // The learned gain is known to a few per cent, from which the spread of the posterior cannot be told.
        let control = ScoreAdaptive::new(bridge_eta, delta)?.ignoring_spread();
        let rule = ResidualNoise::new(&process, delta)?;
        Ok(Self { control, contraction: Contraction::new(flux_eta)?, rule, process, score, cap })
    }

    /// The score.
    pub(super) fn score(&self) -> &LearnedScore {
        &self.score
    }

    /// One run of the bridge from every column of `starts`.
    pub(super) fn bridge(&self, starts: &DMatrix<f64>, seed: u64) -> Result<Ensemble> {
        self.bridge_by(&Bridge::new(&self.score), starts, seed)
    }

    /// The same with another step that samples the lifetime.
    pub(super) fn bridge_by(&self, step: &dyn Step, starts: &DMatrix<f64>, seed: u64) -> Result<Ensemble> {
        let sampler = Sampler::new(&self.process, step, &self.control).batch(TOGETHER).cap(self.cap);
        run(&sampler, starts, seed)
    }

    /// The flux flow from every column of `starts`.
    pub(super) fn flux(&self, starts: &DMatrix<f64>) -> Result<Ensemble> {
        let flow = MultistepFlux::new(&self.score);
        let sampler = Sampler::new(&self.process, &flow, &self.contraction).batch(TOGETHER).cap(self.cap);
        run(&sampler.killing("noise", &self.rule).final_denoise(true), starts, 0)
    }
}

fn run(sampler: &Sampler<'_>, starts: &DMatrix<f64>, seed: u64) -> Result<Ensemble> {
    let observer =
        |_| if interrupt::requested() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
    Ok(sampler.run_observed(starts, seed, &observer)?)
}

/// Columns of `batch`, each `times` times.
pub(super) fn repeated(batch: &DMatrix<f64>, times: usize) -> DMatrix<f64> {
    let columns: Vec<usize> = (0..batch.ncols()).flat_map(|i| std::iter::repeat_n(i, times)).collect();
    batch.select_columns(&columns)
}

/// The mean of every `times` neighbouring columns.
pub(super) fn averaged(batch: &DMatrix<f64>, times: usize) -> DMatrix<f64> {
    let means: Vec<_> =
        (0..batch.ncols() / times).map(|i| batch.columns(i * times, times).column_mean()).collect();
    DMatrix::from_columns(&means)
}

/// Runs that neither a rule nor a horizon ended.
pub(super) fn lost(ensemble: &Ensemble) -> usize {
    let ended = |exit: &&Exit| matches!(exit, Exit::Killed { .. } | Exit::Horizon);
    ensemble.exits.len() - ensemble.exits.iter().filter(ended).count()
}

/// How good images are, and what they cost: means over the images of a unit.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Quality {
    /// Decibels against the originals.
    pub(super) psnr: f64,
    pub(super) ssim: f64,
    /// The share that the judge puts into the class of the original.
    pub(super) class_kept: f64,
    /// Evaluations of a network or score for one image, where there are any.
    pub(super) evaluations: Option<f64>,
    /// Images that did not end as they should.
    pub(super) lost: usize,
    /// The first images, a byte a pixel, where they are to be shown.
    pub(super) pictures: Vec<u8>,
}

/// The originals of a unit with their classes, and who judges what is made of them.
pub(super) struct Originals<'a> {
    pub(super) images: DMatrix<f64>,
    pub(super) labels: &'a [u8],
    pub(super) judge: &'a Judge,
    /// Images to keep for figures.
    pub(super) shown: usize,
}

impl Originals<'_> {
    /// The first of every `times` neighbouring columns, of so many as are to be shown.
    fn pictures(&self, points: &DMatrix<f64>, times: usize) -> Vec<u8> {
        (0..self.shown)
            .flat_map(|i| points.column(i * times).iter().map(|x| byte(*x)).collect::<Vec<_>>())
            .collect()
    }

    /// The originals that are to be shown.
    pub(super) fn own_pictures(&self) -> Vec<u8> {
        self.pictures(&self.images, 1)
    }

    /// Of `points` with a whole number of neighbouring columns for each original, cut to the range of pixels.
    pub(super) fn quality(
        &self,
        points: &DMatrix<f64>,
        evaluations: Option<f64>,
        lost: usize,
    ) -> Result<Quality> {
        let points = points.map(|x| x.clamp(-1.0, 1.0));
        let times = points.ncols() / self.images.ncols();
        let originals = repeated(&self.images, times);
        let classes = self.judge.classes(&points);
        let kept = classes.iter().enumerate().filter(|(k, class)| self.labels[k / times] == **class).count();
        Ok(Quality {
            psnr: metrics::mean_psnr(&points, &originals, RANGE)?.value,
            ssim: metrics::mean_ssim(&points, &originals, SIDE, RANGE)?.value,
            class_kept: kept as f64 / classes.len() as f64,
            evaluations,
            lost,
            pictures: self.pictures(&points, times),
        })
    }
}

fn byte(value: f64) -> u8 {
    (127.5 * (value + 1.0)).round() as u8
}

/// Pictures as they were kept, values in [-1, 1] again.
pub(super) fn values(pictures: &[u8]) -> Vec<f64> {
    pictures.iter().map(|byte| f64::from(*byte) / 127.5 - 1.0).collect()
}
