//! Newton's method for logistic regression with a ridge.

use nalgebra::{Cholesky, DMatrix, DVector, Dyn};
use rayon::prelude::*;

/// Samples are added up in at most so many pieces, always in the same order.
const PIECES: usize = 64;
/// Largest entry of the gradient at which the solution is one.
const TOLERANCE: f64 = 1e-9;
/// Iterations at most.
const ITERATIONS: usize = 100;
/// Half-steps at most in one iteration.
const HALVINGS: usize = 40;
/// A step that promises less than this is taken whole: its gain drowns in the rounding of the loss.
const ROUNDING: f64 = 1e-13;

/// How a fit ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Convergence {
    /// Newton steps taken.
    pub iterations: usize,
    /// Largest entry, in absolute value, of the gradient of the mean penalised loss at the end.
    pub gradient: f64,
    /// Whether that is at most 1e-9.
    pub converged: bool,
}

/// Standardised samples with their classes, cut into folds.
pub(super) struct Samples {
    /// The constant 1 and the features, one row of `width` numbers for each sample.
    pub(super) rows: Vec<f64>,
    pub(super) width: usize,
    /// Of the numerator (n)?
    pub(super) labels: Vec<bool>,
    /// Fold of each sample (n).
    pub(super) folds: Vec<usize>,
}

pub(super) struct Solution {
    /// Of the constant and the features.
    pub(super) coefficients: DVector<f64>,
    /// Mean second derivative of the loss there, without the penalty.
    pub(super) hessian: DMatrix<f64>,
    pub(super) convergence: Convergence,
}

/// Sums over samples: number, loss, gradient and the lower triangle of the second derivative.
struct Sums {
    count: f64,
    loss: f64,
    gradient: Vec<f64>,
    hessian: Vec<f64>,
}

impl Samples {
    /// Adds up over the samples outside the fold `without`, or within `only`.
    fn sums(&self, coefficients: &DVector<f64>, in_use: impl Fn(usize) -> bool + Sync, second: bool) -> Sums {
        let p = self.width;
        let n = self.labels.len();
        let piece = n.div_ceil(PIECES).max(1);
        let parts: Vec<Sums> = (0..n)
            .step_by(piece)
            .collect::<Vec<_>>()
            .into_par_iter()
            .map(|first| {
                let hessian = vec![0.0; if second { p * p } else { 0 }];
                let mut sums = Sums { count: 0.0, loss: 0.0, gradient: vec![0.0; p], hessian };
                for i in (first..n.min(first + piece)).filter(|&i| in_use(self.folds[i])) {
                    sums.add(&self.rows[i * p..(i + 1) * p], self.labels[i], coefficients.as_slice());
                }
                sums
            })
            .collect();
        let mut parts = parts.into_iter();
        let mut total = parts.next().expect("there are samples");
        for part in parts {
            total.count += part.count;
            total.loss += part.loss;
            total.gradient.iter_mut().zip(part.gradient).for_each(|(a, b)| *a += b);
            total.hessian.iter_mut().zip(part.hessian).for_each(|(a, b)| *a += b);
        }
        total
    }

    /// Mean loss, log(1 + e^{∓η}), over the fold `fold`.
    pub(super) fn held_out_loss(&self, coefficients: &DVector<f64>, fold: usize) -> f64 {
        let sums = self.sums(coefficients, |f| f == fold, false);
        sums.loss / sums.count
    }

    /// Minimises the mean loss over all samples but those of the fold `without`, plus `ridge`/2 times the sum of squares of
    /// all coefficients but the first, from `start`.
    ///
    /// Newton steps, halved until the loss falls enough (Armijo 1966). The ridge makes the problem strictly convex and bounds the
    /// solution even where a plane separates the classes.
    pub(super) fn minimise(&self, ridge: f64, without: Option<usize>, start: &DVector<f64>) -> Solution {
        let p = self.width;
        let in_use = |fold: usize| Some(fold) != without;
        let penalty = |b: &DVector<f64>| 0.5 * ridge * b.rows(1, p - 1).norm_squared();
        let mut coefficients = start.clone();
        let mut iterations = 0;
        loop {
            let sums = self.sums(&coefficients, in_use, true);
            let loss = sums.loss / sums.count + penalty(&coefficients);
            let mut gradient = DVector::from_vec(sums.gradient) / sums.count;
            let mut hessian = DMatrix::from_vec(p, p, sums.hessian) / sums.count;
            hessian.fill_upper_triangle_with_lower_triangle();
            let mut curvature = hessian.clone();
            for j in 1..p {
                gradient[j] += ridge * coefficients[j];
                curvature[(j, j)] += ridge;
            }
            let largest = gradient.amax();
            let convergence = Convergence { iterations, gradient: largest, converged: largest <= TOLERANCE };
            let Some(factor) =
                factor(&curvature).filter(|_| !convergence.converged && iterations < ITERATIONS)
            else {
                return Solution { coefficients, hessian, convergence };
            };
            let direction = factor.solve(&gradient);
            let promise = gradient.dot(&direction);
            let mut share = 1.0;
            let mut next = &coefficients - &direction;
            for _ in 0..HALVINGS {
                if promise < ROUNDING {
                    break;
                }
                let sums = self.sums(&next, in_use, false);
                if sums.loss / sums.count + penalty(&next) <= loss - 1e-4 * share * promise {
                    break;
                }
                share *= 0.5;
                next = &coefficients - share * &direction;
            }
            coefficients = next;
            iterations += 1;
        }
    }
}

impl Sums {
    fn add(&mut self, row: &[f64], label: bool, coefficients: &[f64]) {
        let log_odds: f64 = row.iter().zip(coefficients).map(|(x, b)| x * b).sum();
        // Towards the wrong class.
        let wrong = if label { -log_odds } else { log_odds };
        self.count += 1.0;
        self.loss += wrong.max(0.0) + f64::ln_1p(f64::exp(-wrong.abs()));
        let miss = 1.0 / (1.0 + f64::exp(-wrong));
        let slope = if label { -miss } else { miss };
        for (g, x) in self.gradient.iter_mut().zip(row) {
            *g += slope * x;
        }
        let weight = miss * (1.0 - miss);
        for (j, column) in self.hessian.chunks_exact_mut(row.len()).enumerate() {
            let scaled = weight * row[j];
            for (h, y) in column[j..].iter_mut().zip(&row[j..]) {
                *h += scaled * y;
            }
        }
    }
}

/// Factors a positive definite matrix; one that rounding has made indefinite, with as much added to its diagonal as it takes.
/// None if it is not finite.
pub(super) fn factor(matrix: &DMatrix<f64>) -> Option<Cholesky<f64, Dyn>> {
    let n = matrix.nrows();
    let scale = matrix.diagonal().amax().max(f64::MIN_POSITIVE);
    let mut shift = 0.0;
    while shift <= scale {
        let shifted = matrix + DMatrix::identity(n, n) * shift;
        if let Some(factor) = shifted.cholesky() {
            return Some(factor);
        }
        shift = f64::max(1e-15 * scale, 100.0 * shift);
    }
    None
}
