//! A closed curve with random Fourier coefficients, and the score of many points on it.

use std::f64::consts::TAU;

use anyhow::Result;
use nalgebra::DMatrix;
use rand::{Rng, RngExt};
use rand_distr::StandardNormal;
use resolvent::core::{GreenKernel, KilledBrownianMotion, Score};

/// Frequencies 1, .., so many; that of amplitude j^-2 at frequency j, so that the curve is smooth.
const FREQUENCIES: usize = 3;
/// The coordinates that it takes.
pub(super) const SPAN: usize = 2 * FREQUENCIES;
/// Newton's steps from the nearest of the points to the nearest of the curve.
const NEWTON: usize = 8;
/// Data this far below the nearest, as logarithms of their weights, add nothing.
const NEGLIGIBLE: f64 = 40.0;

/// ψ(φ) = Σ_j (a_j cos jφ + b_j sin jφ), a_j and b_j normal in R^d with mean square length j^-4, in coordinates of the space that
/// they span (which the first ones of R^d stand for: a rotation). The law is uniform in φ.
pub(super) struct Curve {
    /// a_1, b_1, a_2, ..: SPAN columns of SPAN.
    coefficients: DMatrix<f64>,
    /// ψ at equal angles, SPAN x n.
    points: DMatrix<f64>,
    green: GreenKernel,
}

impl Curve {
    /// With `n` points for the law, in the space of `process`, of dimension SPAN at least.
    pub(super) fn new(process: &KilledBrownianMotion, n: usize, rng: &mut impl Rng) -> Result<Self> {
        let d = process.dim();
        anyhow::ensure!(d >= SPAN, "the random curve needs d >= {SPAN}, got {d}");
        let drawn = DMatrix::from_fn(d, SPAN, |_, column| {
            let frequency = (column / 2 + 1) as f64;
            rng.sample::<f64, _>(StandardNormal) / (frequency.powi(2) * (d as f64).sqrt())
        });
        let coefficients = drawn.qr().r();
        let mut curve =
            Self { coefficients, points: DMatrix::zeros(SPAN, n), green: process.green().clone() };
        for i in 0..n {
            let [place, ..] = curve.at(TAU * i as f64 / n as f64);
            curve.points.column_mut(i).copy_from_slice(&place);
        }
        Ok(curve)
    }

    /// ψ, ψ' and ψ'' at an angle.
    pub(super) fn at(&self, angle: f64) -> [[f64; SPAN]; 3] {
        let mut out = [[0.0; SPAN]; 3];
        for (column, coefficients) in self.coefficients.column_iter().enumerate() {
            let frequency = (column / 2 + 1) as f64;
            let (sin, cos) = (frequency * angle).sin_cos();
            let values = if column % 2 == 0 { [cos, -sin, -cos] } else { [sin, cos, -sin] };
            for (order, (out, value)) in out.iter_mut().zip(values).enumerate() {
                let factor = value * frequency.powi(order as i32);
                out.iter_mut().zip(&coefficients).for_each(|(o, c)| *o += factor * c);
            }
        }
        out
    }

    /// The angle of the point of the curve nearest to `x`.
    pub(super) fn nearest(&self, x: &[f64]) -> f64 {
        let x = &x[..SPAN];
        let distance = |place: &[f64]| place.iter().zip(x).map(|(p, x)| (p - x).powi(2)).sum::<f64>();
        let rows = self.points.as_slice().chunks_exact(SPAN);
        let best = rows.map(distance).enumerate().min_by(|a, b| a.1.total_cmp(&b.1)).map_or(0, |(i, _)| i);
        let mut angle = TAU * best as f64 / self.points.ncols() as f64;
        for _ in 0..NEWTON {
            let [place, first, second] = self.at(angle);
            let dot =
                |a: &[f64; SPAN]| place.iter().zip(x).zip(a).map(|((p, x), a)| (p - x) * a).sum::<f64>();
            let speed: f64 = first.iter().map(|v| v * v).sum();
            angle -= dot(&first) / (speed + dot(&second)).max(0.1 * speed);
        }
        angle
    }
}

