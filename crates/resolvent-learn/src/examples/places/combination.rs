//! Convex combinations of data.

use super::Place;
use crate::error::{Error, Result, usable};
use nalgebra::DMatrix;
use rand::RngExt;
use rand_distr::{Distribution, Exp1};
use resolvent_core::random::Stream;

/// Every draw goes through so many data at most.
const MOST: usize = 10_000;

/// Σ λ_i y_i of data y_i drawn uniformly, λ uniform on the simplex.
#[derive(Debug, Clone)]
pub struct Combination<'a> {
    data: &'a DMatrix<f64>,
    of: usize,
}

impl<'a> Combination<'a> {
    /// Of `of` columns, 2 to 10,000, of `data` (d x n).
    ///
    /// # Errors
    /// If there are no data, they are not finite, or `of` is out of its range.
    pub fn new(data: &'a DMatrix<f64>, of: usize) -> Result<Self> {
        usable("data", data)?;
        if of < 2 {
            return Err(Error::TooSmall { name: "combination.of", least: 2, value: of });
        }
        if of > MOST {
            return Err(Error::TooLarge { name: "combination.of", most: MOST, value: of });
        }
        Ok(Self { data, of })
    }
}

impl Place for Combination<'_> {
    fn dim(&self) -> usize {
        self.data.nrows()
    }

    fn draw(&self, rng: &mut Stream, point: &mut [f64]) {
        point.fill(0.0);
        let mut total = 0.0;
        for _ in 0..self.of {
            let share: f64 = Exp1.sample(rng);
            let column = rng.random_range(0..self.data.ncols());
            total += share;
            point.iter_mut().zip(self.data.column(column).iter()).for_each(|(x, y)| *x += share * y);
        }
        point.iter_mut().for_each(|x| *x /= total);
    }
}
