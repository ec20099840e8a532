//! Arrays of any shape between a file and the rest of the program.

use crate::error::{Error, Result};
use nalgebra::DMatrix;
use std::path::{Path, PathBuf};

/// A numeric array read from a file, as float64 in C order.
#[derive(Clone, Debug)]
pub struct Array {
    origin: PathBuf,
    shape: Vec<usize>,
    values: Vec<f64>,
}

impl Array {
    /// `values` has as many entries as `shape` says; `origin` is what errors name.
    pub(super) fn new(origin: &Path, shape: Vec<usize>, values: Vec<f64>) -> Self {
        debug_assert_eq!(values.len(), shape.iter().product::<usize>());
        Self { origin: origin.to_owned(), shape, values }
    }

    /// Length of each axis.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The values in C order, whatever they are.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// The array `[n, ...]` as n points, one per column, trailing axes flattened: `[n, d]` gives d x n, `[n, h, w]` gives
    /// hw x n, `[n]` gives 1 x n. The array must not be empty and all its values must be finite.
    pub fn into_points(self) -> Result<DMatrix<f64>> {
        let Some((&n, rest)) = self.shape.split_first() else {
            return Err(self.wrong_shape("an array of points [n, d]"));
        };
        let d: usize = rest.iter().product();
        if n * d == 0 {
            return Err(self.wrong_shape("at least one point of at least one coordinate"));
        }
        self.check_finite(d)?;
        Ok(DMatrix::from_vec(d, n, self.values))
    }

    /// The one-dimensional array `[n]` as a vector of finite values; `[n, 1]` is accepted too.
    pub fn into_vector(self) -> Result<Vec<f64>> {
        match self.shape[..] {
            [n] | [n, 1] if n > 0 => {}
            _ => return Err(self.wrong_shape("a one-dimensional array [n], n > 0")),
        }
        self.check_finite(1)?;
        Ok(self.values)
    }

    fn wrong_shape(&self, expected: &str) -> Error {
        Error::format(&self.origin, "shape", format_args!("{:?}", self.shape), expected)
    }

    fn check_finite(&self, columns: usize) -> Result<()> {
        match self.values.iter().position(|x| !x.is_finite()) {
            None => Ok(()),
            Some(i) => Err(Error::NotFinite {
                path: self.origin.clone(),
                row: i / columns,
                column: i % columns,
                value: self.values[i],
            }),
        }
    }
}

/// Values to be written as an array, in C order.
#[derive(Clone, Debug)]
pub enum Values<'a> {
    /// float64
    F64(&'a [f64]),
    /// int64
    I64(&'a [i64]),
    /// uint8
    U8(&'a [u8]),
    /// unicode strings
    Text(Vec<String>),
}

impl Values<'_> {
    /// Number of values.
    pub fn len(&self) -> usize {
        match self {
            Self::F64(v) => v.len(),
            Self::I64(v) => v.len(),
            Self::U8(v) => v.len(),
            Self::Text(v) => v.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<'a> From<&'a [f64]> for Values<'a> {
    fn from(values: &'a [f64]) -> Self {
        Self::F64(values)
    }
}

impl<'a> From<&'a [i64]> for Values<'a> {
    fn from(values: &'a [i64]) -> Self {
        Self::I64(values)
    }
}

impl<'a> From<&'a [u8]> for Values<'a> {
    fn from(values: &'a [u8]) -> Self {
        Self::U8(values)
    }
}

impl From<Vec<String>> for Values<'_> {
    fn from(values: Vec<String>) -> Self {
        Self::Text(values)
    }
}

impl From<&[&str]> for Values<'_> {
    fn from(values: &[&str]) -> Self {
        Self::Text(values.iter().map(|&s| s.to_owned()).collect())
    }
}
