//! A blind model where the noise level is known and not told.

use super::evaluator::Evaluator;
use crate::engine::{Engine, Native};
use crate::error::Result;
use crate::model::{Conditioning, Model};
use resolvent_core::marginal::Denoiser;
use resolvent_core::schedule::Level;

/// D(x/α) of a blind model, whatever the level: with it the samplers of the deterministic horizon run on the network of the
/// random one. Where σ/α exceeds 1e6 spreads of the data, α is taken as what makes it so much.
#[derive(Debug, Clone)]
pub struct BlindDenoiser<E = Native> {
    evaluator: Evaluator<E>,
}

impl BlindDenoiser {
    /// The denoiser of `model` with these parameters (in the order of its layout), on the processor.
    ///
    /// # Errors
    /// If the model is told the noise level, or the parameters are of another number or not finite.
    pub fn new(model: Model, parameters: Vec<f32>) -> Result<Self> {
        Self::with_engine(model, parameters, Native)
    }
}

impl<E: Engine> BlindDenoiser<E> {
    /// As [`new`](BlindDenoiser::new), computed by `engine`.
    ///
    /// # Errors
    /// As [`new`](BlindDenoiser::new).
    pub fn with_engine(model: Model, parameters: Vec<f32>, engine: E) -> Result<Self> {
        Ok(Self { evaluator: Evaluator::new(model, parameters, engine, Conditioning::Blind)? })
    }

    /// Clamps every coordinate of D to [`low`, `high`], as is usual for images.
    ///
    /// # Errors
    /// If the bounds are not finite, or `low` is not below `high`.
    pub fn clip(self, low: f64, high: f64) -> Result<Self> {
        Ok(Self { evaluator: self.evaluator.clip(low, high)? })
    }

    /// The model.
    pub fn model(&self) -> &Model {
        self.evaluator.model()
    }
}

impl<E: Engine> Denoiser for BlindDenoiser<E> {
    fn dim(&self) -> usize {
        self.model().dim()
    }

    fn denoise(&self, level: &Level, points: &[f64], denoised: &mut [f64]) {
        let (d, alpha) = (self.dim(), self.evaluator.alpha(level));
        self.evaluator.run(points, alpha, None, |i, row, _| {
            denoised[i * d..(i + 1) * d].iter_mut().zip(row).for_each(|(o, x)| *o = f64::from(*x));
        });
    }

    /// Exact up to the rounding of f32.
    fn jacobian_product(&self, level: &Level, x: &[f64], v: &[f64], out: &mut [f64]) {
        let alpha = self.evaluator.alpha(level);
        let place: Vec<f64> = x.iter().map(|x| x / alpha).collect();
        let (_, derivative) = self.evaluator.along(&place, v, None);
        out.iter_mut().zip(derivative.denoised).for_each(|(o, change)| *o = f64::from(change) / alpha);
    }
}
