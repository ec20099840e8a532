//! A displacement that is too long or too short.

use crate::error::{Result, positive};
use crate::score::Score;

/// The score (1 + b) s: the displacement is 1 + b times what it should be, and the gain is as it was. A denoiser that shrinks its
/// output, or overshoots.
#[derive(Debug, Clone, Copy)]
pub struct Biased<'a, S: ?Sized> {
    score: &'a S,
    factor: f64,
}

impl<'a, S: Score + ?Sized> Biased<'a, S> {
    /// `score` with its displacement off by the share `bias` > -1.
    ///
    /// # Errors
    /// If 1 + `bias` is not positive and finite.
    pub fn new(score: &'a S, bias: f64) -> Result<Self> {
        Ok(Self { score, factor: positive("1 + bias", 1.0 + bias)? })
    }
}

impl<S: Score + ?Sized> Score for Biased<'_, S> {
    fn dim(&self) -> usize {
        self.score.dim()
    }

    fn evaluate(&self, points: &[f64], gains: &mut [f64], displacements: &mut [f64]) {
        self.score.evaluate(points, gains, displacements);
        displacements.iter_mut().for_each(|v| *v *= self.factor);
    }
}
