//! The uniform law on a circle.

use super::Sphere;
use crate::error::Result;
use crate::law::{Law, Support};
use rand::Rng;

/// The uniform law on the circle of a given radius around the origin of the first two of d coordinates.
#[derive(Clone, Debug)]
pub struct Circle(Sphere);

impl Circle {
    /// The circle of a positive radius in R^dim, dim >= 2.
    pub fn new(radius: f64, dim: usize) -> Result<Self> {
        Sphere::new(1, radius, dim).map(Self)
    }

    /// Radius of the circle.
    pub fn radius(&self) -> f64 {
        self.0.radius()
    }
}

impl Law for Circle {
    fn dim(&self) -> usize {
        self.0.dim()
    }

    fn sample_into(&self, rng: &mut dyn Rng, out: &mut [f64]) {
        self.0.sample_into(rng, out);
    }
}

impl Support for Circle {
    fn intrinsic_dim(&self) -> usize {
        1
    }

    fn project_into(&self, x: &[f64], out: &mut [f64]) {
        self.0.project_into(x, out);
    }

    fn distance(&self, x: &[f64]) -> f64 {
        self.0.distance(x)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws::checks::{check_support, kolmogorov};
    use std::f64::consts::{PI, TAU};

    #[test]
    fn support() {
        let law = Circle::new(2.0, 5).unwrap();
        check_support(&law, 2.0);
        assert_eq!((law.intrinsic_dim(), law.codimension()), (1, 4));
        let law = Circle::new(1.0, 20).unwrap();
        check_support(&law, 1.0);
        assert_eq!((law.radius(), law.codimension()), (1.0, 19));
    }

    #[test]
    fn angles_are_uniform() {
        let points = Circle::new(0.5, 2).unwrap().sample(20_000, 3);
        kolmogorov(points.column_iter().map(|x| x[1].atan2(x[0])), |angle| (angle + PI) / TAU);
    }

    #[test]
    fn parameters_are_checked() {
        assert!(Circle::new(-1.0, 2).is_err());
        assert!(Circle::new(1.0, 1).is_err());
    }
}
