//! Density, distribution function and the integrals over the log-density they share.

use super::law::{Gig, Shape};
use crate::bessel_k::log_integral_over_peak;
use crate::quadrature::integrate;

/// exp of this is nothing beside 1.
const NEGLIGIBLE: f64 = -50.0;

impl Gig {
    /// log of the density at t; -inf for t <= 0.
    #[must_use]
    pub fn log_density(&self, t: f64) -> f64 {
        if t <= 0.0 {
            return f64::NEG_INFINITY;
        }
        self.shape.psi(self.to_x(t)) - t.ln() - self.log_norm()
    }

    /// P(T <= t), absolute error below 1e-12: Gauss-Legendre quadrature of the log-density on the logarithmic axis.
    #[must_use]
    pub fn cdf(&self, t: f64) -> f64 {
        if t <= 0.0 {
            return 0.0;
        }
        if t == f64::INFINITY {
            return 1.0;
        }
        let x = self.to_x(t);
        let (left, right) = self.shape.support();
        let split = x.clamp(left, right);
        let density = |x: f64| [self.shape.psi(x).exp()];
        let tolerance = [1e-14 * self.log_norm().exp()];
        let piece = |low: f64, high: f64| integrate(&density, low, high, tolerance)[0];
        let (below, above) = if split < 0.0 {
            (piece(left, split), piece(split, 0.0) + piece(0.0, right))
        } else {
            (piece(left, 0.0) + piece(0.0, split), piece(split, right))
        };
        let lower = if self.p < 0.0 { above } else { below };
        lower / (below + above)
    }

    /// E log T, absolute error below 1e-10 times the spread of log T.
    #[must_use]
    pub fn mean_log(&self) -> f64 {
        let (left, right) = self.shape.support();
        let weighted = |x: f64| {
            let density = self.shape.psi(x).exp();
            [density, x * density]
        };
        let norm = self.log_norm().exp();
        let tolerance = [1e-14 * norm, 1e-14 * norm * norm];
        let [mass_left, first_left] = integrate(&weighted, left, 0.0, tolerance);
        let [mass_right, first_right] = integrate(&weighted, 0.0, right, tolerance);
        let mean = (first_left + first_right) / (mass_left + mass_right);
        self.mode.ln() + if self.p < 0.0 { -mean } else { mean }
    }

    /// log int exp(psi).
    fn log_norm(&self) -> f64 {
        log_integral_over_peak(self.shape.lambda, self.a.sqrt() * self.b.sqrt())
    }
}

impl Shape {
    /// An interval outside which exp(psi) is negligible.
    fn support(self) -> (f64, f64) {
        (-self.reach(-1.0), self.reach(1.0))
    }

    /// How far to go from the mode in the given direction: psi is concave, so doubling ends.
    fn reach(self, direction: f64) -> f64 {
        let mut x = 4.0 / (1.0 + self.lambda + self.alpha).sqrt();
        while self.psi(direction * x) > NEGLIGIBLE {
            x *= 1.5;
        }
        x
    }
}
