//! The laws p_t on the way from the data to noise, and their scores ∇ log p_t: exact ones, one law per file, and what a
//! learned one has to offer.
//!
//! Under a [`Schedule`](crate::schedule::Schedule) the law at every time is that of α x_0 + σ ε, so a law of the data is
//! asked for its denoised points D(x) = E[x_0 | α x_0 + σ ε = x] alone; the score is (α D - x)/σ² (Tweedie's formula,
//! Efron 2011, JASA 106:1602).

mod affine;
mod components;
mod diffused;
mod empirical;
mod few;
pub(crate) mod lanes;
mod mixture;
mod prediction;
mod sphere;
mod student_mixture;
mod student_t;

pub use affine::AffineMarginal;
pub use diffused::Diffused;
pub use mixture::GaussianMixture;
pub use prediction::{Clipped, DataPrediction, NoisePrediction, ScorePrediction, VelocityPrediction};
pub use sphere::UniformSphere;
pub use student_mixture::StudentMixture;
pub use student_t::{StudentT, student_prior};

use crate::schedule::Level;

/// A law of the data, or a model of it, that can denoise at every noise level.
pub trait Denoiser: Sync {
    /// Dimension d.
    fn dim(&self) -> usize;

    /// Writes D(x) = E[x_0 | α x_0 + σ ε = x] at `points` (n rows of d) into `denoised` (n rows of d). The value at a
    /// point does not depend on the other points of the batch.
    fn denoise(&self, level: &Level, points: &[f64], denoised: &mut [f64]);

    /// Writes the score ∇ log p = (α D - x)/σ² of α x_0 + σ ε at `points` (n rows of d) into `scores` (n rows of d): by this
    /// formula, which needs σ > 0, unless there is a form that does not cancel as σ -> 0.
    fn scores(&self, level: &Level, points: &[f64], scores: &mut [f64]) {
        self.denoise(level, points, scores);
        let precision = 1.0 / (level.sigma * level.sigma);
        for (s, x) in scores.iter_mut().zip(points) {
            *s = (level.alpha * *s - x) * precision;
        }
    }

    /// out ← J v, J = (α/σ²) Cov(x_0 | x) the Jacobian of D at x; all of length d. By central differences unless it is
    /// known in closed form: D varies over distances of σ²/max(|x|, α), and where these come near the rounding of x the
    /// differences lose their digits (at σ = 1e-3 |x| six of them are left).
    fn jacobian_product(&self, level: &Level, x: &[f64], v: &[f64], out: &mut [f64]) {
        let scale = level.sigma * level.sigma / norm(x).max(level.alpha);
        differences(x, v, scale, out, |points, values| self.denoise(level, points, values));
    }
}

/// A law of the data whose law at every noise level has a known density.
pub trait NoisyDensity: Denoiser {
    /// Writes the log-density of α x_0 + σ ε, in nats, at `points` (n rows of d) into `out` (n).
    fn log_densities(&self, level: &Level, points: &[f64], out: &mut [f64]);
}

/// The score ∇ log p_t of the marginals of a diffusion.
pub trait MarginalScore: Sync {
    /// Dimension d.
    fn dim(&self) -> usize;

    /// Writes ∇ log p_t at `points` (n rows of d) into `scores` (n rows of d). The value at a point does not depend on
    /// the other points of the batch.
    fn evaluate(&self, t: f64, points: &[f64], scores: &mut [f64]);

    /// out ← J v, J the Jacobian of the score at (t, x); all of length d. By central differences unless it is known in
    /// closed form.
    fn jacobian_product(&self, t: f64, x: &[f64], v: &[f64], out: &mut [f64]) {
        differences(x, v, f64::INFINITY, out, |points, scores| self.evaluate(t, points, scores));
    }
}

/// out ← the derivative at x along v of the field that `evaluate` writes at two points, by central differences. The field
/// varies over distances of `scale`, or of max(|x|, 1) if that is less.
fn differences(x: &[f64], v: &[f64], scale: f64, out: &mut [f64], evaluate: impl FnOnce(&[f64], &mut [f64])) {
    let size = norm(x).max(1.0);
    let scale = scale.clamp(f64::EPSILON * size, size);
    // The step balances the truncation (h / scale)² against the rounding ε size / h of the places.
    let h = (f64::EPSILON * size * scale * scale).cbrt() / norm(v).max(f64::MIN_POSITIVE);
    let d = x.len();
    let mut points: Vec<f64> = x.iter().zip(v).map(|(x, v)| x + h * v).collect();
    points.extend(x.iter().zip(v).map(|(x, v)| x - h * v));
    let mut values = vec![0.0; 2 * d];
    evaluate(&points, &mut values);
    let (ahead, behind) = values.split_at(d);
    out.iter_mut().zip(ahead.iter().zip(behind)).for_each(|(o, (a, b))| *o = (a - b) / (2.0 * h));
}

fn norm(v: &[f64]) -> f64 {
    v.iter().map(|v| v * v).sum::<f64>().sqrt()
}
