//! A sample as a union of balls: around each point the one that reaches to its k-th nearest fellow.

use crate::{Result, check};
use nalgebra::DMatrix;
use rayon::prelude::*;

/// Closed balls around the points of a sample.
pub(crate) struct Neighbourhoods<'a> {
    centres: &'a DMatrix<f64>,
    squared_radii: Vec<f64>,
}

/// Which points lie in which balls.
pub(crate) struct Membership {
    /// For each point, the balls that hold it.
    pub(crate) balls: Vec<usize>,
    /// For each ball, whether it holds a point.
    pub(crate) occupied: Vec<bool>,
}

impl<'a> Neighbourhoods<'a> {
    /// Balls that reach to the `neighbours`-th nearest other point of the sample; equal points are at distance zero of each
    /// other. Distances are computed directly, so that equal points are seen to be equal.
    pub(crate) fn new(centres: &'a DMatrix<f64>, neighbours: usize) -> Self {
        let n = centres.ncols();
        let squared_radii = (0..n)
            .into_par_iter()
            .map_init(Vec::new, |squares: &mut Vec<f64>, i| {
                squares.clear();
                squares.extend((0..n).filter(|j| *j != i).map(|j| squared(centres, i, centres, j)));
                *squares.select_nth_unstable_by(neighbours - 1, f64::total_cmp).1
            })
            .collect();
        Self { centres, squared_radii }
    }

    /// Where `points` lie, of the dimension of the centres.
    pub(crate) fn membership(&self, points: &DMatrix<f64>) -> Membership {
        let holders: Vec<Vec<usize>> = (0..points.ncols())
            .into_par_iter()
            .map(|i| {
                let holds = |j: &usize| squared(points, i, self.centres, *j) <= self.squared_radii[*j];
                (0..self.squared_radii.len()).filter(holds).collect()
            })
            .collect();
        let mut occupied = vec![false; self.squared_radii.len()];
        holders.iter().flatten().for_each(|&ball| occupied[ball] = true);
        Membership { balls: holders.iter().map(Vec::len).collect(), occupied }
    }
}

/// Whether `samples` and `references` can be compared by balls to the `neighbours`-th neighbour.
pub(crate) fn check_samples(
    samples: &DMatrix<f64>,
    references: &DMatrix<f64>,
    neighbours: usize,
) -> Result<()> {
    check::parameter("neighbours", neighbours as f64, "at least 1", neighbours >= 1)?;
    check::batch("samples", samples, neighbours + 1)?;
    check::batch("references", references, neighbours + 1)?;
    check::same("dimension", ("samples", samples.nrows()), ("references", references.nrows()))
}

fn squared(a: &DMatrix<f64>, i: usize, b: &DMatrix<f64>, j: usize) -> f64 {
    let d = a.nrows();
    let (x, y) = (&a.as_slice()[i * d..(i + 1) * d], &b.as_slice()[j * d..(j + 1) * d]);
    // Eight sums side by side become vector instructions.
    let ((x, x_rest), (y, y_rest)) = (x.as_chunks::<8>(), y.as_chunks::<8>());
    let mut sums = [0.0; 8];
    for (x, y) in x.iter().zip(y) {
        sums.iter_mut().zip(x.iter().zip(y)).for_each(|(sum, (x, y))| *sum += (x - y) * (x - y));
    }
    let rest: f64 = x_rest.iter().zip(y_rest).map(|(x, y)| (x - y) * (x - y)).sum();
    sums.iter().sum::<f64>() + rest
}
