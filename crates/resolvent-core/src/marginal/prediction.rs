//! Models given as functions, whatever they predict, and a denoiser that is clipped.
//!
//! With x = α x_0 + σ ε the noise ε, the score s = -ε/σ, the velocity v = α ε - σ x_0 (Salimans and Ho 2022, appendix D)
//! and the denoised point D are linear functions of one another and x. A model writes its prediction at n points,
//! `model(level, points, out)` with `points` and `out` n rows of d; at a point it should not depend on the rest of the
//! batch.

use super::Denoiser;
use crate::error::{Result, at_least, positive};
use crate::schedule::Level;

/// A model of the denoised points D themselves.
#[derive(Debug, Clone, Copy)]
pub struct DataPrediction<F> {
    dim: usize,
    model: F,
}

/// A model of the noise: D = (x - σ ε)/α, so α > 0.
#[derive(Debug, Clone, Copy)]
pub struct NoisePrediction<F> {
    dim: usize,
    model: F,
}

/// A model of the velocity: D = (α x - σ v)/(α² + σ²), which is α x - σ v where the variance is preserved.
#[derive(Debug, Clone, Copy)]
pub struct VelocityPrediction<F> {
    dim: usize,
    model: F,
}

/// A model of the score: D = (x + σ² s)/α, so α > 0.
#[derive(Debug, Clone, Copy)]
pub struct ScorePrediction<F> {
    dim: usize,
    model: F,
}

/// The constructor and the denoiser of a model, given how a prediction p at x becomes a denoised point.
macro_rules! prediction {
    ($name:ident, |$level:ident| $convert:expr) => {
        impl<F: Fn(&Level, &[f64], &mut [f64]) + Sync> $name<F> {
            /// `model(level, points, out)` on R^`dim`.
            ///
            /// # Errors
            /// If `dim` is zero.
            pub fn new(dim: usize, model: F) -> Result<Self> {
                Ok(Self { dim: at_least("dim", 1, dim)?, model })
            }
        }

        impl<F: Fn(&Level, &[f64], &mut [f64]) + Sync> Denoiser for $name<F> {
            fn dim(&self) -> usize {
                self.dim
            }

            fn denoise(&self, $level: &Level, points: &[f64], denoised: &mut [f64]) {
                (self.model)($level, points, denoised);
                let convert = $convert;
                denoised.iter_mut().zip(points).for_each(|(p, x)| *p = convert(*x, *p));
            }
        }
    };
}

prediction!(DataPrediction, |_level| |_x: f64, p: f64| p);
prediction!(NoisePrediction, |level| |x: f64, p: f64| (x - level.sigma * p) / level.alpha);
prediction!(VelocityPrediction, |level| {
    let power = level.alpha * level.alpha + level.sigma * level.sigma;
    move |x: f64, p: f64| (level.alpha * x - level.sigma * p) / power
});
prediction!(ScorePrediction, |level| |x: f64, p: f64| (x + level.sigma * level.sigma * p) / level.alpha);

/// A denoiser whose output is clamped to [-bound, bound] in every coordinate, as is usual for images.
#[derive(Debug, Clone, Copy)]
pub struct Clipped<D> {
    denoiser: D,
    bound: f64,
}

impl<D: Denoiser> Clipped<D> {
    /// `denoiser` with its output clamped to [-`bound`, `bound`], `bound` > 0.
    ///
    /// # Errors
    /// If `bound` is not positive and finite.
    pub fn new(denoiser: D, bound: f64) -> Result<Self> {
        Ok(Self { denoiser, bound: positive("bound", bound)? })
    }
}

impl<D: Denoiser> Denoiser for Clipped<D> {
    fn dim(&self) -> usize {
        self.denoiser.dim()
    }

    fn denoise(&self, level: &Level, points: &[f64], denoised: &mut [f64]) {
        self.denoiser.denoise(level, points, denoised);
        denoised.iter_mut().for_each(|d| *d = d.clamp(-self.bound, self.bound));
    }
}

impl<D: Denoiser + ?Sized> Denoiser for &D {
    fn dim(&self) -> usize {
        (**self).dim()
    }

    fn denoise(&self, level: &Level, points: &[f64], denoised: &mut [f64]) {
        (**self).denoise(level, points, denoised);
    }

    fn scores(&self, level: &Level, points: &[f64], scores: &mut [f64]) {
        (**self).scores(level, points, scores);
    }

    fn jacobian_product(&self, level: &Level, x: &[f64], v: &[f64], out: &mut [f64]) {
        (**self).jacobian_product(level, x, v, out);
    }
}
