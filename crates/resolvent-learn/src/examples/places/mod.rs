//! Laws of points near the data and off them, for targets that are known at every point.

mod blurred;
mod combination;
mod masked;
mod mixture;
mod noise;
mod partial_noise;

pub use blurred::Blurred;
pub use combination::Combination;
pub use masked::{Fill, Masked, Part};
pub use mixture::Places;
pub use noise::Noise;
pub use partial_noise::PartialNoise;

use super::Proposal;
use crate::error::{Error, Result};
use nalgebra::DMatrix;
use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};
use resolvent_core::random::Stream;
use serde::{Deserialize, Serialize};

/// A law of points in R^d.
pub trait Place: Send + Sync {
    /// Dimension d.
    fn dim(&self) -> usize;

    /// Draws a point (d).
    fn draw(&self, rng: &mut Stream, point: &mut [f64]);
}

/// A law of points made from data.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum PlaceSettings {
    /// [`Noise`] on all coordinates.
    Noise {
        /// The law of its level σ.
        level: Proposal,
    },
    /// [`PartialNoise`]: noise on some coordinates.
    PartialNoise {
        /// The law of its level σ.
        level: Proposal,
        /// The chance of a coordinate to be among them, in (0, 1]; drawn anew for every point, uniformly, if it is not given.
        #[serde(default)]
        share: Option<f64>,
    },
    /// [`Masked`]: some coordinates overwritten.
    Masked {
        /// Which.
        part: Part,
        /// By what.
        fill: Fill,
    },
    /// [`Blurred`] square images.
    Blurred {
        /// The smallest standard deviation of the blur, in pixels.
        least: f64,
        /// The largest.
        most: f64,
    },
    /// [`Combination`]: convex combinations of data.
    Combination {
        /// Of how many, at least 2.
        of: usize,
    },
}

impl PlaceSettings {
    /// The law of these settings from the columns of `data` (d x n).
    ///
    /// # Errors
    /// If there are no data, they are not finite, a setting is impossible, or the data are not the images that a law asks for.
    pub fn build<'a>(&self, data: &'a DMatrix<f64>) -> Result<Box<dyn Place + 'a>> {
        Ok(match *self {
            Self::Noise { level } => Box::new(Noise::new(data, level)?),
            Self::PartialNoise { level, share } => Box::new(PartialNoise::new(data, level, share)?),
            Self::Masked { part, fill } => Box::new(Masked::new(data, part, fill)?),
            Self::Blurred { least, most } => Box::new(Blurred::new(data, least, most)?),
            Self::Combination { of } => Box::new(Combination::new(data, of)?),
        })
    }
}

/// A law in a mixture of several.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WeightedPlace {
    /// Its share, relative to the others'.
    #[serde(default = "weight")]
    pub weight: f64,
    /// The law.
    pub place: PlaceSettings,
    /// The law of the level σ of noise put on top, if any.
    #[serde(default)]
    pub noise: Option<Proposal>,
}

fn weight() -> f64 {
    1.0
}

/// Writes a datum, drawn uniformly.
fn datum(data: &DMatrix<f64>, rng: &mut Stream, point: &mut [f64]) {
    let column = rng.random_range(0..data.ncols());
    point.copy_from_slice(data.column(column).as_slice());
}

fn normal(rng: &mut Stream) -> f64 {
    StandardNormal.sample(rng)
}

/// Adds noise of that level to every coordinate.
fn add_noise(level: f64, rng: &mut Stream, point: &mut [f64]) {
    point.iter_mut().for_each(|x| *x += level * normal(rng));
}

/// The side of the square images that the data are.
fn side(data: &DMatrix<f64>) -> Result<usize> {
    let side = data.nrows().isqrt();
    if side * side == data.nrows() {
        Ok(side)
    } else {
        Err(Error::Pixels { name: "data", found: data.nrows(), side })
    }
}
