//! How good a set of samples is, by several judges.

use anyhow::Result;
use nalgebra::DMatrix;
use resolvent::metrics::{
    Bandwidth, Order, density_coverage, frechet_distance, median_bandwidth, mmd, precision_recall,
    sliced_wasserstein,
};
use serde::{Deserialize, Serialize};

/// Neighbours whose distance makes a neighbourhood (Naeem et al. 2020).
pub(super) const NEIGHBOURS: usize = 5;
/// Draws in either half that the median distance is taken of.
const MEDIAN_POINTS: usize = 100;

/// The judgements of one set of samples; what does not apply is absent.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Quality {
    /// Sliced Wasserstein distance to draws of the law.
    pub(super) sliced: f64,
    /// Squared maximum mean discrepancy, Gaussian kernel as wide as the median distance of draws; unbiased, so it may be negative.
    pub(super) mmd: Option<f64>,
    pub(super) precision: Option<f64>,
    pub(super) recall: Option<f64>,
    pub(super) density: Option<f64>,
    pub(super) coverage: Option<f64>,
    /// Mean distance to the support.
    pub(super) distance: Option<f64>,
    /// Squared Fréchet distance of the features.
    pub(super) features: Option<f64>,
}

impl Quality {
    /// Of `points` against `draws` of the law, by the distances of order `order` along `projections` directions.
    pub(super) fn of(
        points: &DMatrix<f64>,
        draws: &DMatrix<f64>,
        projections: usize,
        order: Order,
        seed: u64,
    ) -> Result<Self> {
        Ok(Self {
            sliced: sliced_wasserstein(points, draws, projections, order, seed)?.value,
            mmd: None,
            precision: None,
            recall: None,
            density: None,
            coverage: None,
            distance: None,
            features: None,
        })
    }

    /// And the discrepancy, with the median distance among the draws as the width: the same for every sampler.
    pub(super) fn discrepancy(self, points: &DMatrix<f64>, draws: &DMatrix<f64>) -> Result<Self> {
        let half = MEDIAN_POINTS.min(draws.ncols() / 2);
        let part = |first| draws.columns(first, half).into_owned();
        let width = Bandwidth::Fixed(median_bandwidth(&part(0), &part(half))?);
        Ok(Self { mmd: Some(mmd(points, draws, width)?.value), ..self })
    }

    /// And what neighbourhoods tell, in the space of `points` and `landmarks`.
    pub(super) fn neighbourhoods(self, points: &DMatrix<f64>, landmarks: &DMatrix<f64>) -> Result<Self> {
        let near = precision_recall(points, landmarks, NEIGHBOURS)?;
        let dense = density_coverage(points, landmarks, NEIGHBOURS)?;
        Ok(Self {
            precision: Some(near.precision.value),
            recall: Some(near.recall.value),
            density: Some(dense.density.value),
            coverage: Some(dense.coverage.value),
            ..self
        })
    }

    /// And the distance of features (k x n and k x m).
    pub(super) fn features(self, features: &DMatrix<f64>, of_draws: &DMatrix<f64>) -> Result<Self> {
        Ok(Self { features: Some(frechet_distance(features, of_draws)?.value), ..self })
    }
}
