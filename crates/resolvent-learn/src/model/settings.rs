//! What a model is made of.

use super::{Embedding, Preconditioning};
use crate::error::{Error, Result};
use crate::network::Architecture;
use serde::{Deserialize, Serialize};

/// What a network knows of the noise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Conditioning {
    /// Nothing but the point itself: the spatial score.
    Blind,
    /// The noise level: the time-conditioned network of the deterministic horizon.
    Told,
}

/// The settings of a [`Model`](super::Model).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelSettings {
    /// The network.
    pub architecture: Architecture,
    /// Whether it is told the noise level.
    pub conditioning: Conditioning,
    /// How its output becomes a denoised point.
    pub preconditioning: Preconditioning,
    /// How it sees a noise level, told or estimated.
    #[serde(default)]
    pub embedding: Embedding,
    /// The killing rate r >= 0 (per time) of the Brownian motion whose score a blind model stands for.
    #[serde(default = "default_rate")]
    pub rate: f64,
}

fn default_rate() -> f64 {
    ModelSettings::DEFAULT_RATE
}

const MOST_FREQUENCIES: usize = 1 << 16;

impl ModelSettings {
    /// The rate where none is given, and that of models which have no use for one: told ones, of data under noise.
    pub const DEFAULT_RATE: f64 = 1.0;

    pub(super) fn validate(&self) -> Result<()> {
        if let Embedding::Fourier { scale, .. } = self.embedding
            && !(scale.is_finite() && scale > 0.0)
        {
            return Err(Error::Number {
                name: "embedding.scale",
                allowed: "positive and finite",
                value: scale,
            });
        }
        let uses = self.conditioning == Conditioning::Told || self.preconditioning.needs_level();
        let (Embedding::SinCos { frequencies } | Embedding::Fourier { frequencies, .. }) = self.embedding;
        if frequencies > MOST_FREQUENCIES {
            let (name, most) = ("embedding.frequencies", MOST_FREQUENCIES);
            return Err(Error::TooLarge { name, most, value: frequencies });
        }
        if uses && frequencies == 0 {
            return Err(Error::TooSmall { name: "embedding.frequencies", least: 1, value: 0 });
        }
        Ok(())
    }
}
