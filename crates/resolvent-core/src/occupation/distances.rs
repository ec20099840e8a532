//! Squared distances between points and data by matrix products.

use nalgebra::DMatrix;
use rayon::prelude::*;

use crate::error::{Result, dimension, finite};
use crate::killed::distance_squared;
use crate::measure::EmpiricalMeasure;
use crate::score::products::{Products, TILE};
use crate::score::stream::BLOCK;

/// Where |x - y|² is below this share of |x|² + |y|², the product form cancels and the difference is taken instead.
const CANCELLATION: f64 = 1e-2;

/// |x_j - y_i|² between the data (m) and the columns of `points` (d x n), on all cores: m x n, one column for each point, the
/// same bits in any batch.
///
/// # Errors
/// If `points` has not d rows or is not finite.
pub fn squared_distances(measure: &EmpiricalMeasure, points: &DMatrix<f64>) -> Result<DMatrix<f64>> {
    check(measure, points)?;
    let m = measure.len();
    let mut out = DMatrix::zeros(m, points.ncols());
    let d = measure.dim();
    out.as_mut_slice()
        .par_chunks_mut(TILE * m)
        .zip(points.as_slice().par_chunks(TILE * d))
        .for_each(|(out, tile)| tile_distances(measure, tile, out));
    Ok(out)
}

/// What `read` makes of the squared distances (m) of every column of `points` (d x n) to the data, on all cores.
pub(super) fn for_each_point<T: Send>(
    measure: &EmpiricalMeasure,
    points: &DMatrix<f64>,
    read: impl Fn(&[f64]) -> T + Sync,
) -> Result<Vec<T>> {
    check(measure, points)?;
    let (d, m) = (measure.dim(), measure.len());
    let tiles: Vec<Vec<T>> = points
        .as_slice()
        .par_chunks(TILE * d)
        .map_init(
            || vec![0.0; TILE * m],
            |squared, tile| {
                let squared = &mut squared[..tile.len() / d * m];
                tile_distances(measure, tile, squared);
                squared.chunks_exact(m).map(&read).collect()
            },
        )
        .collect();
    Ok(tiles.into_iter().flatten().collect())
}

fn check(measure: &EmpiricalMeasure, points: &DMatrix<f64>) -> Result<()> {
    dimension("points", measure.dim(), points.nrows())?;
    finite("points", points)
}

/// For at most [`TILE`] points (rows of d): out holds m numbers for each.
fn tile_distances(measure: &EmpiricalMeasure, tile: &[f64], out: &mut [f64]) {
    let (d, m) = (measure.dim(), measure.len());
    let mut products = Products::<f64>::new(d, TILE);
    products.begin(tile);
    let norms: Vec<f64> = tile.chunks_exact(d).map(|x| x.iter().map(|x| x * x).sum()).collect();
    for (b, block) in measure.points().as_slice().chunks(BLOCK * d).enumerate() {
        let rows = block.len() / d;
        products.multiply(block);
        for (j, (x, norm)) in tile.chunks_exact(d).zip(&norms).enumerate() {
            for (k, product) in products.products(j, rows).iter().enumerate() {
                let i = b * BLOCK + k;
                let size = norm + measure.norms_squared()[i];
                let estimate = size - 2.0 * product;
                let near = estimate < CANCELLATION * size;
                out[j * m + i] = if near { distance_squared(x, measure.point(i)) } else { estimate };
            }
        }
    }
}
