//! A tile of points against a block of data by matrix products of fixed shape: inner products, and sums of weighted data.

use std::ops::{AddAssign, MulAssign};

use resolvent_special::transpose::{Shape, transpose};

use super::near::LANES;
use super::stream::BLOCK;

/// Points to a tile in double precision. Tiles are padded to their width, so that a point's products do not depend on its neighbours' number.
pub(crate) const TILE: usize = 32;

/// What the products are computed in: f32 or f64.
pub(crate) trait Real: Copy + Default + AddAssign + MulAssign + Into<f64> + 'static {
    const ONE: Self;
    /// The nearest number.
    fn rounded(x: f64) -> Self;
}

impl Real for f64 {
    const ONE: Self = 1.0;
    fn rounded(x: f64) -> Self {
        x
    }
}

impl Real for f32 {
    const ONE: Self = 1.0;
    fn rounded(x: f64) -> Self {
        x as Self
    }
}

/// A tile of points while blocks of data pass by.
///
/// In the products the points run fastest and the data are the right factor: the product crate reads that in place, and packs no more
/// than the tile. In between each point has what is its own in a row.
pub(crate) struct Products<T = f64> {
    d: usize,
    width: usize,
    /// The points, coordinate by coordinate.
    tile: Vec<T>,
    /// Room for a number for every datum of a block and every point, the points running fastest.
    pairs: Vec<T>,
    /// The products of the points with the data of a block, point by point.
    products: Vec<T>,
    /// With what every datum of the block counts for every point, point by point; all zero between blocks.
    weights: Vec<T>,
    weighted: bool,
    /// Σ weight y over the blocks since they were settled, coordinate by coordinate.
    sums: Vec<T>,
    /// The same over the blocks before, point by point.
    settled: Vec<f64>,
}

/// What belongs to one point.
pub(super) struct Column<'a, T = f64> {
    pub(super) products: &'a [T],
    pub(super) weights: Weights<'a, T>,
}

/// The weights of a block for one point, and the sums so far.
pub(super) struct Weights<'a, T = f64> {
    weights: &'a mut [T],
    weighted: &'a mut bool,
    /// Those of the first point begin at the place of this one.
    sums: &'a mut [T],
    width: usize,
    settled: &'a mut [f64],
}

impl<T: Real> Weights<'_, T> {
    /// Datum number `k` of the block counts with `weight`, rounded; returns what it counts with.
    pub(super) fn set(&mut self, k: usize, weight: f64) -> f64 {
        let weight = T::rounded(weight);
        self.weights[k] = weight;
        *self.weighted = true;
        weight.into()
    }

    /// All data of the block count with `weights` (as many), rounded; returns the sum of what they count with.
    pub(super) fn set_all(&mut self, weights: &[f64]) -> f64 {
        let mut sums = [0.0; LANES];
        for (own, weights) in self.weights.chunks_mut(LANES).zip(weights.chunks(LANES)) {
            for ((own, weight), sum) in own.iter_mut().zip(weights).zip(&mut sums) {
                *own = T::rounded(*weight);
                *sum += (*own).into();
            }
        }
        *self.weighted = true;
        sums.iter().sum()
    }

    /// Multiplies the sums of earlier blocks.
    pub(super) fn scale(&mut self, factor: f64) {
        self.sums.iter_mut().step_by(self.width).for_each(|sum| *sum *= T::rounded(factor));
        self.settled.iter_mut().for_each(|sum| *sum *= factor);
    }
}

impl<T: Real> Products<T> {
    /// For tiles of `width` points.
    pub(crate) fn new(d: usize, width: usize) -> Self {
        let (pairs, tile) = (vec![T::default(); BLOCK * width], vec![T::default(); d * width]);
        Self {
            d,
            width,
            products: pairs.clone(),
            weights: pairs.clone(),
            pairs,
            weighted: false,
            sums: tile.clone(),
            tile,
            settled: vec![0.0; d * width],
        }
    }

    /// Takes up points (at most a tile of rows of d).
    pub(crate) fn begin(&mut self, points: &[f64]) {
        self.tile.fill(T::default());
        for (j, x) in points.chunks_exact(self.d).enumerate() {
            let places = self.tile[j..].iter_mut().step_by(self.width);
            places.zip(x).for_each(|(place, x)| *place = T::rounded(*x));
        }
        self.sums.fill(T::default());
        self.settled.fill(0.0);
    }

