use crate::{Estimate, Result, check, mean};
use nalgebra::{DMatrix, DVector, SymmetricEigen};

/// Parts into which each sample is cut for the standard error.
const PARTS: usize = 10;

/// Squared Fréchet distance |m_a - m_b|² + tr(C_a + C_b - 2 (C_a^{1/2} C_b C_a^{1/2})^{1/2}) between Gaussians with the means and
/// covariances of two samples of features (d x n and d x m, at least 20 points each), in squared units of the features.
///
/// The standard error covers the draw of both samples: a jackknife that leaves out a tenth of each at a time. The estimate is
/// biased upwards, for k features of variance s² by about s² k (k + 5)/4 (1/n + 1/m): compare it with that of two reference
/// samples of the same sizes.
///
/// Source: Dowson and Landau (1982), J. Multivariate Anal. 12:450; as a distance of images Heusel et al. (2017).
pub fn frechet_distance(a: &DMatrix<f64>, b: &DMatrix<f64>) -> Result<Estimate> {
    check::batches(a, b, 2 * PARTS)?;
    let value = distance(a, b);
    let without = |sample: &DMatrix<f64>, part: usize| {
        let kept: Vec<usize> = (0..sample.ncols()).filter(|i| i % PARTS != part).collect();
        sample.select_columns(&kept)
    };
    let left: Vec<f64> = (0..PARTS).map(|part| distance(&without(a, part), &without(b, part))).collect();
    // The deviation of the mean of k values times (k - 1) is the jackknife's.
    let standard_error = mean(&left)?.standard_error * (PARTS - 1) as f64;
    Ok(Estimate { value, standard_error })
}

fn distance(a: &DMatrix<f64>, b: &DMatrix<f64>) -> f64 {
    let ((ma, ca), (mb, cb)) = (moments(a), moments(b));
    let root = root(ca.clone());
    let middle = SymmetricEigen::new(&root * &cb * &root).eigenvalues;
    let cross: f64 = middle.iter().map(|l| l.max(0.0).sqrt()).sum();
    ((ma - mb).norm_squared() + ca.trace() + cb.trace() - 2.0 * cross).max(0.0)
}

fn moments(sample: &DMatrix<f64>) -> (DVector<f64>, DMatrix<f64>) {
    let mean = sample.column_mean();
    let mut centred = sample.clone();
    centred.column_iter_mut().for_each(|mut column| column -= &mean);
    let covariance = &centred * centred.transpose() / (sample.ncols() - 1) as f64;
    (mean, covariance)
}

fn root(matrix: DMatrix<f64>) -> DMatrix<f64> {
    let eigen = SymmetricEigen::new(matrix);
    let roots = DMatrix::from_diagonal(&eigen.eigenvalues.map(|l| l.max(0.0).sqrt()));
    &eigen.eigenvectors * roots * eigen.eigenvectors.transpose()
}
