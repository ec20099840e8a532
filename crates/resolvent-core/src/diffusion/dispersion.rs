//! The matrix σ in its three shapes.

use nalgebra::{DMatrix, DVector};

/// The matrix σ(t, x).
#[derive(Debug, Clone, PartialEq)]
pub enum Dispersion {
    /// σ times the identity.
    Scalar(f64),
    /// A diagonal matrix, by its diagonal (d).
    Diagonal(DVector<f64>),
    /// Any matrix (d x d).
    Full(DMatrix<f64>),
}

impl Default for Dispersion {
    /// No noise.
    fn default() -> Self {
        Self::Scalar(0.0)
    }
}

impl Dispersion {
    /// v ← σ v, in place; `work` (d) is scratch.
    pub fn apply(&self, v: &mut [f64], work: &mut [f64]) {
        match self {
            Self::Scalar(sigma) => v.iter_mut().for_each(|v| *v *= sigma),
            Self::Diagonal(sigma) => v.iter_mut().zip(sigma).for_each(|(v, s)| *v *= s),
            Self::Full(sigma) => {
                work.copy_from_slice(v);
                v.fill(0.0);
                for (column, w) in sigma.column_iter().zip(&*work) {
                    v.iter_mut().zip(&column).for_each(|(v, s)| *v += s * w);
                }
            }
        }
    }

    /// v ← σᵀ v, in place; `work` (d) is scratch.
    pub fn apply_transpose(&self, v: &mut [f64], work: &mut [f64]) {
        match self {
            Self::Full(sigma) => {
                work.copy_from_slice(v);
                for (v, column) in v.iter_mut().zip(sigma.column_iter()) {
                    *v = column.iter().zip(&*work).map(|(s, w)| s * w).sum();
                }
            }
            _ => self.apply(v, work),
        }
    }

    /// v ← Σ v with Σ = σ σᵀ, in place; `work` (d) is scratch.
    pub fn apply_covariance(&self, v: &mut [f64], work: &mut [f64]) {
        self.apply_transpose(v, work);
        self.apply(v, work);
    }

    /// Is there no noise?
    pub fn is_zero(&self) -> bool {
        match self {
            Self::Scalar(sigma) => *sigma == 0.0,
            Self::Diagonal(sigma) => sigma.iter().all(|s| *s == 0.0),
            Self::Full(sigma) => sigma.iter().all(|s| *s == 0.0),
        }
    }

    /// σ in R^d (d x d).
    pub fn matrix(&self, dim: usize) -> DMatrix<f64> {
        match self {
            Self::Scalar(sigma) => DMatrix::from_diagonal_element(dim, dim, *sigma),
            Self::Diagonal(sigma) => DMatrix::from_diagonal(sigma),
            Self::Full(sigma) => sigma.clone(),
        }
    }

    /// Σ = σ σᵀ in R^d (d x d).
    pub fn covariance(&self, dim: usize) -> DMatrix<f64> {
        match self {
            Self::Scalar(sigma) => DMatrix::from_diagonal_element(dim, dim, sigma * sigma),
            Self::Diagonal(sigma) => DMatrix::from_diagonal(&sigma.map(|s| s * s)),
            Self::Full(sigma) => sigma * sigma.transpose(),
        }
    }
}
