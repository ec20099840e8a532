//! The empirical measure: weighted points.

use std::sync::Arc;

use nalgebra::DMatrix;

use crate::error::{Error, Result, dimension, finite};

/// α = Σ_i α_i δ_{y_i}, the law of a data set. Cheap to clone.
#[derive(Debug, Clone)]
pub struct EmpiricalMeasure {
    points: Arc<DMatrix<f64>>,
    log_weights: Arc<[f64]>,
    norms_squared: Arc<[f64]>,
    log_spread: f64,
}

impl EmpiricalMeasure {
    /// Equal weights on the columns of `points` (d x m).
    ///
    /// # Errors
    /// If there is no point, or a coordinate is not finite.
    pub fn new(points: DMatrix<f64>) -> Result<Self> {
        let m = points.ncols();
        Self::weighted(points, &vec![1.0; m])
    }

    /// Weights proportional to `weights` (length m, not negative, not all zero) on the columns of `points` (d x m).
    /// Points of weight zero are dropped.
    ///
    /// # Errors
    /// If there is no point or no mass, the lengths differ, or an entry is not finite or a weight negative.
    pub fn weighted(points: DMatrix<f64>, weights: &[f64]) -> Result<Self> {
        if points.is_empty() {
            return Err(Error::Empty { name: "data" });
        }
        finite("data", &points)?;
        dimension("weights", points.ncols(), weights.len())?;
        if let Some(index) = weights.iter().position(|w| !w.is_finite() || *w < 0.0) {
            return Err(Error::Weight { index, value: weights[index] });
        }
        let largest = weights.iter().fold(0.0, |a: f64, w| a.max(*w));
        if largest == 0.0 {
            return Err(Error::NoMass);
        }
        let kept: Vec<usize> = (0..weights.len()).filter(|&i| weights[i] > 0.0).collect();
        let points = if kept.len() == weights.len() { points } else { points.select_columns(&kept) };
        // Relative to the largest weight the sum cannot overflow; the logarithms are taken before the quotient, which can
        // underflow.
        let log_total = largest.ln() + kept.iter().map(|&i| weights[i] / largest).sum::<f64>().ln();
        Ok(Self::assembled(points, kept.iter().map(|&i| weights[i].ln() - log_total).collect()))
    }

    /// Weights proportional to exp(`log_weights`) (length m) on the columns of `points` (d x m), for weights whose ratios
    /// leave the range of floating-point numbers. Points whose log-weight is -inf are dropped.
    ///
    /// # Errors
    /// If there is no point or no mass, the lengths differ, a coordinate is not finite, or a log-weight is NaN or +inf.
    pub fn log_weighted(points: DMatrix<f64>, log_weights: &[f64]) -> Result<Self> {
        if points.is_empty() {
            return Err(Error::Empty { name: "data" });
        }
        finite("data", &points)?;
        dimension("weights", points.ncols(), log_weights.len())?;
        if let Some(index) = log_weights.iter().position(|w| w.is_nan() || *w == f64::INFINITY) {
            return Err(Error::Weight { index, value: log_weights[index].exp() });
        }
        let kept: Vec<usize> = (0..log_weights.len()).filter(|&i| log_weights[i].is_finite()).collect();
        if kept.is_empty() {
            return Err(Error::NoMass);
        }
        let points = if kept.len() == log_weights.len() { points } else { points.select_columns(&kept) };
        let largest = kept.iter().map(|&i| log_weights[i]).fold(f64::NEG_INFINITY, f64::max);
        let log_total = largest + kept.iter().map(|&i| f64::exp(log_weights[i] - largest)).sum::<f64>().ln();
        Ok(Self::assembled(points, kept.iter().map(|&i| log_weights[i] - log_total).collect()))
    }

    fn assembled(points: DMatrix<f64>, log_weights: Arc<[f64]>) -> Self {
        let (least, largest) = log_weights
            .iter()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(least, largest), w| (least.min(*w), largest.max(*w)));
        let norms_squared = points.column_iter().map(|y| y.norm_squared()).collect();
        Self { points: Arc::new(points), log_weights, norms_squared, log_spread: largest - least }
    }

    /// Dimension d.
    pub fn dim(&self) -> usize {
        self.points.nrows()
    }

    /// Number m of points with positive weight.
    pub fn len(&self) -> usize {
        self.points.ncols()
    }

    /// Never: a measure has mass.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// The points, d x m.
    pub fn points(&self) -> &DMatrix<f64> {
        &self.points
    }

    /// Point `i`, of length d.
    pub fn point(&self, i: usize) -> &[f64] {
        let d = self.dim();
        &self.points.as_slice()[i * d..(i + 1) * d]
    }

    /// log α_i, adding up to one in the exponential.
    pub fn log_weights(&self) -> &[f64] {
        &self.log_weights
    }

    /// |y_i|².
    pub(crate) fn norms_squared(&self) -> &[f64] {
        &self.norms_squared
    }

    /// log(max α / min α).
    pub(crate) fn log_spread(&self) -> f64 {
        self.log_spread
    }

    /// The smallest distance between two different points: the gap that a sampler has to resolve. Infinite for a
    /// single point. O(m² d).
    pub fn smallest_gap(&self) -> f64 {
        use rayon::prelude::*;
        (0..self.len())
            .into_par_iter()
            .map(|i| {
                (0..i)
                    .map(|j| crate::killed::distance_squared(self.point(i), self.point(j)))
                    .filter(|&s| s > 0.0)
                    .fold(f64::INFINITY, f64::min)
            })
            .reduce(|| f64::INFINITY, f64::min)
            .sqrt()
    }
}
