//! The Archimedean spiral that the Swiss roll and its planar curve share.

use crate::error::{self, Error, Result};
use rand::{Rng, RngExt};
use std::f64::consts::{FRAC_PI_2, PI, TAU};

/// The arc scale t (cos t, sin t), t in [start, end], of the plane.
#[derive(Clone, Debug)]
pub(super) struct Spiral {
    start: f64,
    end: f64,
    scale: f64,
}

impl Spiral {
    /// The arc of the usual Swiss roll: t from 3 pi/2 to 9 pi/2.
    pub(super) const USUAL: (f64, f64) = (1.5 * PI, 4.5 * PI);

    pub(super) fn new((start, end): (f64, f64), scale: f64) -> Result<Self> {
        error::positive("start", start)?;
        error::positive("scale", scale)?;
        if !(end.is_finite() && end > start) {
            return Err(Error::parameter(
                "end",
                end,
                format_args!("finite and larger than the start {start}"),
            ));
        }
        Ok(Self { start, end, scale })
    }

    pub(super) fn scale(&self) -> f64 {
        self.scale
    }

    pub(super) fn point(&self, t: f64) -> [f64; 2] {
        [self.scale * t * t.cos(), self.scale * t * t.sin()]
    }

    /// The t of a point uniform with respect to arc length.
    pub(super) fn draw(&self, rng: &mut dyn Rng) -> f64 {
        let (from, to) = (arc_length(self.start), arc_length(self.end));
        let length = from + (to - from) * rng.random::<f64>();
        root(self.start, self.end, |t| arc_length(t) - length, |t| t.hypot(1.0))
    }

    /// The t of the point nearest to (x, y); the start where (x, y) is not finite.
    pub(super) fn nearest(&self, x: f64, y: f64) -> f64 {
        nearest(x / self.scale, y / self.scale, self.start, self.end)
    }

    /// The share of the arc's length before t.
    #[cfg(test)]
    pub(super) fn share(&self, t: f64) -> f64 {
        (arc_length(t) - arc_length(self.start)) / (arc_length(self.end) - arc_length(self.start))
    }
}

/// Length of the unscaled spiral t (cos t, sin t) from 0 to t.
fn arc_length(t: f64) -> f64 {
    0.5 * (t * t.hypot(1.0) + t.asinh())
}

/// The parameter t in [start, end] of the point of the unscaled spiral nearest to (x, y); the start where
/// (x, y) is not finite.
///
/// With (x, y) = rho (cos theta, sin theta) and psi = t + atan t - pi/2 - theta, the derivative of the
/// squared distance is 2 rho sqrt(1 + t^2) s(t), s(t) = sin psi + t / (rho sqrt(1 + t^2)). psi increases with
/// t, the second term too: s increases while sin psi does, so each turn holds at most one local minimum, a
/// root of s where it crosses upward. It is bracketed by the bottom and the top of that turn of s.
fn nearest(x: f64, y: f64, start: f64, end: f64) -> f64 {
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
            // Only within one unit of the axis: s has its minimum a little earlier, and it may still be
            // negative there.
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

/// The root of `f` in [low, high], where `f` goes from negative to positive: Newton's method kept inside the
/// bracket, a bisection where the derivative does not help.
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
    use crate::laws::checks::rng;

    /// Better than every point of a fine grid and orthogonal to the curve: that is the global minimum. The
    /// second sheet starts near the axis, where a turn of the spiral can hold its minimum before the bottom
    /// of the sine.
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
                let t = nearest(x, y, start, end);
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
        assert_eq!(nearest(0.0, 0.0, 1.0, 5.0), 1.0);
    }

    #[test]
    fn arc_length_is_the_sum_of_many_short_chords() {
        let chords: f64 = (0..100_000)
            .map(|i| [f64::from(i), f64::from(i + 1)].map(|i| 9.0 * i / 1e5))
            .map(|[s, t]| (t * t.cos() - s * s.cos()).hypot(t * t.sin() - s * s.sin()))
            .sum();
        assert!((chords / arc_length(9.0) - 1.0).abs() < 1e-8, "{chords} or {}", arc_length(9.0));
    }
}
