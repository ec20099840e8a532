//! What a file holds under one name.

use safetensors::{Dtype, View};
use std::borrow::Cow;

/// Numbers of single or double precision.
#[derive(Debug, Clone, PartialEq)]
pub enum Values<'a> {
    /// Single precision.
    F32(Cow<'a, [f32]>),
    /// Double precision.
    F64(Cow<'a, [f64]>),
}

/// Numbers and their shape.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor<'a> {
    shape: Vec<usize>,
    values: Values<'a>,
}

impl<'a> Tensor<'a> {
    /// A tensor of that shape, row by row.
    ///
    /// # Panics
    /// If there are more or fewer numbers than the shape asks for.
    pub fn new(shape: &[usize], values: Values<'a>) -> Self {
        let len = match &values {
            Values::F32(values) => values.len(),
            Values::F64(values) => values.len(),
        };
        assert_eq!(len, shape.iter().product::<usize>(), "numbers of shape {shape:?}");
        Self { shape: shape.to_vec(), values }
    }

    /// In single precision.
    pub fn f32(shape: &[usize], values: impl Into<Cow<'a, [f32]>>) -> Self {
        Self::new(shape, Values::F32(values.into()))
    }

    /// In double precision.
    pub fn f64(shape: &[usize], values: impl Into<Cow<'a, [f64]>>) -> Self {
        Self::new(shape, Values::F64(values.into()))
    }

    /// The shape.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The numbers.
    pub fn values(&self) -> &Values<'a> {
        &self.values
    }

    /// The numbers.
    pub fn into_values(self) -> Values<'a> {
        self.values
    }

    /// Where the first number lies that is not finite, and which it is.
    pub(super) fn not_finite(&self) -> Option<(usize, f64)> {
        let odd = |(_, x): &(usize, f64)| !x.is_finite();
        match &self.values {
            Values::F32(values) => values.iter().map(|x| f64::from(*x)).enumerate().find(odd),
            Values::F64(values) => values.iter().copied().enumerate().find(odd),
        }
    }

    /// The tensor in these little-endian bytes; none for numbers of another type.
    pub(super) fn from_bytes(dtype: Dtype, shape: &[usize], bytes: &[u8]) -> Option<Tensor<'static>> {
        let values = match dtype {
            Dtype::F32 => {
                let (numbers, _) = bytes.as_chunks();
                Values::F32(numbers.iter().map(|b| f32::from_le_bytes(*b)).collect())
            }
            Dtype::F64 => {
                let (numbers, _) = bytes.as_chunks();
                Values::F64(numbers.iter().map(|b| f64::from_le_bytes(*b)).collect())
            }
            _ => return None,
        };
        Some(Tensor { shape: shape.to_vec(), values })
    }
}

impl View for &Tensor<'_> {
    fn dtype(&self) -> Dtype {
        match self.values {
            Values::F32(_) => Dtype::F32,
            Values::F64(_) => Dtype::F64,
        }
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        match &self.values {
            Values::F32(values) => values.iter().flat_map(|x| x.to_le_bytes()).collect(),
            Values::F64(values) => values.iter().flat_map(|x| x.to_le_bytes()).collect(),
        }
    }

    fn data_len(&self) -> usize {
        match &self.values {
            Values::F32(values) => 4 * values.len(),
            Values::F64(values) => 8 * values.len(),
        }
    }
}
