//! Data under noise.

use super::{Place, add_noise, datum};
use crate::error::{Result, usable};
use crate::examples::Proposal;
use nalgebra::DMatrix;
use resolvent_core::random::Stream;

/// y + σ N with a datum y and σ from a proposal.
#[derive(Debug, Clone)]
pub struct Noise<'a> {
    data: &'a DMatrix<f64>,
    level: Proposal,
}

impl<'a> Noise<'a> {
    /// On the columns of `data` (d x n), σ drawn from `level`.
    ///
    /// # Errors
    /// If there are no data, they are not finite, or `level` is no law.
    pub fn new(data: &'a DMatrix<f64>, level: Proposal) -> Result<Self> {
        usable("data", data)?;
        level.validate()?;
        Ok(Self { data, level })
    }
}

impl Place for Noise<'_> {
    fn dim(&self) -> usize {
        self.data.nrows()
    }

    fn draw(&self, rng: &mut Stream, point: &mut [f64]) {
        datum(self.data, rng, point);
        add_noise(self.level.draw(rng), rng, point);
    }
}
