//! What a target law can do.

use nalgebra::DMatrix;
use rand::rngs::ChaCha8Rng;
use rand::{Rng, SeedableRng};

/// A probability law on R^d that can be sampled.
pub trait Law: Sync {
    /// Dimension d of the ambient space.
    fn dim(&self) -> usize;

    /// Draws one point into `out`, of length [`dim`](Law::dim).
    fn sample_into(&self, rng: &mut dyn Rng, out: &mut [f64]);

    /// `n` independent points, d x n. Column i has its own ChaCha8 stream, so the first columns do not depend on `n`.
    fn sample(&self, n: usize, seed: u64) -> DMatrix<f64> {
        let mut points = DMatrix::zeros(self.dim(), n);
        for (i, mut column) in points.column_iter_mut().enumerate() {
            self.sample_into(&mut stream(seed, i), column.as_mut_slice());
        }
        points
    }
}

/// A law whose support is a known closed set with a computable metric projection.
pub trait Support: Law {
    /// Dimension of the support: 0 for atoms, 1 for curves, 2 for surfaces.
    fn intrinsic_dim(&self) -> usize;

    /// A point of the support nearest to `x`, into `out`; both have length [`dim`](Law::dim).
    /// Where several are nearest, a fixed one of them.
    fn project_into(&self, x: &[f64], out: &mut [f64]);

    /// Euclidean distance from `x` to the support, without allocation.
    fn distance(&self, x: &[f64]) -> f64;

    /// Ambient dimension minus intrinsic dimension.
    fn codimension(&self) -> usize {
        self.dim() - self.intrinsic_dim()
    }
}

/// A law with a density with respect to Lebesgue measure.
pub trait Density: Law {
    /// Natural logarithm of the density at `x`, of length [`dim`](Law::dim), without allocation; minus
    /// infinity where the density is zero.
    fn log_density(&self, x: &[f64]) -> f64;
}

/// The random stream of data point `index`. The key carries the purpose "data points", so that other users of the same
/// seed draw other numbers.
pub(crate) fn stream(seed: u64, index: usize) -> ChaCha8Rng {
    let mut key = *b"________resolvent-data: points__";
    key[..8].copy_from_slice(&seed.to_le_bytes());
    let mut rng = ChaCha8Rng::from_seed(key);
    rng.set_stream(index as u64);
    rng
}

#[cfg(test)]
mod tests {
    use crate::{Circle, Law};

    #[test]
    fn first_columns_do_not_depend_on_the_number_of_points() {
        let law = Circle::new(1.0, 3).unwrap();
        let (few, many) = (law.sample(5, 11), law.sample(50, 11));
        assert_eq!(few, many.columns(0, 5));
        assert_ne!(few, law.sample(5, 12));
        assert_ne!(few.column(0), few.column(1));
    }

    #[test]
    fn first_draws_are_frozen() {
        let points = Circle::new(1.0, 2).unwrap().sample(2, 0);
        let frozen = [0.837936523086335, -0.5457677008379882, 0.9528270519171963, -0.30351377091457415];
        for (x, y) in points.iter().zip(frozen) {
            assert!((x - y).abs() < 1e-15, "{x} was {y} in earlier versions");
        }
    }
}
