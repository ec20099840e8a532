//! A quadratic killing rate.

use nalgebra::{DMatrix, DVector, SymmetricEigen};

use crate::error::{Error, Result, at_least, dimension, finite, nonnegative};

/// r(x) = r_0 + ½ (x - q)ᵀ Q (x - q), nowhere negative.
#[derive(Debug, Clone, PartialEq)]
pub struct QuadraticRate {
    pub(super) least: f64,
    pub(super) centre: DVector<f64>,
    pub(super) curvature: DMatrix<f64>,
    /// Its square root (d x d): the matrix times its transpose is Q.
    pub(super) root: DMatrix<f64>,
}

impl QuadraticRate {
    /// r_0 = `least` >= 0 (per unit time), q = `centre` (d), Q = `curvature` (d x d, symmetric and positive semidefinite; per
    /// unit time and squared length).
    ///
    /// # Errors
    /// If there is no coordinate, the shapes differ, a number is not finite, `least` is negative, or `curvature` is not
    /// symmetric or has a negative eigenvalue.
    pub fn new(least: f64, centre: DVector<f64>, curvature: DMatrix<f64>) -> Result<Self> {
        let d = at_least("dim", 1, centre.len())?;
        let least = nonnegative("least rate", least)?;
        dimension("curvature", d, curvature.nrows())?;
        dimension("curvature", d, curvature.ncols())?;
        finite("centre", &DMatrix::from_column_slice(d, 1, centre.as_slice()))?;
        finite("curvature", &curvature)?;
        let refuse = |eigenvalue| Error::Curvature { eigenvalue };
        let size = curvature.amax();
        let transposed = curvature.transpose();
        if (&curvature - &transposed).amax() > 1e-12 * size {
            return Err(refuse(f64::NAN));
        }
        let curvature = (curvature + transposed) * 0.5;
        let SymmetricEigen { eigenvectors: mut root, eigenvalues } = SymmetricEigen::new(curvature.clone());
        let lowest = eigenvalues.min();
        // A singular matrix comes out with eigenvalues of the order of the rounding, of either sign.
        if lowest < -(d as f64) * f64::EPSILON * size {
            return Err(refuse(lowest));
        }
        for (mut axis, value) in root.column_iter_mut().zip(&eigenvalues) {
            axis *= value.max(0.0).sqrt();
        }
        Ok(Self { least, centre, curvature, root })
    }

    /// The same rate `rate` >= 0 everywhere in R^`dim`.
    ///
    /// # Errors
    /// If `dim` is 0, or `rate` is negative or not finite.
    pub fn constant(dim: usize, rate: f64) -> Result<Self> {
        Self::new(rate, DVector::zeros(dim), DMatrix::zeros(dim, dim))
    }

    /// Dimension d.
    pub fn dim(&self) -> usize {
        self.centre.len()
    }

    /// r(x) at `x` (d).
    pub fn at(&self, x: &[f64]) -> f64 {
        let mut square = 0.0;
        for (j, column) in self.curvature.column_iter().enumerate() {
            let away = x[j] - self.centre[j];
            let row: f64 = column.iter().zip(x.iter().zip(&self.centre)).map(|(c, (x, q))| c * (x - q)).sum();
            square += away * row;
        }
        self.least + 0.5 * square.max(0.0)
    }

    /// E r(X) for X of the given `mean` (d) and `covariance` (d x d).
    ///
    /// # Panics
    /// If the dimensions differ.
    pub fn mean(&self, mean: &DVector<f64>, covariance: &DMatrix<f64>) -> f64 {
        self.at(mean.as_slice()) + 0.5 * self.curvature.component_mul(covariance).sum()
    }

    /// Is it the same everywhere?
    pub fn is_constant(&self) -> bool {
        self.curvature.iter().all(|q| *q == 0.0)
    }
}
