//! Draws from the Gaussian fit, where the data themselves are not at hand.

use super::GaussianFit;
use nalgebra::{DMatrix, DVector};
use rand::RngExt;
use rand_distr::StandardNormal;
use resolvent_core::random::{Purpose, stream};

impl GaussianFit {
    /// The mean c (d).
    pub fn mean(&self) -> DVector<f64> {
        DVector::from_iterator(self.dim(), self.mean.iter().map(|c| f64::from(*c)))
    }

    /// `n` draws (d x n) from the normal law of this mean and covariance. Draw i comes from stream i of `seed`.
    pub fn sample(&self, n: usize, seed: u64) -> DMatrix<f64> {
        let mean = self.mean();
        let rest = f64::from(self.rest).sqrt();
        let mut points = DMatrix::zeros(self.dim(), n);
        for (i, mut point) in points.column_iter_mut().enumerate() {
            let mut rng = stream(seed, Purpose::Data, i as u64);
            let z = DVector::from_fn(self.dim(), |_, _| rng.sample::<f64, _>(StandardNormal));
            point.copy_from(&mean);
            point.axpy(rest, &z, 1.0);
            for (direction, variance) in self.directions.column_iter().zip(&self.variances) {
                let direction = direction.map(f64::from);
                point.axpy((f64::from(*variance).sqrt() - rest) * direction.dot(&z), &direction, 1.0);
            }
        }
        points
    }
}
