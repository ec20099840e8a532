//! An error of the displacement that varies smoothly from place to place.

use std::f64::consts::TAU;

use rand::RngExt;
use rand_distr::StandardNormal;

use crate::error::{Result, positive};
use crate::random::{Purpose, stream};
use crate::score::Score;

/// Waves that the field is made of.
const WAVES: usize = 64;

/// The score with the displacement v + ε |v| ξ(x), where ξ is one draw of a smooth random vector field: the same error at the same
/// place for ever, as the error of a network is.
///
/// ξ is close to a stationary Gaussian field of independent coordinates with E |ξ|² = 1 and the correlation exp(-|x - y|²/2ℓ²),
/// as a sum of 64 waves with random directions, phases and amplitudes (random Fourier features: Rahimi and Recht 2007). The gain is
/// as it was, so the score has the relative error ε.
#[derive(Debug, Clone)]
pub struct FrozenNoise<'a, S: ?Sized> {
    score: &'a S,
    /// Of each wave: its wave vector (d), its amplitude (d), ε included, and its phase.
    waves: Vec<Wave>,
}

#[derive(Debug, Clone)]
struct Wave {
    vector: Vec<f64>,
    amplitude: Vec<f64>,
    phase: f64,
}

impl<'a, S: Score + ?Sized> FrozenNoise<'a, S> {
    /// `score` with an error of relative size `size` > 0 that varies over the distance `length` > 0; the field is drawn with `seed`.
    ///
    /// # Errors
    /// If `size` or `length` is not positive and finite.
    pub fn new(score: &'a S, size: f64, length: f64, seed: u64) -> Result<Self> {
        let (size, length) = (positive("size", size)?, positive("length", length)?);
        let d = score.dim();
        // Half of the mean square of a wave is that of its amplitude.
        let scale = size * f64::sqrt(2.0 / (WAVES * d) as f64);
        let wave = |index: usize| {
            let mut rng = stream(seed, Purpose::Experiment, index as u64);
            let mut normals =
                |scale: f64| (0..d).map(|_| scale * rng.sample::<f64, _>(StandardNormal)).collect();
            let (vector, amplitude) = (normals(1.0 / length), normals(scale));
            Wave { vector, amplitude, phase: TAU * rng.random::<f64>() }
        };
        Ok(Self { score, waves: (0..WAVES).map(wave).collect() })
    }
}

impl<S: Score + ?Sized> Score for FrozenNoise<'_, S> {
    fn dim(&self) -> usize {
        self.score.dim()
    }

    fn evaluate(&self, points: &[f64], gains: &mut [f64], displacements: &mut [f64]) {
        self.score.evaluate(points, gains, displacements);
        let d = self.dim();
        for (x, v) in points.chunks_exact(d).zip(displacements.chunks_exact_mut(d)) {
            let length = v.iter().map(|v| v * v).sum::<f64>().sqrt();
            for Wave { vector, amplitude, phase } in &self.waves {
                let angle = phase + vector.iter().zip(x).map(|(k, x)| k * x).sum::<f64>();
                let height = length * angle.cos();
                v.iter_mut().zip(amplitude).for_each(|(v, a)| *v += height * a);
            }
        }
    }
}
