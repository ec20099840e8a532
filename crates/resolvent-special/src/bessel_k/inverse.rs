//! Inverses of R_nu(z) and R_nu(z)/z: a start from the algebraic bounds, then Halley's method on log-log axes.
//!
//! B(p, p) = (p + sqrt(p^2 + z^2))/z bounds R_nu for p = nu (below) and p = nu + 1/2 (above)
//! (J. Segura (2011), J. Math. Anal. Appl. 374:516; D. Ruiz-Antolin, J. Segura (2016), ibid. 443:1232).
//! Between them R_nu = B(p, p) for a p that hardly moves with z, B is easily inverted, and log R is nearly
//! a straight line in log z. The Riccati equation gives its slope and curvature for a few operations.

use super::{ratio_k, ratio_k_excess};
use crate::debye;

/// A correction of this relative size e leaves an error of about e^3/20.
const LAST_STEP: f64 = 1e-5;
/// Above this argument the Riccati equation leaves no digit of the curvature, and none is needed.
const CURVED_BELOW: f64 = 1e4;
/// Only bisection from the far ends of the range of f64 could take as many.
const MAX_STEPS: usize = 200;

/// z > 0 with R_nu(z) = y, for nu > -1/2 and y > 1.
///
/// R_nu decreases from infinity to 1, so y <= 1 has no solution: the limit `INFINITY` is returned. Likewise
/// 0 for y = inf and at nu = -1/2, where R = 1. NaN for nu < -1/2 and for NaN input.
#[must_use]
pub fn inverse_ratio_k(nu: f64, y: f64) -> f64 {
    if nu.is_nan() || nu < -0.5 || y.is_nan() {
        return f64::NAN;
    }
    if y <= 1.0 {
        return f64::INFINITY;
    }
    if nu == -0.5 || y == f64::INFINITY {
        return 0.0;
    }
    // B(p, p) = y at z = 2 p y/(y^2 - 1).
    let unit = 2.0 / (y - 1.0) * (y / (y + 1.0));
    solve(
        nu,
        |p| p * unit,
        |z| {
            let excess = ratio_k_excess(nu, z);
            Local::new(nu, z, excess / (z * (y - 1.0)), excess, excess / z)
        },
    )
}

/// z > 0 with R_nu(z)/z = w, for nu >= -1/2 and w > 0 (R19 with z = a rho, w = g/a^2).
///
/// R_nu(z)/z decreases from infinity to 0: `INFINITY` for w <= 0 and 0 for w = inf. NaN for nu < -1/2 and for NaN input.
#[must_use]
pub fn inverse_gain(nu: f64, w: f64) -> f64 {
    if nu.is_nan() || nu < -0.5 || w.is_nan() {
        return f64::NAN;
    }
    if w <= 0.0 {
        return f64::INFINITY;
    }
    if w == f64::INFINITY {
        return 0.0;
    }
    if nu == -0.5 {
        return 1.0 / w;
    }
    // B(p, p)/z = w at z = sqrt(1 + 2 p w)/w; written so that neither a small nor a large w overflows.
    let root = w.sqrt();
    solve(
        nu,
        |p| (1.0 / w + 2.0 * p).sqrt() / root,
        |z| {
            let ratio = ratio_k(nu, z);
            Local::new(nu, z, ratio / z / w, z * (ratio - 1.0), ratio).times_inverse_z()
        },
    )
}

/// The function to be brought to 1 by the choice of log z: its value and the first two derivatives of its logarithm.
#[derive(Clone, Copy)]
struct Local {
    value: f64,
    slope: f64,
    curvature: f64,
}

impl Local {
    /// For a function proportional to `base`, which is R or R - 1; excess = z (R - 1).
    #[inline]
    fn new(nu: f64, z: f64, value: f64, excess: f64, base: f64) -> Self {
        // dR/dlog z = z (R^2 - 1) - (2 nu + 1) R, and once more.
        let odd = 2.0 * nu + 1.0;
        let ratio = 1.0 + excess / z;
        let first = (excess + (excess - odd)) + excess / z * (excess - odd);
        let slope = first / base;
        let curvature = if z < CURVED_BELOW {
            (excess * (ratio + 1.0) + (2.0 * z * ratio - odd) * first) / base - slope * slope
        } else {
            0.0
        };
        Self { value, slope, curvature }
    }

    #[inline]
    fn times_inverse_z(self) -> Self {
        Self { slope: self.slope - 1.0, ..self }
    }

    /// Halley's correction to log z.
    #[inline]
    fn step(self) -> f64 {
        let residual = if (self.value - 1.0).abs() < 1e-8 { self.value - 1.0 } else { self.value.ln() };
        let newton = -residual / self.slope;
        let bend = 0.5 * newton * self.curvature / self.slope;
        if bend.abs() < 0.5 { newton / (1.0 + bend) } else { newton }
    }
}

/// Solves a decreasing equation given as a value to be brought to 1; `invert` solves it with B(p, p) in the place of R_nu.
#[inline]
fn solve(nu: f64, invert: impl Fn(f64) -> f64, local: impl Fn(f64) -> Local) -> f64 {
    let mut z = invert(nu + shift(nu, invert((nu + 0.25).max(0.1))));
    // Brackets that no rounding of the bounds can cross.
    let (mut low, mut high) = (0.5 * invert(nu.max(0.0)), 2.0 * invert(nu + 0.5));
    for _ in 0..MAX_STEPS {
        let here = local(z);
        let step = here.step();
        if step.abs() < LAST_STEP {
            // z e^step
            return z + z * step * (1.0 + 0.5 * step * (1.0 + step / 3.0));
        }
        if here.value > 1.0 {
            low = z;
        } else {
            high = z;
        }
        let next = z * step.exp();
        z = if next > low && next < high { next } else { (low.max(f64::MIN_POSITIVE) * high).sqrt() };
    }
    z
}

/// The p - nu with R_nu(z) = B(p, p), to a few per cent of p: (1 - nu/s)/2 from the Debye expansion. At nu = 0 it
/// falls like 1/(2 log(1/z)), at nu = 1/2 it is z/(2z + 2), and orders around these are interpolated.
#[inline]
fn shift(nu: f64, z: f64) -> f64 {
    if nu >= 0.5 {
        return 0.5 * (1.0 - nu / debye::radius(nu, z));
    }
    let at_zero = 0.5 / (1.0 + (0.45 / z).ln_1p());
    let at_half = if nu > 0.0 { 0.5 * z / (z + 1.0) } else { 0.5 };
    at_zero + 2.0 * nu.abs() * (at_half - at_zero)
}
