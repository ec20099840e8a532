//! exp and log of many numbers at once, on the widest vector units that the processor has.
//!
//! Nothing but additions, multiplications, divisions and moves of bits, the same for every number, so that the result is the same
//! bits on every processor.

use std::f64::consts::LOG2_E;
use std::sync::LazyLock;

use pulp::{Arch, Simd, WithSimd};

/// Finding out what the processor has takes longer than a short loop.
static ARCH: LazyLock<Arch> = LazyLock::new(Arch::new);

/// Calls `work` compiled for the widest vector units of this processor; what it calls in turn must be inlined into it, itself too:
/// `#[inline(always)] || ..`.
#[inline]
pub fn widest(work: impl FnMut()) {
    ARCH.dispatch(Widest(work));
}

struct Widest<F>(F);

impl<F: FnMut()> WithSimd for Widest<F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, _: S) {
        (self.0)();
    }
}

/// Added to a number below 2^51 it leaves the nearest integer in the low bits.
const ROUND: f64 = 6_755_399_441_055_744.0;
/// log 2 in two parts, of which the first has zeros at the end: its product with an exponent is exact.
const LN_2_HIGH: f64 = 6.931_471_803_691_238e-1;
const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;
/// Below the first exp is 0, above the second infinite.
const LEAST: f64 = -745.2;
const LARGEST: f64 = 709.8;

/// 1/k!, up to k = 13: the first that is left out of the series of exp on |r| <= log(2)/2 is below 5e-18.
const EXP: [f64; 14] = {
    let (mut terms, mut k) = ([1.0; 14], 1);
    while k < 14 {
        terms[k] = terms[k - 1] / k as f64;
        k += 1;
    }
    terms
};

/// 2/(2k + 3): the first that is left out of the series of atanh on |s| <= 3 - 2√2 is below 2e-18.
const LOG: [f64; 10] = {
    let (mut terms, mut k) = ([0.0; 10], 0);
    while k < 10 {
        terms[k] = 2.0 / (2 * k + 3) as f64;
        k += 1;
    }
    terms
};

/// x ← e^x, to 2 units in the last place; NaN stays NaN.
pub fn exp(values: &mut [f64]) {
    widest(
        #[inline(always)]
        || each(values, exp_of),
    );
}

/// x ← log x, to 2 units in the last place; as `f64::ln` has it where x is not positive, not finite or subnormal.
pub fn ln(values: &mut [f64]) {
    const BLOCK: usize = 64;
    for block in values.chunks_mut(BLOCK) {
        let mut arguments = [1.0; BLOCK];
        arguments[..block.len()].copy_from_slice(block);
        widest(
            #[inline(always)]
            || each(block, ln_of),
        );
        for (value, x) in block.iter_mut().zip(arguments) {
            if !(f64::MIN_POSITIVE..f64::INFINITY).contains(&x) {
                *value = x.ln();
            }
        }
    }
}

/// Replaces every number; the last ones in a register that is filled up with ones.
#[inline(always)]
fn each(values: &mut [f64], of: impl Fn(f64) -> f64) {
    const WIDTH: usize = 8;
    let (whole, rest) = values.split_at_mut(values.len() / WIDTH * WIDTH);
    for x in whole {
        *x = of(*x);
    }
    if !rest.is_empty() {
        let mut register = [1.0; WIDTH];
        register[..rest.len()].copy_from_slice(rest);
        for x in &mut register {
            *x = of(*x);
        }
        rest.copy_from_slice(&register[..rest.len()]);
    }
}

#[inline(always)]
fn exp_of(x: f64) -> f64 {
    let (n, series) = exp_parts(x.clamp(LEAST, LARGEST));
    // In two factors, as the whole one may be out of range where the result is not.
    let half = n * 0.5 + ROUND - ROUND;
    series * power_of_two(half) * power_of_two(n - half)
}

/// e^x where `least` <= x <= 0 for one number of many, to 2 units in the last place, and 0 below `least` >= -708; NaN stays NaN. For loops
/// that are compiled for the [widest] vector units.
#[inline(always)]
pub fn exp_from(least: f64, x: f64) -> f64 {
    let below = x < least;
    let (n, series) = exp_parts(if below { least } else { x });
    if below { 0.0 } else { series * power_of_two(n) }
}

/// An integer n and e^(x - n log 2).
#[inline(always)]
fn exp_parts(x: f64) -> (f64, f64) {
    let n = x * LOG2_E + ROUND - ROUND;
    let r = (x - n * LN_2_HIGH) - n * LN_2_LOW;
    // In pairs, pairs of pairs and so on: a sum term by term would wait for itself. The largest terms come last, where they are exact.
    let (r2, pair) = (r * r, |k: usize| EXP[k] + EXP[k + 1] * r);
    let r4 = r2 * r2;
    let four = |k: usize| pair(k) + pair(k + 2) * r2;
    (n, 1.0 + (r + r2 * (four(2) + r4 * (four(6) + r4 * four(10)))))
}

