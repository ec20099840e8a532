//! Points on a line.

use super::{Hypersurface, no_local_time};
use crate::error::Result;
use crate::killed::KilledBrownianMotion;
use crate::measure::EmpiricalMeasure;
use crate::score::EmpiricalScore;

/// Weighted points in R^1 under killed Brownian motion: q = α_i/u(y_i). The sign of the distance changes at every point.
#[derive(Debug, Clone, PartialEq)]
pub struct PointsOnLine {
    /// Places, ascending.
    points: Vec<f64>,
    rates: Vec<f64>,
}

impl PointsOnLine {
    /// The points of `measure` under `process`, both in R^1.
    ///
    /// # Errors
    /// If their dimensions differ, or the dimension is not 1: points are polar in the plane and above.
    pub fn new(process: &KilledBrownianMotion, measure: &EmpiricalMeasure) -> Result<Self> {
        let score = EmpiricalScore::new(process, measure.clone())?;
        if process.dim() != 1 {
            return Err(no_local_time(process.dim()));
        }
        let mut weighted: Vec<(f64, f64)> =
            measure.points().iter().copied().zip(measure.log_weights().iter().map(|w| w.exp())).collect();
        weighted.sort_by(|a, b| a.0.total_cmp(&b.0));
        weighted.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            if same {
                kept.1 += next.1;
            }
            same
        });
        let rates = weighted.iter().map(|(y, weight)| weight / score.log_density(&[*y]).exp()).collect();
        Ok(Self { points: weighted.into_iter().map(|(y, _)| y).collect(), rates })
    }

    /// How many points lie below `x`, and which is nearest.
    fn locate(&self, x: f64) -> (usize, usize) {
        let above = self.points.partition_point(|y| *y < x);
        let nearest = match above {
            0 => 0,
            k if k == self.points.len() => k - 1,
            k if x - self.points[k - 1] < self.points[k] - x => k - 1,
            k => k,
        };
        (above, nearest)
    }
}

impl Hypersurface for PointsOnLine {
    fn signed_distance(&self, x: &[f64]) -> f64 {
        let (below, nearest) = self.locate(x[0]);
        let distance = (x[0] - self.points[nearest]).abs();
        if below % 2 == 0 { -distance } else { distance }
    }

    fn rate(&self, x: &[f64]) -> f64 {
        self.rates[self.locate(x[0]).1]
    }

    fn project(&self, x: &mut [f64]) {
        x[0] = self.points[self.locate(x[0]).1];
    }

    fn gap(&self, x: &[f64]) -> f64 {
        let (_, nearest) = self.locate(x[0]);
        let pair = |k: usize| self.points.get(k + 1).map_or(f64::INFINITY, |next| next - self.points[k]);
        f64::min(pair(nearest), nearest.checked_sub(1).map_or(f64::INFINITY, pair))
    }
}
