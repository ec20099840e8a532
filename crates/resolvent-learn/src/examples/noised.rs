//! Data under noise of a level that the model is told.

use super::{Example, Proposal, Source};
use crate::error::{Error, Result, usable};
use crate::model::Conditioning;
use nalgebra::DMatrix;
use rand::RngExt;
use resolvent_core::random::Stream;
use serde::{Deserialize, Serialize};

/// The weight of the squared error |D - x_0|² at level σ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Weighting {
    /// 1/σ² + 1/σ_d² (Karras et al. 2022): the network's output at unit weight under their preconditioning.
    Edm,
    /// 1/σ²: the noise at unit weight (Ho et al. 2020).
    Noise,
    /// 1: the data at unit weight.
    Data,
    /// 1/σ² for every unit of log σ, whatever the proposal: a bound on the likelihood (Song et al. 2021b).
    Likelihood,
}

/// x_0 + σ ε with σ from a proposal: denoising score matching (Vincent 2011).
#[derive(Debug, Clone)]
pub struct Noised<'a> {
    data: &'a DMatrix<f64>,
    proposal: Proposal,
    weighting: Weighting,
    variance: f64,
}

impl<'a> Noised<'a> {
    /// From the columns of `data` (d x n) whose coordinates have the variance `variance` = σ_d².
    ///
    /// # Errors
    /// If there are no data, they are not finite, the proposal is impossible, or the variance is not positive and finite.
    pub fn new(
        data: &'a DMatrix<f64>,
        proposal: Proposal,
        weighting: Weighting,
        variance: f64,
    ) -> Result<Self> {
        usable("data", data)?;
        proposal.validate()?;
        if !(variance.is_finite() && variance > 0.0) {
            return Err(Error::Number { name: "variance", allowed: "positive and finite", value: variance });
        }
        Ok(Self { data, proposal, weighting, variance })
    }
}

impl Source for Noised<'_> {
    fn dim(&self) -> usize {
        self.data.nrows()
    }

    fn suits(&self, conditioning: Conditioning) -> bool {
        conditioning == Conditioning::Told
    }

    fn draw(&self, rng: &mut Stream, point: &mut [f64], target: &mut [f64]) -> Example {
        let origin = rng.random_range(0..self.data.ncols());
        target.copy_from_slice(self.data.column(origin).as_slice());
        let level = self.proposal.draw(rng);
        rng.fill_normals(point);
        point.iter_mut().zip(&*target).for_each(|(x, y)| *x = y + level * *x);
        Example { gain: 1.0, distance: 1.0, weight: self.log_weight(level).exp(), level }
    }

    fn log_weight(&self, level: f64) -> f64 {
        let noise = -2.0 * level.ln();
        match self.weighting {
            Weighting::Edm => (1.0 / (level * level) + 1.0 / self.variance).ln(),
            Weighting::Noise => noise,
            Weighting::Data => 0.0,
            Weighting::Likelihood => noise - self.proposal.log_density(level),
        }
    }
}
