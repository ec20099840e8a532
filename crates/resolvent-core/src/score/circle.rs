//! The exact score of a density on a circle.

use std::f64::consts::TAU;
use std::sync::Arc;

use super::Score;
use super::angle::{AngleQuadrature, Angular, Place, Sides, Sums};
use crate::error::{Error, Result, at_least, positive};
use crate::killed::KilledBrownianMotion;

/// Angles at which a density is tabulated.
const GRID: usize = 4096;

/// s = ∇ log u for the law with density proportional to f(φ) dφ on the circle of radius R around the origin, in the first two
/// coordinates of R^d, under killed Brownian motion: u(x) = ∫ G_r(x, y(φ)) f(φ) dφ / ∫ f, with g and D as the averages of R19.
///
/// The integrals are over the angle to the nearest point, and their relative error is below 1e-9 at any distance for an analytic
/// f that varies over angles of half a radian or more. A narrower f costs digits, and jumps all but the first two or three.
#[derive(Debug, Clone)]
pub struct CircleScore {
    angle: AngleQuadrature,
    /// f at equal angles from 0 on, ∫ f = 1.
    table: Arc<[f64]>,
    /// log(max f / min f).
    swing: f64,
}

impl CircleScore {
    /// The law with density proportional to `density`(φ) >= 0, φ from 0 to 2π, on the circle of `radius` R > 0 (length), under
    /// `process` in dimension d >= 2. The density is read at 4096 angles and interpolated by cubic polynomials.
    ///
    /// ```
    /// use resolvent_core::{KilledBrownianMotion, Score, score::CircleScore};
    ///
    /// let process = KilledBrownianMotion::new(3, 1.0, 0.05)?;
    /// let score = CircleScore::new(&process, 1.0, |angle| 1.0 + 0.5 * angle.cos())?;
    /// let (mut gain, mut displacement) = ([0.0], [0.0; 3]);
    /// score.evaluate(&[1.0, 0.0, 0.01], &mut gain, &mut displacement);
    /// assert!((displacement[2] + 0.01).abs() < 1e-12 && gain[0] > 1e3);
    /// # Ok::<(), resolvent_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// If d is 1, `radius` is not positive and finite, or `density` is negative or not finite at one of the angles, or zero at
    /// all of them.
    pub fn new(process: &KilledBrownianMotion, radius: f64, density: impl Fn(f64) -> f64) -> Result<Self> {
        at_least("dim", 2, process.dim())?;
        let angle = AngleQuadrature::new(process.green(), positive("radius", radius)?);
        let mut table: Vec<f64> = (0..GRID).map(|i| density(TAU * i as f64 / GRID as f64)).collect();
        if let Some(index) = table.iter().position(|f| !(f.is_finite() && *f >= 0.0)) {
            return Err(Error::Weight { index, value: table[index] });
        }
        let total: f64 = table.iter().sum();
        if total == 0.0 {
            return Err(Error::NoMass);
        }
        let step = TAU / GRID as f64;
        table.iter_mut().for_each(|f| *f /= total * step);
        let largest = table.iter().fold(0.0, |a: f64, f| a.max(*f));
        let swing = f64::ln(largest / table.iter().fold(f64::INFINITY, |a, f| a.min(*f)));
        Ok(Self { angle, table: table.into(), swing })
    }

    /// R.
    pub fn radius(&self) -> f64 {
        self.angle.radius()
    }

    /// log u at `x` (length d), in nats.
    ///
    /// # Panics
    /// If `x` has not length d.
    pub fn log_density(&self, x: &[f64]) -> f64 {
        assert_eq!(x.len(), self.dim(), "length of x");
        self.integrals(x).1.log_mass()
    }

    fn integrals(&self, x: &[f64]) -> (Place, Sums) {
        let off = x[2..].iter().map(|x| x * x).sum();
        let place = self.angle.place(x[0] * x[0] + x[1] * x[1], off);
        let nearest = f64::atan2(x[1], x[0]);
        let sums = self.angle.integrate(&place, &Turned { score: self, nearest });
        (place, sums)
    }

    /// f, by Lagrange's polynomial through the four nearest angles of the table; `angle` > -2π.
    fn density(&self, angle: f64) -> f64 {
        let at = angle * (GRID as f64 / TAU) + GRID as f64;
        let (cell, t) = (at as usize, at.fract());
        let f = |k: usize| self.table[(cell + k) % GRID];
        let [a, b, c, d] = [f(GRID - 1), f(0), f(1), f(2)];
        let (s, u, v) = (1.0 + t, 1.0 - t, 2.0 - t);
        let value = 0.5 * s * v * (b * u + c * t) - t * u * (a * v + d * s) / 6.0;
        // It may be below zero where f is not smooth.
        value.max(0.0)
    }
}

/// The density seen from the nearest angle.
struct Turned<'a> {
    score: &'a CircleScore,
    nearest: f64,
}

impl Angular for Turned<'_> {
    fn density(&self, theta: f64, _sine: f64) -> Sides {
        let ahead = self.score.density(self.nearest + theta);
        let behind = self.score.density(self.nearest - theta);
        Sides { log_factor: 0.0, sum: ahead + behind, difference: ahead - behind }
    }

    fn swing(&self, _near: f64) -> f64 {
        self.score.swing
    }

    fn repels(&self) -> bool {
        false
    }
}

impl Score for CircleScore {
    fn dim(&self) -> usize {
        self.angle.dim()
    }

    fn evaluate(&self, points: &[f64], gains: &mut [f64], displacements: &mut [f64]) {
        let d = self.dim();
        let rows = points.chunks_exact(d).zip(displacements.chunks_exact_mut(d));
        for ((x, v), gain) in rows.zip(gains) {
            let (place, sums) = self.integrals(x);
            *gain = sums.gain();
            let (along, across) = self.angle.displacement(&place, &sums);
            // At the centre the angle 0 counts as the nearest.
            let q = place.in_plane;
            let (cos, sin) = if q > 0.0 { (x[0] / q, x[1] / q) } else { (1.0, 0.0) };
            v[0] = along * cos - across * sin;
            v[1] = along * sin + across * cos;
            v[2..].iter_mut().zip(&x[2..]).for_each(|(v, x)| *v = -x);
        }
    }
}
