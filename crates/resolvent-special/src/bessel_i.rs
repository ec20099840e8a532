//! log I_nu and the ratio I_{nu+1}/I_nu, for nu >= -1/2.
//!
//! The Debye expansion where sqrt(nu^2 + z^2) >= 25. Below, it is used at an order raised by whole steps until
//! it holds, followed by the downward recurrence r_{nu-1} = 1/(2 nu/z + r_nu), stable for I (DLMF 10.29.1);
//! log I_nu then comes from the Wronskian I_nu K_{nu+1} + I_{nu+1} K_nu = 1/z (DLMF 10.28.2).

use crate::bessel_k::log_zk_and_ratio;
use crate::debye;
use std::f64::consts::TAU;

/// log I_nu(z) for nu >= -1/2 and z >= 0; NaN outside. Error below 1e-13 max(1, |log I|).
#[must_use]
pub fn log_i(nu: f64, z: f64) -> f64 {
    if outside(nu, z) {
        return f64::NAN;
    }
    if z == 0.0 {
        return if nu == 0.0 { 0.0 } else { -nu.signum() * f64::INFINITY };
    }
    if z > Z_HUGE {
        return z - 0.5 * (TAU.ln() + z.ln());
    }
    let s = debye::radius(nu, z);
    if s >= debye::S_MIN {
        return debye::exponent(nu, z, s) - 0.5 * (TAU * s).ln() + debye::sums(s, nu, 1.0).log;
    }
    let (log_zk, ratio_k) = log_zk_and_ratio(nu, z);
    // z (R + r) stays of order one as z -> 0, where R is large.
    let scaled = z * ratio_k + z * z * scaled_ratio_below(nu, z);
    let log = -log_zk - scaled.ln();
    if nu == 0.0 { log } else { log + nu * z.ln() }
}

/// I_{nu+1}(z)/I_nu(z) for nu >= -1/2 and z >= 0; NaN outside. It increases in z from 0 to 1.
#[must_use]
pub fn ratio_i(nu: f64, z: f64) -> f64 {
    if outside(nu, z) {
        return f64::NAN;
    }
    if z > Z_HUGE {
        return 1.0;
    }
    let s = debye::radius(nu, z);
    z * if s >= debye::S_MIN { debye_scaled_ratio(nu, s) } else { scaled_ratio_below(nu, z) }
}

/// Beyond this z^2 overflows; 1/z is below every rounding error.
const Z_HUGE: f64 = 1e150;

fn outside(nu: f64, z: f64) -> bool {
    !(nu >= -0.5 && nu.is_finite() && z >= 0.0)
}

/// I_{nu+1}/(z I_nu) = 1/(nu + s) - (1/2 + sum e_k s^{-k})/s^2.
fn debye_scaled_ratio(nu: f64, s: f64) -> f64 {
    1.0 / (nu + s) - (0.5 + debye::sums(s, nu, 1.0).slope) / (s * s)
}

/// The same below the Debye regime.
fn scaled_ratio_below(nu: f64, z: f64) -> f64 {
    let steps = (debye::S_MIN - nu).ceil();
    let top = nu + steps;
    let mut ratio = debye_scaled_ratio(top, debye::radius(top, z));
    for j in (1..=steps as u32).rev() {
        ratio = 1.0 / (2.0 * (nu + f64::from(j)) + z * z * ratio);
    }
    ratio
}
