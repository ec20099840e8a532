//! What is done to an image before it is carried back.

use nalgebra::DMatrix;
use rand::{Rng, RngExt};
use rand_distr::StandardNormal;
use resolvent::core::random::{Purpose, stream};
use resolvent::data::glyphs::SIDE;
use serde::{Deserialize, Serialize};

use super::images::{Images, pixels};

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
    pub(super) fn image(self, images: &Images) -> Vec<f64> {
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
    /// The lower half is hidden.
    LowerHalf,
    /// Half of the pixels, drawn at random for each image, are hidden.
    RandomHalf,
    /// The square in the middle, half as wide as the image, is hidden.
    Centre,
}

impl Corruption {
    /// The masks.
    pub(super) const MASKS: [Self; 3] = [Self::LowerHalf, Self::RandomHalf, Self::Centre];

    /// The name on figures and in tables.
    pub(super) fn name(self) -> String {
        match self {
            Self::Noise(level) => format!("noise σ = {level}"),
            Self::LowerHalf => "lower half hidden".into(),
            Self::RandomHalf => "random half hidden".into(),
            Self::Centre => "centre hidden".into(),
        }
    }

    /// The image after it; hidden pixels come from `fill`.
    fn apply<R: Rng + ?Sized>(self, image: &[f64], fill: &[f64], rng: &mut R) -> Vec<f64> {
        let pixels = image.iter().zip(fill).enumerate();
        pixels
            .map(|(k, (&value, &filled))| match self {
                Self::Noise(level) => value + level * rng.sample::<f64, _>(StandardNormal),
                _ if self.hides(k / SIDE, k % SIDE, rng) => filled,
                _ => value,
            })
            .collect()
    }

    fn hides<R: Rng + ?Sized>(self, row: usize, column: usize, rng: &mut R) -> bool {
        let middle = SIDE / 4..SIDE - SIDE / 4;
        match self {
            Self::Noise(_) => false,
            Self::LowerHalf => row >= SIDE / 2,
            Self::RandomHalf => rng.random_bool(0.5),
            Self::Centre => middle.contains(&row) && middle.contains(&column),
        }
    }
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
        let random = hidden(Corruption::RandomHalf).len();
        // Four standard deviations of a binomial law.
        assert!(random.abs_diff(392) <= 56, "{random} of 784 hidden");
    }
}
