//! A noise level as a vector of numbers that a network can tell apart.

use rand_distr::{Distribution, StandardNormal};
use resolvent_core::random::{Purpose, stream};
use serde::{Deserialize, Serialize};

/// Sines and cosines of log σ at `2 * frequencies` numbers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Embedding {
    /// Frequencies in geometric progression, from 0.1 to 4 radians per unit of log σ (Vaswani et al. 2017, for times).
    SinCos {
        /// How many.
        frequencies: usize,
    },
    /// Frequencies drawn once from N(0, scale²) (Tancik et al. 2020).
    Fourier {
        /// How many.
        frequencies: usize,
        /// Their standard deviation, in radians per unit of log σ.
        scale: f64,
    },
}

impl Default for Embedding {
    fn default() -> Self {
        Self::SinCos { frequencies: 16 }
    }
}

impl Embedding {
    /// How many numbers a level becomes.
    pub fn width(&self) -> usize {
        match self {
            Self::SinCos { frequencies } | Self::Fourier { frequencies, .. } => 2 * frequencies,
        }
    }

    /// The frequencies.
    pub(super) fn frequencies(&self) -> Vec<f64> {
        match *self {
            Self::SinCos { frequencies } => {
                let share = |k: usize| k as f64 / (frequencies.max(2) - 1) as f64;
                (0..frequencies).map(|k| 0.1 * f64::powf(40.0, share(k))).collect()
            }
            Self::Fourier { frequencies, scale } => {
                let mut rng = stream(0, Purpose::Parameters, u64::MAX);
                (0..frequencies)
                    .map(|_| {
                        scale * {
                            let z: f64 = StandardNormal.sample(&mut rng);
                            z
                        }
                    })
                    .collect()
            }
        }
    }
}

/// The embedding of log σ, appended to `out`.
pub(super) fn embed(frequencies: &[f64], log_level: f64, out: &mut Vec<f32>) {
    for omega in frequencies {
        let (sin, cos) = (omega * log_level).sin_cos();
        out.extend([sin as f32, cos as f32]);
    }
}

/// Its derivative along a change of log σ, appended to `out`.
pub(super) fn embed_along(frequencies: &[f64], log_level: f64, change: f64, out: &mut Vec<f32>) {
    for omega in frequencies {
        let (sin, cos) = (omega * log_level).sin_cos();
        out.extend([(omega * change * cos) as f32, (-omega * change * sin) as f32]);
    }
}
