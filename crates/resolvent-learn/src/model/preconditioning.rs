//! What a network's output is added to and multiplied by to become a denoised point.

use serde::{Deserialize, Serialize};

/// How the output F of a network becomes the denoised point, D - c = skip (x - c) + out F, c the mean of the data and σ_d² the
/// variance of their coordinates; x = x_0 + σ ε (in the scale where α = 1).
///
/// A blind model estimates σ from the likelihood of a Gaussian fit, for which many directions must hold little but noise: so it is
/// with images. In few dimensions a point cannot tell its noise level, all but [`Direct`](Self::Direct) are of no use to a blind model there, and
/// `Direct` takes the level from the denoised point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Preconditioning {
    /// D - c = σ_d F: the data themselves are predicted.
    Direct,
    /// D = x - σ F: the noise is predicted (Ho et al. 2020).
    Noise,
    /// D = x + σ F: σ times the score is predicted.
    Score,
    /// skip 1/(1 + σ²), out -σ/√(1 + σ²): the velocity, F = α ε - σ x_0 where the variance is preserved (Salimans and Ho 2022).
    Velocity,
    /// skip σ_d²/(σ_d² + σ²), out σ σ_d/√(σ_d² + σ²) (Karras et al. 2022).
    Skip,
    /// In place of skip (x - c) the posterior mean under a Gaussian fit to the data, in place of out its standard
    /// deviation; the network sees that mean beside x.
    Eigenbasis,
}

impl Preconditioning {
    /// skip and out at level σ.
    pub(super) fn coefficients(self, level: f64, variance: f64) -> (f64, f64) {
        let v = level * level;
        match self {
            Self::Direct => (0.0, variance.sqrt()),
            Self::Noise => (1.0, -level),
            Self::Score => (1.0, level),
            Self::Velocity => (1.0 / (1.0 + v), -level / (1.0 + v).sqrt()),
            Self::Skip | Self::Eigenbasis => {
                (variance / (variance + v), level * (variance / (variance + v)).sqrt())
            }
        }
    }

    /// Whether the coefficients depend on the noise level, so that it must be known or estimated beforehand.
    pub fn needs_level(self) -> bool {
        self != Self::Direct
    }
}
