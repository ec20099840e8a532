//! The uniform law on a Swiss roll.

use super::squared_norm;
use crate::error::{self, Error, Result};
use crate::law::{Law, Support};
use rand::{Rng, RngExt};
use std::f64::consts::{FRAC_PI_2, PI, TAU};

/// The law uniform with respect to area on the rolled sheet scale (t cos t, h, t sin t), t in [start, end], h in [0, height],
/// in the first three of d coordinates.
#[derive(Clone, Debug)]
pub struct SwissRoll {
    start: f64,
    end: f64,
    height: f64,
    scale: f64,
    dim: usize,
}

impl SwissRoll {
    /// The usual sheet: t from 3 pi/2 to 9 pi/2 and height 21, before it is multiplied by `scale` > 0; dim >= 3.
    pub fn new(scale: f64, dim: usize) -> Result<Self> {
        Self::with_shape(1.5 * PI, 4.5 * PI, 21.0, scale, dim)
    }

    /// A sheet with t from `start` > 0 to `end` > `start` (radians) and 0 <= h <= `height`, multiplied by `scale` > 0; dim >= 3.
    pub fn with_shape(start: f64, end: f64, height: f64, scale: f64, dim: usize) -> Result<Self> {
        error::positive("start", start)?;
        error::positive("height", height)?;
        error::positive("scale", scale)?;
        if !(end.is_finite() && end > start) {
            return Err(Error::parameter(
                "end",
                end,
                format_args!("finite and larger than the start {start}"),
            ));
        }
        Ok(Self { start, end, height, scale, dim: error::dimension(dim, 3)? })
    }

    /// The coordinates (t, h) of the point of the sheet nearest to `x`.
    pub fn coordinates(&self, x: &[f64]) -> (f64, f64) {
        let t = nearest_on_spiral(x[0] / self.scale, x[2] / self.scale, self.start, self.end);
        (t, (x[1] / self.scale).clamp(0.0, self.height))
    }

    fn place(&self, t: f64, h: f64) -> [f64; 3] {
        [self.scale * t * t.cos(), self.scale * h, self.scale * t * t.sin()]
    }
}

impl Law for SwissRoll {
    fn dim(&self) -> usize {
        self.dim
    }

    /// The area element is sqrt(1 + t^2) dt dh: the arc length of the spiral is uniform.
    fn sample_into(&self, rng: &mut dyn Rng, out: &mut [f64]) {
        let (from, to) = (arc_length(self.start), arc_length(self.end));
        let length = from + (to - from) * rng.random::<f64>();
        let t = root(self.start, self.end, |t| arc_length(t) - length, |t| t.hypot(1.0));
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
        (super::squared_distance(&x[..3], &self.place(t, h)) + squared_norm(&x[3..])).sqrt()
    }
}

/// Length of the Archimedean spiral t (cos t, sin t) from 0 to t.
fn arc_length(t: f64) -> f64 {
    0.5 * (t * t.hypot(1.0) + t.asinh())
}

/// The parameter t in [start, end] of the point of the spiral t (cos t, sin t) nearest to (x, y); the start where (x, y) is not finite.
///
/// With (x, y) = rho (cos theta, sin theta) and psi = t + atan t - pi/2 - theta, the derivative of the squared distance is
/// 2 rho sqrt(1 + t^2) s(t), s(t) = sin psi + t / (rho sqrt(1 + t^2)). psi increases with t, the second term too: s increases
/// while sin psi does, so each turn holds at most one local minimum, a root of s where it crosses upward. It is bracketed by
/// the bottom and the top of that turn of s.
fn nearest_on_spiral(x: f64, y: f64, start: f64, end: f64) -> f64 {
    let rho = x.hypot(y);
    if rho == 0.0 || !rho.is_finite() {
        return start;
    }
    let theta = y.atan2(x);
    let psi = |t: f64| t + t.atan() - FRAC_PI_2 - theta;
    let slope = |t: f64| psi(t).sin() + t / (rho * (1.0 + t * t).sqrt());
    let curvature = |t: f64| {
        let q = 1.0 / (1.0 + t * t);
        psi(t).cos() * (1.0 + q) + q * q.sqrt() / rho
    };
    let squared = |t: f64| (t * t.cos() - x).powi(2) + (t * t.sin() - y).powi(2);

    let mut best = if squared(start) <= squared(end) { start } else { end };
    let turns = ((psi(start) / TAU).round() as i64)..=((psi(end) / TAU).round() as i64);
    for turn in turns {
        let angle = TAU * turn as f64;
        let at = |psi: f64| at_angle(psi + theta + FRAC_PI_2);
        let top = at(angle + FRAC_PI_2);
        let mut bottom = at(angle - FRAC_PI_2);
        if slope(bottom) >= 0.0 {
            // Only within one unit of the axis: s has its minimum a little earlier, and it may still be negative there.
            bottom = root(at(angle - PI), bottom, curvature, |_| 0.0);
            if slope(bottom) >= 0.0 {
                continue;
            }
        }
        let t = root(bottom, top, slope, curvature);
        if t > start && t < end && squared(t) < squared(best) {
            best = t;
        }
    }
    best
}