    /// Takes up a block (at most [`BLOCK`] rows of d) and finds its inner products with the points.
    pub(crate) fn multiply(&mut self, block: &[T]) {
        let Self { d, width, .. } = *self;
        let rows = block.len() / d;
        let pairs = &mut self.pairs[..rows * width];
        product((width, rows, d), pairs, (&self.tile, width, 1), (block, d, 1), false);
        turned(width, pairs, &mut self.products[..rows * width]);
    }

    /// Adds the sums so far to numbers of double precision, so that those of many blocks do not lose more digits than those of a few.
    pub(super) fn settle(&mut self) {
        for (i, sums) in self.sums.chunks_exact_mut(self.width).enumerate() {
            for (settled, sum) in self.settled[i..].iter_mut().step_by(self.d).zip(sums) {
                *settled += std::mem::take(sum).into();
            }
        }
    }

    /// The inner products of point `j` with the data of a block of so many rows.
    pub(crate) fn products(&self, j: usize, rows: usize) -> &[T] {
        &self.products[j * rows..(j + 1) * rows]
    }

    /// What belongs to point `j` and a block of so many rows.
    pub(super) fn column(&mut self, j: usize, rows: usize) -> Column<'_, T> {
        let places = j * rows..(j + 1) * rows;
        Column {
            products: &self.products[places.clone()],
            weights: Weights {
                weights: &mut self.weights[places],
                weighted: &mut self.weighted,
                sums: &mut self.sums[j..],
                width: self.width,
                settled: &mut self.settled[j * self.d..(j + 1) * self.d],
            },
        }
    }

    /// Adds the weighted data of the block to the sums.
    pub(super) fn collect(&mut self, block: &[T]) {
        if !self.weighted {
            return;
        }
        let Self { d, width, .. } = *self;
        let rows = block.len() / d;
        let (weights, pairs) = (&mut self.weights[..rows * width], &mut self.pairs[..rows * width]);
        turned(rows, weights, pairs);
        product((width, d, rows), &mut self.sums, (pairs, width, 1), (block, 1, d), true);
        weights.fill(T::default());
        self.weighted = false;
    }

    /// Σ weight y for point `j` when the sums were settled.
    pub(super) fn settled(&self, j: usize) -> &[f64] {
        &self.settled[j * self.d..(j + 1) * self.d]
    }
}

/// out ← the transpose of `from`, whose rows have length `columns`.
fn turned<T: Real>(columns: usize, from: &[T], out: &mut [T]) {
    let rows = from.len() / columns;
    transpose(from, Shape { rows, columns, stride: columns }, out, rows);
}

/// A matrix: its numbers, and the steps from column to column and from row to row.
type Matrix<'a, T> = (&'a [T], usize, usize);

/// out ← lhs rhs, or out + lhs rhs, for an m x k and a k x n matrix; `out` (m x n) column after column.
#[expect(unsafe_code, reason = "the product crate takes raw pointers; the lengths are checked here")]
fn product<T: Real>(
    (m, n, k): (usize, usize, usize),
    out: &mut [T],
    lhs: Matrix<'_, T>,
    rhs: Matrix<'_, T>,
    add: bool,
) {
    let ((lhs, lhs_column, lhs_row), (rhs, rhs_column, rhs_row)) = (lhs, rhs);
    assert!(m > 0 && n > 0 && k > 0 && out.len() == m * n);
    assert!((m - 1) * lhs_row + (k - 1) * lhs_column < lhs.len());
    assert!((k - 1) * rhs_row + (n - 1) * rhs_column < rhs.len());
    // SAFETY: by the assertions above the last element of each matrix lies within its slice, and with it all others, as no
    // step is negative; `out` is borrowed mutably, so it overlaps neither factor.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            out.as_mut_ptr(),
            m as isize,
            1,
            add,
            lhs.as_ptr(),
            lhs_column as isize,
            lhs_row as isize,
            rhs.as_ptr(),
            rhs_column as isize,
            rhs_row as isize,
            T::ONE,
            T::ONE,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}
