//! What computes a network and its gradient.

#[cfg(feature = "burn")]
pub mod burn;
mod native;

pub use native::Native;

use crate::network::Network;

/// A batch on its way into a network, in f32, row by row.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Batch {
    /// How many points.
    pub n: usize,
    /// n rows of [`Sizes::inputs`](crate::network::Sizes::inputs).
    pub points: Vec<f32>,
    /// n rows of [`Sizes::features`](crate::network::Sizes::features); empty for a network that is told no noise level.
    pub features: Vec<f32>,
    /// Directions to differentiate along, n rows like `points`; empty where no derivative is wanted.
    pub directions: Vec<f32>,
    /// How `features` change along the directions, n rows like them; empty where they do not, or there are no directions.
    pub feature_directions: Vec<f32>,
}

/// What came out of a network for a batch, or the gradient of a loss by it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reply {
    /// n rows of [`Sizes::outputs`](crate::network::Sizes::outputs).
    pub field: Vec<f32>,
    /// n rows of [`Sizes::heads`](crate::network::Sizes::heads).
    pub heads: Vec<f32>,
    /// The derivative of `field` along the directions; empty where there are none.
    pub derivative: Vec<f32>,
    /// The derivative of `heads` along them; empty where there are none.
    pub head_derivative: Vec<f32>,
}

/// Computes networks and their gradients.
pub trait Engine: Sync {
    /// The network at a batch.
    fn evaluate(&self, network: &Network, parameters: &[f32], batch: &Batch) -> Reply;

    /// The gradient by the parameters of a loss, added to `gradient`. `loss` gets what came out and writes its gradient by that
    /// into the second reply, which comes zero.
    fn gradient(
        &self,
        network: &Network,
        parameters: &[f32],
        batch: &Batch,
        loss: &mut dyn FnMut(&Reply, &mut Reply),
        gradient: &mut [f32],
    );
}
