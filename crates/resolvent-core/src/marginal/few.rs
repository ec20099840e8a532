//! Posterior means of a mixture in few dimensions: each pass over a block of points does all there is to do for a component, so that little
//! but the logarithms goes through memory.

use super::components::{Block, Components, Shape};
use super::lanes::{LANES, is_negligible, weight};

/// One number for each lane.
type Lane = [f64; LANES];

impl Components {
    /// Writes the posterior means of a block of points in R^D into `out` (n rows of D). All numbers of the mixture are finite.
    #[inline(always)]
    pub(super) fn few_means<const D: usize>(&self, block: &mut Block, out: &mut [f64]) {
        let Block { x, logs, peak, .. } = block;
        let x: &[Lane; D] = lanes(x).try_into().expect("a row for each coordinate");
        let logs = lanes_mut(logs);
        *peak = [f64::NEG_INFINITY; LANES];
        for (k, logs) in logs.iter_mut().enumerate() {
            self.few_logs(k, x, logs, peak);
        }
        let (mut total, mut pull, mut moment) = ([0.0; LANES], [0.0; LANES], [[0.0; LANES]; D]);
        for (k, logs) in logs.iter().enumerate() {
            if !is_negligible(logs, peak) {
                self.few_moments(k, x, (logs, peak), &mut total, &mut pull, &mut moment);
            }
        }
        for (j, out) in out.chunks_exact_mut(D).enumerate() {
            for (out, (moment, x)) in out.iter_mut().zip(moment.iter().zip(x)) {
                *out = (moment[j] + x[j] * pull[j]) / total[j];
            }
        }
    }

    /// The logarithm of the weight of component `k`, and the largest so far.
    #[inline(always)]
    fn few_logs<const D: usize>(&self, k: usize, x: &[Lane; D], logs: &mut Lane, peak: &mut Lane) {
        let (centre, constant) = (row::<D>(&self.centres, k), self.constants[k]);
        match &self.shape {
            Shape::Isotropic { precisions, .. } => {
                let half = 0.5 * precisions[k];
                for j in 0..LANES {
                    let mut square = 0.0;
                    for i in 0..D {
                        let away = x[i][j] - centre[i];
                        square += away * away;
                    }
                    logs[j] = constant - half * square;
                    peak[j] = if logs[j] > peak[j] { logs[j] } else { peak[j] };
                }
            }
            Shape::Full { whitenings, .. } => {
                let whitening: [[f64; D]; D] = matrix(whitenings, k);
                for j in 0..LANES {
                    let white = multiply(&whitening, std::array::from_fn(|i| x[i][j] - centre[i]));
                    let mut square = 0.0;
                    for white in white {
                        square += white * white;
                    }
                    logs[j] = constant - 0.5 * square;
                    peak[j] = if logs[j] > peak[j] { logs[j] } else { peak[j] };
                }
            }
        }
    }

    /// Adds component `k` to the sums of the weights and of what they weigh.
    #[inline(always)]
    fn few_moments<const D: usize>(
        &self,
        k: usize,
        x: &[Lane; D],
        (logs, peak): (&Lane, &Lane),
        total: &mut Lane,
        pull: &mut Lane,
        moment: &mut [Lane; D],
    ) {
        let offset = row::<D>(&self.offsets, k);
        match &self.shape {
            Shape::Isotropic { gains, .. } => {
                let gain = gains[k];
                for j in 0..LANES {
                    let weight = weight(logs[j] - peak[j]);
                    total[j] += weight;
                    pull[j] += gain * weight;
                    for i in 0..D {
                        moment[i][j] += offset[i] * weight;
                    }
                }
            }
            Shape::Full { whitenings, gains } => {
                let centre = row::<D>(&self.centres, k);
                let (whitening, gain): ([[f64; D]; D], [[f64; D]; D]) =
                    (matrix(whitenings, k), matrix(gains, k));
                for j in 0..LANES {
                    let weight = weight(logs[j] - peak[j]);
                    total[j] += weight;
                    let white = multiply(&whitening, std::array::from_fn(|i| x[i][j] - centre[i]));
                    let value = multiply(&gain, white);
                    for i in 0..D {
                        // What is far off may be infinite.
                        moment[i][j] += if weight == 0.0 { 0.0 } else { (offset[i] + value[i]) * weight };
                    }
                }
            }
        }
    }
}

fn lanes(rows: &[f64]) -> &[Lane] {
    rows.as_chunks().0
}

fn lanes_mut(rows: &mut [f64]) -> &mut [Lane] {
    rows.as_chunks_mut().0
}

/// Row `k` of rows of D.
#[inline(always)]
fn row<const D: usize>(rows: &[f64], k: usize) -> [f64; D] {
    rows.as_chunks().0[k]
}

/// Matrix `k` of D x D, row by row.
#[inline(always)]
fn matrix<const D: usize>(matrices: &[f64], k: usize) -> [[f64; D]; D] {
    std::array::from_fn(|i| row(matrices, k * D + i))
}

#[inline(always)]
fn multiply<const D: usize>(matrix: &[[f64; D]; D], v: [f64; D]) -> [f64; D] {
    let mut out = [0.0; D];
    for i in 0..D {
        for j in 0..D {
            out[i] += matrix[i][j] * v[j];
        }
    }
    out
}
