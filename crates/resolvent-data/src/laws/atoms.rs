//! Finitely many weighted atoms.

use super::{check_points, cumulative, normalised, pick, squared_distance};
use crate::error::Result;
use crate::law::{Law, Support};
use nalgebra::DMatrix;
use rand::{Rng, RngExt};

/// The law sum_i w_i delta_{y_i}: an empirical measure, or any finite set of weighted points.
#[derive(Clone, Debug)]
pub struct Atoms {
    points: DMatrix<f64>,
    weights: Vec<f64>,
    cumulative: Vec<f64>,
}

impl Atoms {
    /// Atoms at the columns of `points` (d x m, finite) with the given weights (m of them, finite, non-negative, of positive
    /// total; they are normalised). The same point may occur more than once.
    pub fn new(points: DMatrix<f64>, weights: &[f64]) -> Result<Self> {
        check_points("points", &points)?;
        let weights = normalised(weights, points.ncols(), "points")?;
        let cumulative = cumulative(weights.iter().copied());
        Ok(Self { points, weights, cumulative })
    }

    /// Atoms of equal weight at the columns of `points`: the empirical measure.
    pub fn uniform(points: DMatrix<f64>) -> Result<Self> {
        let weights = vec![1.0; points.ncols()];
        Self::new(points, &weights)
    }

    /// The atoms, d x m.
    pub fn points(&self) -> &DMatrix<f64> {
        &self.points
    }

    /// Their weights, summing to 1.
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// Index of the atom nearest to `x` and its squared distance; atoms of weight zero do not count.
    pub fn nearest(&self, x: &[f64]) -> (usize, f64) {
        let mut best = (0, f64::INFINITY);
        for (i, y) in self.points.as_slice().chunks_exact(self.dim()).enumerate() {
            let squared = squared_distance(x, y);
            if squared < best.1 && self.weights[i] > 0.0 {
                best = (i, squared);
            }
        }
        best
    }

    fn atom(&self, i: usize) -> &[f64] {
        &self.points.as_slice()[i * self.dim()..][..self.dim()]
    }
}

impl Law for Atoms {
    fn dim(&self) -> usize {
        self.points.nrows()
    }

    fn sample_into(&self, rng: &mut dyn Rng, out: &mut [f64]) {
        out.copy_from_slice(self.atom(pick(&self.cumulative, rng.random())));
    }
}

impl Support for Atoms {
    fn intrinsic_dim(&self) -> usize {
        0
    }

    fn project_into(&self, x: &[f64], out: &mut [f64]) {
        out.copy_from_slice(self.atom(self.nearest(x).0));
    }

    fn distance(&self, x: &[f64]) -> f64 {
        self.nearest(x).1.sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws::checks::{check_support, chi_square};

    fn line() -> DMatrix<f64> {
        DMatrix::from_fn(3, 5, |i, j| if i == 0 { j as f64 } else { 0.0 })
    }

    #[test]
    fn support() {
        let law = Atoms::uniform(line()).unwrap();
        check_support(&law, 5.0);
        assert_eq!(law.codimension(), 3);
    }

    #[test]
    fn atoms_are_drawn_with_their_weights() {
        let law = Atoms::new(line(), &[1.0, 0.0, 2.0, 5.0, 0.0]).unwrap();
        chi_square(law.sample(40_000, 1).column_iter().map(|x| x[0] as usize), law.weights());
    }

    #[test]
    fn projection_ignores_atoms_without_weight() {
        let law = Atoms::new(line(), &[1.0, 0.0, 1.0, 1.0, 1.0]).unwrap();
        let (index, squared) = law.nearest(&[0.9, 0.0, 0.0]);
        assert_eq!(index, 0);
        assert!((squared - 0.81).abs() < 1e-15);
    }

    #[test]
    fn weights_are_normalised_and_duplicates_kept() {
        let law = Atoms::new(DMatrix::from_element(2, 2, 1.0), &[1.0, 3.0]).unwrap();
        assert_eq!(law.weights(), [0.25, 0.75]);
        assert_eq!(law.points().ncols(), 2);
    }

    #[test]
    fn parameters_are_checked() {
        let message = |weights: &[f64]| Atoms::new(line(), weights).unwrap_err().to_string();
        assert_eq!(message(&[1.0]), "weights = 1 values: must be one for each of the 5 points");
        assert!(message(&[1.0, 1.0, -2.0, 1.0, 1.0]).contains("-2 at 2"));
        assert!(message(&[1.0, 1.0, f64::NAN, 1.0, 1.0]).contains("NaN at 2"));
        assert!(message(&[0.0; 5]).contains("sum 0"));
        let mut points = line();
        points[(1, 3)] = f64::INFINITY;
        let message = Atoms::uniform(points).unwrap_err().to_string();
        assert!(message.contains("inf at coordinate 1 of point 3"), "{message}");
        assert!(Atoms::uniform(DMatrix::zeros(3, 0)).is_err());
    }
}