/// The t with t + atan t = angle.
fn at_angle(angle: f64) -> f64 {
    root(angle - FRAC_PI_2, angle + FRAC_PI_2, |t| t + t.atan() - angle, |t| 1.0 + 1.0 / (1.0 + t * t))
}

/// The root of `f` in [low, high], where `f` goes from negative to positive: Newton's method kept inside the bracket, a
/// bisection where the derivative does not help.
fn root(mut low: f64, mut high: f64, f: impl Fn(f64) -> f64, derivative: impl Fn(f64) -> f64) -> f64 {
    let mut t = 0.5 * (low + high);
    loop {
        let value = f(t);
        if value < 0.0 {
            low = t;
        } else {
            high = t;
        }
        let newton = t - value / derivative(t);
        let next = if newton > low && newton < high { newton } else { 0.5 * (low + high) };
        if (next - t).abs() <= f64::EPSILON * t.abs().max(1.0) {
            return next;
        }
        t = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws::checks::{check_support, kolmogorov, rng};

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
        let from = arc_length(law.start);
        let total = arc_length(law.end) - from;
        kolmogorov(coordinates.iter().map(|c| c.0), |t| (arc_length(t) - from) / total);
        kolmogorov(coordinates.iter().map(|c| c.1), |h| h / law.height);
    }

    /// Better than every point of a fine grid and orthogonal to the curve: that is the global minimum. The second sheet starts
    /// near the axis, where a turn of the spiral can hold its minimum before the bottom of the sine.
    #[test]
    fn projection_on_the_spiral_is_global_and_stationary() {
        let mut rng = rng(2);
        let mut interior = 0;
        for (start, end, size) in
            [(1.5 * PI, 4.5 * PI, 20.0), (0.05, 7.0, 9.0), (0.05, 3.0, 1.2), (4.0, 12.0, 1.5)]
        {
            let grid: Vec<[f64; 2]> = (0..=10_000)
                .map(|i| start + (end - start) * f64::from(i) / 1e4)
                .map(|t| [t * t.cos(), t * t.sin()])
                .collect();
            for _ in 0..500 {
                let (x, y) = (size * rng.random_range(-1.0..1.0), size * rng.random_range(-1.0..1.0));
                let t = nearest_on_spiral(x, y, start, end);
                let (dx, dy) = (x - t * t.cos(), y - t * t.sin());
                let nearest = grid.iter().map(|g| (x - g[0]).hypot(y - g[1])).fold(f64::INFINITY, f64::min);
                assert!(
                    dx.hypot(dy) <= nearest + 1e-12,
                    "({x}, {y}): {} at {t}, but {nearest}",
                    dx.hypot(dy)
                );
                assert!((start..=end).contains(&t));
                if t > start && t < end {
                    let along = dx * (t.cos() - t * t.sin()) + dy * (t.sin() + t * t.cos());
                    assert!(along.abs() <= 1e-11 * t.hypot(1.0) * x.hypot(y), "({x}, {y}): {along:e}");
                    interior += 1;
                }
            }
        }
        assert!(interior > 500);
        assert_eq!(nearest_on_spiral(0.0, 0.0, 1.0, 5.0), 1.0);
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
