//! log K_nu, the ratio R_nu = K_{nu+1}/K_nu and what follows from them.
//!
//! One method per regime: the Debye expansion where sqrt(nu^2 + z^2) >= 25; below, K at
//! the two lowest orders (exact at half-integers, Temme's series for small z, his continued fraction above)
//! and the upward recurrence.
//!
//! Orders: any real nu, by K_{-nu} = K_nu. Arguments: z >= 0; a negative or NaN argument gives NaN, z = 0 and z = inf the
//! limits. Relative error of the ratio below 5e-15, error of the logarithms below 1e-13 max(1, |log|) for
//! nu in [-1/2, 2e5], z in [1e-12, 1e8].

mod derivative;
mod inverse;
mod ladder;
mod order;
mod start;
mod steed;
mod temme;

pub use derivative::ratio_k_derivative;
pub(crate) use derivative::scaled_ratio_derivative;
pub use inverse::{inverse_gain, inverse_ratio_k};
pub use order::KOrder;

use crate::debye;
use ladder::Ladder;
use statrs::function::gamma::ln_gamma;
use std::f64::consts::{FRAC_PI_2, LN_2};

/// Beyond this z^2 overflows; 1/z is below every rounding error.
const Z_HUGE: f64 = 1e150;

#[inline]
fn regular(nu: f64, z: f64) -> bool {
    z > 0.0 && z < Z_HUGE && nu.is_finite()
}

/// log K_nu(z) for z > 0 and any real nu (DLMF 10.25).
#[must_use]
#[inline]
pub fn log_k(nu: f64, z: f64) -> f64 {
    log_k_and_ratio(nu.abs(), z).0
}

/// log(z^nu K_nu(z)), formed without the large terms that cancel between the factors; at z = 0 the limit
/// log(2^{nu-1} Gamma(nu)) (DLMF 10.30.2), infinite for nu <= 0.
#[must_use]
#[inline]
pub fn log_zk(nu: f64, z: f64) -> f64 {
    if nu < -0.5 {
        return log_zk(-nu, z) + 2.0 * nu * z.ln();
    }
    log_zk_and_ratio(nu, z).0
}

/// R_nu(z) = K_{nu+1}(z)/K_nu(z); below nu = -1/2 by R_nu = 1/R_{-nu-1}. It decreases in z to 1 for nu > -1/2.
#[must_use]
#[inline]
pub fn ratio_k(nu: f64, z: f64) -> f64 {
    if nu < -0.5 {
        return 1.0 / ratio_k(-nu - 1.0, z);
    }
    if !regular(nu, z) {
        return irregular_ratio(nu, z);
    }
    let s = debye::radius(nu, z);
    if ladder::serves(nu, z, s) {
        Ladder::climb_ratio(nu, z).scaled_ratio() / z
    } else {
        debye_ratio(nu, z, s, debye::sums(s, nu, -1.0).slope)
    }
}

/// z (R_nu(z) - 1), accurate also where R_nu rounds to 1: it tends to nu + 1/2 as z grows (DLMF 10.40.2).
/// Relative error below 5e-15 for z > 3/2, below 5e-15 R/(R - 1) for smaller z.
#[must_use]
#[inline]
pub fn ratio_k_excess(nu: f64, z: f64) -> f64 {
    if nu < -0.5 {
        let reflected = ratio_k_excess(-nu - 1.0, z);
        return -z * reflected / (z + reflected);
    }
    if !regular(nu, z) {
        return irregular_excess(nu, z);
    }
    let s = debye::radius(nu, z);
    if ladder::serves(nu, z, s) {
        Ladder::climb_ratio(nu, z).excess()
    } else {
        nu + nu * (nu / (s + z)) + (z / s) * (z / s) * (0.5 + debye::sums(s, nu, -1.0).slope)
    }
}

