//! What is done to an image before it is carried back.

use nalgebra::DMatrix;
use rand::{Rng, RngExt};
use rand_distr::{Exp1, StandardNormal};
use resolvent::core::random::{Purpose, stream};
use resolvent::data::glyphs::SIDE;
use serde::{Deserialize, Serialize};

use super::labelled_images::{LabelledImages, pixels};

/// What stands in for hidden pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Fill {
    /// The mean of the data at that pixel.
    Mean,
    /// The background, -1.
    Background,
}

impl Fill {
    /// The image from which hidden pixels are taken.
    pub(super) fn image(self, images: &LabelledImages) -> Vec<f64> {
        match self {
            Self::Mean => images.mean(),
            Self::Background => vec![-1.0; images.data.nrows()],
        }
    }
}

/// One kind of damage.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Corruption {
    /// Gaussian noise of this standard deviation on every pixel.
    Noise(f64),
    /// Laplace noise of this standard deviation on every pixel.
    Laplace(f64),
    /// This share of the pixels, drawn at random for each image, is black or white, each with probability one half.
    SaltAndPepper(f64),
    /// A Gaussian blur of width `width` pixels, and then Gaussian noise of standard deviation `noise`.
    Blur { width: f64, noise: f64 },
    /// The lower half is hidden.
    LowerHalf,
    /// This share of the pixels, drawn at random, is hidden.
    Random(f64),
    /// The square in the middle, half as wide as the image, is hidden.
    Centre,
}

impl Corruption {
    /// The masks.
    pub(super) const MASKS: [Self; 3] = [Self::LowerHalf, Self::Random(0.5), Self::Centre];

    /// The name on figures and in tables.
    pub(super) fn name(self) -> String {
        match self {
            Self::Noise(level) => format!("noise σ = {level}"),
            Self::Laplace(level) => format!("Laplace noise σ = {level}"),
            Self::SaltAndPepper(share) => format!("salt and pepper {share}"),
            Self::Blur { width, noise } => format!("blur {width}, noise σ = {noise}"),
            Self::LowerHalf => "lower half hidden".into(),
            Self::Random(0.5) => "random half hidden".into(),
            Self::Random(share) => format!("random {share} hidden"),
            Self::Centre => "centre hidden".into(),
        }
    }

    /// The image after it; hidden pixels come from `fill`.
    fn apply<R: Rng + ?Sized>(self, image: &[f64], fill: &[f64], rng: &mut R) -> Vec<f64> {
        let blurred;
        let image = match self {
            Self::Blur { width, .. } => {
                blurred = blur(image, width);
                &blurred[..]
            }
            _ => image,
        };
        let pixels = image.iter().zip(fill).enumerate();
        pixels
            .map(|(k, (&value, &filled))| match self {
                Self::Noise(level) | Self::Blur { noise: level, .. } => {
                    value + level * rng.sample::<f64, _>(StandardNormal)
                }
                // The double exponential law of scale b has the variance 2 b².
                Self::Laplace(level) => {
                    let size = level / 2f64.sqrt() * rng.sample::<f64, _>(Exp1);
                    value + if rng.random_bool(0.5) { size } else { -size }
                }
                Self::SaltAndPepper(share) if rng.random_bool(share) => {
                    if rng.random_bool(0.5) {
                        1.0
                    } else {
                        -1.0
                    }
                }
                _ if self.hides(k / SIDE, k % SIDE, rng) => filled,
                _ => value,
            })
            .collect()
    }

    /// The pixels that it hides.
    pub(super) fn mask<R: Rng + ?Sized>(self, rng: &mut R) -> Vec<bool> {
        (0..SIDE * SIDE).map(|k| self.hides(k / SIDE, k % SIDE, rng)).collect()
    }

    fn hides<R: Rng + ?Sized>(self, row: usize, column: usize, rng: &mut R) -> bool {
        let middle = SIDE / 4..SIDE - SIDE / 4;
        match self {
            Self::Noise(_) | Self::Laplace(_) | Self::SaltAndPepper(_) | Self::Blur { .. } => false,
            Self::LowerHalf => row >= SIDE / 2,
            Self::Random(share) => rng.random_bool(share),
            Self::Centre => middle.contains(&row) && middle.contains(&column),
        }
    }
}

