//! One instance: unequal atoms from the stationary law.

use anyhow::Result;
use nalgebra::DMatrix;
use rand::RngExt;
use rand_distr::StandardNormal;
use resolvent::core::EmpiricalMeasure;
use resolvent::core::killed::KilledOrnsteinUhlenbeck;
use resolvent::core::random::{Purpose, stream};

use super::Settings;

/// The process with θ = 1 and σ² = 2, so that the stationary law is standard normal.
pub(super) fn standard(dim: usize, rate: f64) -> Result<KilledOrnsteinUhlenbeck> {
    Ok(KilledOrnsteinUhlenbeck::new(dim, 1.0, std::f64::consts::SQRT_2, rate)?)
}

/// Data and process in one dimension.
pub(super) struct Problem {
    pub(super) process: KilledOrnsteinUhlenbeck,
    pub(super) measure: EmpiricalMeasure,
    /// A start at one and a half times the scale of the data.
    pub(super) point: Vec<f64>,
}

impl Problem {
    pub(super) fn new(dim: usize, settings: &Settings, seed: u64) -> Result<Self> {
        let mut rng = stream(seed, Purpose::Data, dim as u64);
        let points = DMatrix::from_fn(dim, settings.weights.len(), |_, _| rng.sample(StandardNormal));
        let point = (0..dim).map(|_| 1.5 * rng.sample::<f64, _>(StandardNormal)).collect();
        Ok(Self {
            process: standard(dim, settings.rate)?,
            measure: EmpiricalMeasure::weighted(points, &settings.weights)?,
            point,
        })
    }

    pub(super) fn dim(&self) -> usize {
        self.process.dim()
    }

    /// α, the weights of the atoms.
    pub(super) fn weights(&self) -> Vec<f64> {
        self.measure.log_weights().iter().map(|w| w.exp()).collect()
    }

    /// Atoms drawn with their weights (n).
    pub(super) fn draw(&self, n: usize, seed: u64) -> Vec<usize> {
        let weights = self.weights();
        (0..n)
            .map(|i| {
                let mut left: f64 = stream(seed, Purpose::Start, i as u64).random();
                let chosen = weights.iter().position(|w| {
                    left -= w;
                    left < 0.0
                });
                chosen.unwrap_or(weights.len() - 1)
            })
            .collect()
    }
}
