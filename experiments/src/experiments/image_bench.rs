//! Images, the classifier that judges samples of them, and the networks that are run on them.

use std::sync::Arc;

use anyhow::Result;
use nalgebra::DMatrix;
use resolvent::core::KilledBrownianMotion;
use resolvent::learn::score::LearnedScore;
use resolvent::metrics::Order;

use super::horizon_methods::{Backward, Death};
use super::judge::Judge;
use super::labelled_images::LabelledImages;
use super::learned_images::sampling::starts;
use super::memo::Memo;
use super::networks::Networks;
use super::quality::Quality;
use crate::experiment::Context;

/// Particles to a chunk: the tile of the network.
pub(super) const TILE: usize = 32;
/// The range of a pixel.
pub(super) const RANGE: (f64, f64) = (-1.0, 1.0);

/// What all units on images share.
pub(super) struct ImageBench {
    pub(super) images: LabelledImages,
    pub(super) judge: Judge,
    /// Of the held-out images.
    features: DMatrix<f64>,
}

static BENCHES: Memo<ImageBench> = Memo::new();

impl ImageBench {
    /// The images, and a classifier that has learned in `steps` steps.
    pub(super) fn load(n_data: usize, n_held_out: usize, steps: u64, context: &Context) -> Result<Arc<Self>> {
        let key = format!("{n_data} {n_held_out} {steps} {} {:?}", context.seed, context.data);
        BENCHES.get(&key, || {
            let images = LabelledImages::load(n_data, n_held_out, context)?;
            let judge = Judge::new(steps, &images, context)?;
            let features = judge.features(&images.held_out);
            Ok(Self { images, judge, features })
        })
    }

    /// The accuracy of the classifier on the held-out images.
    pub(super) fn accuracy(&self) -> f64 {
        self.judge.accuracy
    }

    /// Of samples (d x n, at least 20): distance of the pixels and of the features to those of the held-out images, and the
    /// neighbourhoods of the features.
    pub(super) fn quality(&self, points: &DMatrix<f64>, projections: usize, seed: u64) -> Result<Quality> {
        let features = self.judge.features(points);
        Quality::of(points, &self.images.held_out, projections, Order::Two, seed)?
            .neighbourhoods(&features, &self.features)?
            .features(&features, &self.features)
    }

    /// `n` images of the data (d x n), others for every `k`.
    pub(super) fn draws(&self, n: usize, k: usize) -> DMatrix<f64> {
        let total = self.images.data.ncols();
        self.images.data.select_columns(&(0..n).map(|i| (k * n + i) % total).collect::<Vec<_>>())
    }

    /// Places where the backward process starts: a Gaussian fit to the data with noise of `level`.
    pub(super) fn starts(&self, level: f64, n: usize, seed: u64) -> DMatrix<f64> {
        starts(&self.images.data, level, n, seed)
    }
}

/// Calls `with` with the backward process that the spatial network of `networks` drives, down to noise of `floor` per pixel.
pub(super) fn backward<T>(
    networks: &Networks,
    floor: f64,
    with: impl FnOnce(&Backward<'_>) -> Result<T>,
) -> Result<T> {
    let model = &networks.spatial.model;
    let score: LearnedScore = networks.spatial.score()?.clip(RANGE.0, RANGE.1)?;
    let process = KilledBrownianMotion::new(model.dim(), 1.0, model.settings().rate)?;
    let floor = floor * (model.dim() as f64).sqrt();
    with(&Backward {
        process,
        score: &score,
        death: Death::Hit,
        floor,
        tells_spread: false,
        batch: Some(TILE),
    })
}
