//! The data and their weights.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use nalgebra::{DMatrix, DVector};
use rand::{Rng, RngExt};
use resolvent::core::EmpiricalMeasure;
use resolvent::data::io::read_points;

/// The data that have weight.
pub(crate) struct Data {
    /// The weighted points; those of weight zero are gone.
    pub(super) measure: EmpiricalMeasure,
    /// Where the points of the measure stand in the file, from 0.
    rows: Vec<usize>,
}

impl Data {
    pub(super) fn read(path: &Path, weights: Option<&Path>) -> Result<Self> {
        let points = read_points(path).context("--data")?;
        let n = points.ncols();
        let Some(file) = weights else {
            return Ok(Self { measure: EmpiricalMeasure::new(points)?, rows: (0..n).collect() });
        };
        let weights = read_points(file).context("--weights")?;
        let (columns, rows) = weights.shape();
        let name = file.display();
        ensure!(
            columns == 1,
            "--weights {name}: has shape [{rows}, {columns}], expected one weight per point"
        );
        ensure!(rows == n, "--weights {name}: {rows} weights for the {n} points of {}", path.display());
        let measure = EmpiricalMeasure::weighted(points, weights.as_slice());
        let kept = (0..n).filter(|&i| weights[i] > 0.0).collect();
        Ok(Self { measure: measure.with_context(|| format!("--weights {name}"))?, rows: kept })
    }

    /// Weights that add up to one.
    pub(super) fn weights(&self) -> impl Iterator<Item = f64> {
        self.measure.log_weights().iter().map(|w| w.exp())
    }

    /// Draws data by their weights.
    pub(super) fn draw(&self) -> Draw {
        let add = |sum: &mut f64, w: f64| {
            *sum += w;
            Some(*sum)
        };
        Draw { cumulative: self.weights().scan(0.0, add).collect() }
    }

    pub(super) fn mean(&self) -> DVector<f64> {
        let points = self.measure.points();
        // Taken from the first point, so that equal points have exactly that mean.
        let first = points.column(0);
        let shift = points
            .column_iter()
            .zip(self.weights())
            .fold(DVector::zeros(first.len()), |sum, (y, w)| sum + (y - first) * w);
        first + shift
    }

    /// The mean squared distance of the data to their mean.
    pub(super) fn variance(&self) -> f64 {
        let mean = self.mean();
        self.measure
            .points()
            .column_iter()
            .zip(self.weights())
            .map(|(y, w)| w * (y - &mean).norm_squared())
            .sum()
    }

    /// The datum nearest to each column of `points` (d x m), as a row of the file.
    pub(super) fn nearest(&self, points: &DMatrix<f64>) -> Result<Vec<i64>> {
        let nearest = resolvent::metrics::nearest_index(points, self.measure.points())?;
        Ok(nearest.into_iter().map(|i| self.rows[i] as i64).collect())
    }
}

/// The weights added up.
pub(super) struct Draw {
    cumulative: Vec<f64>,
}

impl Draw {
    /// The index of a datum in the measure.
    pub(super) fn datum(&self, rng: &mut impl Rng) -> usize {
        let last = self.cumulative.len() - 1;
        let u = rng.random::<f64>() * self.cumulative[last];
        self.cumulative.partition_point(|&c| c <= u).min(last)
    }
}
