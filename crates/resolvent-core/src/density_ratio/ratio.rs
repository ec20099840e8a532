//! A ratio of densities as a function.

use nalgebra::{DMatrix, DVector};

use super::logistic::standardise;
use super::newton::{Samples, Solution, factor};
use super::{Convergence, Features};

/// Up to so many features are evaluated without allocation.
const ON_STACK: usize = 256;

/// log p/q as a [`LogisticRegression`](super::LogisticRegression) has estimated it.
///
/// Far from the samples the estimate is an extrapolation by its features: a polynomial goes to +∞ or -∞, radial bumps leave a
/// constant that no sample has fixed. As a rate of killing, too high a value there ends particles that should go on, and
/// nothing mends that, while too low a value delays them until they are among the data. So the value is cut from above, at the
/// largest that it takes at a sample of either law, and not from below.
#[derive(Debug, Clone)]
pub struct LogDensityRatio<F> {
    features: F,
    means: Vec<f64>,
    scales: Vec<f64>,
    coefficients: Vec<f64>,
    covariance: DMatrix<f64>,
    /// log n_p/n_q.
    class_ratio: f64,
    /// 1/n_p + 1/n_q.
    class_variance: f64,
    ceiling: f64,
    ridge: f64,
    held_out: Vec<(f64, f64)>,
    convergence: Convergence,
}

impl<F: Features> LogDensityRatio<F> {
    pub(super) fn new(
        features: F,
        samples: &Samples,
        (means, scales): (Vec<f64>, Vec<f64>),
        solution: Solution,
        ridge: f64,
        held_out: Vec<(f64, f64)>,
        (n_p, n_q): (usize, usize),
    ) -> Self {
        let (n_p, n_q) = (n_p as f64, n_q as f64);
        let coefficients = solution.coefficients;
        let class_ratio = f64::ln(n_p / n_q);
        let odds = samples.rows.chunks_exact(samples.width).map(|row| dot(row, coefficients.as_slice()));
        Self {
            ceiling: odds.fold(f64::NEG_INFINITY, f64::max) - class_ratio,
            covariance: covariance(&solution.hessian, ridge) / (n_p + n_q),
            coefficients: coefficients.as_slice().to_vec(),
            class_ratio,
            class_variance: 1.0 / n_p + 1.0 / n_q,
            convergence: solution.convergence,
            features,
            means,
            scales,
            ridge,
            held_out,
        }
    }

    /// The estimate of log p(x)/q(x) at `x` (length d, else it panics), at most the [ceiling](Self::ceiling).
    pub fn value(&self, x: &[f64]) -> f64 {
        self.with_row(x, |row| dot(row, &self.coefficients) - self.class_ratio).min(self.ceiling)
    }

    /// The standard error of the estimate at `x` (length d, else it panics) before it is cut, from the randomness of the samples alone:
    /// by the curvature of the loss, less the share of the class sizes, which are not random (Qin 1998). It does not
    /// know the bias of a ridge or of features that cannot express log p/q.
    pub fn standard_error(&self, x: &[f64]) -> f64 {
        self.with_row(x, |row| {
            let row = DVector::from_column_slice(row);
            f64::sqrt((row.dot(&(&self.covariance * &row)) - self.class_variance).max(0.0))
        })
    }

    /// The largest value taken at a sample of either law.
    pub fn ceiling(&self) -> f64 {
        self.ceiling
    }

    /// The ridge that was given or chosen.
    pub fn ridge(&self) -> f64 {
        self.ridge
    }

    /// Every ridge that a cross-validation has tried, largest first, with the mean loss (in nats) on samples held out; empty if the ridge
    /// was given.
    pub fn held_out(&self) -> &[(f64, f64)] {
        &self.held_out
    }

    /// How the fit ended.
    pub fn convergence(&self) -> Convergence {
        self.convergence
    }

    /// The constant 1 and the standardised features at `x`, handed to `then`.
    fn with_row<T>(&self, x: &[f64], then: impl FnOnce(&[f64]) -> T) -> T {
        assert_eq!(x.len(), self.features.dim(), "length of x");
        let width = self.coefficients.len();
        let (mut stack, mut heap) = ([0.0; ON_STACK + 1], Vec::new());
        let row = if width <= stack.len() {
            &mut stack[..width]
        } else {
            heap.resize(width, 0.0);
            &mut heap[..]
        };
        row[0] = 1.0;
        self.features.evaluate(x, &mut row[1..]);
        standardise(&mut row[1..], &self.means, &self.scales);
        then(row)
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// n times the covariance of the coefficients, (H + λ)^{-1} H (H + λ)^{-1}: the curvature of the loss is the variance of its
/// gradient.
fn covariance(hessian: &DMatrix<f64>, ridge: f64) -> DMatrix<f64> {
    let mut curvature = hessian.clone();
    for j in 1..curvature.nrows() {
        curvature[(j, j)] += ridge;
    }
    match factor(&curvature) {
        Some(factor) => factor.solve(&factor.solve(hessian).transpose()),
        None => DMatrix::from_element(hessian.nrows(), hessian.ncols(), f64::NAN),
    }
}
