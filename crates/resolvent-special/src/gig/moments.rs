//! Moments through R_p = K_{p+1}/K_p at omega = sqrt(a b) (Jorgensen (1982), section 2.1).

use super::law::Gig;
use crate::bessel_k::{ratio_k, ratio_k_derivative, scaled_ratio_derivative};

impl Gig {
    /// Mean E T = sqrt(b/a) R_p(omega).
    #[must_use]
    pub fn mean(&self) -> f64 {
        mean(self.p, self.a, self.b)
    }

    /// E 1/T: 1/T is GIG(-p, b, a).
    #[must_use]
    pub fn mean_inverse(&self) -> f64 {
        mean(-self.p, self.b, self.a)
    }

    /// Var T = (b/a) (R/omega - R'), both terms positive for p >= -1/2; below, with q = -p - 1,
    /// (b/a) (omega R_q)'/(omega R_q^2).
    #[must_use]
    pub fn variance(&self) -> f64 {
        let Self { p, a, b, .. } = *self;
        if b == 0.0 {
            return 4.0 * p / (a * a);
        }
        if a == 0.0 {
            return if p < -2.0 { b * b / (4.0 * (p + 1.0) * (p + 1.0) * (-p - 2.0)) } else { f64::INFINITY };
        }
        let omega = a.sqrt() * b.sqrt();
        if p >= -0.5 {
            b / a * (ratio_k(p, omega) / omega - ratio_k_derivative(p, omega))
        } else {
            let ratio = ratio_k(-p - 1.0, omega);
            b / a * scaled_ratio_derivative(-p - 1.0, omega) / (omega * ratio * ratio)
        }
    }

    /// The mode of the density, (p - 1 + sqrt((p - 1)^2 + ab))/a.
    #[must_use]
    pub fn mode(&self) -> f64 {
        let q = self.p - 1.0;
        let root = (q * q + self.a * self.b).sqrt();
        if q > 0.0 { (q + root) / self.a } else { self.b / (root - q) }
    }
}

fn mean(p: f64, a: f64, b: f64) -> f64 {
    if b == 0.0 {
        return if p > 0.0 { 2.0 * p / a } else { f64::INFINITY };
    }
    if a == 0.0 {
        return if p < -1.0 { b / (2.0 * (-p - 1.0)) } else { f64::INFINITY };
    }
    b.sqrt() / a.sqrt() * ratio_k(p, a.sqrt() * b.sqrt())
}
