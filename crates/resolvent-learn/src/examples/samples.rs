//! Points and nothing else.

use super::{Example, Source};
use crate::error::{Result, usable};
use crate::model::Conditioning;
use nalgebra::DMatrix;
use rand::RngExt;
use resolvent_core::random::Stream;

/// Columns of a matrix as they are, for losses that want samples of a law alone: score matching and density ratios.
#[derive(Debug, Clone)]
pub struct Samples<'a> {
    points: &'a DMatrix<f64>,
}

impl<'a> Samples<'a> {
    /// The columns of `points` (d x n).
    ///
    /// # Errors
    /// If there are none, or they are not finite.
    pub fn new(points: &'a DMatrix<f64>) -> Result<Self> {
        usable("data", points)?;
        Ok(Self { points })
    }
}

impl Source for Samples<'_> {
    fn dim(&self) -> usize {
        self.points.nrows()
    }

    fn suits(&self, _conditioning: Conditioning) -> bool {
        false
    }

    fn draw(&self, rng: &mut Stream, point: &mut [f64], target: &mut [f64]) -> Example {
        let column = rng.random_range(0..self.points.ncols());
        point.copy_from_slice(self.points.column(column).as_slice());
        target.copy_from_slice(point);
        Example { gain: 1.0, distance: 0.0, weight: 1.0, level: 0.0 }
    }

    fn log_weight(&self, _level: f64) -> f64 {
        0.0
    }
}
