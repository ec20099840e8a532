//! The Debye (uniform) expansion of K_nu and I_nu in log form, DLMF 10.41.3-4, at s = sqrt(nu^2 + z^2) >= 25.
//!
//! With y = (nu/s)^2, w = (z/s)^2 = 1 - y and F(t) = sum_k d_k(y) t^k, t = -1/s for K and +1/s for I,
//!
//! ```text
//! log K_nu(z) = 1/2 log(pi/(2 s)) - nu eta + F(-1/s),      nu eta = s - nu asinh(nu/z),
//! log I_nu(z) = -1/2 log(2 pi s)  + nu eta + F(+1/s),
//! ```
//!
//! and, as d/dz = (z/s) d/ds - 2 y (z/s^2) d/dy, the series differentiates term by term:
//! d_k t^k becomes -(z/s^2) e_k t^k with e_k = k d_k + 2 y d_k'. No two large values are ever divided.
//! Everything is even in nu, so orders in [-1/2, 0) need no reflection.

mod coefficients;

use coefficients::{COEFFICIENTS, ORDER};

/// From this s on the table reaches full double precision.
pub(crate) const S_MIN: f64 = 25.0;

/// From these s on the number of terms in the name suffices: the first left out of sum_k e_k s^{-k} is below 4e-16.
const S_12_TERMS: f64 = 45.0;
const S_10_TERMS: f64 = 60.0;
const S_8_TERMS: f64 = 100.0;
const S_5_TERMS: f64 = 450.0;
const S_3_TERMS: f64 = 6e3;
const S_2_TERMS: f64 = 1e5;

/// sqrt(nu^2 + z^2).
#[inline]
pub(crate) fn radius(nu: f64, z: f64) -> f64 {
    (nu * nu + z * z).sqrt()
}

/// The two sums of the expansion: sum d_k t^k for the logarithm and sum e_k t^k for the logarithmic derivative.
#[derive(Clone, Copy)]
pub(crate) struct Sums {
    pub(crate) log: f64,
    pub(crate) slope: f64,
}

/// Sums at t = sign/s: sign = -1 for K, +1 for I.
#[inline]
pub(crate) fn sums(s: f64, nu: f64, sign: f64) -> Sums {
    let p = nu / s;
    let (y, t) = (p * p, sign / s);
    if s >= S_2_TERMS {
        horner::<2, 2>(y, t)
    } else if s >= S_3_TERMS {
        horner::<3, 3>(y, t)
    } else if s >= S_5_TERMS {
        horner::<5, 5>(y, t)
    } else if s >= S_8_TERMS {
        horner::<TOGETHER, TOGETHER>(y, t)
    } else if s >= S_10_TERMS {
        horner::<10, TOGETHER>(y, t)
    } else if s >= S_12_TERMS {
        horner::<12, TOGETHER>(y, t)
    } else {
        horner::<ORDER, TOGETHER>(y, t)
    }
}

/// Row k of the table starts here; it has k + 1 entries.
const fn offset(k: usize) -> usize {
    k * (k + 1) / 2 - 1
}

/// N terms: the rows beyond M one after the other, the first M together, which fills the vector units.
#[inline]
fn horner<const N: usize, const M: usize>(y: f64, t: f64) -> Sums {
    let mut sum = [0.0; 2];
    for k in (M + 1..=N).rev() {
        let row = &COEFFICIENTS[offset(k)..=offset(k) + k];
        let poly = row[..k].iter().rev().fold(row[k], |poly, &pair| step(poly, y, pair));
        sum = [(sum[0] + poly[0]) * t, (sum[1] + poly[1]) * t];
    }
    let columns = const { columns::<M>() };
    let mut polys = columns[M];
    for column in columns[..M].iter().rev() {
        for (poly, &pair) in polys.iter_mut().zip(column) {
            *poly = step(*poly, y, pair);
        }
    }
    for poly in polys.iter().rev() {
        sum = [(sum[0] + poly[0]) * t, (sum[1] + poly[1]) * t];
    }
    Sums { log: sum[0], slope: sum[1] }
}

#[inline]
fn step(poly: [f64; 2], y: f64, pair: [f64; 2]) -> [f64; 2] {
    [poly[0] * y + pair[0], poly[1] * y + pair[1]]
}

/// Rows taken together.
const TOGETHER: usize = 8;

/// Entry [j][k - 1] is the coefficient of y^j in row k, for the rows k = 1..=M.
const fn columns<const M: usize>() -> [[[f64; 2]; M]; TOGETHER + 1] {
    let mut columns = [[[0.0; 2]; M]; TOGETHER + 1];
    let mut k = 1;
    while k <= M {
        let mut j = 0;
        while j <= k {
            columns[j][k - 1] = COEFFICIENTS[offset(k) + j];
            j += 1;
        }
        k += 1;
    }
    columns
}

/// sum_k (k + 2 y d/dy) e_k t^k, for second derivatives.
pub(crate) fn curvature_sum(s: f64, nu: f64, sign: f64) -> f64 {
    let p = nu / s;
    let (y, t) = (p * p, sign / s);
    let mut sum = 0.0;
    for k in (1..=ORDER).rev() {
        let poly =
            (0..=k).rev().fold(0.0, |poly, j| poly * y + (k + 2 * j) as f64 * COEFFICIENTS[offset(k) + j][1]);
        sum = (sum + poly) * t;
    }
    sum
}

/// nu eta(z/nu) = s - nu asinh(nu/z), the exponent at the saddle; it changes sign at z = 0.6627 nu.
#[inline]
pub(crate) fn exponent(nu: f64, z: f64, s: f64) -> f64 {
    if z > ROOT_LOW * nu && z < ROOT_HIGH * nu {
        exponent_near_root(nu, z)
    } else {
        s - nu * ((nu + s) / z).ln()
    }
}

/// Zero x0 of eta(x) = sqrt(1 + x^2) - asinh(1/x), and what double precision leaves of it.
const ROOT: f64 = 0.662_743_419_349_181_6;
const ROOT_REST: f64 = 8.155_323_790_501_267e-18;
/// sqrt(1 + x0^2).
const ROOT_RADIUS: f64 = 1.199_678_640_257_733_7;

const ROOT_LOW: f64 = 0.55;
const ROOT_HIGH: f64 = 0.8;

/// nu eta near its zero, as a difference from it in which nothing cancels:
/// x - x0 is formed with twice the precision, and every term is proportional to it.
fn exponent_near_root(nu: f64, z: f64) -> f64 {
    let product = ROOT * nu;
    let rest = ROOT.mul_add(nu, -product) + ROOT_REST * nu;
    let dx = ((z - product) - rest) / nu;
    let x = z / nu;
    let w = (1.0 + x * x).sqrt();
    let dw = dx * (x + ROOT) / (w + ROOT_RADIUS);
    // (x / (1 + w)) (1 + w0) / x0 - 1
    let shift = (dx * (1.0 + ROOT_RADIUS) - dw * ROOT) / ((1.0 + w) * ROOT);
    nu * (dw + shift.ln_1p())
}