/// 2^n for an integer n from -1022 to 1023.
#[inline(always)]
fn power_of_two(n: f64) -> f64 {
    f64::from_bits(((n + ROUND).to_bits() << 52).wrapping_add(1023 << 52))
}

/// For positive normal numbers.
#[inline(always)]
fn ln_of(x: f64) -> f64 {
    /// √½, as bits, and 1024 in the place of an exponent.
    const ROOT: u64 = 0x3fe6_a09e_667f_3bcd;
    const SHIFT: u64 = 1024 << 52;
    /// 2^52: an integer in its low bits is the integer that it exceeds 2^52 by.
    const INTEGER: u64 = 0x4330_0000_0000_0000;
    let bits = x.to_bits();
    let shifted = bits.wrapping_add(SHIFT - ROOT) >> 52;
    let exponent = f64::from_bits(shifted | INTEGER) - (f64::from_bits(INTEGER) + 1024.0);
    // x = 2^exponent (1 + f), √½ <= 1 + f < √2.
    let f = f64::from_bits(bits.wrapping_sub(shifted << 52).wrapping_add(SHIFT)) - 1.0;
    let s = f / (2.0 + f);
    let z = s * s;
    let (z2, pair) = (z * z, |k: usize| LOG[k] + LOG[k + 1] * z);
    let z4 = z2 * z2;
    let sum = pair(0) + z2 * pair(2) + z4 * ((pair(4) + z2 * pair(6)) + z4 * pair(8));
    // log(1 + f) = f - (f²/2 - s (f²/2 + z (2/3 + 2/5 z + ..))), in which the largest term is exact.
    let square = 0.5 * f * f;
    exponent * LN_2_HIGH - ((square - (s * (square + z * sum) + exponent * LN_2_LOW)) - f)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The error in units in the last place of `exact`.
    fn units(value: f64, exact: f64) -> f64 {
        if value == exact {
            return 0.0;
        }
        (value - exact).abs() / (exact.abs().max(f64::MIN_POSITIVE) * f64::EPSILON)
    }

    /// Numbers of all sizes, a few million steps apart.
    fn sweep(from: f64, to: f64, count: usize) -> Vec<f64> {
        (0..count).map(|k| from + (to - from) * (k as f64 + 0.37) / count as f64).collect()
    }

    #[test]
    fn exp_is_that_of_the_library_to_two_units() {
        let mut arguments = sweep(-708.0, 709.7, 200_003);
        arguments.extend(sweep(-1.0, 1.0, 100_001));
        arguments.extend(sweep(-1e-9, 1e-9, 101));
        let mut values = arguments.clone();
        exp(&mut values);
        for (x, value) in arguments.into_iter().zip(values) {
            assert!(units(value, x.exp()) <= 2.0, "exp {x}: {value:e} {:e}", x.exp());
        }
    }

    #[test]
    fn exp_of_a_negative_number_is_that_of_the_library() {
        let exp = |x| exp_from(-708.0, x);
        for x in sweep(-708.0, 0.0, 400_009) {
            assert!(units(exp(x), x.exp()) <= 2.0, "exp {x}");
        }
        assert_eq!([0.0, -0.0, -708.01, f64::NEG_INFINITY].map(exp), [1.0, 1.0, 0.0, 0.0]);
        assert!(exp(f64::NAN).is_nan());
    }

    #[test]
    fn exp_has_its_limits() {
        let mut values =
            [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, -0.0, 710.0, -746.0, -745.0, 709.78, -720.0];
        exp(&mut values);
        assert!(values[0].is_nan());
        assert_eq!(values[1..7], [f64::INFINITY, 0.0, 1.0, 1.0, f64::INFINITY, 0.0]);
        // Among the subnormal numbers the spacing is absolute.
        assert!((values[7] - f64::exp(-745.0)).abs() <= 5e-324);
        assert!(units(values[8], f64::exp(709.78)) <= 2.0);
        assert!((values[9] - f64::exp(-720.0)).abs() <= 1e-323);
    }

    #[test]
    fn log_is_that_of_the_library_to_two_units() {
        let mut arguments: Vec<f64> = sweep(-1022.0, 1023.9, 200_003).into_iter().map(f64::exp2).collect();
        arguments.extend(sweep(0.5, 2.0, 200_003));
        arguments.extend([1.0, 1.0 + f64::EPSILON, 1.0 - 0.5 * f64::EPSILON, f64::MIN_POSITIVE, f64::MAX]);
        arguments.truncate(arguments.len() / 64 * 64);
        let mut values = arguments.clone();
        ln(&mut values);
        for (x, value) in arguments.into_iter().zip(values) {
            assert!(units(value, x.ln()) <= 2.0, "log {x:e}: {value:e} {:e}", x.ln());
        }
    }

    #[test]
    fn log_has_its_limits() {
        let mut values = [f64::NAN, f64::INFINITY, 0.0, -1.0, 5e-324, 2.0];
        ln(&mut values);
        assert!(values[0].is_nan() && values[3].is_nan());
        assert_eq!(values[1..3], [f64::INFINITY, f64::NEG_INFINITY]);
        assert_eq!(values[4..], [5e-324f64.ln(), 2f64.ln()]);
    }
}
