//! Gaussian transitions.

use nalgebra::{DMatrix, DVector, SymmetricEigen};
use rand::{Rng, RngExt};
use rand_distr::StandardNormal;

use crate::error::{Error, Result, dimension};
use crate::random::{Purpose, stream};

/// X_t given X_s = x is N(M x + m, P). P may be singular: at t = s it is zero, and noise need not reach every direction.
#[derive(Debug, Clone, PartialEq)]
pub struct Transition {
    /// M (d x d).
    pub matrix: DMatrix<f64>,
    /// m (d).
    pub offset: DVector<f64>,
    /// P (d x d), symmetric and positive semidefinite.
    pub covariance: DMatrix<f64>,
}

impl Transition {
    /// That of no time at all in R^`dim`.
    pub fn identity(dim: usize) -> Self {
        Self {
            matrix: DMatrix::identity(dim, dim),
            offset: DVector::zeros(dim),
            covariance: DMatrix::zeros(dim, dim),
        }
    }

    /// NaN throughout in R^`dim`: the transition to a time in the past.
    pub(super) fn undefined(dim: usize) -> Self {
        Self {
            matrix: DMatrix::from_element(dim, dim, f64::NAN),
            offset: DVector::from_element(dim, f64::NAN),
            covariance: DMatrix::from_element(dim, dim, f64::NAN),
        }
    }

    /// Dimension d.
    pub fn dim(&self) -> usize {
        self.offset.len()
    }

    /// This one and after it `next`: M' M, M' m + m', M' P M'ᵀ + P' (Chapman and Kolmogorov).
    ///
    /// # Panics
    /// If the dimensions differ.
    #[must_use]
    pub fn then(&self, next: &Self) -> Self {
        let (offset, covariance) = next.moments(&self.offset, &self.covariance);
        Self { matrix: &next.matrix * &self.matrix, offset, covariance }
    }

    /// Mean and covariance of X_t for X_s of the given `mean` (d) and `covariance` (d x d), whatever its law.
    ///
    /// # Panics
    /// If the dimensions differ.
    pub fn moments(&self, mean: &DVector<f64>, covariance: &DMatrix<f64>) -> (DVector<f64>, DMatrix<f64>) {
        let carried = &self.matrix * covariance * self.matrix.transpose() + &self.covariance;
        (&self.matrix * mean + &self.offset, symmetric(&carried))
    }

    /// out ← M x + m; both of length d.
    pub fn mean_into(&self, x: &[f64], out: &mut [f64]) {
        super::affine_map(&self.matrix, &self.offset, x, out);
    }

    /// A matrix R (d x d) with R Rᵀ = P, singular if P is. Eigenvalues that rounding made negative count as zero.
    pub fn root(&self) -> DMatrix<f64> {
        let SymmetricEigen { eigenvectors: mut root, eigenvalues } =
            SymmetricEigen::new(self.covariance.clone());
        for (mut axis, value) in root.column_iter_mut().zip(&eigenvalues) {
            axis *= value.max(0.0).sqrt();
        }
        root
    }

    /// out ← a draw of X_t given X_s = `x`, both of length d, with `root` from [`root`](Self::root). Draws d normal numbers.
    pub fn draw_into<R: Rng + ?Sized>(&self, root: &DMatrix<f64>, x: &[f64], rng: &mut R, out: &mut [f64]) {
        self.mean_into(x, out);
        for column in root.column_iter() {
            let noise: f64 = rng.sample(StandardNormal);
            out.iter_mut().zip(&column).for_each(|(o, r)| *o += r * noise);
        }
    }

    /// Draws of X_t given X_s at the columns of `points` (d x n). Particle i draws from stream i of `seed`.
    ///
    /// # Errors
    /// If `points` has not d rows.
    pub fn draw(&self, points: &DMatrix<f64>, seed: u64) -> Result<DMatrix<f64>> {
        let d = self.dim();
        dimension("points", d, points.nrows())?;
        let (root, mut drawn) = (self.root(), DMatrix::zeros(d, points.ncols()));
        let rows = points.as_slice().chunks_exact(d).zip(drawn.as_mut_slice().chunks_exact_mut(d));
        for (i, (x, out)) in rows.enumerate() {
            // As in `diffuse`: not the stream that draws the data, or their noise would depend on them.
            self.draw_into(&root, x, &mut stream(seed, Purpose::Start, i as u64), out);
        }
        Ok(drawn)
    }

    /// The log-density of X_t at `y` given X_s = `x`, both of length d, in nats.
    ///
    /// # Errors
    /// If the lengths are not d, or the covariance is singular: there is no density.
    pub fn log_density(&self, x: &[f64], y: &[f64]) -> Result<f64> {
        dimension("x", self.dim(), x.len())?;
        dimension("y", self.dim(), y.len())?;
        let whitening = Whitening::new("covariance of the transition", &self.covariance)?;
        let mut away = vec![0.0; self.dim()];
        self.mean_into(x, &mut away);
        away.iter_mut().zip(y).for_each(|(m, y)| *m = y - *m);
        let mut white = vec![0.0; self.dim()];
        whitening.apply(&away, &mut white);
        let square: f64 = white.iter().map(|w| w * w).sum();
        let constant = self.dim() as f64 * std::f64::consts::TAU.ln();
        Ok(whitening.log_determinant - 0.5 * (square + constant))
    }
}

/// W with W P Wᵀ = I, for a covariance P that is not singular.
#[derive(Debug, Clone)]
pub(crate) struct Whitening {
    /// W (d x d).
    pub(crate) matrix: DMatrix<f64>,
    /// log det W.
    pub(crate) log_determinant: f64,
}

impl Whitening {
    pub(crate) fn new(name: &str, covariance: &DMatrix<f64>) -> Result<Self> {
        let refuse = |eigenvalue| Error::Covariance { name: name.to_owned(), eigenvalue };
        if covariance.iter().any(|v| !v.is_finite()) {
            return Err(refuse(f64::NAN));
        }
        let SymmetricEigen { eigenvectors, eigenvalues } = SymmetricEigen::new(symmetric(covariance));
        let (least, greatest) = (eigenvalues.min(), eigenvalues.max());
        // Rounding gives a singular matrix eigenvalues of this size.
        if least <= eigenvalues.len() as f64 * f64::EPSILON * greatest {
            return Err(refuse(least));
        }
        let mut matrix = eigenvectors.transpose();
        for (mut row, value) in matrix.row_iter_mut().zip(&eigenvalues) {
            row /= value.sqrt();
        }
        let log_determinant = -0.5 * eigenvalues.iter().map(|v| v.ln()).sum::<f64>();
        Ok(Self { matrix, log_determinant })
    }

    /// out ← W x; both of length d.
    pub(crate) fn apply(&self, x: &[f64], out: &mut [f64]) {
        out.fill(0.0);
        for (column, x) in self.matrix.column_iter().zip(x) {
            out.iter_mut().zip(&column).for_each(|(o, w)| *o += w * x);
        }
    }

    /// out ← Wᵀ x; both of length d.
    pub(crate) fn apply_transpose(&self, x: &[f64], out: &mut [f64]) {
        for (out, column) in out.iter_mut().zip(self.matrix.column_iter()) {
            *out = column.iter().zip(x).map(|(w, x)| w * x).sum();
        }
    }
}

/// ½ (A + Aᵀ): rounding must not make a covariance asymmetric.
pub(crate) fn symmetric(matrix: &DMatrix<f64>) -> DMatrix<f64> {
    // Halved before they are added, large entries do not overflow.
    let half = matrix * 0.5;
    &half + half.transpose()
}
