//! The operations of a network on tensors of the framework.

use super::{tensor, values};
use crate::network::{Init, Ops, Parameter};
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, Tensor, activation, module};
use std::collections::BTreeMap;

/// Tensors of [n, row, column, channel], and the parameters met on the way.
pub(super) struct Recording<'a> {
    device: &'a Device,
    parameters: &'a [f32],
    asked: usize,
    /// On the device, flat, by where they start.
    leaves: BTreeMap<usize, Tensor<1>>,
}

impl<'a> Recording<'a> {
    pub(super) fn new(device: &'a Device, parameters: &'a [f32]) -> Self {
        Self { device, parameters, asked: 0, leaves: BTreeMap::new() }
    }

    pub(super) fn device(&self) -> &'a Device {
        self.device
    }

    /// Adds the gradient of `number` by the parameters to `gradient`.
    pub(super) fn add_gradient(&self, number: &Tensor<1>, gradient: &mut [f32]) {
        let mut gradients = number.backward();
        for (&offset, leaf) in &self.leaves {
            // A parameter that nothing depends on has none.
            if let Some(by) = leaf.grad_remove(&mut gradients) {
                gradient[offset..].iter_mut().zip(values(by)).for_each(|(sum, g)| *sum += g);
            }
        }
    }

    fn leaf(&self, parameter: Parameter) -> Tensor<1> {
        self.leaves[&parameter.offset].clone()
    }
}

impl Ops for Recording<'_> {
    type Tensor = Tensor<4>;

    fn parameter(&mut self, _: &str, shape: &[usize], _: Init) -> Parameter {
        let parameter = Parameter::new(self.asked, shape);
        self.asked += parameter.len;
        let values = &self.parameters[parameter.offset..self.asked];
        let mut leaf = tensor(self.device, values, [parameter.len]);
        if self.device.is_autodiff() {
            leaf = leaf.require_grad();
        }
        self.leaves.insert(parameter.offset, leaf);
        parameter
    }

    fn linear(&mut self, x: &Tensor<4>, weight: Parameter, bias: Option<Parameter>) -> Tensor<4> {
        let [n, rows, columns, ins] = x.dims();
        let matrix = self.leaf(weight).reshape([weight.out, ins]).transpose();
        let x = x.clone().reshape([n * rows * columns, ins]);
        module::linear(x, matrix, bias.map(|bias| self.leaf(bias))).reshape([n, rows, columns, weight.out])
    }

    fn convolution(&mut self, x: &Tensor<4>, weight: Parameter, bias: Option<Parameter>) -> Tensor<4> {
        let ins = x.dims()[3];
        // [3, 3, in, out] to [out, in, 3, 3], and channels before rows and back.
        let kernel = self.leaf(weight).reshape([3, 3, ins, weight.out]).permute([3, 2, 0, 1]);
        let options = ConvOptions::new([1, 1], [1, 1], [1, 1], 1);
        let x = x.clone().permute([0, 3, 1, 2]);
        module::conv2d(x, kernel, bias.map(|bias| self.leaf(bias)), options).permute([0, 2, 3, 1])
    }

    fn silu(&mut self, x: &Tensor<4>) -> Tensor<4> {
        activation::silu(x.clone())
    }

    fn silu_tangent(&mut self, x: &Tensor<4>, dx: &Tensor<4>) -> Tensor<4> {
        let s = activation::sigmoid(x.clone());
        // s (1 + x (1 - s))
        let slope = s.clone() * (x.clone() * (-s + 1.0) + 1.0);
        slope * dx.clone()
    }

    fn add(&mut self, x: &Tensor<4>, y: &Tensor<4>) -> Tensor<4> {
        x.clone() + y.clone()
    }

    fn add_to_pixels(&mut self, x: &Tensor<4>, e: &Tensor<4>) -> Tensor<4> {
        x.clone() + e.clone()
    }

    fn fold(&mut self, x: &Tensor<4>) -> Tensor<4> {
        let [n, rows, columns, channels] = x.dims();
        x.clone().reshape([n, rows / 2, 2, columns / 2, 2, channels]).permute([0, 1, 3, 2, 4, 5]).reshape([
            n,
            rows / 2,
            columns / 2,
            4 * channels,
        ])
    }

    fn unfold(&mut self, x: &Tensor<4>) -> Tensor<4> {
        let [n, rows, columns, channels] = x.dims();
        x.clone().reshape([n, rows, columns, 2, 2, channels / 4]).permute([0, 1, 3, 2, 4, 5]).reshape([
            n,
            2 * rows,
            2 * columns,
            channels / 4,
        ])
    }

    fn mean(&mut self, x: &Tensor<4>) -> Tensor<4> {
        x.clone().mean_dim(1).mean_dim(2)
    }
}
