//! Derivatives of R_nu and of z R_nu, free of the cancellation in the Riccati equation where it matters.

use super::{Ladder, regular};
use crate::debye;

/// dR_nu/dz; negative for nu > -1/2, zero at nu = -1/2 (R_{-1/2} = 1).
///
/// In the Debye regime the series is differentiated once more. Below it is the Riccati equation
/// z^2 R' = (2E - 2nu - 1) z + E (E - 2nu - 1), E = z (R - 1), from DLMF 10.29.2.
#[must_use]
pub fn ratio_k_derivative(nu: f64, z: f64) -> f64 {
    if nu.is_nan() || z.is_nan() || z < 0.0 {
        return f64::NAN;
    }
    if nu == -0.5 {
        return 0.0;
    }
    if nu < -0.5 {
        let ratio = super::ratio_k(-nu - 1.0, z);
        return -ratio_k_derivative(-nu - 1.0, z) / (ratio * ratio);
    }
    if !regular(nu, z) {
        return if z == 0.0 { f64::NEG_INFINITY } else { -(nu + 0.5) / z / z };
    }
    let s = debye::radius(nu, z);
    if s >= debye::S_MIN {
        let (first, second) = (debye::sums(s, nu, -1.0).slope, debye::curvature_sum(s, nu, -1.0));
        let (c, w) = (nu / s, z / s);
        (-nu * (c + 1.0) + w * w * ((c * c - w * w) * (0.5 + first) - w * w * second)) / z / z
    } else {
        let excess = Ladder::climb_ratio(nu, z).excess();
        let gap = excess - (2.0 * nu + 1.0);
        ((excess + gap) + excess * gap / z) / z
    }
}

/// d(z R_nu)/dz, positive for nu > 0, nu >= -1/2: d/dz of nu + s + (z/s)^2 (1/2 + sum e_k t^k), or
/// z (R_nu/R_{nu-1} - 1) by the recurrence.
pub(crate) fn scaled_ratio_derivative(nu: f64, z: f64) -> f64 {
    let s = debye::radius(nu, z);
    if s >= debye::S_MIN {
        let (first, second) = (debye::sums(s, nu, -1.0).slope, debye::curvature_sum(s, nu, -1.0));
        let (c, w) = (nu / s, z / s);
        w * (1.0 + (2.0 * c * c * (0.5 + first) - w * w * second) / s)
    } else {
        let ladder = Ladder::climb_ratio(nu, z);
        let lower = super::ratio_k(nu - 1.0, z);
        (ladder.scaled_ratio() / lower) - z
    }
}
