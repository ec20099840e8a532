//! Data under noise on some of their coordinates.

use super::{Place, datum, normal};
use crate::error::{Error, Result, usable};
use crate::examples::Proposal;
use nalgebra::DMatrix;
use rand::RngExt;
use resolvent_core::random::Stream;

/// y + σ N on a random subset of the coordinates, y elsewhere.
#[derive(Debug, Clone)]
pub struct PartialNoise<'a> {
    data: &'a DMatrix<f64>,
    level: Proposal,
    share: Option<f64>,
}

impl<'a> PartialNoise<'a> {
    /// On the columns of `data` (d x n), σ drawn from `level`, every coordinate by itself with the chance `share`, or with one
    /// drawn uniformly from (0, 1) for every point.
    ///
    /// # Errors
    /// If there are no data, they are not finite, `level` is no law, or `share` lies outside (0, 1].
    pub fn new(data: &'a DMatrix<f64>, level: Proposal, share: Option<f64>) -> Result<Self> {
        usable("data", data)?;
        level.validate()?;
        chance("partial-noise.share", share)?;
        Ok(Self { data, level, share })
    }
}

/// Refuses what is no chance, or none at all.
pub(super) fn chance(name: &'static str, share: Option<f64>) -> Result<()> {
    match share {
        Some(value) if !(value > 0.0 && value <= 1.0) => {
            Err(Error::Number { name, allowed: "above 0 and at most 1", value })
        }
        _ => Ok(()),
    }
}

impl Place for PartialNoise<'_> {
    fn dim(&self) -> usize {
        self.data.nrows()
    }

    fn draw(&self, rng: &mut Stream, point: &mut [f64]) {
        datum(self.data, rng, point);
        let level = self.level.draw(rng);
        let share = self.share.unwrap_or_else(|| rng.random());
        for x in point {
            if rng.random::<f64>() < share {
                *x += level * normal(rng);
            }
        }
    }
}
