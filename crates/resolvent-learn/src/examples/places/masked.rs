//! Data with some of their coordinates overwritten.

use super::partial_noise::chance;
use super::{Place, datum, normal, side};
use crate::error::{Error, Result, usable};
use nalgebra::DMatrix;
use rand::RngExt;
use resolvent_core::random::Stream;
use serde::{Deserialize, Serialize};

/// Which coordinates are overwritten.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Part {
    /// Every coordinate by itself.
    Random {
        /// With this chance, in (0, 1]; drawn anew for every point, uniformly, if it is not given.
        #[serde(default)]
        share: Option<f64>,
    },
    /// The same ones every time.
    Coordinates {
        /// The first.
        from: usize,
        /// One past the last.
        to: usize,
    },
    /// The lower half of a square image; of an odd number of rows, the smaller half.
    LowerHalf,
    /// A rectangle in a square image, drawn anew for every point: height and width uniform from 1 to the side, then its place.
    Rectangle,
}

/// What coordinates are overwritten by.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Fill {
    /// This number.
    Constant(f64),
    /// The mean of the data.
    Mean,
    /// Noise around the mean of the data.
    Noise {
        /// Its standard deviation.
        deviation: f64,
    },
}

/// Data with a part overwritten.
#[derive(Debug, Clone)]
pub struct Masked<'a> {
    data: &'a DMatrix<f64>,
    part: Part,
    fill: Fill,
    /// The side of an image, where the part is one of images.
    side: usize,
    mean: Vec<f64>,
}

impl<'a> Masked<'a> {
    /// On the columns of `data` (d x n).
    ///
    /// # Errors
    /// If there are no data, they are not finite, the part has no coordinates or more than there are, it is one of square images
    /// and the data are none, or the fill is not finite.
    pub fn new(data: &'a DMatrix<f64>, part: Part, fill: Fill) -> Result<Self> {
        usable("data", data)?;
        let side = match part {
            Part::Random { share } => chance("part.share", share).map(|()| 0)?,
            Part::Coordinates { from, to } => {
                if to > data.nrows() {
                    return Err(Error::Dimension { name: "part.to", expected: data.nrows(), found: to });
                }
                if from >= to {
                    return Err(Error::TooSmall {
                        name: "part.to",
                        least: from.saturating_add(1),
                        value: to,
                    });
                }
                0
            }
            Part::LowerHalf | Part::Rectangle => side(data)?,
        };
        match fill {
            Fill::Constant(value) if !value.is_finite() => {
                return Err(Error::Number { name: "fill.constant", allowed: "finite", value });
            }
            Fill::Noise { deviation: value } if !(value.is_finite() && value > 0.0) => {
                let name = "fill.noise.deviation";
                return Err(Error::Number { name, allowed: "positive and finite", value });
            }
            _ => {}
        }
        Ok(Self { data, part, fill, side, mean: data.column_mean().as_slice().to_vec() })
    }

    fn overwrite(&self, k: usize, rng: &mut Stream, point: &mut [f64]) {
        point[k] = match self.fill {
            Fill::Constant(value) => value,
            Fill::Mean => self.mean[k],
            Fill::Noise { deviation } => self.mean[k] + deviation * normal(rng),
        };
    }
}

impl Place for Masked<'_> {
    fn dim(&self) -> usize {
        self.data.nrows()
    }

    fn draw(&self, rng: &mut Stream, point: &mut [f64]) {
        datum(self.data, rng, point);
        match self.part {
            Part::Random { share } => {
                let share = share.unwrap_or_else(|| rng.random());
                for k in 0..point.len() {
                    if rng.random::<f64>() < share {
                        self.overwrite(k, rng, point);
                    }
                }
            }
            Part::Coordinates { from, to } => (from..to).for_each(|k| self.overwrite(k, rng, point)),
            Part::LowerHalf => {
                let above = self.side.div_ceil(2) * self.side;
                (above..point.len()).for_each(|k| self.overwrite(k, rng, point));
            }
            Part::Rectangle => {
                let mut stretch = || {
                    let length = rng.random_range(1..=self.side);
                    let from = rng.random_range(0..=self.side - length);
                    from..from + length
                };
                let (rows, columns) = (stretch(), stretch());
                for row in rows {
                    for column in columns.clone() {
                        self.overwrite(row * self.side + column, rng, point);
                    }
                }
            }
        }
    }
}
