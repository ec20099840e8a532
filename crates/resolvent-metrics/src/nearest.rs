use crate::{Result, check, pairwise};
use nalgebra::DMatrix;
use rayon::prelude::*;

/// Points handled by one task, and atoms handled by one matrix product.
const TILE: usize = 64;
const BLOCK: usize = 256;

/// Nearest atom of every point.
#[derive(Debug, Clone, PartialEq)]
pub struct Nearest {
    /// Column of the nearest atom, the first one among equals.
    pub indices: Vec<usize>,
    /// Euclidean distance to it.
    pub distances: Vec<f64>,
}

/// Index of the nearest of `m` atoms (d x m) for each of `n` points (d x n); the first among equals.
pub fn nearest_index(points: &DMatrix<f64>, atoms: &DMatrix<f64>) -> Result<Vec<usize>> {
    Ok(nearest(points, atoms)?.indices)
}

/// Nearest of `m` atoms (d x m) for each of `n` points (d x n), with its Euclidean distance.
///
/// A matrix product ranks the atoms by |y|^2 / 2 - x.y; all that its rounding cannot tell from the best are
/// compared by their distance computed directly, so the answer is that of a direct search.
pub fn nearest(points: &DMatrix<f64>, atoms: &DMatrix<f64>) -> Result<Nearest> {
    check::batch("points", points, 1)?;
    check::batch("atoms", atoms, 1)?;
    check::same("dimension", ("points", points.nrows()), ("atoms", atoms.nrows()))?;
    let half_squares: Vec<f64> = pairwise::squared_norms(atoms).iter().map(|s| 0.5 * s).collect();
    let atom_rows = atoms.transpose();
    let tiles: Vec<Vec<(usize, f64)>> = (0..points.ncols().div_ceil(TILE))
        .into_par_iter()
        .map(|tile| search_tile(points, atoms, &atom_rows, &half_squares, tile * TILE))
        .collect();
    let (indices, distances) = tiles.into_iter().flatten().unzip();
    Ok(Nearest { indices, distances })
}

/// Nearest atom and distance for the points of the tile that begins at column `first`.
fn search_tile(
    points: &DMatrix<f64>,
    atoms: &DMatrix<f64>,
    atom_rows: &DMatrix<f64>,
    half_squares: &[f64],
    first: usize,
) -> Vec<(usize, f64)> {
    let tile = points.columns(first, TILE.min(points.ncols() - first));
    let largest = half_squares.iter().fold(0.0_f64, |a, &b| a.max(b));
    let tolerances: Vec<f64> =
        tile.column_iter().map(|x| rounding(points.nrows(), x.norm(), (2.0 * largest).sqrt())).collect();
    let mut best = vec![f64::INFINITY; tile.ncols()];
    let mut candidates: Vec<Vec<(usize, f64)>> = vec![Vec::new(); tile.ncols()];
    let mut product = DMatrix::zeros(BLOCK.min(atoms.ncols()), tile.ncols());
    for start in (0..atoms.ncols()).step_by(BLOCK) {
        let count = BLOCK.min(atoms.ncols() - start);
        let mut product = product.rows_mut(0, count);
        product.gemm(-1.0, &atom_rows.rows(start, count), &tile, 0.0);
        for (i, column) in product.column_iter().enumerate() {
            for (j, minus_dot) in column.iter().enumerate() {
                let score = half_squares[start + j] + minus_dot;
                if score <= best[i] + tolerances[i] {
                    best[i] = best[i].min(score);
                    candidates[i].push((start + j, score));
                }
            }
        }
    }
    (0..tile.ncols())
        .map(|i| {
            let mut winner = (0, f64::INFINITY);
            for &(j, score) in &candidates[i] {
                if score <= best[i] + tolerances[i] {
                    let squared = squared_distance(points, first + i, atoms, j);
                    if squared < winner.1 {
                        winner = (j, squared);
                    }
                }
            }
            (winner.0, winner.1.sqrt())
        })
        .collect()
}

/// Twice the largest rounding error of |y|^2 / 2 - x.y when |x| and |y| are at most these.
fn rounding(dimension: usize, x_norm: f64, y_norm: f64) -> f64 {
    2.0 * (dimension + 4) as f64 * f64::EPSILON * y_norm * (x_norm + y_norm)
}

fn squared_distance(points: &DMatrix<f64>, i: usize, atoms: &DMatrix<f64>, j: usize) -> f64 {
    points.column(i).iter().zip(atoms.column(j).iter()).map(|(x, y)| (x - y).powi(2)).sum()
}
