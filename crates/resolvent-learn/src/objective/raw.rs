//! A network by itself, with its points standardised.

use crate::engine::{Batch, Engine};
use crate::error::{Error, Result};
use crate::network::{Architecture, Network, Sizes};

/// F((x - c)/scale) for a network F on R^d that is told no noise level.
#[derive(Debug, Clone, PartialEq)]
pub struct RawNetwork {
    network: Network,
    centre: Vec<f64>,
    scale: f64,
}

impl RawNetwork {
    /// With `outputs` numbers for each point; `centre` c (d) and `scale` > 0 (length) are about the mean of the points and the
    /// standard deviation of a coordinate.
    ///
    /// # Errors
    /// If the architecture does not fit the dimension, the centre is not finite, or the scale is not positive and finite.
    pub fn new(architecture: Architecture, outputs: usize, centre: &[f64], scale: f64) -> Result<Self> {
        if let Some(value) = centre.iter().find(|c| !c.is_finite()) {
            return Err(Error::Number { name: "centre", allowed: "finite", value: *value });
        }
        if !(scale.is_finite() && scale > 0.0) {
            return Err(Error::Number { name: "scale", allowed: "positive and finite", value: scale });
        }
        let sizes = Sizes { inputs: centre.len(), features: 0, outputs, heads: 0 };
        Ok(Self { network: Network::new(architecture, sizes)?, centre: centre.to_vec(), scale })
    }

    /// Dimension d.
    pub fn dim(&self) -> usize {
        self.centre.len()
    }

    /// The network F.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The length that is 1 to the network.
    pub fn scale(&self) -> f64 {
        self.scale
    }

    /// The values at `points` (n rows of d): n rows of the outputs.
    ///
    /// # Panics
    /// If the parameters or points have another length than they should.
    pub fn values(&self, engine: &dyn Engine, parameters: &[f32], points: &[f64]) -> Vec<f64> {
        let reply = engine.evaluate(&self.network, parameters, &self.batch(points));
        reply.field.iter().map(|f| f64::from(*f)).collect()
    }

    /// What the network gets for `points` (n rows of d).
    pub(super) fn batch(&self, points: &[f64]) -> Batch {
        let standardised = points.chunks_exact(self.dim()).flat_map(|x| x.iter().zip(&self.centre));
        Batch {
            n: points.len() / self.dim(),
            points: standardised.map(|(x, c)| ((x - c) / self.scale) as f32).collect(),
            ..Batch::default()
        }
    }
}
