//! Points side by side: loops over many numbers that the compiler turns into vector instructions.

use resolvent_special::vector::exp_from;

/// Points that are worked on side by side: their rows stay in the first-level cache.
pub(super) const LANES: usize = 64;

/// A weight below e^-40 of the largest has no influence on a sum of doubles.
const NEGLIGIBLE: f64 = 40.0;

/// The weight e^x, or none if it is negligible.
#[inline(always)]
pub(crate) fn weight(x: f64) -> f64 {
    exp_from(-NEGLIGIBLE, x)
}

/// Are all weights e^(logs - peaks) negligible?
#[inline(always)]
pub(super) fn is_negligible(logs: &[f64], peaks: &[f64]) -> bool {
    logs.iter().zip(peaks).filter(|(l, p)| *l - *p >= -NEGLIGIBLE).count() == 0
}

/// weights ← e^(logs - peaks), and total += weights; false, and nothing is done, if all of them are negligible.
#[inline(always)]
pub(super) fn add_weights(logs: &[f64], peaks: &[f64], weights: &mut [f64], total: &mut [f64]) -> bool {
    if is_negligible(logs, peaks) {
        return false;
    }
    for ((l, p), (w, t)) in logs.iter().zip(peaks).zip(weights.iter_mut().zip(total)) {
        *w = weight(l - p);
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
