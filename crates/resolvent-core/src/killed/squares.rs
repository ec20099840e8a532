//! A Green kernel as a function of the squared distance, for many pairs of points.

use std::sync::{Arc, OnceLock};

use resolvent_special::piecewise::{interpolate, locate};
use resolvent_special::vector;

/// Binary exponents of the squared distances covered.
const LOWEST: i32 = -88;
const HIGHEST: i32 = 40;
/// Pieces per octave, 2^PIECES of them.
const PIECES: u32 = 5;
/// On a piece of half-width h the nearest singularity, distance 0, is 65 h away: Chebyshev coefficients fall by 130 a term and 8 of
/// them reach rounding.
const TERMS: usize = 8;
/// Pairs that are looked up together.
const TOGETHER: usize = 8;

type Piece = [[f64; 2]; TERMS];
type Octave = [Piece; 1 << PIECES];

/// log G and the gain by the squared distance: piecewise polynomials, which need neither root nor logarithm. An octave is tabulated when it is
/// first met.
#[derive(Debug, Clone)]
pub(super) struct Squares(Arc<[OnceLock<Box<Octave>>]>);

/// It holds nothing that the kernel does not say.
impl PartialEq for Squares {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Squares {
    pub(super) fn new() -> Self {
        Self((LOWEST..HIGHEST).map(|_| OnceLock::new()).collect())
    }

    /// `squares` become log G, and `gains` (as many) the gains, of the kernel that has the `pair` log G and gain at a distance.
    pub(super) fn look_up(&self, squares: &mut [f64], gains: &mut [f64], pair: impl Fn(f64) -> (f64, f64)) {
        let mut groups = squares.chunks_exact_mut(TOGETHER);
        let mut others = gains.chunks_exact_mut(TOGETHER);
        for (squares, gains) in groups.by_ref().zip(others.by_ref()) {
            self.group(squares.try_into().expect("a group"), gains.try_into().expect("a group"), &pair);
        }
        let (rest, others) = (groups.into_remainder(), others.into_remainder());
        if !rest.is_empty() {
            let (mut squares, mut gains) = ([rest[0]; TOGETHER], [0.0; TOGETHER]);
            squares[..rest.len()].copy_from_slice(rest);
            self.group(&mut squares, &mut gains, &pair);
            rest.copy_from_slice(&squares[..rest.len()]);
            others.copy_from_slice(&gains[..rest.len()]);
        }
    }

    /// Their polynomials side by side, so that none waits for its own sums.
    #[inline]
    fn group(
        &self,
        squares: &mut [f64; TOGETHER],
        gains: &mut [f64; TOGETHER],
        pair: &impl Fn(f64) -> (f64, f64),
    ) {
        const ZERO: Piece = [[0.0; 2]; TERMS];
        let (mut pieces, mut place) = ([&ZERO; TOGETHER], [0.0; TOGETHER]);
        for ((piece, place), square) in pieces.iter_mut().zip(&mut place).zip(squares.iter()) {
            let (index, t) = locate::<PIECES>(LOWEST, *square);
            let Some(octave) = self.0.get(index >> PIECES) else {
                for (square, gain) in squares.iter_mut().zip(gains) {
                    (*square, *gain) = self.one(*square, pair);
                }
                return;
            };
            let octave = octave.get_or_init(|| tabulate(index >> PIECES, pair));
            (*piece, *place) = (&octave[index % (1 << PIECES)], t);
        }
        vector::widest(
            #[inline(always)]
            || {
                let mut sums: [[f64; 2]; TOGETHER] = std::array::from_fn(|i| pieces[i][TERMS - 1]);
                for k in (0..TERMS - 1).rev() {
                    for i in 0..TOGETHER {
                        let c = pieces[i][k];
                        sums[i] = [sums[i][0] * place[i] + c[0], sums[i][1] * place[i] + c[1]];
                    }
                }
                for ((square, gain), sum) in squares.iter_mut().zip(gains.iter_mut()).zip(sums) {
                    (*square, *gain) = (sum[0], sum[1]);
                }
            },
        );
    }

    /// What a pair gets in a group, or beside one that is beyond the table.
    fn one(&self, square: f64, pair: &impl Fn(f64) -> (f64, f64)) -> (f64, f64) {
        let (index, t) = locate::<PIECES>(LOWEST, square);
        let Some(octave) = self.0.get(index >> PIECES) else {
            return pair(square.sqrt());
        };
        let piece = &octave.get_or_init(|| tabulate(index >> PIECES, pair))[index % (1 << PIECES)];
        let mut sum = piece[TERMS - 1];
        for c in piece[..TERMS - 1].iter().rev() {
            sum = [sum[0] * t + c[0], sum[1] * t + c[1]];
        }
        (sum[0], sum[1])
    }
}

fn tabulate(octave: usize, pair: &impl Fn(f64) -> (f64, f64)) -> Box<Octave> {
    let start = f64::exp2(f64::from(LOWEST + octave as i32));
    let width = start / f64::from(1 << PIECES);
    let values = |square: f64| {
        let (log_value, gain) = pair(square.sqrt());
        [log_value, gain]
    };
    Box::new(std::array::from_fn(|k| interpolate(start + k as f64 * width, width, values)))
}

#[cfg(test)]
mod tests {
    use crate::killed::GreenKernel;

    #[test]
    fn the_table_is_as_accurate_as_the_kernel() {
        for (dim, rate) in
            [(1, 0.1), (2, 0.1), (3, 0.0), (3, 2.0), (32, 0.05), (784, 0.1), (784, 0.0), (20_000, 1.0)]
        {
            let green = GreenKernel::new(dim, 1.3, rate);
            let mut squares: Vec<f64> = (-1_300..600).map(|k| f64::exp2(f64::from(k) / 14.1)).collect();
            // Beyond the table, and what is no distance.
            squares.extend([0.0, 1e-250, 1e13, 1e250, f64::INFINITY, f64::NAN]);
            let given = squares.clone();
            let mut gains = vec![0.0; squares.len()];
            green.log_values_and_gains(&mut squares, &mut gains);
            for (square, pair) in given.into_iter().zip(squares.into_iter().zip(gains)) {
                let exact = green.log_value_and_gain(square.sqrt());
                // The logarithm is a sum of terms of the size of the dimension, and z R = g s its condition number.
                let allowed =
                    2.0 * f64::EPSILON * (exact.0.abs() + 5.0 * dim as f64 + exact.1 * square + 10.0);
                let agree = (pair.0 - exact.0).abs() <= allowed && (pair.1 / exact.1 - 1.0).abs() < 1e-14;
                let bits = |(a, b): (f64, f64)| [a.to_bits(), b.to_bits()];
                assert!(agree || bits(pair) == bits(exact), "{dim} {rate} {square:e}: {pair:?} {exact:?}");
            }
        }
    }
}
