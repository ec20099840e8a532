//! Laws from which the noise level of a training example is drawn, in place of that of the clock.

use crate::error::{Error, Result};
use rand::RngExt;
use rand_distr::{Distribution, Exp1, StandardNormal};
use resolvent_core::random::Stream;
use serde::{Deserialize, Serialize};

/// A law of the noise level σ = √ζ.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Proposal {
    /// ζ = σ² ~ Exp(rate): the clock itself, when the rate is its own.
    Exponential {
        /// Its rate, per time.
        rate: f64,
    },
    /// log σ ~ N(mean, deviation²) (Karras et al. 2022).
    LogNormal {
        /// The mean of log σ.
        mean: f64,
        /// The standard deviation of log σ.
        deviation: f64,
    },
    /// log σ uniform between those of `least` and `most`. Levels beyond are never seen, so a point's targets are averaged over the
    /// data that reach it within the range alone: it should leave out nothing that counts.
    LogUniform {
        /// The smallest σ.
        least: f64,
        /// The largest σ.
        most: f64,
    },
}

impl Proposal {
    /// Refuses parameters that are no law.
    ///
    /// # Errors
    /// If a rate, deviation or level is not positive and finite, the mean is not finite, or the levels are not ascending.
    pub fn validate(&self) -> Result<()> {
        let positive = |name, value: f64| {
            if value.is_finite() && value > 0.0 {
                Ok(())
            } else {
                Err(Error::Number { name, allowed: "positive and finite", value })
            }
        };
        match *self {
            Self::Exponential { rate } => positive("proposal.rate", rate),
            Self::LogNormal { mean, deviation } => {
                positive("proposal.deviation", deviation)?;
                if mean.is_finite() {
                    Ok(())
                } else {
                    Err(Error::Number { name: "proposal.mean", allowed: "finite", value: mean })
                }
            }
            Self::LogUniform { least, most } => {
                positive("proposal.least", least)?;
                positive("proposal.most", most)?;
                if least < most && (most / least).is_finite() {
                    Ok(())
                } else {
                    Err(Error::Number {
                        name: "proposal.most",
                        allowed: "larger than proposal.least, by a finite factor",
                        value: most,
                    })
                }
            }
        }
    }

    /// Draws σ.
    pub fn draw(&self, rng: &mut Stream) -> f64 {
        match *self {
            Self::Exponential { rate } => {
                let clock: f64 = Exp1.sample(rng);
                (clock / rate).sqrt()
            }
            Self::LogNormal { mean, deviation } => {
                let z: f64 = StandardNormal.sample(rng);
                (mean + deviation * z).exp()
            }
            // Rounding may put a draw beyond an edge, where the density is zero.
            Self::LogUniform { least, most } => {
                (least * (most / least).powf(rng.random())).clamp(least, most)
            }
        }
    }

    /// The log-density of log σ; minus infinity where σ is never drawn.
    pub fn log_density(&self, level: f64) -> f64 {
        match *self {
            // ζ = σ² has the density rate e^{-rate ζ} and dζ/d log σ = 2 ζ.
            Self::Exponential { rate } => (2.0 * rate * level * level).ln() - rate * level * level,
            Self::LogNormal { mean, deviation } => {
                let z = (level.ln() - mean) / deviation;
                -0.5 * z * z - (deviation * std::f64::consts::TAU.sqrt()).ln()
            }
            Self::LogUniform { least, most } if (least..=most).contains(&level) => -(most / least).ln().ln(),
            Self::LogUniform { .. } => f64::NEG_INFINITY,
        }
    }

    /// log of the density of the clock Exp(`rate`) over this one's, at a level σ that was drawn.
    pub fn log_weight(&self, rate: f64, level: f64) -> f64 {
        Self::Exponential { rate }.log_density(level) - self.log_density(level)
    }
}
