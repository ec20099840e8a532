//! The uniform law on the planar Swiss roll.

use super::spiral::Spiral;
use super::{squared_distance, squared_norm};
use crate::error::{self, Result};
use crate::law::{Law, Support};
use rand::Rng;

/// The law uniform with respect to arc length on the spiral scale t (cos t, sin t), t in [start, end], in the
/// first two of d coordinates: the section of the [`SwissRoll`](crate::SwissRoll) in the plane.
#[derive(Clone, Debug)]
pub struct SwissRollCurve {
    spiral: Spiral,
    dim: usize,
}

impl SwissRollCurve {
    /// The usual curve: t from 3 pi/2 to 9 pi/2, multiplied by `scale` > 0; dim >= 2. Its radius grows from
    /// 4.7 to 14.1 times the scale.
    pub fn new(scale: f64, dim: usize) -> Result<Self> {
        let (start, end) = Spiral::USUAL;
        Self::with_shape(start, end, scale, dim)
    }

    /// A spiral with t from `start` > 0 to `end` > `start` (radians), multiplied by `scale` > 0; dim >= 2.
    pub fn with_shape(start: f64, end: f64, scale: f64, dim: usize) -> Result<Self> {
        Ok(Self { spiral: Spiral::new((start, end), scale)?, dim: error::dimension(dim, 2)? })
    }

    /// The parameter t of the point of the curve nearest to `x`.
    pub fn coordinate(&self, x: &[f64]) -> f64 {
        self.spiral.nearest(x[0], x[1])
    }
}

impl Law for SwissRollCurve {
    fn dim(&self) -> usize {
        self.dim
    }

    fn sample_into(&self, rng: &mut dyn Rng, out: &mut [f64]) {
        out.fill(0.0);
        out[..2].copy_from_slice(&self.spiral.point(self.spiral.draw(rng)));
    }
}

impl Support for SwissRollCurve {
    fn intrinsic_dim(&self) -> usize {
        1
    }

    fn project_into(&self, x: &[f64], out: &mut [f64]) {
        out.fill(0.0);
        out[..2].copy_from_slice(&self.spiral.point(self.coordinate(x)));
    }

    fn distance(&self, x: &[f64]) -> f64 {
        let nearest = self.spiral.point(self.coordinate(x));
        (squared_distance(&x[..2], &nearest) + squared_norm(&x[2..])).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SwissRoll;
    use crate::laws::checks::{check_support, kolmogorov, rng};
    use rand::RngExt;

    #[test]
    fn support() {
        let law = SwissRollCurve::new(0.2, 2).unwrap();
        check_support(&law, 3.0);
        assert_eq!((law.intrinsic_dim(), law.codimension()), (1, 1));
        let law = SwissRollCurve::with_shape(1.0, 9.0, 0.2, 6).unwrap();
        check_support(&law, 2.0);
        assert_eq!(law.codimension(), 5);
    }

    /// The radius of a point is scale t; dl = scale sqrt(1 + t^2) dt is integrated by Simpson's rule.
    #[test]
    fn sampling_is_uniform_in_arc_length() {
        let (start, end, scale) = (0.5, 8.0, 0.2);
        let length = |t: f64| {
            let (n, step) = (200, (t - start) / 200.0);
            let weight = |i: i32| [2.0, 4.0][i as usize % 2] - f64::from(i == 0 || i == n);
            (0..=n).map(|i| weight(i) * (start + step * f64::from(i)).hypot(1.0) * step / 3.0).sum::<f64>()
        };
        let law = SwissRollCurve::with_shape(start, end, scale, 2).unwrap();
        let points = law.sample(20_000, 1);
        kolmogorov(points.column_iter().map(|x| x[0].hypot(x[1]) / scale), |t| length(t) / length(end));
        for x in points.column_iter() {
            let t = x[0].hypot(x[1]) / scale;
            assert!((law.coordinate(x.as_slice()) - t).abs() < 1e-12 * t);
        }
    }

    #[test]
    fn curve_is_the_section_of_the_sheet() {
        let (curve, sheet) = (SwissRollCurve::new(0.5, 2).unwrap(), SwissRoll::new(0.5, 3).unwrap());
        let (mut on_curve, mut on_sheet) = ([f64::NAN; 2], [f64::NAN; 3]);
        let mut rng = rng(3);
        for _ in 0..100 {
            let [x, y] = [(); 2].map(|()| rng.random_range(-9.0..9.0));
            curve.project_into(&[x, y], &mut on_curve);
            sheet.project_into(&[x, 1.0, y], &mut on_sheet);
            assert_eq!([on_curve[0], 1.0, on_curve[1]], on_sheet);
        }
    }

    #[test]
    fn parameters_are_checked() {
        assert!(SwissRollCurve::new(0.0, 2).is_err());
        assert!(SwissRollCurve::with_shape(0.0, 1.0, 1.0, 2).is_err());
        let message = SwissRollCurve::with_shape(2.0, 1.0, 1.0, 2).unwrap_err().to_string();
        assert_eq!(message, "end = 1: must be finite and larger than the start 2");
        let message = SwissRollCurve::new(1.0, 1).unwrap_err().to_string();
        assert_eq!(message, "dim = 1: must be at least 2");
    }
}
