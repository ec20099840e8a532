//! A tile of points against a block of data by matrix products of fixed shape: inner products, and sums of weighted data.

use super::stream::BLOCK;

/// Points to a tile. Tiles are padded to this width, so that a point's products do not depend on its neighbours' number.
pub(crate) const TILE: usize = 32;

/// A tile of points while blocks of data pass by.
pub(super) struct Products {
    d: usize,
    /// The points, [`TILE`] rows of d.
    tile: Vec<f64>,
    /// Of the points with the data of a block.
    products: Vec<f64>,
    /// With what every datum of the block counts for every point; all zero between blocks.
    weights: Vec<f64>,
    weighted: bool,
    /// Σ weight y over all blocks, [`TILE`] rows of d.
    sums: Vec<f64>,
}

/// What belongs to one point.
pub(super) struct Column<'a> {
    pub(super) products: &'a [f64],
    pub(super) weights: Weights<'a>,
}

/// The weights of a block for one point, and the sums so far.
pub(super) struct Weights<'a> {
    weights: &'a mut [f64],
    weighted: &'a mut bool,
    sums: &'a mut [f64],
}

impl Weights<'_> {
    /// Datum number `k` of the block counts with `weight`.
    pub(super) fn set(&mut self, k: usize, weight: f64) {
        self.weights[k] = weight;
        *self.weighted = true;
    }

    /// Multiplies the sums of earlier blocks.
    pub(super) fn scale(&mut self, factor: f64) {
        self.sums.iter_mut().for_each(|sum| *sum *= factor);
    }
}

impl Products {
    pub(super) fn new(d: usize) -> Self {
        let (block, tile) = (BLOCK * TILE, d * TILE);
        Self {
            d,
            tile: vec![0.0; tile],
            products: vec![0.0; block],
            weights: vec![0.0; block],
            weighted: false,
            sums: vec![0.0; tile],
        }
    }

    /// Takes up points (at most [`TILE`] rows of d).
    pub(super) fn begin(&mut self, points: &[f64]) {
        self.tile[..points.len()].copy_from_slice(points);
        self.tile[points.len()..].fill(0.0);
        self.sums.fill(0.0);
    }

    /// Takes up a block (at most [`BLOCK`] rows of d): products\[k + rows j\] = ⟨datum k, point j⟩.
    pub(super) fn multiply(&mut self, block: &[f64]) {
        let rows = block.len() / self.d;
        inner_products(self.d, block, &self.tile, &mut self.products[..rows * TILE]);
    }

    /// What belongs to point `j` and a block of so many rows.
    pub(super) fn column(&mut self, j: usize, rows: usize) -> Column<'_> {
        let places = j * rows..(j + 1) * rows;
        Column {
            products: &self.products[places.clone()],
            weights: Weights {
                weights: &mut self.weights[places],
                weighted: &mut self.weighted,
                sums: &mut self.sums[j * self.d..(j + 1) * self.d],
            },
        }
    }

    /// Adds the weighted data of the block to the sums.
    pub(super) fn collect(&mut self, block: &[f64]) {
        if !self.weighted {
            return;
        }
        let (d, rows) = (self.d, block.len() / self.d);
        let (lhs, rhs) = ((block, d, 1), (&self.weights[..rows * TILE], rows, 1));
        product((d, TILE, rows), &mut self.sums, lhs, rhs, true);
        self.weights[..rows * TILE].fill(0.0);
        self.weighted = false;
    }

    /// Σ weight y for point `j`.
    pub(super) fn sums(&self, j: usize) -> &[f64] {
        &self.sums[j * self.d..(j + 1) * self.d]
    }
}

/// out ← blockᵀ tile: `out[k + rows * j]` = ⟨block k, tile j⟩ for the `rows` data (rows of d) of `block` and the [`TILE`]
/// points of `tile`.
pub(crate) fn inner_products(d: usize, block: &[f64], tile: &[f64], out: &mut [f64]) {
    product((block.len() / d, TILE, d), out, (block, 1, d), (tile, d, 1), false);
}

/// A matrix: its numbers, and the steps from column to column and from row to row.
type Matrix<'a> = (&'a [f64], usize, usize);

/// out ← lhs rhs, or out + lhs rhs, for an m x k and a k x n matrix; `out` (m x n) column after column.
#[expect(unsafe_code, reason = "the product crate takes raw pointers; the lengths are checked here")]
fn product((m, n, k): (usize, usize, usize), out: &mut [f64], lhs: Matrix<'_>, rhs: Matrix<'_>, add: bool) {
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
            1.0,
            1.0,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}