/// The score of equal weights on the points of the curve, each seen at its distance within the span and off it (R19).
impl Score for Curve {
    fn dim(&self) -> usize {
        self.green.dim()
    }

    fn evaluate(&self, points: &[f64], gains: &mut [f64], displacements: &mut [f64]) {
        let d = self.dim();
        let mut squares = vec![0.0; self.points.ncols()];
        // G_r falls at least like ρ^(2 - d).
        let reach = f64::exp(2.0 * NEGLIGIBLE / (d as f64 - 2.0));
        for ((x, v), gain) in points.chunks_exact(d).zip(displacements.chunks_exact_mut(d)).zip(gains) {
            let (within, off) = x.split_at(SPAN);
            let off: f64 = off.iter().map(|x| x * x).sum();
            for (square, y) in squares.iter_mut().zip(self.points.as_slice().chunks_exact(SPAN)) {
                *square = off + y.iter().zip(within).map(|(y, x)| (y - x).powi(2)).sum::<f64>();
            }
            let nearest = squares.iter().fold(f64::INFINITY, |a, b| a.min(*b)).max(1e-200);
            let peak = self.green.log_value(nearest.sqrt());
            let (mut mass, mut pull, mut moment) = (0.0, 0.0, [0.0; SPAN]);
            for (square, y) in squares.iter().zip(self.points.as_slice().chunks_exact(SPAN)) {
                if *square > nearest * reach {
                    continue;
                }
                let (log, one) = self.green.log_value_and_gain(square.max(1e-200).sqrt());
                let weight = f64::exp(log - peak);
                mass += weight;
                pull += weight * one;
                moment.iter_mut().zip(y).for_each(|(m, y)| *m += weight * one * y);
            }
            *gain = pull / mass;
            v.iter_mut().zip(x).for_each(|(v, x)| *v = -x);
            v.iter_mut().zip(moment).for_each(|(v, m)| *v += m / pull);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use resolvent::core::random::{Purpose, stream};
    use resolvent::core::{EmpiricalMeasure, EmpiricalScore};

    fn curve(dim: usize) -> (KilledBrownianMotion, Curve) {
        let process = KilledBrownianMotion::new(dim, 1.0, 0.1).unwrap();
        let curve = Curve::new(&process, 300, &mut stream(4, Purpose::Experiment, 0)).unwrap();
        (process, curve)
    }

    #[test]
    fn the_score_is_the_empirical_one() {
        let (process, curve) = curve(9);
        let mut data = DMatrix::zeros(9, 300);
        data.rows_mut(0, SPAN).copy_from(&curve.points);
        let exact = EmpiricalScore::new(&process, EmpiricalMeasure::new(data).unwrap()).unwrap();
        let x: Vec<f64> = (0..9).map(|i| 0.1 * i as f64 - 0.3).collect();
        let (mut a, mut b) = ([0.0], [0.0]);
        let (mut v, mut w) = ([0.0; 9], [0.0; 9]);
        curve.evaluate(&x, &mut a, &mut v);
        exact.evaluate(&x, &mut b, &mut w);
        assert!((a[0] / b[0] - 1.0).abs() < 1e-9);
        assert!(v.iter().zip(w).all(|(v, w)| (v - w).abs() < 1e-9));
    }

    #[test]
    fn no_point_of_the_curve_is_nearer_and_the_line_to_it_is_normal() {
        let (_, curve) = curve(20);
        for i in 0..20 {
            let x: Vec<f64> = (0..20).map(|k| 0.5 * f64::sin((3 * i + 7 * k) as f64)).collect();
            let [place, tangent, _] = curve.at(curve.nearest(&x));
            let distance = |place: &[f64]| place.iter().zip(&x).map(|(p, x)| (p - x).powi(2)).sum::<f64>();
            let best = curve.points.as_slice().chunks_exact(SPAN).map(distance).fold(f64::INFINITY, f64::min);
            assert!(distance(&place) <= best + 1e-12);
            let slope: f64 = place.iter().zip(&x).zip(tangent).map(|((p, x), t)| (p - x) * t).sum();
            assert!(slope.abs() < 1e-9, "{slope}");
        }
    }
}
