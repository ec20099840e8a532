//! A weighted sum of Gaussians, made ready for many evaluations.

use std::f64::consts::TAU;

use nalgebra::{DMatrix, DVector};
use pulp::{Arch, Simd, WithSimd};

use crate::error::{Error, Result};
use crate::marginal::lanes;

/// Gaussians that are worked on side by side.
const BLOCK: usize = 32;
/// A term below e^-40 of the largest has no influence on a sum of doubles.
const NEGLIGIBLE: f64 = 40.0;

/// Σ_k e^(log w_k) N(x; m_k, V_k), blocks of [`BLOCK`] Gaussians, every coefficient a row of that length. Neighbours should be
/// alike: a block far below the largest is passed over.
#[derive(Debug, Clone)]
pub(super) struct Gaussians {
    dim: usize,
    /// log w_k - ½ log det(2π V_k).
    constants: Vec<f64>,
    /// m_k (d rows to a block).
    centres: Vec<f64>,
    /// The lower triangle of the inverse Cholesky factor, W_k with W_kᵀ W_k = V_k⁻¹, row by row.
    whitenings: Vec<f64>,
    /// tr V_k⁻¹ / d.
    gains: Vec<f64>,
}

/// The logarithm of the sum at a point, and the mean of tr V_k⁻¹ / d over its terms.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Value {
    pub(super) log: f64,
    pub(super) gain: f64,
}

impl Gaussians {
    /// `terms` are log w_k, m_k (d) and V_k (d x d).
    ///
    /// # Errors
    /// If a covariance is not positive definite.
    pub(super) fn new<'a>(
        name: &str,
        dim: usize,
        terms: impl ExactSizeIterator<Item = (f64, &'a DVector<f64>, &'a DMatrix<f64>)>,
    ) -> Result<Self> {
        let triangle = dim * (dim + 1) / 2;
        let blocks = terms.len().div_ceil(BLOCK);
        let mut sum = Self {
            dim,
            constants: vec![f64::NEG_INFINITY; blocks * BLOCK],
            centres: vec![0.0; blocks * BLOCK * dim],
            whitenings: vec![0.0; blocks * BLOCK * triangle],
            gains: vec![0.0; blocks * BLOCK],
        };
        for (k, (log_weight, mean, covariance)) in terms.enumerate() {
            let (block, lane) = (k / BLOCK, k % BLOCK);
            let refuse = || {
                let finite = covariance.iter().all(|v| v.is_finite());
                let eigenvalue = if finite { covariance.symmetric_eigenvalues().min() } else { f64::NAN };
                Error::Covariance { name: name.to_owned(), eigenvalue }
            };
            let factor = covariance.clone().cholesky().ok_or_else(refuse)?.unpack();
            let log_root: f64 = factor.diagonal().iter().map(|l| l.ln()).sum();
            let whitening = factor
                .solve_lower_triangular(&DMatrix::identity(dim, dim))
                .filter(|w| w.iter().all(|v| v.is_finite()))
                .ok_or_else(refuse)?;
            sum.constants[k] = log_weight - 0.5 * dim as f64 * TAU.ln() - log_root;
            sum.gains[k] = whitening.norm_squared() / dim as f64;
            for i in 0..dim {
                sum.centres[(block * dim + i) * BLOCK + lane] = mean[i];
                for j in 0..=i {
                    let row = block * triangle + i * (i + 1) / 2 + j;
                    sum.whitenings[row * BLOCK + lane] = whitening[(i, j)];
                }
            }
        }
        Ok(sum)
    }

    /// The sum at `points` (n rows of d), handed to `report` with the index of the point and the gradient of the logarithm.
    pub(super) fn evaluate(&self, points: &[f64], report: impl FnMut(usize, Value, &[f64])) {
        self.dispatch::<true>(points, report);
    }

    /// The logarithm of the sum at `x` (d), the same bits as those of [`evaluate`](Self::evaluate).
    pub(super) fn log_value(&self, x: &[f64]) -> f64 {
        let mut log = f64::NAN;
        self.dispatch::<false>(x, |_, value, _| log = value.log);
        log
    }

    fn dispatch<const G: bool>(&self, points: &[f64], report: impl FnMut(usize, Value, &[f64])) {
        // A dimension known at compile time unrolls the loops over coordinates.
        match self.dim {
            1 => Arch::new().dispatch(Evaluation::<_, 1, G> { sum: self, points, report }),
            2 => Arch::new().dispatch(Evaluation::<_, 2, G> { sum: self, points, report }),
            3 => Arch::new().dispatch(Evaluation::<_, 3, G> { sum: self, points, report }),
            _ => Arch::new().dispatch(Evaluation::<_, 0, G> { sum: self, points, report }),
        }
    }
}

/// [`Gaussians::evaluate`] in dimension D, or in any if D is 0, without the gradient if not G; to be compiled for several sets of vector instructions. None of
/// them fuses a product with a sum, so all give the same bits.
struct Evaluation<'a, R, const D: usize, const G: bool> {
    sum: &'a Gaussians,
    points: &'a [f64],
    report: R,
}

