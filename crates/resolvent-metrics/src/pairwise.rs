//! Sums of a kernel over all pairs of points, by blocked matrix products.

use nalgebra::DMatrix;
use rayon::prelude::*;

/// Parts that run in parallel. A constant, so that sums do not depend on the number of threads.
const PARTS: usize = 32;
/// Columns of the two batches in one matrix product.
const TILE: usize = 64;
const BLOCK: usize = 256;

/// Sums of a kernel k(|x - y|^2) over pairs.
pub(crate) struct PairSums {
    /// For each point of the first batch, the sum over its partners.
    pub(crate) rows: Vec<f64>,
    /// For each point of the second batch, the sum over its partners.
    pub(crate) columns: Vec<f64>,
    /// Sum of the squared kernel over all pairs.
    pub(crate) squares: f64,
}

impl PairSums {
    fn zeros(rows: usize, columns: usize) -> Self {
        PairSums { rows: vec![0.0; rows], columns: vec![0.0; columns], squares: 0.0 }
    }

    fn add(&mut self, other: &PairSums) {
        add_to(&mut self.rows, &other.rows);
        add_to(&mut self.columns, &other.columns);
        self.squares += other.squares;
    }
}

/// Sums over all pairs (column of a, column of b).
pub(crate) fn between<F>(a: &DMatrix<f64>, b: &DMatrix<f64>, kernel: F) -> PairSums
where
    F: Fn(f64) -> f64 + Sync,
{
    pair_sums(a, b, |_| 0, kernel)
}

/// Sums over all unordered pairs of different columns; `rows` and `columns` both hold each point's full sum.
pub(crate) fn within<F>(a: &DMatrix<f64>, kernel: F) -> PairSums
where
    F: Fn(f64) -> f64 + Sync,
{
    let mut sums = pair_sums(a, a, |i| i + 1, kernel);
    add_to(&mut sums.rows, &sums.columns);
    sums.columns.clone_from(&sums.rows);
    sums
}

/// Squared Euclidean norm of every column.
pub(crate) fn squared_norms(points: &DMatrix<f64>) -> Vec<f64> {
    points.column_iter().map(|column| column.norm_squared()).collect()
}

/// Sums over the pairs (i, j) with j >= first_partner(i), where first_partner does not decrease.
fn pair_sums<P, F>(a: &DMatrix<f64>, b: &DMatrix<f64>, first_partner: P, kernel: F) -> PairSums
where
    P: Fn(usize) -> usize + Sync,
    F: Fn(f64) -> f64 + Sync,
{
    let norms_a = squared_norms(a);
    let norms_b = squared_norms(b);
    let b_rows = b.transpose();
    let parts: Vec<PairSums> = (0..PARTS)
        .into_par_iter()
        .map(|part| {
            let mut sums = PairSums::zeros(a.ncols(), b.ncols());
            let mut buffer = DMatrix::zeros(BLOCK, TILE);
            for first in (part * TILE..a.ncols()).step_by(PARTS * TILE) {
                let width = TILE.min(a.ncols() - first);
                let tile = a.columns(first, width);
                let mut start = first_partner(first);
                while start < b.ncols() {
                    let count = BLOCK.min(b.ncols() - start);
                    let mut squared = buffer.view_mut((0, 0), (count, width));
                    squared.gemm(-2.0, &b_rows.rows(start, count), &tile, 0.0);
                    for (t, mut column) in squared.column_iter_mut().enumerate() {
                        let i = first + t;
                        let skip = first_partner(i).saturating_sub(start).min(count);
                        let values = &mut column.as_mut_slice()[skip..];
                        let partners = start + skip..start + count;
                        for (value, norm_b) in values.iter_mut().zip(&norms_b[partners.clone()]) {
                            *value = kernel((norms_a[i] + norm_b + *value).max(0.0));
                        }
                        add_to(&mut sums.columns[partners], values);
                        sums.rows[i] += values.iter().sum::<f64>();
                        sums.squares += values.iter().map(|v| v * v).sum::<f64>();
                    }
                    start += count;
                }
            }
            sums
        })
        .collect();
    let mut total = PairSums::zeros(a.ncols(), b.ncols());
    for part in &parts {
        total.add(part);
    }
    total
}

fn add_to(target: &mut [f64], source: &[f64]) {
    for (t, s) in target.iter_mut().zip(source) {
        *t += s;
    }
}
