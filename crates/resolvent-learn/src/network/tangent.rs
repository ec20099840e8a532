//! Directional derivatives: any operations, on pairs of a value and its derivative along a direction.

use super::{Init, Ops, Parameter};

/// A value and its derivative along a direction; without one where the value does not change along it.
#[derive(Debug, Clone)]
pub struct Pair<T> {
    /// The value.
    pub value: T,
    /// The derivative.
    pub tangent: Option<T>,
}

/// The operations of `O` on pairs (forward differentiation). On a tape it can be differentiated once more, by the parameters.
pub struct Tangent<'a, O>(pub &'a mut O);

impl<O: Ops> Tangent<'_, O> {
    fn map(&mut self, x: &Pair<O::Tensor>, f: impl Fn(&mut O, &O::Tensor) -> O::Tensor) -> Pair<O::Tensor> {
        Pair { value: f(self.0, &x.value), tangent: x.tangent.as_ref().map(|dx| f(self.0, dx)) }
    }

    fn sum(
        &mut self,
        x: &Pair<O::Tensor>,
        y: &Pair<O::Tensor>,
        f: impl Fn(&mut O, &O::Tensor, &O::Tensor) -> O::Tensor,
    ) -> Option<O::Tensor> {
        match (&x.tangent, &y.tangent) {
            (Some(dx), Some(dy)) => Some(f(self.0, dx, dy)),
            (dx, dy) => dx.clone().or_else(|| dy.clone()),
        }
    }
}

impl<O: Ops> Ops for Tangent<'_, O> {
    type Tensor = Pair<O::Tensor>;

    fn parameter(&mut self, name: &str, shape: &[usize], init: Init) -> Parameter {
        self.0.parameter(name, shape, init)
    }

    fn linear(&mut self, x: &Self::Tensor, weight: Parameter, bias: Option<Parameter>) -> Self::Tensor {
        let value = self.0.linear(&x.value, weight, bias);
        Pair { value, tangent: x.tangent.as_ref().map(|dx| self.0.linear(dx, weight, None)) }
    }

    fn convolution(&mut self, x: &Self::Tensor, weight: Parameter, bias: Option<Parameter>) -> Self::Tensor {
        let value = self.0.convolution(&x.value, weight, bias);
        Pair { value, tangent: x.tangent.as_ref().map(|dx| self.0.convolution(dx, weight, None)) }
    }

    fn silu(&mut self, x: &Self::Tensor) -> Self::Tensor {
        let value = self.0.silu(&x.value);
        Pair { value, tangent: x.tangent.as_ref().map(|dx| self.0.silu_tangent(&x.value, dx)) }
    }

    fn silu_tangent(&mut self, _: &Self::Tensor, _: &Self::Tensor) -> Self::Tensor {
        unreachable!("networks use silu alone, and one direction is enough")
    }

    fn add(&mut self, x: &Self::Tensor, y: &Self::Tensor) -> Self::Tensor {
        let value = self.0.add(&x.value, &y.value);
        Pair { value, tangent: self.sum(x, y, O::add) }
    }

    fn add_to_pixels(&mut self, x: &Self::Tensor, e: &Self::Tensor) -> Self::Tensor {
        let value = self.0.add_to_pixels(&x.value, &e.value);
        let tangent = match (&x.tangent, &e.tangent) {
            (Some(dx), Some(de)) => Some(self.0.add_to_pixels(dx, de)),
            (Some(dx), None) => Some(dx.clone()),
            (None, None) => None,
            (None, Some(_)) => unreachable!("the embedding does not change along a direction of the points"),
        };
        Pair { value, tangent }
    }

    fn fold(&mut self, x: &Self::Tensor) -> Self::Tensor {
        self.map(x, O::fold)
    }

    fn unfold(&mut self, x: &Self::Tensor) -> Self::Tensor {
        self.map(x, O::unfold)
    }

    fn mean(&mut self, x: &Self::Tensor) -> Self::Tensor {
        self.map(x, O::mean)
    }
}
