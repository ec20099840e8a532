//! The uniform law on a Swiss roll.

use super::spiral::Spiral;
use super::{squared_distance, squared_norm};
use crate::error::{self, Result};
use crate::law::{Law, Support};
use rand::{Rng, RngExt};

/// The law uniform with respect to area on the rolled sheet scale (t cos t, h, t sin t), t in [start, end], h in [0, height],
/// in the first three of d coordinates. [`SwissRollCurve`](crate::SwissRollCurve) is its section in the plane.
#[derive(Clone, Debug)]
pub struct SwissRoll {
    spiral: Spiral,
    height: f64,
    dim: usize,
}

impl SwissRoll {
    /// The usual sheet: t from 3 pi/2 to 9 pi/2 and height 21, before it is multiplied by `scale` > 0; dim >= 3.
    pub fn new(scale: f64, dim: usize) -> Result<Self> {
        let (start, end) = Spiral::USUAL;
        Self::with_shape(start, end, 21.0, scale, dim)
    }

    /// A sheet with t from `start` > 0 to `end` > `start` (radians) and 0 <= h <= `height`, multiplied by `scale` > 0; dim >= 3.
    pub fn with_shape(start: f64, end: f64, height: f64, scale: f64, dim: usize) -> Result<Self> {
        let spiral = Spiral::new((start, end), scale)?;
        Ok(Self { spiral, height: error::positive("height", height)?, dim: error::dimension(dim, 3)? })
    }

    /// The coordinates (t, h) of the point of the sheet nearest to `x`.
    pub fn coordinates(&self, x: &[f64]) -> (f64, f64) {
        (self.spiral.nearest(x[0], x[2]), (x[1] / self.spiral.scale()).clamp(0.0, self.height))
    }

    fn place(&self, t: f64, h: f64) -> [f64; 3] {
        let [x, z] = self.spiral.point(t);
        [x, self.spiral.scale() * h, z]
    }
}

impl Law for SwissRoll {
    fn dim(&self) -> usize {
        self.dim
    }

    /// The area element is sqrt(1 + t^2) dt dh: the arc length of the spiral is uniform.
    fn sample_into(&self, rng: &mut dyn Rng, out: &mut [f64]) {
        let t = self.spiral.draw(rng);
        let h = self.height * rng.random::<f64>();
        out.fill(0.0);
        out[..3].copy_from_slice(&self.place(t, h));
    }
}

impl Support for SwissRoll {
    fn intrinsic_dim(&self) -> usize {
        2
    }

    fn project_into(&self, x: &[f64], out: &mut [f64]) {
        let (t, h) = self.coordinates(x);
        out.fill(0.0);
        out[..3].copy_from_slice(&self.place(t, h));
    }

    fn distance(&self, x: &[f64]) -> f64 {
        let (t, h) = self.coordinates(x);
        (squared_distance(&x[..3], &self.place(t, h)) + squared_norm(&x[3..])).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws::checks::{check_support, kolmogorov};

    #[test]
    fn support() {
        let law = SwissRoll::new(0.3, 5).unwrap();
        check_support(&law, 6.0);
        assert_eq!(law.codimension(), 3);
    }

    #[test]
    fn sampling_is_uniform_in_arc_length_and_height() {
        let law = SwissRoll::new(0.1, 3).unwrap();
        let points = law.sample(20_000, 1);
        let coordinates: Vec<(f64, f64)> =
            points.column_iter().map(|x| law.coordinates(x.as_slice())).collect();
        kolmogorov(coordinates.iter().map(|c| c.0), |t| law.spiral.share(t));
        kolmogorov(coordinates.iter().map(|c| c.1), |h| h / law.height);
    }

    #[test]
    fn points_that_are_not_finite_have_no_finite_distance() {
        let law = SwissRoll::new(1.0, 3).unwrap();
        assert!(law.distance(&[f64::NAN, 0.0, 1.0]).is_nan());
        assert_eq!(law.distance(&[f64::INFINITY, 0.0, 1.0]), f64::INFINITY);
        assert!(law.distance(&[1e200, 0.0, -1e-200]) >= 1e199);
    }

    #[test]
    fn parameters_are_checked() {
        assert!(SwissRoll::new(0.0, 3).is_err());
        assert!(SwissRoll::new(1.0, 2).is_err());
        assert!(SwissRoll::with_shape(0.0, 1.0, 1.0, 1.0, 3).is_err());
        assert!(SwissRoll::with_shape(2.0, 1.0, 1.0, 1.0, 3).is_err());
        assert!(SwissRoll::with_shape(1.0, 2.0, -1.0, 1.0, 3).is_err());
    }
}
