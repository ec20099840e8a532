//! Layers with their parameters.

use super::ops::{Init, Ops, Parameter};

/// x Wᵀ + b with W ~ N(0, gain²/inputs) and b = 0 to start with.
pub(super) fn linear<O: Ops>(
    ops: &mut O,
    name: &str,
    x: &O::Tensor,
    inputs: usize,
    outputs: usize,
    gain: f32,
) -> O::Tensor {
    let (weight, bias) = normal(ops, name, inputs, outputs, gain);
    ops.linear(x, weight, Some(bias))
}

/// y + x Wᵀ + b with W ~ N(0, 1/width) and b = 0 to start with.
pub(super) fn residual<O: Ops>(
    ops: &mut O,
    name: &str,
    y: &O::Tensor,
    x: &O::Tensor,
    width: usize,
) -> O::Tensor {
    let (weight, bias) = normal(ops, name, width, width, 1.0);
    ops.linear_onto(y, x, weight, Some(bias))
}

fn normal<O: Ops>(
    ops: &mut O,
    name: &str,
    inputs: usize,
    outputs: usize,
    gain: f32,
) -> (Parameter, Parameter) {
    let init = Init::Normal { fan_in: inputs, gain };
    let weight = ops.parameter(&format!("{name}.weight"), &[outputs, inputs], init);
    (weight, ops.parameter(&format!("{name}.bias"), &[outputs], Init::Zero))
}

/// x Wᵀ + b with W = 0 and b = 0 to start with.
pub(super) fn zero_linear<O: Ops>(
    ops: &mut O,
    name: &str,
    x: &O::Tensor,
    inputs: usize,
    outputs: usize,
) -> O::Tensor {
    let weight = ops.parameter(&format!("{name}.weight"), &[outputs, inputs], Init::Zero);
    let bias = ops.parameter(&format!("{name}.bias"), &[outputs], Init::Zero);
    ops.linear(x, weight, Some(bias))
}

/// A 3 x 3 convolution with normal weights to start with; zero ones where `zero`.
pub(super) fn convolution<O: Ops>(
    ops: &mut O,
    name: &str,
    x: &O::Tensor,
    inputs: usize,
    outputs: usize,
    init: impl Fn(usize) -> Init,
) -> O::Tensor {
    let weight = ops.parameter(&format!("{name}.weight"), &[3, 3, inputs, outputs], init(9 * inputs));
    let bias = ops.parameter(&format!("{name}.bias"), &[outputs], Init::Zero);
    ops.convolution(x, weight, Some(bias))
}