/// The image under a Gaussian blur of deviation `width` pixels; beyond its edge is background.
fn blur(image: &[f64], width: f64) -> Vec<f64> {
    let reach = (4.0 * width).ceil() as isize;
    let mut weights: Vec<f64> =
        (-reach..=reach).map(|k| f64::exp(-0.5 * (k as f64 / width).powi(2))).collect();
    let total: f64 = weights.iter().sum();
    weights.iter_mut().for_each(|w| *w /= total);
    let pass = |image: &[f64], stride: usize| -> Vec<f64> {
        (0..image.len())
            .map(|i| {
                let place = (i / stride % SIDE) as isize;
                let neighbours = weights.iter().zip(place - reach..);
                let seen = |at: isize| {
                    let inside = (0..SIDE as isize).contains(&at);
                    if inside { image[(i as isize + (at - place) * stride as isize) as usize] } else { -1.0 }
                };
                neighbours.map(|(w, at)| w * seen(at)).sum()
            })
            .collect()
    };
    pass(&pass(image, 1), SIDE)
}

/// Image number `index` under damage number `tag`: the same wherever it is asked for.
pub(super) fn damage(
    corruption: Corruption,
    image: &[f64],
    fill: &[f64],
    (tag, index): (usize, usize),
    seed: u64,
) -> Vec<f64> {
    let mut rng = stream(seed, Purpose::Experiment, (tag as u64) << 32 | index as u64);
    corruption.apply(image, fill, &mut rng)
}

/// All columns of `originals`, damaged.
pub(super) fn damaged(
    corruption: Corruption,
    originals: &DMatrix<f64>,
    fill: &[f64],
    tag: usize,
    seed: u64,
) -> DMatrix<f64> {
    let pixels =
        (0..originals.ncols()).flat_map(|i| damage(corruption, pixels(originals, i), fill, (tag, i), seed));
    DMatrix::from_iterator(originals.nrows(), originals.ncols(), pixels)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_hide_what_they_say_and_leave_the_rest_alone() {
        let (image, fill) = (vec![1.0; SIDE * SIDE], vec![-0.5; SIDE * SIDE]);
        let hidden = |corruption| {
            let values = damage(corruption, &image, &fill, (0, 0), 1);
            assert!(values.iter().all(|&value| value == 1.0 || value == -0.5));
            values.iter().enumerate().filter(|(_, value)| **value == -0.5).map(|(k, _)| k).collect::<Vec<_>>()
        };
        assert_eq!(hidden(Corruption::LowerHalf), (14 * 28..28 * 28).collect::<Vec<_>>());
        let centre = hidden(Corruption::Centre);
        assert_eq!((centre.len(), centre[0], centre[195]), (14 * 14, 7 * 28 + 7, 20 * 28 + 20));
        let random = hidden(Corruption::Random(0.5)).len();
        // Four standard deviations of a binomial law.
        assert!(random.abs_diff(392) <= 56, "{random} of 784 hidden");
    }

    #[test]
    fn noise_has_the_deviation_that_it_names() {
        let (image, fill) = (vec![0.0; SIDE * SIDE], vec![0.0; SIDE * SIDE]);
        // The deviation of a mean square over 784 pixels is √(kurtosis - 1)/28, at most 0.08 of it; four of these.
        for (corruption, expected) in [
            (Corruption::Noise(0.5), 0.25),
            (Corruption::Laplace(0.5), 0.25),
            (Corruption::SaltAndPepper(0.4), 0.4),
        ] {
            let values = damage(corruption, &image, &fill, (0, 0), 1);
            let square = values.iter().map(|v| v * v).sum::<f64>() / values.len() as f64;
            assert!((square / expected - 1.0).abs() < 0.33, "{corruption:?}: {square}");
        }
    }

    #[test]
    fn blur_keeps_a_flat_background_and_the_mass_of_a_point() {
        let flat = vec![-1.0; SIDE * SIDE];
        assert!(blur(&flat, 1.3).iter().all(|v| (v + 1.0).abs() < 1e-12));
        let mut point = flat;
        point[14 * SIDE + 14] = 1.0;
        let blurred = blur(&point, 1.3);
        let mass: f64 = blurred.iter().map(|v| v + 1.0).sum();
        let row = |k: usize| (k / SIDE) as f64 - 14.0;
        let second: f64 = blurred.iter().enumerate().map(|(k, v)| (v + 1.0) * row(k).powi(2)).sum();
        assert!((mass - 2.0).abs() < 1e-9);
        assert!((second / mass - 1.69).abs() < 0.02, "{second}");
    }
}
