use crate::{Estimate, Result, check, mean};
use nalgebra::DMatrix;
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;

/// Projections that share one matrix product.
const TILE: usize = 16;

/// Exponent of the transport cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Cost |x - y|.
    One,
    /// Cost |x - y|^2.
    Two,
}

/// Sliced Wasserstein distance (mean over directions of W_p^p of the projections)^(1/p) between two samples (d x n
/// and d x m), in the units of the data.
///
/// Directions are uniform on the sphere, at least two; direction i depends on the seed and on i alone. On each the
/// optimal transport is the quantile coupling, exact for samples of different size. The standard error covers the
/// choice of the directions only, not the draw of the samples; for p = 2 it is carried through the root by the delta
/// method. The distance of two samples of one law is not zero: compare it with that of two reference samples.
///
/// Source: Bonneel et al. (2015), J. Math. Imaging Vis. 51:22.
pub fn sliced_wasserstein(
    a: &DMatrix<f64>,
    b: &DMatrix<f64>,
    projections: usize,
    order: Order,
    seed: u64,
) -> Result<Estimate> {
    check::batches(a, b, 1)?;
    check::parameter("projections", projections as f64, "at least 2", projections >= 2)?;
    let tiles: Vec<Vec<f64>> = (0..projections.div_ceil(TILE))
        .into_par_iter()
        .map(|tile| {
            let indices = tile * TILE..projections.min((tile + 1) * TILE);
            let directions = directions(a.nrows(), indices, seed);
            let (projected_a, projected_b) =
                (sorted_rows(&(&directions * a)), sorted_rows(&(&directions * b)));
            projected_a.iter().zip(&projected_b).map(|(x, y)| transport_cost(x, y, order)).collect()
        })
        .collect();
    let cost = mean(&tiles.concat())?;
    Ok(match order {
        Order::One => cost,
        Order::Two if cost.value > 0.0 => {
            let root = cost.value.sqrt();
            Estimate { value: root, standard_error: 0.5 * cost.standard_error / root }
        }
        Order::Two => Estimate { value: 0.0, standard_error: 0.0 },
    })
}

/// Unit vectors with these numbers, one per row.
fn directions(dimension: usize, indices: std::ops::Range<usize>, seed: u64) -> DMatrix<f64> {
    let mut directions = DMatrix::zeros(indices.len(), dimension);
    for (mut row, index) in directions.row_iter_mut().zip(indices) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(index as u64);
        row.iter_mut().for_each(|x| *x = StandardNormal.sample(&mut rng));
        let norm = row.norm();
        row /= norm;
    }
    directions
}

fn sorted_rows(projected: &DMatrix<f64>) -> Vec<Vec<f64>> {
    projected
        .row_iter()
        .map(|row| {
            let mut values: Vec<f64> = row.iter().copied().collect();
            values.sort_unstable_by(f64::total_cmp);
            values
        })
        .collect()
}

/// W_p^p between two ascending samples with equal weights in each.
fn transport_cost(x: &[f64], y: &[f64], order: Order) -> f64 {
    let (n, m) = (x.len() as u64, y.len() as u64);
    // In units of 1/(nm), a point of x has mass m and a point of y has mass n.
    let (mut i, mut j, mut done, mut sum) = (0, 0, 0, 0.0);
    while done < n * m {
        let (end_x, end_y) = ((i as u64 + 1) * m, (j as u64 + 1) * n);
        let end = end_x.min(end_y);
        let gap = (x[i] - y[j]).abs();
        let cost = match order {
            Order::One => gap,
            Order::Two => gap * gap,
        };
        sum += (end - done) as f64 * cost;
        i += usize::from(end_x == end);
        j += usize::from(end_y == end);
        done = end;
    }
    sum / (n as f64 * m as f64)
}
