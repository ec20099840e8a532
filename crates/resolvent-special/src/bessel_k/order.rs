//! K_ν at one order and many arguments: a table of piecewise polynomials.

use std::sync::Arc;

use super::log_zk_and_ratio;
use crate::piecewise::{interpolate, locate};

/// Binary exponents covered by the table; outside it the functions are called directly.
const LOWEST: i32 = -44;
const HIGHEST: i32 = 14;
/// Pieces per octave, 2^PIECES of them.
const PIECES: u32 = 3;
/// On a piece of half-width h around c the nearest singularity (z = 0) is 17 h away, so Chebyshev coefficients fall by
/// 34 a term and 11 of them reach rounding.
const TERMS: usize = 11;
/// Arguments that are looked up together.
const TOGETHER: usize = 8;

/// log(z^ν K_ν(z)) and z R_ν(z), R_ν = K_{ν+1}/K_ν, at a fixed order ν: a few nanoseconds each instead of the 30 to 400
/// of a direct evaluation, to the same accuracy.
#[derive(Debug, Clone)]
pub struct KOrder {
    nu: f64,
    pieces: Arc<[[[f64; 2]; TERMS]]>,
}

impl PartialEq for KOrder {
    fn eq(&self, other: &Self) -> bool {
        self.nu == other.nu
    }
}

impl KOrder {
    /// The table of order `nu` >= -1/2 (under a millisecond).
    #[must_use]
    pub fn new(nu: f64) -> Self {
        let count = (HIGHEST - LOWEST) as usize * (1 << PIECES);
        let pieces = (0..count).map(|k| Self::piece(nu, k)).collect();
        Self { nu, pieces }
    }

    /// The order ν.
    #[must_use]
    pub fn nu(&self) -> f64 {
        self.nu
    }

    /// (log(z^ν K_ν(z)), z R_ν(z)) for z > 0.
    #[must_use]
    pub fn log_zk_and_z_ratio(&self, z: f64) -> (f64, f64) {
        let (index, t) = locate::<PIECES>(LOWEST, z);
        let Some(piece) = self.pieces.get(index) else {
            let (log_zk, ratio) = log_zk_and_ratio(self.nu, z);
            return (log_zk, z * ratio);
        };
        let mut sum = piece[TERMS - 1];
        for c in piece[..TERMS - 1].iter().rev() {
            sum = [sum[0] * t + c[0], sum[1] * t + c[1]];
        }
        (sum[0], sum[1])
    }

    /// [`log_zk_and_z_ratio`](Self::log_zk_and_z_ratio) of many arguments, the same bits: `arguments` become log(z^ν K_ν(z)), and
    /// `z_ratios` (as many) z R_ν(z).
    ///
    /// # Panics
    /// If there are not as many of both.
    pub fn log_zks_and_z_ratios(&self, arguments: &mut [f64], z_ratios: &mut [f64]) {
        assert_eq!(arguments.len(), z_ratios.len(), "arguments and ratios");
        let mut groups = arguments.chunks_exact_mut(TOGETHER);
        let mut ratios = z_ratios.chunks_exact_mut(TOGETHER);
        for (z, z_ratio) in groups.by_ref().zip(ratios.by_ref()) {
            self.group(z.try_into().expect("a group"), z_ratio.try_into().expect("a group"));
        }
        let (rest, ratios) = (groups.into_remainder(), ratios.into_remainder());
        if !rest.is_empty() {
            let (mut z, mut z_ratio) = ([1.0; TOGETHER], [0.0; TOGETHER]);
            z[..rest.len()].copy_from_slice(rest);
            self.group(&mut z, &mut z_ratio);
            rest.copy_from_slice(&z[..rest.len()]);
            ratios.copy_from_slice(&z_ratio[..rest.len()]);
        }
    }

    /// Their polynomials side by side, so that none waits for its own sums.
    #[inline]
    fn group(&self, z: &mut [f64; TOGETHER], z_ratio: &mut [f64; TOGETHER]) {
        let mut pieces = [&self.pieces[0]; TOGETHER];
        let mut place = [0.0; TOGETHER];
        for ((piece, place), argument) in pieces.iter_mut().zip(&mut place).zip(z.iter()) {
            let (index, t) = locate::<PIECES>(LOWEST, *argument);
            let Some(found) = self.pieces.get(index) else {
                for (z, z_ratio) in z.iter_mut().zip(z_ratio) {
                    (*z, *z_ratio) = self.log_zk_and_z_ratio(*z);
                }
                return;
            };
            (*piece, *place) = (found, t);
        }
        let mut sums: [[f64; 2]; TOGETHER] = std::array::from_fn(|i| pieces[i][TERMS - 1]);
        for k in (0..TERMS - 1).rev() {
            for i in 0..TOGETHER {
                let c = pieces[i][k];
                sums[i] = [sums[i][0] * place[i] + c[0], sums[i][1] * place[i] + c[1]];
            }
        }
        for ((z, z_ratio), sum) in z.iter_mut().zip(z_ratio).zip(sums) {
            (*z, *z_ratio) = (sum[0], sum[1]);
        }
    }

    fn piece(nu: f64, k: usize) -> [[f64; 2]; TERMS] {
        let octave = LOWEST + (k >> PIECES) as i32;
        let width = f64::exp2(f64::from(octave)) / f64::from(1 << PIECES);
        let left = f64::exp2(f64::from(octave)) + (k & ((1 << PIECES) - 1)) as f64 * width;
        interpolate(left, width, |z| {
            let (log_zk, ratio) = log_zk_and_ratio(nu, z);
            [log_zk, z * ratio]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_as_accurate_as_the_functions() {
        for nu in [-0.5, 0.0, 0.5, 1.0, 3.0, 15.0, 63.0, 391.0, 1535.0, 1e5] {
            let order = KOrder::new(nu);
            for k in -600..200 {
                let z = f64::exp2(f64::from(k) / 13.0);
                let (log_zk, ratio) = log_zk_and_ratio(nu, z);
                let (table, z_ratio) = order.log_zk_and_z_ratio(z);
                // z R is the condition number of the logarithm.
                let allowed = 1e-14 * log_zk.abs().max(10.0) + 2.0 * f64::EPSILON * z * ratio;
                assert!((table - log_zk).abs() < allowed, "{nu} {z}: {table} {log_zk}");
                assert!((z_ratio / (z * ratio) - 1.0).abs() < 5e-15, "{nu} {z}: {z_ratio} {}", z * ratio);
            }
        }
    }

    #[test]
    fn many_arguments_give_the_same_bits_as_one() {
        for nu in [-0.5, 1.0, 391.0] {
            let order = KOrder::new(nu);
            let arguments: Vec<f64> = (0..1003).map(|k| f64::exp2(f64::from(k - 700) / 9.0)).collect();
            let (mut logs, mut z_ratios) = (arguments.clone(), vec![0.0; arguments.len()]);
            order.log_zks_and_z_ratios(&mut logs, &mut z_ratios);
            for (k, z) in arguments.into_iter().enumerate() {
                assert_eq!((logs[k], z_ratios[k]), order.log_zk_and_z_ratio(z), "{nu} {z}");
            }
        }
    }

    #[test]
    fn outside_the_table_the_functions_answer() {
        let order = KOrder::new(3.0);
        for z in [1e-140, 1e-30, 1e9] {
            assert!((order.log_zk_and_z_ratio(z).0 - log_zk_and_ratio(3.0, z).0).abs() <= 1e-12);
        }
    }
}
