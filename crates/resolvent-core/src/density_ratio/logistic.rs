//! Logistic regression.

use nalgebra::{DMatrix, DVector};
use rayon::prelude::*;

use super::newton::{Samples, Solution};
use super::polynomial::centre_and_scale;
use super::{Features, LogDensityRatio};
use crate::error::{Error, Result, at_least, dimension, finite, positive};

/// Parts of a cross-validation, if nothing else is said.
const FOLDS: usize = 5;
/// Ridges that a cross-validation tries, if nothing else is said.
const RIDGES: [f64; 8] = [1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8];

/// Estimates log p/q by logistic regression between samples of p and samples of q (Qin 1998): the log-odds are a
/// constant and a linear combination of features, whose coefficients minimise the mean loss
///
/// (1/n) Σ log(1 + e^{∓η(x_i)}) + ridge/2 Σ β_j².
///
/// The features are brought to mean 0 and deviation 1 over all samples before, so that the ridge means the same whatever their
/// units; the constant is not penalised.
#[derive(Debug, Clone)]
pub struct LogisticRegression<F> {
    features: F,
    /// Descending.
    ridges: Vec<f64>,
    folds: usize,
}

impl<F: Features> LogisticRegression<F> {
    /// With a ridge from 1e-8 to 1e-1 chosen by cross-validation in five parts.
    pub fn new(features: F) -> Self {
        Self { features, ridges: RIDGES.to_vec(), folds: FOLDS }
    }

    /// With this `ridge` > 0. A ridge of zero is refused: the coefficients would diverge where features separate the
    /// samples.
    ///
    /// # Errors
    /// If `ridge` is not positive and finite.
    pub fn ridge(self, ridge: f64) -> Result<Self> {
        Ok(Self { ridges: vec![positive("ridge", ridge)?], ..self })
    }

    /// With that one of `ridges`, all > 0, that has the smallest mean loss on samples held out, in `folds` >= 2 parts in turn.
    ///
    /// # Errors
    /// If `ridges` is empty or one of them is not positive and finite, or `folds` is below 2.
    pub fn cross_validation(self, ridges: &[f64], folds: usize) -> Result<Self> {
        if ridges.is_empty() {
            return Err(Error::Empty { name: "ridges" });
        }
        let mut ridges = ridges.iter().map(|r| positive("ridge", *r)).collect::<Result<Vec<_>>>()?;
        ridges.sort_by(|a, b| b.total_cmp(a));
        Ok(Self { ridges, folds: at_least("folds", 2, folds)?, ..self })
    }

    /// Fits to samples of p, the columns of `numerator` (d x n_p), and of q, those of `denominator` (d x n_q). The result
    /// does not depend on threads. Samples are held out by their place in the arrays, which must not be sorted.
    ///
    /// # Errors
    /// If an array has not the dimension of the features or is not finite, has no samples or fewer than folds, or
    /// a feature is not finite.
    pub fn fit(self, numerator: &DMatrix<f64>, denominator: &DMatrix<f64>) -> Result<LogDensityRatio<F>> {
        let least = if self.ridges.len() > 1 { self.folds } else { 1 };
        for (name, points) in [("numerator", numerator), ("denominator", denominator)] {
            dimension(name, self.features.dim(), points.nrows())?;
            at_least(name, least, points.ncols())?;
            finite(name, points)?;
        }
        let (samples, means, scales) = self.samples(numerator, denominator)?;
        let (ridge, held_out) = self.choose(&samples);
        let solution = descend(&samples, &self.ridges, None).find(|(r, _)| *r == ridge).expect("tried").1;
        let counts = (numerator.ncols(), denominator.ncols());
        Ok(LogDensityRatio::new(self.features, &samples, (means, scales), solution, ridge, held_out, counts))
    }

    /// The standardised features of all samples, with means and scales.
    fn samples(
        &self,
        numerator: &DMatrix<f64>,
        denominator: &DMatrix<f64>,
    ) -> Result<(Samples, Vec<f64>, Vec<f64>)> {
        let (d, width) = (self.features.dim(), self.features.count() + 1);
        let n = numerator.ncols() + denominator.ncols();
        let mut rows = vec![1.0; n * width];
        let points = numerator.as_slice().par_chunks(d).chain(denominator.as_slice().par_chunks(d));
        rows.par_chunks_mut(width).zip(points).for_each(|(row, x)| self.features.evaluate(x, &mut row[1..]));
        if let Some(i) = rows.iter().position(|v| !v.is_finite()) {
            let (point, coordinate) = (i / width, i % width - 1);
            return Err(Error::NotFinite { name: "features", point, coordinate, value: rows[i] });
        }
        let column = |j: usize| rows.iter().copied().skip(j).step_by(width);
        let (means, scales): (Vec<_>, Vec<_>) =
            (1..width).into_par_iter().map(|j| centre_and_scale(column(j), n)).unzip();
        rows.par_chunks_mut(width).for_each(|row| standardise(&mut row[1..], &means, &scales));
        let labels = (0..n).map(|i| i < numerator.ncols()).collect();
        let folds = (0..numerator.ncols()).chain(0..denominator.ncols()).map(|i| i % self.folds).collect();
        Ok((Samples { rows, width, labels, folds }, means, scales))
    }

    /// The ridge of the smallest loss on the parts held out, and all of them with their losses.
    fn choose(&self, samples: &Samples) -> (f64, Vec<(f64, f64)>) {
        if let [ridge] = self.ridges[..] {
            return (ridge, Vec::new());
        }
        let mut losses: Vec<(f64, f64)> = self.ridges.iter().map(|r| (*r, 0.0)).collect();
        for fold in 0..self.folds {
            let solutions = descend(samples, &self.ridges, Some(fold));
            for ((_, loss), (_, solution)) in losses.iter_mut().zip(solutions) {
                *loss += samples.held_out_loss(&solution.coefficients, fold) / self.folds as f64;
            }
        }
        // The first, which is the largest, of those that are equal.
        let best = losses.iter().copied().reduce(|best, next| if next.1 < best.1 { next } else { best });
        (best.expect("there are ridges").0, losses)
    }
}

/// The solutions for descending ridges, each started at the one before it.
fn descend<'a>(
    samples: &'a Samples,
    ridges: &'a [f64],
    without: Option<usize>,
) -> impl Iterator<Item = (f64, Solution)> + 'a {
    let mut start = DVector::zeros(samples.width);
    ridges.iter().map(move |&ridge| {
        let solution = samples.minimise(ridge, without, &start);
        start.copy_from(&solution.coefficients);
        (ridge, solution)
    })
}

/// Features to mean 0 and deviation 1.
pub(super) fn standardise(features: &mut [f64], means: &[f64], scales: &[f64]) {
    for ((f, mean), scale) in features.iter_mut().zip(means).zip(scales) {
        *f = (*f - mean) * scale;
    }
}
