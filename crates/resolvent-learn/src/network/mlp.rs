//! The residual multilayer perceptron.

use super::layers::{linear, residual, zero_linear};
use super::{Inputs, Ops, Outputs};
use serde::{Deserialize, Serialize};

/// Vectors in, vectors out: x ← W_in x, then `depth` times x ← x + W silu(x + E e), then W_out silu(x), with e the
/// embedding of the noise level where there is one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResidualMlp {
    /// Numbers between the layers.
    pub width: usize,
    /// Residual layers.
    pub depth: usize,
}

impl ResidualMlp {
    pub(super) fn forward<O: Ops>(
        &self,
        ops: &mut O,
        sizes: &super::Sizes,
        inputs: &Inputs<O::Tensor>,
    ) -> Outputs<O::Tensor> {
        let width = self.width;
        let mut x = linear(ops, "input", &inputs.points, sizes.inputs, width, 1.0);
        for block in 0..self.depth {
            let mut h = x.clone();
            if let Some(features) = &inputs.features {
                let e =
                    linear(ops, &format!("blocks.{block}.embedding"), features, sizes.features, width, 1.0);
                h = ops.add(&h, &e);
            }
            h = ops.silu(&h);
            x = residual(ops, &format!("blocks.{block}.linear"), &x, &h, width);
        }
        let h = ops.silu(&x);
        let field = zero_linear(ops, "output", &h, width, sizes.outputs);
        let heads = (sizes.heads > 0).then(|| zero_linear(ops, "heads", &h, width, sizes.heads));
        Outputs { field, heads }
    }
}
