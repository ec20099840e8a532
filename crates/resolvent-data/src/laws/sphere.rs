//! The uniform law on a sphere of any dimension.

use super::squared_norm;
use crate::error::{self, Error, Result};
use crate::law::{Law, Support};
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

/// The uniform law on the k-sphere of a given radius around the origin of the first k + 1 of d coordinates.
#[derive(Clone, Debug)]
pub struct Sphere {
    k: usize,
    radius: f64,
    dim: usize,
}

impl Sphere {
    /// The k-sphere (k >= 1) of a positive radius in R^dim, dim >= k + 1.
    pub fn new(k: usize, radius: f64, dim: usize) -> Result<Self> {
        if k == 0 {
            return Err(Error::parameter("k", k, "at least 1"));
        }
        Ok(Self { k, radius: error::positive("radius", radius)?, dim: error::dimension(dim, k + 1)? })
    }

    /// Radius of the sphere.
    pub fn radius(&self) -> f64 {
        self.radius
    }
}

impl Law for Sphere {
    fn dim(&self) -> usize {
        self.dim
    }

    /// A normal vector scaled to the radius (M. E. Muller, Commun. ACM 2 (1959), no. 4, 19).
    fn sample_into(&self, rng: &mut dyn Rng, out: &mut [f64]) {
        let (on, off) = out.split_at_mut(self.k + 1);
        off.fill(0.0);
        loop {
            on.iter_mut().for_each(|x| *x = StandardNormal.sample(rng));
            let norm = squared_norm(on).sqrt();
            if norm > 0.0 {
                on.iter_mut().for_each(|x| *x *= self.radius / norm);
                return;
            }
        }
    }
}

impl Support for Sphere {
    fn intrinsic_dim(&self) -> usize {
        self.k
    }

    /// Radial; the centre goes to the point on the first axis.
    fn project_into(&self, x: &[f64], out: &mut [f64]) {
        out.fill(0.0);
        let on = &x[..=self.k];
        let norm = squared_norm(on).sqrt();
        if norm > 0.0 {
            out.iter_mut().zip(on).for_each(|(o, x)| *o = x / norm * self.radius);
        } else {
            out[0] = self.radius;
        }
    }

    fn distance(&self, x: &[f64]) -> f64 {
        let (on, off) = x.split_at(self.k + 1);
        (squared_norm(on).sqrt() - self.radius).hypot(squared_norm(off).sqrt())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws::checks::{check_support, kolmogorov};
    use statrs::distribution::{Beta, ContinuousCDF};

    #[test]
    fn support() {
        let law = Sphere::new(2, 3.0, 6).unwrap();
        check_support(&law, 3.0);
        assert_eq!(law.codimension(), 4);
    }

    #[test]
    fn heights_on_the_two_sphere_are_uniform() {
        let points = Sphere::new(2, 2.0, 3).unwrap().sample(20_000, 1);
        for row in points.row_iter() {
            kolmogorov(row.iter().copied(), |z| 0.5 + z / 4.0);
        }
    }

    #[test]
    fn squared_coordinates_of_the_three_sphere_are_beta() {
        let points = Sphere::new(3, 1.0, 4).unwrap().sample(20_000, 2);
        let beta = Beta::new(0.5, 1.5).unwrap();
        for row in points.row_iter() {
            kolmogorov(row.iter().map(|z| z * z), |s| beta.cdf(s));
        }
    }

    #[test]
    fn centre_goes_to_the_first_axis() {
        let law = Sphere::new(2, 1.5, 4).unwrap();
        let mut out = [f64::NAN; 4];
        law.project_into(&[0.0, 0.0, 0.0, 2.0], &mut out);
        assert_eq!(out, [1.5, 0.0, 0.0, 0.0]);
        assert_eq!(law.distance(&[0.0, 0.0, 0.0, 2.0]), 2.5);
    }

    #[test]
    fn parameters_are_checked() {
        assert!(Sphere::new(0, 1.0, 3).is_err());
        assert!(Sphere::new(2, f64::NAN, 3).is_err());
        let message = Sphere::new(2, 1.0, 2).unwrap_err().to_string();
        assert_eq!(message, "dim = 2: must be at least 3");
    }
}
