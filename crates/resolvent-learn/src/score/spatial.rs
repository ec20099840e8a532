//! A blind model as a spatial score.

use super::evaluator::Evaluator;
use crate::engine::{Engine, Native};
use crate::error::Result;
use crate::model::{Conditioning, Model};
use resolvent_core::score::Score;

/// The spatial score s = g (D - x) of a blind model (R19): D and the noise level e^ℓ come from x alone, and g is the gain of a
/// single atom at the distance √d e^ℓ.
///
/// It is a score for Brownian motion with diffusion σ killed at σ² times the rate of the model's settings.
#[derive(Debug, Clone)]
pub struct LearnedScore<E = Native> {
    evaluator: Evaluator<E>,
}

impl LearnedScore {
    /// The score of `model` with these parameters (in the order of its layout), on the processor.
    ///
    /// # Errors
    /// If the model is told the noise level, or the parameters are of another number or not finite.
    pub fn new(model: Model, parameters: Vec<f32>) -> Result<Self> {
        Self::with_engine(model, parameters, Native)
    }
}

impl<E: Engine> LearnedScore<E> {
    /// As [`new`](LearnedScore::new), computed by `engine`.
    ///
    /// # Errors
    /// As [`new`](LearnedScore::new).
    pub fn with_engine(model: Model, parameters: Vec<f32>, engine: E) -> Result<Self> {
        Ok(Self { evaluator: Evaluator::new(model, parameters, engine, Conditioning::Blind)? })
    }

    /// Clamps every coordinate of D to [`low`, `high`], as is usual for images; the gain stays as it was.
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

    /// Writes the estimated noise levels σ = e^ℓ, the standard deviation of the noise in a coordinate, at `points` (n rows of d)
    /// into `levels` (n).
    pub fn noise_levels(&self, points: &[f64], levels: &mut [f64]) {
        self.evaluator.run(points, 1.0, None, |i, _, log_level| levels[i] = log_level.exp());
    }

    /// out ← J v with J the Jacobian of s = g (D - x) at x; all of length d. Exact up to the rounding of f32.
    pub fn jacobian_product(&self, x: &[f64], v: &[f64], out: &mut [f64]) {
        let (estimate, derivative) = self.evaluator.along(x, v, None);
        let model = self.model();
        let (gain, slope) = model.gain_and_slope(estimate.log_levels[0]);
        // g' = g (d log g/d log ρ) ℓ', since log ρ is ℓ and a constant.
        let pull = gain * slope * derivative.log_levels[0];
        let moves = derivative.denoised.iter().zip(v);
        for ((o, (denoised, x)), (change, v)) in
            out.iter_mut().zip(estimate.denoised.iter().zip(x)).zip(moves)
        {
            *o = pull * (f64::from(*denoised) - x) + gain * (f64::from(*change) - v);
        }
    }
}

impl<E: Engine> Score for LearnedScore<E> {
    fn dim(&self) -> usize {
        self.model().dim()
    }

    fn evaluate(&self, points: &[f64], gains: &mut [f64], displacements: &mut [f64]) {
        let d = self.dim();
        self.evaluator.run(points, 1.0, None, |i, denoised, log_level| {
            let row = i * d..(i + 1) * d;
            gains[i] = self.model().gain(log_level);
            let pairs = denoised.iter().zip(&points[row.clone()]);
            displacements[row].iter_mut().zip(pairs).for_each(|(v, (denoised, x))| {
                *v = f64::from(*denoised) - x;
            });
        });
    }
}
