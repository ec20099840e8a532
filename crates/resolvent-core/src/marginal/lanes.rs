//! Points side by side: loops over many numbers that the compiler turns into vector instructions.

/// Points that are worked on side by side: their rows stay in the first-level cache.
pub(super) const LANES: usize = 64;

/// A weight below e^-40 of the largest has no influence on a sum of doubles.
const NEGLIGIBLE: f64 = 40.0;

/// e^x where -[`NEGLIGIBLE`] <= x <= 0, zero below; within two units in the last place. Without a branch or a call, unlike
/// `f64::exp`, so that a loop over it becomes vector instructions.
#[inline(always)]
pub(crate) fn exp(x: f64) -> f64 {
    // x = n log 2 + r with |r| <= log 2 / 2. Adding SHIFT leaves n in the low bits of the sum.
    const SHIFT: f64 = 6_755_399_441_055_744.0;
    // log 2 in two parts; the first has its last bits zero, so that n times it is exact.
    const LOG_2_HIGH: f64 = f64::from_bits(0x3fe6_2e42_fee0_0000);
    const LOG_2_LOW: f64 = f64::from_bits(0x3dea_39ef_3579_3c76);
    let shifted = x * std::f64::consts::LOG2_E + SHIFT;
    let n = shifted - SHIFT;
    let r = (x - n * LOG_2_HIGH) - n * LOG_2_LOW;
    let mut series = INVERSE_FACTORIALS[13];
    for j in (0..13).rev() {
        series = series * r + INVERSE_FACTORIALS[j];
    }
    // 2^n: the exponent of 1 plus n.
    let power = f64::from_bits((shifted.to_bits() << 52).wrapping_add(1.0_f64.to_bits()));
    if x < -NEGLIGIBLE { 0.0 } else { series * power }
}

const INVERSE_FACTORIALS: [f64; 14] = {
    let mut values = [1.0; 14];
    let mut j = 1;
    let mut factorial = 1.0;
    while j < 14 {
        factorial *= j as f64;
        values[j] = 1.0 / factorial;
        j += 1;
    }
    values
};

/// weights ← e^(logs - peaks), and total += weights; false, and nothing is done, if all of them are negligible.
#[inline(always)]
pub(super) fn add_weights(logs: &[f64], peaks: &[f64], weights: &mut [f64], total: &mut [f64]) -> bool {
    if logs.iter().zip(peaks).filter(|(l, p)| *l - *p >= -NEGLIGIBLE).count() == 0 {
        return false;
    }
    for ((l, p), (w, t)) in logs.iter().zip(peaks).zip(weights.iter_mut().zip(total)) {
        *w = exp(l - p);
        *t += *w;
    }
    true
}

/// Lays n rows of d numbers side by side: coordinate i of all rows from place i [`LANES`] on.
#[inline(always)]
pub(super) fn gather(d: usize, rows: &[f64], out: &mut [f64]) {
    for (i, out) in out.chunks_exact_mut(LANES).enumerate() {
        out.iter_mut().zip(rows.chunks_exact(d)).for_each(|(out, row)| *out = row[i]);
    }
}

/// out ← a - b.
#[inline(always)]
pub(super) fn differ(out: &mut [f64], a: &[f64], b: f64) {
    out.iter_mut().zip(a).for_each(|(o, a)| *o = a - b);
}

/// sum += value weights; where the weight is zero nothing is added, even if the value is infinite.
#[inline(always)]
pub(super) fn add_weighted(sum: &mut [f64], value: f64, weights: &[f64]) {
    sum.iter_mut().zip(weights).for_each(|(s, w)| *s += if *w == 0.0 { 0.0 } else { value * w });
}

/// The same with a value for each number.
#[inline(always)]
pub(super) fn add_weighted_each(sum: &mut [f64], values: &[f64], weights: &[f64]) {
    let rows = sum.iter_mut().zip(values.iter().zip(weights));
    rows.for_each(|(s, (v, w))| *s += if *w == 0.0 { 0.0 } else { v * w });
}

/// sum += factor a.
#[inline(always)]
pub(super) fn add_multiple(sum: &mut [f64], factor: f64, a: &[f64]) {
    sum.iter_mut().zip(a).for_each(|(s, a)| *s += factor * a);
}

/// sum += a b, number by number.
#[inline(always)]
pub(super) fn add_product(sum: &mut [f64], a: &[f64], b: &[f64]) {
    sum.iter_mut().zip(a.iter().zip(b)).for_each(|(s, (a, b))| *s += a * b);
}

/// sum += a².
#[inline(always)]
pub(super) fn add_square(sum: &mut [f64], a: &[f64]) {
    sum.iter_mut().zip(a).for_each(|(s, a)| *s += a * a);
}

/// out ← M v for each lane, M (d x d) row by row, n lanes.
#[inline(always)]
pub(super) fn multiply(d: usize, n: usize, matrix: &[f64], v: &[f64], out: &mut [f64]) {
    for (i, out) in out.chunks_exact_mut(LANES).enumerate() {
        let out = &mut out[..n];
        out.fill(0.0);
        for (m, v) in matrix[i * d..][..d].iter().zip(v.chunks_exact(LANES)) {
            add_multiple(out, *m, v);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponential_agrees_with_the_library() {
        for i in 0..=400_000 {
            let x = -1e-4 * f64::from(i);
            let (value, exact) = (exp(x), x.exp());
            assert!((value / exact - 1.0).abs() <= 2.0 * f64::EPSILON, "{x}: {value} {exact}");
        }
        for x in [-40.000_001, f64::NEG_INFINITY, -1e300] {
            assert_eq!(exp(x), 0.0);
        }
        assert_eq!(exp(0.0), 1.0);
        assert_eq!(exp(-0.0), 1.0);
        assert!(exp(f64::NAN).is_nan());
    }
}
