//! A procedural family of 28 x 28 grey images of digits: an image manifold whose parameters are known.
//!
//! Every image is a fixed skeleton (one per digit) under a rotation, two scales, a shear and two shifts, drawn with a pen of
//! variable width: seven continuous parameters. Background is -1 and ink is +1, the convention of the EDM models
//! (Karras et al., 2022, arXiv 2206.00364).

mod parameters;
mod render;
mod skeleton;

pub use parameters::GlyphParameters;
pub use render::{SIDE, render};

use crate::law::{Law, stream};
use nalgebra::DMatrix;
use rand::Rng;

/// Pixels of one image: 28 x 28, row by row from the top.
pub const PIXELS: usize = SIDE * SIDE;

/// The law of the images: a uniform digit with parameters from [`GlyphParameters::draw`].
///
/// ```
/// use resolvent_data::{Glyphs, Law};
///
/// let (images, labels) = Glyphs.dataset(10, 1);
/// assert_eq!(images.shape(), (784, 10));
/// assert_eq!(labels.len(), 10);
/// assert_eq!(images, Glyphs.sample(10, 1));
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Glyphs;

impl Glyphs {
    /// `n` images, 784 x n with one image per column, and their digits. Image i is the i-th column of [`Law::sample`] for the
    /// same seed.
    pub fn dataset(&self, n: usize, seed: u64) -> (DMatrix<f64>, Vec<u8>) {
        let mut images = DMatrix::zeros(PIXELS, n);
        let labels = images
            .column_iter_mut()
            .enumerate()
            .map(|(i, mut image)| {
                let parameters = GlyphParameters::draw(&mut stream(seed, i));
                render(&parameters, image.as_mut_slice());
                parameters.digit
            })
            .collect();
        (images, labels)
    }
}

impl Law for Glyphs {
    fn dim(&self) -> usize {
        PIXELS
    }

    fn sample_into(&self, rng: &mut dyn Rng, out: &mut [f64]) {
        render(&GlyphParameters::draw(rng), out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use statrs::distribution::{ChiSquared, ContinuousCDF};

    fn image(parameters: &GlyphParameters) -> Vec<f64> {
        let mut image = vec![f64::NAN; PIXELS];
        render(parameters, &mut image);
        image
    }

    /// The seven continuous parameters, to be moved one by one.
    fn knobs(p: &mut GlyphParameters) -> [&mut f64; 7] {
        let GlyphParameters { rotation, scale_x, scale_y, shear, shift_x, shift_y, width, .. } = p;
        [rotation, scale_x, scale_y, shear, shift_x, shift_y, width]
    }

    fn moved(p: &GlyphParameters, knob: usize, by: f64) -> Vec<f64> {
        let mut p = *p;
        *knobs(&mut p)[knob] += by;
        image(&p)
    }

    #[test]
    fn values_are_grey_levels_and_mostly_background() {
        let (images, _) = Glyphs.dataset(4000, 1);
        assert!(images.iter().all(|v| (-1.0..=1.0).contains(v)));
        for image in images.column_iter() {
            assert!(image.max() > 0.5, "no ink");
            let background = image.iter().filter(|v| **v == -1.0).count();
            assert!(background > PIXELS / 2, "only {background} pixels of background");
        }
    }

    #[test]
    fn digits_are_uniform() {
        let (_, labels) = Glyphs.dataset(5000, 2);
        let statistic: f64 = (0..10)
            .map(|digit| labels.iter().filter(|l| **l == digit).count() as f64)
            .map(|count| (count - 500.0).powi(2) / 500.0)
            .sum();
        let p = ChiSquared::new(9.0).unwrap().sf(statistic);
        assert!(p > 1e-4, "chi-square {statistic}, p = {p}");
    }

    #[test]
    fn moving_by_one_pixel_moves_the_image_by_one_pixel() {
        let p = GlyphParameters::upright(5);
        let (here, right, below) = (image(&p), moved(&p, 4, 1.0), moved(&p, 5, 1.0));
        for row in 0..SIDE - 1 {
            for column in 0..SIDE - 1 {
                let value = here[row * SIDE + column];
                assert!((right[row * SIDE + column + 1] - value).abs() < 1e-12);
                assert!((below[(row + 1) * SIDE + column] - value).abs() < 1e-12);
            }
        }
    }

    /// A pixel is 25 pixels or less from the centre, a unit of any parameter moves ink by at most that, and the grey value
    /// changes by at most 3 / (2 * 0.9) per pixel.
    #[test]
    fn images_are_continuous_in_the_parameters() {
        let h = 1e-6;
        for i in 0..200 {
            let p = GlyphParameters::draw(&mut stream(3, i));
            let here = image(&p);
            for knob in 0..7 {
                for (a, b) in here.iter().zip(moved(&p, knob, h)) {
                    assert!((a - b).abs() <= 25.0 * 1.7 * h, "knob {knob} of {p:?} makes a jump");
                }
            }
        }
    }

    #[test]
    fn the_seven_directions_are_independent() {
        let h = 1e-5;
        for digit in 0..10 {
            let p = GlyphParameters { rotation: 0.05, shear: 0.1, ..GlyphParameters::upright(digit) };
            let jacobian = DMatrix::from_fn(PIXELS, 7, |_, _| 0.0);
            let jacobian = (0..7).fold(jacobian, |mut jacobian, knob| {
                let (before, after) = (moved(&p, knob, -h), moved(&p, knob, h));
                let slopes = after.iter().zip(&before).map(|(a, b)| (a - b) / (2.0 * h));
                jacobian.column_mut(knob).iter_mut().zip(slopes).for_each(|(entry, slope)| *entry = slope);
                jacobian
            });
            let singular = jacobian.singular_values();
            assert!(singular.min() > 1e-3 * singular.max(), "digit {digit}: {singular}");
        }
    }
}
