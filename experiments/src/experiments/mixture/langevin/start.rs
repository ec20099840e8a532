//! The laws that Langevin dynamics starts in.

use nalgebra::DMatrix;
use rand::RngExt;
use resolvent::core::GaussianMixture;
use resolvent::core::random::{Purpose, stream};
use resolvent::core::schedule::Level;

/// Half the width of the uniform start.
pub(super) const HALF_WIDTH: f64 = 20.0;

/// A law that Langevin dynamics starts in.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Start {
    Normal,
    Uniform,
}

impl Start {
    pub(super) const ALL: [Self; 2] = [Self::Normal, Self::Uniform];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Normal => "N(0, 1)",
            Self::Uniform => "U[−20, 20]",
        }
    }

    pub(super) fn stem(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Uniform => "uniform",
        }
    }

    pub(super) fn cdf(self, normal: &GaussianMixture, x: f64) -> f64 {
        match self {
            Self::Normal => normal.cdf(&Level::CLEAN, x),
            Self::Uniform => (0.5 * (x / HALF_WIDTH + 1.0)).clamp(0.0, 1.0),
        }
    }

    pub(super) fn sample(self, normal: &GaussianMixture, n: usize, seed: u64) -> DMatrix<f64> {
        match self {
            Self::Normal => normal.sample(n, seed),
            Self::Uniform => DMatrix::from_fn(1, n, |_, i| {
                stream(seed, Purpose::Start, i as u64).random_range(-HALF_WIDTH..HALF_WIDTH)
            }),
        }
    }
}
