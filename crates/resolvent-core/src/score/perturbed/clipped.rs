//! A score that cannot explode.

use crate::error::{Result, positive};
use crate::score::Score;

/// The score cut to |s| <= C: the gain is lowered to C/|v| where it is above that, and the displacement stays. Near the data it is
/// the gain that explodes, and an output of bounded size cannot.
#[derive(Debug, Clone, Copy)]
pub struct Clipped<'a, S: ?Sized> {
    score: &'a S,
    norm: f64,
}

impl<'a, S: Score + ?Sized> Clipped<'a, S> {
    /// `score` cut to the norm `norm` > 0 (per length).
    ///
    /// # Errors
    /// If `norm` is not positive and finite.
    pub fn new(score: &'a S, norm: f64) -> Result<Self> {
        Ok(Self { score, norm: positive("norm", norm)? })
    }
}

impl<S: Score + ?Sized> Score for Clipped<'_, S> {
    fn dim(&self) -> usize {
        self.score.dim()
    }

    fn evaluate(&self, points: &[f64], gains: &mut [f64], displacements: &mut [f64]) {
        self.score.evaluate(points, gains, displacements);
        for (gain, v) in gains.iter_mut().zip(displacements.chunks_exact(self.dim())) {
            let length = v.iter().map(|v| v * v).sum::<f64>().sqrt();
            if *gain * length > self.norm {
                *gain = self.norm / length;
            }
        }
    }
}
