//! A score known only as a vector.

use super::Score;
use crate::killed::GreenKernel;

/// A score given as a vector field x -> ∇ log u(x), brought to the form g (D - x) by taking the data to be one atom
/// (R19 with |s| alone): ρ̂ solves (a/σ) R_ν(aρ̂/σ) = |s|, v = ρ̂ s/|s|, g = |s|/ρ̂.
///
/// Where |s| <= a/σ, and everywhere in dimension 1, no distance fits; `farthest` stands in for it.
pub struct VectorField<F> {
    green: GreenKernel,
    farthest: f64,
    field: F,
}

impl<F: Fn(&[f64], &mut [f64]) + Sync> VectorField<F> {
    /// `field(x, out)` writes ∇ log u(x); `farthest` > 0 is the length taken where the score is too small to tell one.
    ///
    /// # Errors
    /// If `farthest` is not positive and finite.
    pub fn new(green: GreenKernel, farthest: f64, field: F) -> crate::Result<Self> {
        let farthest = crate::error::positive("farthest", farthest)?;
        Ok(Self { green, farthest, field })
    }
}

/// Turns a score into the displacement and returns the gain.
pub(super) fn factor(green: &GreenKernel, farthest: f64, score: &mut [f64]) -> f64 {
    let norm = score.iter().map(|s| s * s).sum::<f64>().sqrt();
    let radius = green.radius_of_score(norm).min(farthest);
    // The gain is that of the radius, so that radius and gain stay consistent where the radius was cut.
    let gain = if radius < farthest { norm / radius } else { green.gain(radius) };
    score.iter_mut().for_each(|v| *v /= gain);
    gain
}

impl<F: Fn(&[f64], &mut [f64]) + Sync> Score for VectorField<F> {
    fn dim(&self) -> usize {
        self.green.dim()
    }

    fn evaluate(&self, points: &[f64], gains: &mut [f64], displacements: &mut [f64]) {
        let d = self.dim();
        let rows = points.chunks_exact(d).zip(displacements.chunks_exact_mut(d));
        for ((x, v), gain) in rows.zip(gains) {
            (self.field)(x, v);
            *gain = factor(&self.green, self.farthest, v);
        }
    }
}
