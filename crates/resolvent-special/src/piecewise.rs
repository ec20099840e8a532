//! Tables of piecewise polynomials for pairs of smooth functions of a positive number.
//!
//! Every octave is cut into pieces of equal length, so that the bits of a number say on which of them it lies.

use std::f64::consts::PI;

/// The piece on which `x` lies, of 2^PIECES to an octave, counted from 2^`lowest` on, and the place there from -1 to 1. What is not positive, no
/// number or below all pieces lies beyond any table.
#[inline(always)]
pub fn locate<const PIECES: u32>(lowest: i32, x: f64) -> (usize, f64) {
    let first = ((1023 + lowest) as u64) << PIECES;
    let bits = x.to_bits();
    // The low bits of the mantissa are the place on the piece.
    let low = bits & ((1 << (52 - PIECES)) - 1);
    let t = low as f64 * (2.0 / (1_u64 << (52 - PIECES)) as f64) - 1.0;
    ((bits >> (52 - PIECES)).wrapping_sub(first) as usize, t)
}

/// The coefficients of both functions in powers of t, for the polynomials that agree with them at the Chebyshev nodes of the piece from
/// `left` on, t = -1, of length `width`.
pub fn interpolate<const TERMS: usize>(
    left: f64,
    width: f64,
    functions: impl Fn(f64) -> [f64; 2],
) -> [[f64; 2]; TERMS] {
    let angle = |j: usize| PI * (j as f64 + 0.5) / TERMS as f64;
    let values: [[f64; 2]; TERMS] =
        std::array::from_fn(|j| functions(left + 0.5 * width * (1.0 + angle(j).cos())));
    let mut powers = [[0.0; 2]; TERMS];
    // T_n in powers of t by its recurrence.
    let (mut before, mut current) = ([0.0; TERMS], [0.0; TERMS]);
    current[0] = 1.0;
    for n in 0..TERMS {
        let norm = if n == 0 { 1.0 } else { 2.0 } / TERMS as f64;
        for which in 0..2 {
            // Differences from the first value, so that a large constant does not cost digits.
            let base = values[0][which];
            let sum: f64 = (0..TERMS).map(|j| (values[j][which] - base) * (n as f64 * angle(j)).cos()).sum();
            for (p, c) in powers.iter_mut().zip(&current) {
                p[which] += norm * sum * c;
            }
            if n == 0 {
                powers[0][which] += base;
            }
        }
        let mut next = [0.0; TERMS];
        for i in 0..TERMS {
            let raised = if i > 0 { current[i - 1] } else { 0.0 };
            next[i] = if n == 0 { raised } else { 2.0 * raised - before[i] };
        }
        (before, current) = (current, next);
    }
    powers
}
