//! Evaluation of networks of vectors, without a tape: a column for every point.
//!
//! A linear map takes rows of weights as they lie in memory: with the points in columns the product crate goes along them and
//! copies only the points, which are fewer than the weights; with the points in rows it would copy the weights, transposed.
//! What was computed is forgotten as soon as nothing needs it, so that a strip of points stays in the cache of its core.

use super::pointwise::{add, add_to_rows, silu, silu_tangent};
use super::product::{View, product};
use crate::network::{Init, Ops, Parameter};
use resolvent_special::transpose::{Shape, transpose};
use std::rc::Rc;

/// Points that go through a network together: as many as the product crate works on at once, so that more would gain nothing
/// and leave the second cache.
pub(super) const STRIP: usize = 64;
/// Columns are filled up to a multiple of this, the numbers in a register.
const REGISTER: usize = 16;

/// `channels` rows with a column for each point of a strip.
#[derive(Debug, Clone)]
pub(super) struct Matrix {
    channels: usize,
    values: Rc<Vec<f32>>,
}

/// Memory that strips use again and again.
#[derive(Debug, Default)]
pub(super) struct Memory(Vec<Rc<Vec<f32>>>);

impl Memory {
    /// Memory that no matrix holds any more, of that length, with anything in it; what was left last comes first.
    fn take(&mut self, len: usize) -> Rc<Vec<f32>> {
        let free = self.0.iter().rposition(|memory| Rc::strong_count(memory) == 1);
        let mut memory = free.map_or_else(Rc::default, |free| self.0.remove(free));
        Rc::get_mut(&mut memory).expect("nothing else holds it").resize(len, 0.0);
        memory
    }
}

/// One strip on its way through a network.
pub(super) struct Columns<'a> {
    memory: &'a mut Memory,
    parameters: &'a [f32],
    asked: usize,
    points: usize,
    columns: usize,
}

impl<'a> Columns<'a> {
    /// A strip of so many points, for a network with these parameters.
    pub(super) fn new(memory: &'a mut Memory, parameters: &'a [f32], points: usize) -> Self {
        Self { memory, parameters, asked: 0, points, columns: points.next_multiple_of(REGISTER) }
    }

    /// The columns of `rows`, one of `channels` for each point.
    pub(super) fn input(&mut self, channels: usize, rows: &[f32]) -> Matrix {
        let (points, columns) = (self.points, self.columns);
        self.compute(channels, |out| {
            if points < columns {
                out.chunks_exact_mut(columns).for_each(|row| row[points..].fill(0.0));
            }
            transpose(rows, Shape { rows: points, columns: channels, stride: channels }, out, columns);
        })
    }

    /// Writes the columns of the points as rows.
    pub(super) fn output(&self, matrix: &Matrix, rows: &mut [f32]) {
        let shape = Shape { rows: matrix.channels, columns: self.points, stride: self.columns };
        transpose(&matrix.values, shape, rows, matrix.channels);
    }

    /// A new matrix, which `write` writes over whatever is in its memory.
    fn compute(&mut self, channels: usize, write: impl FnOnce(&mut [f32])) -> Matrix {
        let mut values = self.memory.take(channels * self.columns);
        write(Rc::get_mut(&mut values).expect("nothing else holds it"));
        self.memory.0.push(values.clone());
        Matrix { channels, values }
    }

    /// The product of a weight with `x`, added to what `start` has written if `add`.
    fn product(
        &mut self,
        x: &Matrix,
        weight: Parameter,
        add: bool,
        start: impl FnOnce(&mut [f32]),
    ) -> Matrix {
        let (columns, ins, outs) = (self.columns, x.channels, weight.out);
        let weight = (self.parameters(weight), View::dense(outs, ins));
        self.compute(outs, |out| {
            start(out);
            let x = (&x.values[..], View::dense(ins, columns));
            product(add, weight, x, (out, View::dense(outs, columns)));
        })
    }

    fn parameters(&self, place: Parameter) -> &'a [f32] {
        &self.parameters[place.offset..place.offset + place.len]
    }
}

impl Ops for Columns<'_> {
    type Tensor = Matrix;

    fn parameter(&mut self, _: &str, shape: &[usize], _: Init) -> Parameter {
        let parameter = Parameter::new(self.asked, shape);
        self.asked += parameter.len;
        parameter
    }

    fn linear(&mut self, x: &Matrix, weight: Parameter, bias: Option<Parameter>) -> Matrix {
        let columns = self.columns;
        let bias = bias.map(|bias| self.parameters(bias));
        self.product(x, weight, bias.is_some(), |out| {
            if let Some(bias) = bias {
                out.chunks_exact_mut(columns).zip(bias).for_each(|(row, b)| row.fill(*b));
            }
        })
    }

    fn linear_onto(&mut self, y: &Matrix, x: &Matrix, weight: Parameter, bias: Option<Parameter>) -> Matrix {
        let columns = self.columns;
        let bias = bias.map(|bias| self.parameters(bias));
        self.product(x, weight, true, |out| match bias {
            Some(bias) => add_to_rows(&y.values, bias, columns, out),
            None => out.copy_from_slice(&y.values),
        })
    }

    fn silu(&mut self, x: &Matrix) -> Matrix {
        self.compute(x.channels, |out| silu(&x.values, out))
    }

    fn silu_tangent(&mut self, x: &Matrix, dx: &Matrix) -> Matrix {
        self.compute(x.channels, |out| silu_tangent(&x.values, &dx.values, out))
    }

    fn add(&mut self, x: &Matrix, y: &Matrix) -> Matrix {
        self.compute(x.channels, |out| add(&x.values, &y.values, out))
    }

    fn add_to_pixels(&mut self, x: &Matrix, e: &Matrix) -> Matrix {
        self.add(x, e)
    }

    fn convolution(&mut self, _: &Matrix, _: Parameter, _: Option<Parameter>) -> Matrix {
        unreachable!("{VECTORS}")
    }

    fn fold(&mut self, _: &Matrix) -> Matrix {
        unreachable!("{VECTORS}")
    }

    fn unfold(&mut self, _: &Matrix) -> Matrix {
        unreachable!("{VECTORS}")
    }

    fn mean(&mut self, _: &Matrix) -> Matrix {
        unreachable!("{VECTORS}")
    }
}

const VECTORS: &str = "images go over the tape";
