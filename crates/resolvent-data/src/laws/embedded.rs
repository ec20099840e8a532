//! A law turned into a space of higher dimension.

use crate::error::{self, Error, Result};
use crate::law::{Law, Support};
use nalgebra::DMatrix;
use rand::rngs::ChaCha8Rng;
use rand::{Rng, SeedableRng};
use rand_distr::{Distribution, StandardNormal};

/// The largest k: coordinates on R^k stand on the stack.
const MOST: usize = 32;

/// The law of V Y, where Y has another law, on R^k, and V is a random isometry of R^k into R^d: the first k columns of a rotation
/// drawn from Haar measure. What is measured on it cannot depend on the axes.
#[derive(Clone, Debug)]
pub struct Embedded<L> {
    law: L,
    /// V, d x k.
    isometry: DMatrix<f64>,
}

impl<L: Law> Embedded<L> {
    /// `law` on R^k, k <= 32, in R^dim, dim >= k, by the isometry that `seed` draws.
    pub fn new(law: L, dim: usize, seed: u64) -> Result<Self> {
        let inner = law.dim();
        if inner > MOST {
            return Err(Error::parameter(
                "law",
                format_args!("on R^{inner}"),
                format_args!("on R^{MOST} at most"),
            ));
        }
        let dim = error::dimension(dim, inner.max(1))?;
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let normal: DMatrix<f64> = DMatrix::from_fn(dim, inner, |_, _| StandardNormal.sample(&mut rng));
        let decomposition = normal.qr();
        let (mut isometry, triangle) = (decomposition.q(), decomposition.r());
        // With a positive diagonal the factor is unique, and has Haar measure (Mezzadri 2007, Not. AMS 54:592).
        for (mut column, diagonal) in isometry.column_iter_mut().zip(triangle.diagonal().iter()) {
            if *diagonal == 0.0 {
                return Err(Error::parameter("seed", seed, "one whose normal matrix has full rank"));
            }
            column *= diagonal.signum();
        }
        Ok(Self { law, isometry })
    }

    /// The law on R^k.
    pub fn law(&self) -> &L {
        &self.law
    }

    /// V y for every column y of `points` (k x n -> d x n).
    ///
    /// # Panics
    /// If `points` has not k rows.
    pub fn embed(&self, points: &DMatrix<f64>) -> DMatrix<f64> {
        &self.isometry * points
    }

    /// V^T x for every column x of `points` (d x n -> k x n).
    ///
    /// # Panics
    /// If `points` has not d rows.
    pub fn coordinates(&self, points: &DMatrix<f64>) -> DMatrix<f64> {
        self.isometry.tr_mul(points)
    }

    /// V^T x, in the first k of these numbers, and what of |x|^2 is off its space.
    fn parts(&self, x: &[f64]) -> ([f64; MOST], f64) {
        let mut within = [0.0; MOST];
        for (y, v) in within.iter_mut().zip(self.isometry.column_iter()) {
            *y = v.iter().zip(x).map(|(v, x)| v * x).sum();
        }
        let off = self.isometry.row_iter().zip(x).map(|(v, x)| {
            let on: f64 = v.iter().zip(&within).map(|(v, y)| v * y).sum();
            (x - on).powi(2)
        });
        (within, off.sum())
    }

    /// V y.
    fn place(&self, y: &[f64], out: &mut [f64]) {
        for (out, v) in out.iter_mut().zip(self.isometry.row_iter()) {
            *out = v.iter().zip(y).map(|(v, y)| v * y).sum();
        }
    }
}

impl<L: Law> Law for Embedded<L> {
    fn dim(&self) -> usize {
        self.isometry.nrows()
    }

    fn sample_into(&self, rng: &mut dyn Rng, out: &mut [f64]) {
        let mut y = [0.0; MOST];
        let y = &mut y[..self.law.dim()];
        self.law.sample_into(rng, y);
        self.place(y, out);
    }
}

impl<L: Support> Support for Embedded<L> {
    fn intrinsic_dim(&self) -> usize {
        self.law.intrinsic_dim()
    }

    fn project_into(&self, x: &[f64], out: &mut [f64]) {
        let k = self.law.dim();
        let (within, mut y) = (self.parts(x).0, [0.0; MOST]);
        self.law.project_into(&within[..k], &mut y[..k]);
        self.place(&y[..k], out);
    }

    fn distance(&self, x: &[f64]) -> f64 {
        let (within, off) = self.parts(x);
        (self.law.distance(&within[..self.law.dim()]).powi(2) + off).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws::checks::check_support;
    use crate::laws::{squared_distance, squared_norm};
    use crate::{Circle, Torus};
    use nalgebra::DVector;

    #[test]
    fn support() {
        let law = Embedded::new(Torus::new(2.0, 0.7, 3).unwrap(), 9, 5).unwrap();
        check_support(&law, 2.7);
        assert_eq!((law.dim(), law.codimension()), (9, 7));
    }

    #[test]
    fn distances_are_kept_and_coordinates_are_given_back() {
        let law = Embedded::new(Circle::new(1.5, 2).unwrap(), 20, 1).unwrap();
        let flat = law.law().sample(50, 2);
        let turned = law.embed(&flat);
        for (i, j) in [(0, 1), (3, 40), (7, 8)] {
            let before = squared_distance(flat.column(i).as_slice(), flat.column(j).as_slice());
            let after = squared_distance(turned.column(i).as_slice(), turned.column(j).as_slice());
            assert!((before - after).abs() < 1e-12);
        }
        assert!((law.coordinates(&turned) - flat).amax() < 1e-14);
        // The circle is not in the first two coordinates any more.
        assert!(turned.rows(2, 18).norm() > 0.5 * turned.norm());
    }

    /// The square of a coordinate of a uniform direction in R^d has mean 1/d and variance 2(d-1)/(d²(d+2)).
    #[test]
    fn directions_are_uniform() {
        let (d, n) = (4, 4_000);
        let columns: Vec<DVector<f64>> = (0..n)
            .map(|seed| {
                Embedded::new(Circle::new(1.0, 2).unwrap(), d, seed).unwrap().isometry.column(1).into()
            })
            .collect();
        let error = 4.0 / f64::sqrt(n as f64);
        let dim = d as f64;
        for k in 0..d {
            let mean = columns.iter().map(|v| v[k]).sum::<f64>() / n as f64;
            let square = columns.iter().map(|v| v[k] * v[k]).sum::<f64>() / n as f64;
            assert!(mean.abs() < error / dim.sqrt(), "coordinate {k}: mean {mean}");
            let deviation = f64::sqrt(2.0 * (dim - 1.0) / (dim * dim * (dim + 2.0)));
            assert!((square - 1.0 / dim).abs() < error * deviation, "coordinate {k}: square {square}");
        }
        assert!(columns.iter().all(|v| (squared_norm(v.as_slice()) - 1.0).abs() < 1e-12));
    }

    #[test]
    fn parameters_are_checked() {
        let message = Embedded::new(Circle::new(1.0, 5).unwrap(), 4, 0).unwrap_err().to_string();
        assert_eq!(message, "dim = 4: must be at least 5");
        assert!(Embedded::new(Circle::new(1.0, 33).unwrap(), 40, 0).is_err());
    }
}
