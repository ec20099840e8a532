//! The uniform law on a torus of revolution.

use super::squared_norm;
use crate::error::{self, Error, Result};
use crate::law::{Law, Support};
use rand::{Rng, RngExt};
use std::f64::consts::TAU;

/// The law uniform with respect to surface area on the torus ((R + r cos phi) cos theta, (R + r cos phi) sin theta, r sin phi)
/// in the first three of d coordinates.
#[derive(Clone, Debug)]
pub struct Torus {
    major: f64,
    minor: f64,
    dim: usize,
}

impl Torus {
    /// The torus with major radius R and minor radius r, 0 < r < R, in R^dim, dim >= 3.
    pub fn new(major: f64, minor: f64, dim: usize) -> Result<Self> {
        error::positive("major", major)?;
        error::positive("minor", minor)?;
        if minor >= major {
            return Err(Error::parameter("minor", minor, format_args!("less than the major radius {major}")));
        }
        Ok(Self { major, minor, dim: error::dimension(dim, 3)? })
    }

    /// Major radius R: from the axis to the centre of the tube.
    pub fn major(&self) -> f64 {
        self.major
    }

    /// Minor radius r: of the tube.
    pub fn minor(&self) -> f64 {
        self.minor
    }
}

impl Law for Torus {
    fn dim(&self) -> usize {
        self.dim
    }

    /// The area element is r (R + r cos phi) dtheta dphi: phi by rejection from the uniform law.
    fn sample_into(&self, rng: &mut dyn Rng, out: &mut [f64]) {
        out.fill(0.0);
        let theta = TAU * rng.random::<f64>();
        let phi = loop {
            let phi = TAU * rng.random::<f64>();
            if rng.random::<f64>() * (self.major + self.minor) < self.major + self.minor * phi.cos() {
                break phi;
            }
        };
        let from_axis = self.major + self.minor * phi.cos();
        out[0] = from_axis * theta.cos();
        out[1] = from_axis * theta.sin();
        out[2] = self.minor * phi.sin();
    }
}

impl Support for Torus {
    fn intrinsic_dim(&self) -> usize {
        2
    }

    /// In the half-plane through the axis and `x`, radially onto the circle of the tube. A point of the axis uses the
    /// half-plane of the first coordinate, a point of the tube's centre line goes outward.
    fn project_into(&self, x: &[f64], out: &mut [f64]) {
        out.fill(0.0);
        let from_axis = x[0].hypot(x[1]);
        let (cos, sin) = if from_axis > 0.0 { (x[0] / from_axis, x[1] / from_axis) } else { (1.0, 0.0) };
        let (u, v) = (from_axis - self.major, x[2]);
        let from_tube = u.hypot(v);
        let (u, v) = if from_tube > 0.0 { (u / from_tube, v / from_tube) } else { (1.0, 0.0) };
        let from_axis = self.major + self.minor * u;
        out[0] = from_axis * cos;
        out[1] = from_axis * sin;
        out[2] = self.minor * v;
    }

    fn distance(&self, x: &[f64]) -> f64 {
        let from_tube = (x[0].hypot(x[1]) - self.major).hypot(x[2]);
        (from_tube - self.minor).hypot(squared_norm(&x[3..]).sqrt())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws::checks::{check_support, kolmogorov};
    use std::f64::consts::PI;

    #[test]
    fn support() {
        let law = Torus::new(2.0, 0.7, 5).unwrap();
        check_support(&law, 2.7);
        assert_eq!(law.codimension(), 3);
    }

    #[test]
    fn angles_have_the_law_of_the_area_element() {
        let (major, minor) = (2.0, 1.5);
        let points = Torus::new(major, minor, 3).unwrap().sample(20_000, 4);
        kolmogorov(points.column_iter().map(|x| x[1].atan2(x[0])), |theta| (theta + PI) / TAU);
        kolmogorov(points.column_iter().map(|x| x[2].atan2(x[0].hypot(x[1]) - major)), |phi| {
            (major * (phi + PI) + minor * phi.sin()) / (TAU * major)
        });
    }

    #[test]
    fn axis_and_centre_line_have_a_projection() {
        let law = Torus::new(2.0, 0.5, 3).unwrap();
        let mut out = [f64::NAN; 3];
        law.project_into(&[0.0, 0.0, 0.0], &mut out);
        assert_eq!(out, [1.5, 0.0, 0.0]);
        law.project_into(&[0.0, 2.0, 0.0], &mut out);
        assert_eq!(out, [0.0, 2.5, 0.0]);
    }

    #[test]
    fn parameters_are_checked() {
        assert!(Torus::new(1.0, 1.0, 3).is_err());
        assert!(Torus::new(1.0, 0.0, 3).is_err());
        assert!(Torus::new(1.0, 0.5, 2).is_err());
    }
}
