//! The few operations a network is made of. A network is written once, over any type that has them.

/// What a network is computed with: numbers, a tape that remembers them, pairs of a value and a derivative, or the tensors
/// of a framework.
///
/// A tensor is a batch of n images of `side` x `side` pixels with some channels each, in the order [n, row, column,
/// channel]; a plain vector is an image of one pixel.
pub trait Ops {
    /// A batch of images or vectors.
    type Tensor: Clone;

    /// The next parameter. Parameters are asked for in the same order every time, and only once.
    fn parameter(&mut self, name: &str, shape: &[usize], init: Init) -> Parameter;

    /// x Wᵀ + b in every pixel; `weight` is `[out, in]`, `bias` is `[out]`.
    fn linear(&mut self, x: &Self::Tensor, weight: Parameter, bias: Option<Parameter>) -> Self::Tensor;

    /// y + x Wᵀ + b, as [`linear`](Ops::linear) and [`add`](Ops::add) have it up to the order of the sum.
    fn linear_onto(
        &mut self,
        y: &Self::Tensor,
        x: &Self::Tensor,
        weight: Parameter,
        bias: Option<Parameter>,
    ) -> Self::Tensor {
        let product = self.linear(x, weight, bias);
        self.add(y, &product)
    }

    /// Convolution (correlation) with a 3 x 3 kernel and zeros around the image; `weight` is `[3, 3, in, out]`, `bias` is `[out]`.
    fn convolution(&mut self, x: &Self::Tensor, weight: Parameter, bias: Option<Parameter>) -> Self::Tensor;

    /// x/(1 + e^{-x}).
    fn silu(&mut self, x: &Self::Tensor) -> Self::Tensor;

    /// The derivative of [`silu`](Ops::silu) at `x` times `dx`.
    fn silu_tangent(&mut self, x: &Self::Tensor, dx: &Self::Tensor) -> Self::Tensor;

    /// x + y.
    fn add(&mut self, x: &Self::Tensor, y: &Self::Tensor) -> Self::Tensor;

    /// x + e with the vector e of every image added to all its pixels.
    fn add_to_pixels(&mut self, x: &Self::Tensor, e: &Self::Tensor) -> Self::Tensor;

    /// Half the side: the four pixels of every 2 x 2 square, in the order of rows, become one of four times the channels.
    fn fold(&mut self, x: &Self::Tensor) -> Self::Tensor;

    /// The inverse of [`fold`](Ops::fold).
    fn unfold(&mut self, x: &Self::Tensor) -> Self::Tensor;

    /// The mean over the pixels: a vector per image.
    fn mean(&mut self, x: &Self::Tensor) -> Self::Tensor;
}

/// A place in the flat list of parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameter {
    /// Where it starts.
    pub offset: usize,
    /// How many numbers it has.
    pub len: usize,
    /// The last extent of its shape for kernels and biases, the first for the weight of a linear map: the channels it makes.
    pub out: usize,
}

impl Parameter {
    /// The parameter of that shape at `offset`.
    pub fn new(offset: usize, shape: &[usize]) -> Self {
        let out = if shape.len() == 2 { shape[0] } else { *shape.last().unwrap_or(&0) };
        Self { offset, len: shape.iter().product(), out }
    }
}

/// What a parameter starts from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Init {
    /// All zero.
    Zero,
    /// Independent N(0, gain²/fan_in).
    Normal {
        /// The inputs every output adds up.
        fan_in: usize,
        /// 1 keeps the variance of a linear map, √2 about that of one behind a [`silu`](Ops::silu).
        gain: f32,
    },
}
