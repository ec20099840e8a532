//! A small convolutional U-Net for square images.

use super::layers::{convolution, linear, zero_linear};
use super::{Inputs, Ops, Outputs, Sizes};
use crate::network::ops::Init;
use serde::{Deserialize, Serialize};

/// Images in, images out (Ronneberger et al. 2015, in the form of a residual denoiser): at every resolution `blocks`
/// residual blocks on the way down and as many on the way up, x ← x + K₂ silu(K₁ silu(x) + E e), K a 3 x 3 convolution
/// and e the embedding of the noise level; resolutions are halved and doubled by folding 2 x 2 pixels into channels, and what was
/// there on the way down is added on the way up. There is no normalisation: the input comes with unit variance, and every
/// residual block starts as the identity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UNet {
    /// Pixels along a side of the image; divisible by two for every halving.
    pub side: usize,
    /// Whether the image is folded once before anything else, which gives up the finest resolution for speed.
    pub folded: bool,
    /// Channels at each resolution, the finest first.
    pub channels: Vec<usize>,
    /// Residual blocks at every resolution, on each way.
    pub blocks: usize,
}

impl UNet {
    pub(super) fn forward<O: Ops>(
        &self,
        ops: &mut O,
        sizes: &Sizes,
        inputs: &Inputs<O::Tensor>,
    ) -> Outputs<O::Tensor> {
        let pixels = self.side * self.side;
        let square = if self.folded { 4 } else { 1 };
        let (ins, outs) = (square * sizes.inputs / pixels, square * sizes.outputs / pixels);
        let mut x = inputs.points.clone();
        if self.folded {
            x = ops.fold(&x);
        }
        x = convolution(ops, "input", &x, ins, self.channels[0], normal(1.0));
        let features = inputs.features.as_ref().map(|features| {
            let e = linear(ops, "embedding", features, sizes.features, 4 * self.channels[0], 1.0);
            (ops.silu(&e), 4 * self.channels[0])
        });

        let mut passed = Vec::with_capacity(self.channels.len());
        let coarsest = self.channels.len() - 1;
        for (level, &channels) in self.channels.iter().enumerate() {
            if level > 0 {
                x = ops.fold(&x);
                x = linear(
                    ops,
                    &format!("down.{level}.change"),
                    &x,
                    4 * self.channels[level - 1],
                    channels,
                    1.0,
                );
            }
            x = self.blocks(ops, &format!("down.{level}"), x, channels, features.as_ref());
            if level < coarsest {
                passed.push(x.clone());
            }
        }
        let h = ops.silu(&x);
        let h = ops.mean(&h);
        let heads =
            (sizes.heads > 0).then(|| zero_linear(ops, "heads", &h, self.channels[coarsest], sizes.heads));
        for level in (0..self.channels.len()).rev() {
            let channels = self.channels[level];
            if level < coarsest {
                x = linear(
                    ops,
                    &format!("up.{level}.change"),
                    &x,
                    self.channels[level + 1],
                    4 * channels,
                    1.0,
                );
                x = ops.unfold(&x);
                let there = passed.pop().expect("one was kept for every finer level");
                x = ops.add(&x, &there);
            }
            x = self.blocks(ops, &format!("up.{level}"), x, channels, features.as_ref());
        }
        let h = ops.silu(&x);
        let mut field = convolution(ops, "output", &h, self.channels[0], outs, |_| Init::Zero);
        if self.folded {
            field = ops.unfold(&field);
        }
        Outputs { field, heads }
    }

    fn blocks<O: Ops>(
        &self,
        ops: &mut O,
        name: &str,
        mut x: O::Tensor,
        channels: usize,
        features: Option<&(O::Tensor, usize)>,
    ) -> O::Tensor {
        for block in 0..self.blocks {
            let name = format!("{name}.{block}");
            let mut h = ops.silu(&x);
            h = convolution(
                ops,
                &format!("{name}.first"),
                &h,
                channels,
                channels,
                normal(std::f32::consts::SQRT_2),
            );
            if let Some((features, width)) = features {
                let e = linear(ops, &format!("{name}.embedding"), features, *width, channels, 1.0);
                h = ops.add_to_pixels(&h, &e);
            }
            h = ops.silu(&h);
            h = convolution(ops, &format!("{name}.second"), &h, channels, channels, |_| Init::Zero);
            x = ops.add(&x, &h);
        }
        x
    }
}

fn normal(gain: f32) -> impl Fn(usize) -> Init {
    move |fan_in| Init::Normal { fan_in, gain }
}
