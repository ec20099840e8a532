//! Polynomials up to a total degree.

use nalgebra::DMatrix;

use super::Features;
use crate::error::{Error, Result, at_least, finite};

/// More features than this are refused.
const MOST: f64 = 1e5;

/// All polynomials in d variables up to a total degree: products of Hermite polynomials He_k(z)/√k!, z the coordinates
/// brought to mean 0 and deviation 1 over given points. Among normal points they are uncorrelated, which keeps a regression well
/// conditioned where powers would not.
///
/// Far from the points a polynomial grows without bound, to either side: the log-odds fitted there are an
/// extrapolation.
#[derive(Debug, Clone, PartialEq)]
pub struct Polynomial {
    degree: usize,
    means: Vec<f64>,
    /// 1 over the standard deviations.
    scales: Vec<f64>,
    /// The features of several variables, as the features of one variable of which each is the product.
    mixed: Vec<Vec<usize>>,
}

impl Polynomial {
    /// Up to the total degree `degree` >= 1, standardised over the columns of `points` (d x n). There are (d + degree choose
    /// degree) - 1 of them. A coordinate that does not vary is centred alone.
    ///
    /// # Errors
    /// If `degree` is 0, `points` is empty or not finite, or there are more than 10⁵ features.
    pub fn new(degree: usize, points: &DMatrix<f64>) -> Result<Self> {
        at_least("degree", 1, degree)?;
        if points.is_empty() {
            return Err(Error::Empty { name: "points" });
        }
        finite("points", points)?;
        let dim = points.nrows();
        let count = (1..=degree).fold(1.0, |count, k| count * (dim + k) as f64 / k as f64) - 1.0;
        if count > MOST {
            return Err(Error::Outside { name: "number of features", low: 1.0, high: MOST, value: count });
        }
        let (means, scales) =
            points.row_iter().map(|row| centre_and_scale(row.iter().copied(), row.len())).unzip();
        let mut mixed = Vec::new();
        extend(&mut mixed, &mut Vec::new(), 0, degree, (dim, degree));
        Ok(Self { degree, means, scales, mixed })
    }

    /// The total degree.
    pub fn degree(&self) -> usize {
        self.degree
    }
}

/// Mean of `n` values and 1 over their standard deviation, or 1 where they do not vary.
pub(super) fn centre_and_scale(values: impl Iterator<Item = f64> + Clone, n: usize) -> (f64, f64) {
    let mean = values.clone().sum::<f64>() / n as f64;
    let deviation = f64::sqrt(values.map(|v| (v - mean).powi(2)).sum::<f64>() / n as f64);
    let varies = deviation > 1e-12 * mean.abs() && deviation.is_normal();
    (mean, if varies { 1.0 / deviation } else { 1.0 })
}

/// Appends all products of `factors` with at least one more factor in the variables from `first` on, of degree at most `left`
/// in them, that have more than one factor. He_k of variable i is feature i · degree + k - 1.
fn extend(
    mixed: &mut Vec<Vec<usize>>,
    factors: &mut Vec<usize>,
    first: usize,
    left: usize,
    (dim, degree): (usize, usize),
) {
    for variable in first..dim {
        for k in 1..=left {
            factors.push(variable * degree + k - 1);
            if factors.len() > 1 {
                mixed.push(factors.clone());
            }
            extend(mixed, factors, variable + 1, left - k, (dim, degree));
            factors.pop();
        }
    }
}

impl Features for Polynomial {
    fn dim(&self) -> usize {
        self.means.len()
    }

    fn count(&self) -> usize {
        self.means.len() * self.degree + self.mixed.len()
    }

    fn evaluate(&self, x: &[f64], out: &mut [f64]) {
        let (single, mixed) = out.split_at_mut(self.means.len() * self.degree);
        for (i, hermite) in single.chunks_exact_mut(self.degree).enumerate() {
            let z = (x[i] - self.means[i]) * self.scales[i];
            // √(k+1) h_{k+1} = z h_k - √k h_{k-1} for h_k = He_k/√k!.
            let (mut before, mut now) = (0.0, 1.0);
            for (k, out) in hermite.iter_mut().enumerate() {
                let next = (z * now - f64::sqrt(k as f64) * before) / f64::sqrt(k as f64 + 1.0);
                (before, now) = (now, next);
                *out = next;
            }
        }
        for (out, factors) in mixed.iter_mut().zip(&self.mixed) {
            *out = factors.iter().map(|&f| single[f]).product();
        }
    }
}