impl<R: FnMut(usize, Value, &[f64]), const D: usize, const G: bool> WithSimd for Evaluation<'_, R, D, G> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { sum, points, mut report } = self;
        let d = if D == 0 { sum.dim } else { D };
        let mut scratch = Scratch { white: vec![0.0; d * BLOCK], moment: vec![0.0; d * BLOCK] };
        let mut gradient = vec![0.0; d];
        for (i, x) in points.chunks_exact(d).enumerate() {
            let value = sum.at::<G>(d, x, &mut scratch, &mut gradient);
            report(i, value, &gradient);
        }
    }
}

/// Rows of [`BLOCK`] numbers, one for each coordinate.
struct Scratch {
    /// x - m_k and then W_k (x - m_k).
    white: Vec<f64>,
    /// Σ w V_k⁻¹ (x - m_k), before the lanes are added up.
    moment: Vec<f64>,
}

impl Gaussians {
    #[inline(always)]
    fn at<const G: bool>(&self, d: usize, x: &[f64], scratch: &mut Scratch, gradient: &mut [f64]) -> Value {
        let triangle = d * (d + 1) / 2;
        let Scratch { white, moment } = scratch;
        let (mut total, mut gains, mut peak) = ([0.0; BLOCK], [0.0; BLOCK], f64::NEG_INFINITY);
        moment.fill(0.0);
        for (b, constants) in self.constants.chunks_exact(BLOCK).enumerate() {
            let centres = &self.centres[b * d * BLOCK..][..d * BLOCK];
            let whitenings = &self.whitenings[b * triangle * BLOCK..][..triangle * BLOCK];
            for ((white, centres), x) in white.chunks_exact_mut(BLOCK).zip(centres.chunks_exact(BLOCK)).zip(x)
            {
                white.iter_mut().zip(centres).for_each(|(w, m)| *w = x - m);
            }
            let mut logs = [0.0; BLOCK];
            // Row i of W reaches back only: from the last row on the products can take the place of the differences.
            for i in (0..d).rev() {
                let rows = &whitenings[i * (i + 1) / 2 * BLOCK..][..(i + 1) * BLOCK];
                let mut sums = [0.0; BLOCK];
                for (row, away) in rows.chunks_exact(BLOCK).zip(white.chunks_exact(BLOCK)) {
                    for ((s, w), a) in sums.iter_mut().zip(row).zip(away) {
                        *s += w * a;
                    }
                }
                logs.iter_mut().zip(&sums).for_each(|(l, s)| *l += s * s);
                white[i * BLOCK..][..BLOCK].copy_from_slice(&sums);
            }
            logs.iter_mut().zip(constants).for_each(|(l, c)| *l = c - 0.5 * *l);
            let highest = largest(&logs);
            if highest == f64::NEG_INFINITY || highest < peak - NEGLIGIBLE {
                continue;
            }
            if highest > peak {
                let shrink = f64::exp(peak - highest);
                for row in [&mut total[..], &mut gains[..], &mut moment[..]] {
                    row.iter_mut().for_each(|v| *v *= shrink);
                }
                peak = highest;
            }
            logs.iter_mut().for_each(|l| *l = lanes::weight(*l - peak));
            total.iter_mut().zip(&logs).for_each(|(t, w)| *t += w);
            if !G {
                continue;
            }
            for ((g, w), gain) in gains.iter_mut().zip(&logs).zip(&self.gains[b * BLOCK..]) {
                *g += w * gain;
            }
            for j in 0..d {
                let moment = &mut moment[j * BLOCK..][..BLOCK];
                let mut sums = [0.0; BLOCK];
                for i in j..d {
                    let row = &whitenings[(i * (i + 1) / 2 + j) * BLOCK..][..BLOCK];
                    for ((s, w), a) in sums.iter_mut().zip(row).zip(&white[i * BLOCK..]) {
                        *s += w * a;
                    }
                }
                for ((m, w), s) in moment.iter_mut().zip(&logs).zip(&sums) {
                    *m += w * s;
                }
            }
        }
        let total: f64 = total.iter().sum();
        for (out, row) in gradient.iter_mut().zip(moment.chunks_exact(BLOCK)) {
            *out = -row.iter().sum::<f64>() / total;
        }
        Value { log: peak + total.ln(), gain: gains.iter().sum::<f64>() / total }
    }
}

/// The largest of a row, in a tree that becomes vector instructions.
#[inline(always)]
fn largest(row: &[f64; BLOCK]) -> f64 {
    let mut row = *row;
    let mut half = BLOCK / 2;
    while half > 0 {
        let (low, high) = row.split_at_mut(half);
        low.iter_mut().zip(&*high).for_each(|(a, b)| *a = if *b > *a { *b } else { *a });
        half /= 2;
    }
    row[0]
}
