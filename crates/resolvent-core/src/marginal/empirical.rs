//! The empirical measure under noise: the ideal denoiser.
//!
//! A law on a curve or a surface is an empirical measure too, by quadrature: nodes y_i on it with weights w_i |y'(u_i)| p(u_i)
//! ([`EmpiricalMeasure::weighted`]) serve as long as σ/α is not small against their distances. For a closed smooth curve
//! equally spaced nodes converge faster than any power.

use std::f64::consts::TAU;

use super::{Denoiser, NoisyDensity};
use crate::measure::EmpiricalMeasure;
use crate::schedule::Level;
use crate::score::stream::{Kernel, Origin, Stream};

/// A smaller σ is taken as this: the limit σ -> 0 of D, the nearest datum, without dividing by zero.
const LEAST_SIGMA: f64 = 1e-100;

/// exp(-ρ²/(2σ²)).
struct Gaussian {
    variance: f64,
}

impl Kernel for Gaussian {
    fn log_value_and_gain(&self, squared: f64) -> (f64, f64) {
        (-0.5 * squared / self.variance, 1.0)
    }

    fn beyond(&self, squared: f64, drop: f64) -> f64 {
        squared + 2.0 * self.variance * drop
    }
}

impl Gaussian {
    fn new(level: &Level) -> Self {
        Self { variance: level.sigma.max(LEAST_SIGMA).powi(2) }
    }
}

/// D(x) = Σ w_i y_i with w_i ∝ α_i exp(-|x - α y_i|²/(2σ²)) (Karras et al. 2022, eq. 57; De Bortoli 2022). As σ -> 0 it is
/// the nearest datum, and the mean of the nearest where there are several.
///
/// The data are streamed past the points, with matrix products from dimension 16 on and differences next to a datum.
impl Denoiser for EmpiricalMeasure {
    fn dim(&self) -> usize {
        EmpiricalMeasure::dim(self)
    }

    fn denoise(&self, level: &Level, points: &[f64], denoised: &mut [f64]) {
        let zero = vec![0.0; self.dim()];
        stream(self, level, &Gaussian::new(level), &zero).run(points, None, denoised, |_, _| {});
    }

    fn jacobian_product(&self, level: &Level, x: &[f64], v: &[f64], out: &mut [f64]) {
        let kernel = Gaussian::new(level);
        let squared = |y: &[f64]| x.iter().zip(y).map(|(x, y)| (x - level.alpha * y).powi(2)).sum();
        let mut weights: Vec<f64> = (0..self.len())
            .map(|i| kernel.log_value_and_gain(squared(self.point(i))).0 + self.log_weights()[i])
            .collect();
        let peak = weights.iter().fold(f64::NEG_INFINITY, |a, w| a.max(*w));
        weights.iter_mut().for_each(|w| *w = f64::exp(*w - peak));
        let total: f64 = weights.iter().sum();
        let along = |y: &[f64]| y.iter().zip(v).map(|(y, v)| y * v).sum::<f64>();
        let reached = || weights.iter().enumerate().filter(|(_, w)| **w > 0.0);
        let mean = reached().map(|(i, w)| w * along(self.point(i))).sum::<f64>() / total;
        out.fill(0.0);
        // Σ w (y·v - mean) = 0, so y need not be centred.
        for (i, w) in reached() {
            let y = self.point(i);
            let factor = w / total * (along(y) - mean) * level.alpha / kernel.variance;
            out.iter_mut().zip(y).for_each(|(o, y)| *o += factor * y);
        }
    }
}

/// The density of the mixture of N(α y_i, σ² I).
impl NoisyDensity for EmpiricalMeasure {
    fn log_densities(&self, level: &Level, points: &[f64], out: &mut [f64]) {
        let kernel = Gaussian::new(level);
        let constant = -0.5 * self.dim() as f64 * (TAU * kernel.variance).ln();
        let zero = vec![0.0; self.dim()];
        let mut moments = vec![0.0; points.len()];
        stream(self, level, &kernel, &zero).run(points, None, &mut moments, |j, summary| {
            out[j] = summary.log_density + constant;
        });
    }
}

/// The data carried to `level`, seen from the origin: the moment is D itself.
fn stream<'a>(
    measure: &'a EmpiricalMeasure,
    level: &Level,
    kernel: &'a Gaussian,
    zero: &'a [f64],
) -> Stream<'a, Gaussian> {
    Stream { measure, kernel, scale: level.alpha, origin: Origin::Fixed(zero) }
}
