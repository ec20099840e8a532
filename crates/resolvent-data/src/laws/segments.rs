//! The uniform law on finitely many line segments.

use super::{cumulative, pick};
use crate::error::{Error, Result};
use crate::law::{Law, Support};
use nalgebra::DMatrix;
use rand::{Rng, RngExt};

/// The law uniform with respect to length on a union of line segments of R^d.
#[derive(Clone, Debug)]
pub struct Segments {
    starts: DMatrix<f64>,
    directions: DMatrix<f64>,
    squared_lengths: Vec<f64>,
    cumulative: Vec<f64>,
}

impl Segments {
    /// Segments from the columns of `starts` to the columns of `ends` (both d x m, finite, no segment of length zero).
    pub fn new(starts: DMatrix<f64>, ends: &DMatrix<f64>) -> Result<Self> {
        let (d, m) = starts.shape();
        if starts.is_empty() {
            return Err(Error::parameter("starts", format_args!("{d} x {m}"), "at least 1 x 1"));
        }
        if ends.shape() != (d, m) {
            let (rows, columns) = ends.shape();
            return Err(Error::parameter(
                "ends",
                format_args!("{rows} x {columns}"),
                format_args!("{d} x {m}"),
            ));
        }
        let directions = ends - &starts;
        let squared_lengths: Vec<f64> = directions.column_iter().map(|v| v.norm_squared()).collect();
        if let Some(i) = squared_lengths.iter().position(|l| !(l.is_finite() && *l > 0.0)) {
            let length = squared_lengths[i].sqrt();
            return Err(Error::parameter(
                "ends",
                format_args!("giving segment {i} the length {length}"),
                "such that every length is positive and finite",
            ));
        }
        let cumulative = cumulative(squared_lengths.iter().map(|l| l.sqrt()));
        Ok(Self { starts, directions, squared_lengths, cumulative })
    }

    fn column(matrix: &DMatrix<f64>, i: usize) -> &[f64] {
        &matrix.as_slice()[i * matrix.nrows()..][..matrix.nrows()]
    }

    /// Writes the point of segment `i` at the fraction `t` of its length.
    fn place(&self, i: usize, t: f64, out: &mut [f64]) {
        for ((o, a), v) in
            out.iter_mut().zip(Self::column(&self.starts, i)).zip(Self::column(&self.directions, i))
        {
            *o = a + t * v;
        }
    }

    /// The segment nearest to `x`, the fraction of its length where, and the squared distance.
    fn nearest(&self, x: &[f64]) -> (usize, f64, f64) {
        let mut best = (0, 0.0, f64::INFINITY);
        for (i, squared_length) in self.squared_lengths.iter().enumerate() {
            let (a, v) = (Self::column(&self.starts, i), Self::column(&self.directions, i));
            let along: f64 = x.iter().zip(a).zip(v).map(|((x, a), v)| (x - a) * v).sum();
            let t = (along / squared_length).clamp(0.0, 1.0);
            let squared = x.iter().zip(a).zip(v).map(|((x, a), v)| (x - a - t * v) * (x - a - t * v)).sum();
            if squared < best.2 {
                best = (i, t, squared);
            }
        }
        best
    }
}

impl Law for Segments {
    fn dim(&self) -> usize {
        self.starts.nrows()
    }

    fn sample_into(&self, rng: &mut dyn Rng, out: &mut [f64]) {
        let i = pick(&self.cumulative, rng.random());
        self.place(i, rng.random(), out);
    }
}

impl Support for Segments {
    fn intrinsic_dim(&self) -> usize {
        1
    }

    fn project_into(&self, x: &[f64], out: &mut [f64]) {
        let (i, t, _) = self.nearest(x);
        self.place(i, t, out);
    }

    fn distance(&self, x: &[f64]) -> f64 {
        self.nearest(x).2.sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws::checks::{check_support, kolmogorov};

    fn corner() -> Segments {
        // Lengths 1, 2 and 5; the third apart from the others.
        let starts = DMatrix::from_column_slice(3, 3, &[0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 3.0, 1.0]);
        let ends = DMatrix::from_column_slice(3, 3, &[1.0, 0.0, 0.0, 1.0, 2.0, 0.0, 4.0, 6.0, 1.0]);
        Segments::new(starts, &ends).unwrap()
    }

    #[test]
    fn support() {
        check_support(&corner(), 6.0);
        assert_eq!(corner().codimension(), 2);
    }

    #[test]
    fn sampling_is_uniform_in_length() {
        let law = corner();
        let points = law.sample(20_000, 5);
        let along = points.column_iter().map(|x| {
            let (i, t, _) = law.nearest(x.as_slice());
            [0.0, 1.0, 3.0][i] + t * law.squared_lengths[i].sqrt()
        });
        kolmogorov(along, |length| length / 8.0);
    }

    #[test]
    fn projection_is_clamped_to_the_ends() {
        let mut out = [f64::NAN; 3];
        corner().project_into(&[-1.0, -1.0, 0.0], &mut out);
        assert_eq!(out, [0.0, 0.0, 0.0]);
        corner().project_into(&[0.5, -1.0, 0.0], &mut out);
        assert_eq!(out, [0.5, 0.0, 0.0]);
    }

    #[test]
    fn parameters_are_checked() {
        let point = DMatrix::from_element(2, 1, 1.0);
        let message = Segments::new(point.clone(), &point).unwrap_err().to_string();
        assert!(message.contains("segment 0 the length 0"), "{message}");
        assert!(Segments::new(point.clone(), &DMatrix::zeros(3, 1)).is_err());
        assert!(Segments::new(point, &DMatrix::from_element(2, 1, f64::NAN)).is_err());
        assert!(Segments::new(DMatrix::zeros(0, 0), &DMatrix::zeros(0, 0)).is_err());
    }
}
