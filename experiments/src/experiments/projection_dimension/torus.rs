//! The exact score of the uniform law on a product of circles.

use resolvent::core::Score;
use resolvent::special::{log_i, ratio_i};

/// The step in log t, and its largest share of the width of the peak: the trapezoidal rule of an analytic function that falls off on
/// both sides errs by less than e^-19 relatively.
const STEP: (f64, f64) = (0.4, 0.7);
/// What lies this far below the peak, as a logarithm, adds nothing.
const NEGLIGIBLE: f64 = 40.0;

/// s = ∇ log u for the uniform law on circles of the given radii in the coordinates (0, 1), (2, 3), .. of R^d, under Brownian motion
/// killed at the rate r. In time the law is a product, so u is an integral over time alone,
///
/// u(x) = ∫ e^{-rt} (2πt)^{-d/2} e^{-δ²/2t} Π_j e^{-z_j} I_0(z_j) dt,  z_j = q_j R_j/t,  δ² = Σ (q_j - R_j)² + |off|²,
///
/// with the distances q_j from the axes (the normal law seen from a circle; Watson 1944, 13.3). In the form of R19 the gain is the
/// average of 1/t, and D has the coordinates (R_j/q_j) x_j E[I_1/I_0(z_j)/t]/E[1/t].
pub(super) struct TorusScore {
    dim: usize,
    rate: f64,
    radii: Vec<f64>,
}

impl TorusScore {
    /// Twice as many coordinates as `radii` (lengths, positive) are at most `dim` = d; `rate` = r > 0.
    pub(super) fn new(dim: usize, rate: f64, radii: &[f64]) -> Self {
        Self { dim, rate, radii: radii.to_vec() }
    }

    /// log of the integrand in log t, without constant factors.
    fn log_integrand(&self, log_t: f64, squared: f64, axes: &[f64]) -> f64 {
        let t = log_t.exp();
        let mut sum = (1.0 - 0.5 * self.dim as f64) * log_t - self.rate * t - 0.5 * squared / t;
        for (q, radius) in axes.iter().zip(&self.radii) {
            let z = q * radius / t;
            sum += log_i(0.0, z) - z;
        }
        sum
    }
}

impl Score for TorusScore {
    fn dim(&self) -> usize {
        self.dim
    }

    fn evaluate(&self, points: &[f64], gains: &mut [f64], displacements: &mut [f64]) {
        let (d, span) = (self.dim, 2 * self.radii.len());
        let mut axes = vec![0.0; self.radii.len()];
        let mut pulls = vec![0.0; self.radii.len()];
        let step = STEP.0.min(STEP.1 * f64::sqrt(2.0 / (d as f64 - 2.0).max(1.0)));
        let rows = points.chunks_exact(d).zip(displacements.chunks_exact_mut(d));
        for ((x, v), gain) in rows.zip(gains) {
            let mut squared: f64 = x[span..].iter().map(|x| x * x).sum();
            for ((q, pair), radius) in axes.iter_mut().zip(x.chunks_exact(2)).zip(&self.radii) {
                *q = pair[0].hypot(pair[1]);
                squared += (*q - radius).powi(2);
            }
            // A point on the data is taken for one beside them.
            squared = squared.max(1e-200);
            let at = |k: i32, start: f64| self.log_integrand(start + f64::from(k) * step, squared, &axes);
            let mut start = (squared / d as f64).ln();
            while at(1, start) > at(0, start) {
                start += step;
            }
            while at(-1, start) > at(0, start) {
                start -= step;
            }
            let peak = at(0, start);
            let (mut mass, mut inverse) = (0.0, 0.0);
            pulls.fill(0.0);
            for (first, by) in [(0, 1), (-1, -1)] {
                let mut k = first;
                loop {
                    let log = at(k, start) - peak;
                    if log < -NEGLIGIBLE {
                        break;
                    }
                    let t = f64::exp(start + f64::from(k) * step);
                    let weight = log.exp();
                    mass += weight;
                    inverse += weight / t;
                    for ((pull, q), radius) in pulls.iter_mut().zip(&axes).zip(&self.radii) {
                        *pull += weight / t * ratio_i(0.0, q * radius / t);
                    }
                    k += by;
                }
            }
            *gain = inverse / mass;
            v.iter_mut().zip(x).for_each(|(v, x)| *v = -x);
            let pairs = v.chunks_exact_mut(2).zip(x.chunks_exact(2));
            for (((v, x), (q, radius)), pull) in pairs.zip(axes.iter().zip(&self.radii)).zip(&pulls) {
                // On an axis no direction is nearer.
                if *q > 0.0 {
                    v.iter_mut().zip(x).for_each(|(v, x)| *v += radius / q * x * pull / inverse);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nalgebra::DMatrix;
    use resolvent::core::{EmpiricalMeasure, EmpiricalScore, KilledBrownianMotion};
    use std::f64::consts::TAU;

    /// The periodic trapezoidal rule in both angles is exact to rounding at these distances.
    #[test]
    fn the_score_is_that_of_a_lattice_of_angles() {
        const N: usize = 240;
        let radii = [1.0, 0.7];
        for (dim, rate) in [(5, 0.1), (12, 0.5)] {
            let data = DMatrix::from_fn(dim, N * N, |row, column| {
                let angle = TAU / N as f64 * [column / N, column % N][usize::from(row >= 2)] as f64;
                if row >= 4 {
                    0.0
                } else {
                    radii[row / 2] * if row % 2 == 0 { angle.cos() } else { angle.sin() }
                }
            });
            let process = KilledBrownianMotion::new(dim, 1.0, rate).unwrap();
            let lattice = EmpiricalScore::new(&process, EmpiricalMeasure::new(data).unwrap()).unwrap();
            let torus = TorusScore::new(dim, rate, &radii);
            for point in [[0.9, 0.3, -0.2, 0.5, 0.4], [3.0, -1.0, 0.2, 0.1, 2.0], [0.1, 0.2, 0.3, 0.0, 0.6]] {
                let mut x = vec![0.05; dim];
                x[..5].copy_from_slice(&point);
                let (mut a, mut b) = ([0.0], [0.0]);
                let (mut v, mut w) = (vec![0.0; dim], vec![0.0; dim]);
                torus.evaluate(&x, &mut a, &mut v);
                lattice.evaluate(&x, &mut b, &mut w);
                assert!((a[0] / b[0] - 1.0).abs() < 1e-7, "{} {}", a[0], b[0]);
                for (v, w) in v.iter().zip(&w) {
                    assert!((v - w).abs() < 1e-7, "{v} {w}");
                }
            }
        }
    }
}
