//! The class of a noisy input.

use nalgebra::DMatrix;

use super::density::{LogSum, Occupation};
use super::distances::for_each_point;
use crate::error::{Error, Result, dimension};

/// P(class k | x) = α_k u_k(x)/u(x) for data that are split in classes: the law of the class of the end point when the backward
/// process starts at x. α_k is the mass of class k, u_k the occupation density from its data; α_k u_k sums α_i G(x, y_i)
/// over the class (R10, summed).
#[derive(Debug, Clone)]
pub struct ClassPosterior {
    occupation: Occupation,
    labels: Vec<usize>,
    classes: usize,
}

impl ClassPosterior {
    /// `labels` (m, each below `classes`) are the classes of the data of `occupation`, in their order.
    ///
    /// # Errors
    /// If there is not one label per datum, or a label is not below `classes`.
    pub fn new(occupation: Occupation, labels: Vec<usize>, classes: usize) -> Result<Self> {
        dimension("labels", occupation.measure().len(), labels.len())?;
        if let Some(index) = labels.iter().position(|&label| label >= classes) {
            return Err(Error::Label { index, label: labels[index], classes });
        }
        Ok(Self { occupation, labels, classes })
    }

    /// The number K of classes.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// log P(class k | x) at the columns of `points` (d x n), on all cores: K x n, in nats. -inf for a class without data.
    ///
    /// # Errors
    /// If `points` has not d rows or is not finite.
    pub fn log_probabilities(&self, points: &DMatrix<f64>) -> Result<DMatrix<f64>> {
        let columns = for_each_point(self.occupation.measure(), points, |squared| {
            let mut out = vec![0.0; self.classes];
            self.log_probabilities_at(squared, &mut out);
            out
        })?;
        Ok(DMatrix::from_iterator(self.classes, points.ncols(), columns.into_iter().flatten()))
    }

    /// out ← log P(class k | x) (K) at a point whose squared distances to the data are `squared` (m; see
    /// [`squared_distances`](super::squared_distances)). An infinite distance leaves that datum out.
    ///
    /// # Panics
    /// If `squared` has not length m, or `out` not length K.
    pub fn log_probabilities_at(&self, squared: &[f64], out: &mut [f64]) {
        assert_eq!(squared.len(), self.labels.len(), "squared distances");
        assert_eq!(out.len(), self.classes, "room for the probabilities");
        // Every class has its own cut-off, so that small probabilities are right as well.
        let mut nearest = vec![f64::INFINITY; self.classes];
        for (&squared, &label) in squared.iter().zip(&self.labels) {
            nearest[label] = squared.min(nearest[label]);
        }
        let cutoffs: Vec<f64> = nearest.iter().map(|&s| self.occupation.cutoff(std::iter::once(s))).collect();
        let mut sums = vec![LogSum::EMPTY; self.classes];
        for (i, (&squared, &label)) in squared.iter().zip(&self.labels).enumerate() {
            if squared <= cutoffs[label] {
                sums[label].add(self.occupation.log_term(i, squared));
            }
        }
        let mut total = LogSum::EMPTY;
        for (out, sum) in out.iter_mut().zip(&sums) {
            *out = sum.log();
            total.add(*out);
        }
        let total = total.log();
        out.iter_mut().for_each(|out| *out -= total);
    }
}