/// (log K_nu(z), R_nu(z)) for nu >= -1/2, sharing the work.
#[must_use]
#[inline]
pub fn log_k_and_ratio(nu: f64, z: f64) -> (f64, f64) {
    if nu < -0.5 {
        let (log, ratio) = log_k_and_ratio(-nu - 1.0, z);
        return (log + ratio.ln(), 1.0 / ratio);
    }
    if !regular(nu, z) {
        return (irregular_log(nu, z), irregular_ratio(nu, z));
    }
    let s = debye::radius(nu, z);
    if ladder::serves(nu, z, s) {
        let ladder = Ladder::climb(nu, z);
        (ladder.log(), ladder.scaled_ratio() / z)
    } else {
        let sums = debye::sums(s, nu, -1.0);
        let log = 0.5 * (FRAC_PI_2 / s).ln() - debye::exponent(nu, z, s) + sums.log;
        (log, debye_ratio(nu, z, s, sums.slope))
    }
}

/// (log(z^nu K_nu(z)), R_nu(z)) for nu >= -1/2, sharing the work.
#[must_use]
#[inline]
pub fn log_zk_and_ratio(nu: f64, z: f64) -> (f64, f64) {
    if nu < -0.5 {
        return (log_zk(nu, z), ratio_k(nu, z));
    }
    if !regular(nu, z) {
        let log = if z == 0.0 {
            if nu > 0.0 { (nu - 1.0) * LN_2 + ln_gamma(nu) } else { f64::INFINITY }
        } else {
            irregular_log(nu, z) + nu * z.ln()
        };
        return (log, irregular_ratio(nu, z));
    }
    let s = debye::radius(nu, z);
    if ladder::serves(nu, z, s) {
        let ladder = Ladder::climb(nu, z);
        (ladder.log_scaled(), ladder.scaled_ratio() / z)
    } else {
        let sums = debye::sums(s, nu, -1.0);
        let log = 0.5 * (FRAC_PI_2 / s).ln() - s + nu * (nu + s).ln() + sums.log;
        (log, debye_ratio(nu, z, s, sums.slope))
    }
}

/// log of int exp(-z cosh t + nu t) dt over its largest integrand, that is of 2 K_nu(z) e^s (z/(nu + s))^nu
/// with s = sqrt(nu^2 + z^2); about 1/2 log(2 pi/s). For nu >= 0, z >= 0.
pub(crate) fn log_integral_over_peak(nu: f64, z: f64) -> f64 {
    let s = debye::radius(nu, z);
    if s >= debye::S_MIN {
        0.5 * (4.0 * FRAC_PI_2 / s).ln() + debye::sums(s, nu, -1.0).log
    } else {
        LN_2 + log_zk(nu, z) + s - if nu == 0.0 { 0.0 } else { nu * (nu + s).ln() }
    }
}

/// R_nu = (nu + s)/z + (z/s^2) (1/2 + sum e_k t^k): the derivative of -log(z^{-nu} K_nu).
#[inline]
fn debye_ratio(nu: f64, z: f64, s: f64, slope: f64) -> f64 {
    (nu + s) / z + z / (s * s) * (0.5 + slope)
}

#[cold]
fn irregular_ratio(nu: f64, z: f64) -> f64 {
    if z >= Z_HUGE && nu.is_finite() {
        1.0
    } else if z == 0.0 && nu.is_finite() {
        if nu == -0.5 { 1.0 } else { f64::INFINITY }
    } else {
        f64::NAN
    }
}

#[cold]
fn irregular_excess(nu: f64, z: f64) -> f64 {
    if z >= Z_HUGE && nu.is_finite() {
        nu + 0.5
    } else if z == 0.0 && nu.is_finite() {
        2.0 * nu.max(0.0)
    } else {
        f64::NAN
    }
}

#[cold]
fn irregular_log(nu: f64, z: f64) -> f64 {
    if z >= Z_HUGE && nu.is_finite() {
        0.5 * (FRAC_PI_2 / z).ln() - z
    } else if z == 0.0 && nu.is_finite() {
        f64::INFINITY
    } else {
        f64::NAN
    }
}
