//! A Gaussian fit to the data: the posterior mean under noise, and the likeliest noise level of a point.

use crate::error::{Error, Result, usable};
use nalgebra::{DMatrix, DVector, SymmetricEigen};

/// Mean and covariance of the data, in their eigenbasis: the leading directions, and one variance for all the rest.
#[derive(Debug, Clone, PartialEq)]
pub struct GaussianFit {
    /// The mean c, of length d.
    pub(crate) mean: Vec<f32>,
    /// Variances of the leading directions, the largest first.
    pub(crate) variances: Vec<f32>,
    /// The leading directions, d x k.
    pub(crate) directions: DMatrix<f32>,
    /// The variance per direction of the rest.
    pub(crate) rest: f32,
}

impl GaussianFit {
    /// The fit to `data` (d x n, n > 0) with at most `directions` leading directions; without any it is the mean and one variance,
    /// and no d x d matrix is made.
    ///
    /// # Errors
    /// If there are no data, they are not finite, they do not vary, or single precision cannot hold their mean or variance.
    pub fn new(data: &DMatrix<f64>, directions: usize) -> Result<Self> {
        usable("data", data)?;
        let (d, n) = data.shape();
        let mean: DVector<f64> = data.column_mean();
        let mut centred = data.clone();
        centred.column_iter_mut().for_each(|mut column| column -= &mean);
        let total = centred.norm_squared() / n as f64;
        if !total.is_finite() {
            return Err(Error::Settings {
                what: "the data are too large: their variance is infinite".to_owned(),
            });
        }
        if total <= 0.0 {
            return Err(Error::Settings {
                what: "the data do not vary: there is nothing to learn".to_owned(),
            });
        }
        let (variances, directions) =
            if directions == 0 { (Vec::new(), DMatrix::zeros(d, 0)) } else { leading(&centred, directions) };
        let k = variances.len();
        let rest =
            if k < d { (total - variances.iter().sum::<f64>()).max(0.0) / (d - k) as f64 } else { 0.0 };
        let mean: Vec<f32> = mean.iter().map(|m| *m as f32).collect();
        let variances = variances.iter().map(|v| *v as f32).collect();
        let fit = Self { mean, variances, directions, rest: rest as f32 };
        if fit.mean.iter().any(|m| !m.is_finite()) || !(fit.variance() > 0.0 && fit.variance().is_finite()) {
            return Err(Error::Settings {
                what: "mean or variance of the data are beyond single precision; scale them".to_owned(),
            });
        }
        Ok(fit)
    }

    /// Dimension d.
    pub fn dim(&self) -> usize {
        self.mean.len()
    }

    /// The variance of a coordinate, on average.
    pub fn variance(&self) -> f64 {
        let leading: f64 = self.variances.iter().map(|v| f64::from(*v)).sum();
        (leading + self.rest_count() * f64::from(self.rest)) / self.dim() as f64
    }

    fn rest_count(&self) -> f64 {
        (self.dim() - self.variances.len()) as f64
    }

    /// The coordinates of centred points (n rows of d) in the leading directions, n rows of k.
    pub(super) fn coefficients(&self, centred: &[f32]) -> Vec<f32> {
        let n = centred.len() / self.dim();
        let points = nalgebra::DMatrixView::from_slice(centred, self.dim(), n);
        let mut out = DMatrix::zeros(self.variances.len(), n);
        out.gemm_tr(1.0, &self.directions, &points, 0.0);
        out.data.into()
    }

    /// The likeliest σ for a centred point x = x_0 + σ ε, x_0 from the fit, given its coefficients and |x|²: a maximum of
    /// the likelihood in log σ by Fisher's scoring, kept between 1e-4 and 1e4 times the spread of the data.
    pub(super) fn likeliest_level(&self, coefficients: &[f32], norm_squared: f64) -> f64 {
        let spread = self.variance();
        let energies: f64 = coefficients.iter().map(|c| f64::from(*c) * f64::from(*c)).sum();
        let (rest, count) = ((norm_squared - energies).max(0.0), self.rest_count());
        let bounds = ((1e-8 * spread).ln(), (1e8 * spread).ln());
        // Everything above the noise is removed from the mean square: where to start.
        let mut log_v = (norm_squared / self.dim() as f64 - spread).max(1e-2 * spread).ln();
        for _ in 0..60 {
            let v = log_v.exp();
            let (mut slope, mut information) = (0.0, 0.0);
            let mut direction = |variance: f64, energy: f64, count: f64| {
                let share = v / (variance + v);
                slope += share * (energy / (variance + v) - count);
                information += count * share * share;
            };
            for (variance, c) in self.variances.iter().zip(coefficients) {
                direction(f64::from(*variance), f64::from(*c) * f64::from(*c), 1.0);
            }
            if count > 0.0 {
                direction(f64::from(self.rest), rest, count);
            }
            // Scoring: the expected information in place of the second derivative, so that every step leads upwards.
            let step = (slope / information.max(1e-12)).clamp(-1.0, 1.0);
            log_v = (log_v + step).clamp(bounds.0, bounds.1);
            if step.abs() < 1e-9 {
                break;
            }
        }
        (0.5 * log_v).exp()
    }

    /// E[x_0 | x] - c under the fit at level σ, for one centred point with its coefficients, into `out`; the directions'
    /// share is added by [`combine`](Self::combine), for which `shrunken` gets its coefficients.
    pub(super) fn shrink(
        &self,
        level: f64,
        centred: &[f32],
        coefficients: &[f32],
        out: &mut [f32],
        shrunken: &mut [f32],
    ) {
        let v = (level * level) as f32;
        let keep = |variance: f32| variance / (variance + v);
        let rest = keep(self.rest);
        out.iter_mut().zip(centred).for_each(|(o, x)| *o = rest * x);
        for ((s, c), variance) in shrunken.iter_mut().zip(coefficients).zip(&self.variances) {
            *s = (keep(*variance) - rest) * c;
        }
    }

    /// out ← out + the vectors with the given coefficients (n rows).
    pub(super) fn combine(&self, coefficients: &[f32], out: &mut [f32]) {
        let n = out.len() / self.dim();
        let coefficients = nalgebra::DMatrixView::from_slice(coefficients, self.variances.len(), n);
        let mut out = nalgebra::DMatrixViewMut::from_slice(out, self.dim(), n);
        out.gemm(1.0, &self.directions, &coefficients, 1.0);
    }

    /// The standard deviation of a coordinate of x_0 given x at level σ, on average, under the fit.
    pub(super) fn posterior_deviation(&self, level: f64) -> f64 {
        let v = level * level;
        let posterior = |variance: f64| variance * v / (variance + v);
        let leading: f64 = self.variances.iter().map(|l| posterior(f64::from(*l))).sum();
        ((leading + self.rest_count() * posterior(f64::from(self.rest))) / self.dim() as f64).sqrt()
    }
}

/// The largest variances of centred data, and the directions they lie in (d x k).
fn leading(centred: &DMatrix<f64>, count: usize) -> (Vec<f64>, DMatrix<f32>) {
    let (d, n) = centred.shape();
    let eigen = SymmetricEigen::new(centred * centred.transpose() / n as f64);
    let mut order: Vec<usize> = (0..d).collect();
    order.sort_by(|&i, &j| eigen.eigenvalues[j].total_cmp(&eigen.eigenvalues[i]));
    order.truncate(count);
    let variances = order.iter().map(|&i| eigen.eigenvalues[i].max(0.0)).collect();
    (variances, DMatrix::from_fn(d, order.len(), |row, k| eigen.eigenvectors[(row, order[k])] as f32))
}
