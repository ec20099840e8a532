//! Blurred images.

use super::{Place, datum, side};
use crate::error::{Error, Result, usable};
use crate::examples::Proposal;
use nalgebra::DMatrix;
use resolvent_core::random::Stream;

/// A kernel reaches so many standard deviations far.
const REACH: f64 = 4.0;

/// Square images under a Gaussian blur of random width; beyond an edge the pixel at the edge goes on.
#[derive(Debug, Clone)]
pub struct Blurred<'a> {
    data: &'a DMatrix<f64>,
    side: usize,
    width: Proposal,
}

impl<'a> Blurred<'a> {
    /// On the columns of `data` (d x n, d a square), the standard deviation of the blur log-uniform from `least` to `most`
    /// pixels.
    ///
    /// # Errors
    /// If there are no data, they are not finite, they are no square images, or not 0 < `least` < `most` <= the side.
    pub fn new(data: &'a DMatrix<f64>, least: f64, most: f64) -> Result<Self> {
        usable("data", data)?;
        let side = side(data)?;
        if !(least.is_finite() && least > 0.0) {
            return Err(Error::Number {
                name: "blurred.least",
                allowed: "positive and finite",
                value: least,
            });
        }
        if !(most > least && most <= side as f64) {
            let allowed = "above blurred.least and at most the side of the images";
            return Err(Error::Number { name: "blurred.most", allowed, value: most });
        }
        Ok(Self { data, side, width: Proposal::LogUniform { least, most } })
    }
}

impl Place for Blurred<'_> {
    fn dim(&self) -> usize {
        self.data.nrows()
    }

    fn draw(&self, rng: &mut Stream, point: &mut [f64]) {
        datum(self.data, rng, point);
        blur(self.side, self.width.draw(rng), point);
    }
}

/// Blurs the rows, then the columns.
fn blur(side: usize, width: f64, image: &mut [f64]) {
    let reach = (REACH * width).ceil() as isize;
    let mut kernel: Vec<f64> = (-reach..=reach).map(|k| (-0.5 * (k as f64 / width).powi(2)).exp()).collect();
    let total: f64 = kernel.iter().sum();
    kernel.iter_mut().for_each(|k| *k /= total);
    let mut line = vec![0.0; side];
    for (step, stride) in [(side, 1), (1, side)] {
        for first in (0..side).map(|i| i * step) {
            for (k, l) in line.iter_mut().enumerate() {
                let at = |j: usize| (k as isize + j as isize - reach).clamp(0, side as isize - 1) as usize;
                *l = kernel.iter().enumerate().map(|(j, w)| w * image[first + at(j) * stride]).sum();
            }
            line.iter().enumerate().for_each(|(k, l)| image[first + k * stride] = *l);
        }
    }
}
