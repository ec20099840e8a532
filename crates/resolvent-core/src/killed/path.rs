//! A path: times and the points at those times.

/// A path in R^d at the times it was recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct Path {
    /// Times, ascending.
    pub times: Vec<f64>,
    /// Points, `times.len()` rows of d coordinates, row after row.
    pub points: Vec<f64>,
}

impl Path {
    pub(crate) fn start(x: &[f64]) -> Self {
        Self { times: vec![0.0], points: x.to_vec() }
    }

    pub(crate) fn push(&mut self, time: f64, x: &[f64]) {
        self.times.push(time);
        self.points.extend_from_slice(x);
    }

    /// Moves the last point to another `time` and place `x`.
    pub(crate) fn replace_last(&mut self, time: f64, x: &[f64]) {
        self.times.pop();
        self.points.truncate(self.times.len() * x.len());
        self.push(time, x);
    }

    /// The point at `times[k]`.
    ///
    /// # Panics
    /// If there is no such time.
    pub fn point(&self, k: usize) -> &[f64] {
        let dim = self.points.len() / self.times.len();
        &self.points[k * dim..(k + 1) * dim]
    }
}
