//! The bias on the line, exactly.

use std::f64::consts::TAU;

use anyhow::Result;
use resolvent::core::schedule::Level;
use resolvent::core::{EmpiricalMeasure, GaussianMixture};

use super::model::Model;
use super::{WEIGHTS, on_the_line};
use crate::experiments::horizon_methods::AUGMENTED;
use crate::experiments::three_starts::bias::of_laplace;

/// Half the length of the quadrature in deviations of the start law, and its nodes: the integrand is analytic, and the
/// trapezoidal rule exact to what is left out.
const REACH: f64 = 12.0;
const NODES: usize = 6_001;
/// The deviation of an atom as a Gaussian: beside noise of one half and more its square is below rounding.
const ATOM: f64 = 1e-9;

/// Total variation between the data, around `offset`, and the end law of `model` from its start law, at every level.
pub(super) fn bias(model: Model, levels: &[f64], offset: f64) -> Result<Vec<f64>> {
    let alpha = on_the_line(offset)?;
    levels.iter().map(|&level| at(model, level, &alpha)).collect()
}

fn at(model: Model, level: f64, alpha: &EmpiricalMeasure) -> Result<f64> {
    let (start, deviation) = model.start(level)?;
    match model {
        Model::Point => Ok(0.0),
        Model::Laplace => Ok(of_laplace(Model::rate(level), &[0.0], alpha, None)?.total_variation.value),
        Model::VeSde | Model::VpSde => Ok(sde(alpha, &start, deviation)),
        Model::VeFlow | Model::VpFlow => {
            let law = GaussianMixture::one_dimensional(&WEIGHTS, alpha.points().as_slice(), &[ATOM; 5])?;
            let prior = GaussianMixture::one_dimensional(&[1.0], &[0.0], &[deviation])?;
            Ok(flow(|x| law.cdf(&start, x), |x| prior.cdf(&Level::CLEAN, x), deviation))
        }
        Model::Pfgm => {
            let cdf = |y: f64, x: f64| student((x - y) / level);
            let points = alpha.points().as_slice();
            let law = |x| points.iter().zip(WEIGHTS).map(|(y, w)| w * cdf(*y, x)).sum();
            Ok(flow(law, |x| cdf(0.0, x), level))
        }
    }
}

/// The reverse SDE from y ends at y_i with the posterior probability w_i(y), so that from the density s in place of p_T the end law is off by
/// ∫ (w_i - α_i)(s - p_T) dy: an integral of a product of two small factors.
fn sde(alpha: &EmpiricalMeasure, start: &Level, deviation: f64) -> f64 {
    let normal = |x: f64, deviation: f64| f64::exp(-0.5 * (x / deviation).powi(2)) / (TAU.sqrt() * deviation);
    let points = alpha.points().as_slice();
    let spacing = 2.0 * REACH * deviation.max(start.sigma) / (NODES - 1) as f64;
    let mut shifts = [0.0; 5];
    for node in 0..NODES {
        let x = spacing * (node as f64 - 0.5 * (NODES - 1) as f64);
        let parts: [f64; 5] =
            std::array::from_fn(|i| WEIGHTS[i] * normal(x - start.alpha * points[i], start.sigma));
        let right: f64 = parts.iter().sum();
        if right > 0.0 {
            let excess = normal(x, deviation) - right;
            for (i, shift) in shifts.iter_mut().enumerate() {
                *shift += spacing * (parts[i] / right - WEIGHTS[i]) * excess;
            }
        }
    }
    0.5 * shifts.iter().map(|shift| shift.abs()).sum::<f64>()
}

/// A flow on the line keeps the order: the atoms up to the i-th get what the start law has below the quantile of p_T that belongs
/// to their weight.
fn flow(right: impl Fn(f64) -> f64, start: impl Fn(f64) -> f64, scale: f64) -> f64 {
    let (mut weight, mut before, mut total) = (0.0, 0.0, 0.0);
    for w in &WEIGHTS[..4] {
        weight += w;
        let (mut low, mut high) = (-REACH * scale - 10.0, REACH * scale + 10.0);
        // Halving stops at neighbouring numbers.
        let quantile = loop {
            let middle = 0.5 * (low + high);
            if middle <= low || middle >= high {
                break middle;
            }
            if right(middle) < weight { low = middle } else { high = middle }
        };
        let below = start(quantile);
        total += (below - before - w).abs();
        before = below;
    }
    0.5 * (total + (1.0 - before - WEIGHTS[4]).abs())
}

/// The distribution function of Student's t for an even number D of degrees of freedom (Abramowitz and Stegun, 26.7.4).
fn student(t: f64) -> f64 {
    let root = t.hypot(AUGMENTED.sqrt());
    let (sine, cosine) = (t / root, AUGMENTED.sqrt() / root);
    let (mut term, mut sum) = (1.0, 1.0);
    for k in 1..(AUGMENTED / 2.0) as u32 {
        let k = f64::from(k);
        term *= (2.0 * k - 1.0) / (2.0 * k) * cosine * cosine;
        sum += term;
    }
    0.5 + 0.5 * sine * sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use nalgebra::DMatrix;
    use resolvent::core::horizon::{Churn, heun};
    use resolvent::core::marginal::StudentT;
    use resolvent::core::schedule::{Edm, Grid};
    use resolvent::core::{Denoiser, HorizonSampler};

    /// t = 1.9787 is the 97.5 % quantile at 128 degrees of freedom (tables), and the law is symmetric.
    #[test]
    fn students_distribution_function() {
        assert!((student(1.978_671) - 0.975).abs() < 1e-6);
        assert!((student(-0.7) + student(0.7) - 1.0).abs() < 1e-15);
    }

    /// The shares of a flow against a fine run from equally spaced quantiles of the start law.
    #[test]
    fn flows_end_in_the_computed_shares() {
        let alpha = on_the_line(0.5).unwrap();
        let n = 4_001;
        let level = 2.0;
        for model in [Model::VeFlow, Model::Pfgm] {
            let normal = GaussianMixture::one_dimensional(&[1.0], &[0.0], &[level]).unwrap();
            let cdf = |x: f64| match model {
                Model::Pfgm => student(x / level),
                _ => normal.cdf(&Level::CLEAN, x),
            };
            let starts = DMatrix::from_fn(1, n, |_, i| {
                let (goal, mut low, mut high) = ((i as f64 + 0.5) / n as f64, -20.0, 20.0);
                for _ in 0..60 {
                    let middle = 0.5 * (low + high);
                    if cdf(middle) < goal { low = middle } else { high = middle }
                }
                0.5 * (low + high)
            });
            let scheme =
                heun(&Grid::karras(&Edm::new(level).unwrap(), 200, 0.002, level, 7.0).unwrap(), Churn::NONE)
                    .unwrap();
            let student;
            let denoiser: &dyn Denoiser = if model == Model::Pfgm {
                student = StudentT::new(alpha.clone(), AUGMENTED).unwrap();
                &student
            } else {
                &alpha
            };
            let ends = HorizonSampler::new(&scheme.with(denoiser)).run(&starts, 1).unwrap().points;
            let mut shares = [0.0; 5];
            for x in ends.iter() {
                let gap = |i: &usize| (x - alpha.point(*i)[0]).abs();
                let nearest = (0..5).min_by(|a, b| gap(a).total_cmp(&gap(b))).unwrap();
                shares[nearest] += 1.0 / n as f64;
            }
            let measured = 0.5 * shares.iter().zip(WEIGHTS).map(|(a, b)| (a - b).abs()).sum::<f64>();
            let computed = at(model, level, &alpha).unwrap();
            assert!((measured - computed).abs() < 3e-3, "{model:?}: {measured} {computed}");
        }
    }

    /// Draws of the start law sent to atoms with their posterior probabilities.
    #[test]
    fn the_reverse_sde_ends_in_the_computed_shares() {
        let alpha = on_the_line(0.5).unwrap();
        for model in [Model::VeSde, Model::VpSde] {
            let (start, deviation) = model.start(1.5).unwrap();
            let law =
                GaussianMixture::one_dimensional(&WEIGHTS, alpha.points().as_slice(), &[ATOM; 5]).unwrap();
            let n = 4_000;
            let mut shares = [0.0; 5];
            for i in 0..n {
                let z = -10.0 + 20.0 * (f64::from(i) + 0.5) / f64::from(n);
                let weight = f64::exp(-0.5 * z * z) / TAU.sqrt() * 20.0 / f64::from(n);
                let posterior = law.responsibilities(&start, &[deviation * z]);
                shares.iter_mut().zip(posterior).for_each(|(s, p)| *s += weight * p);
            }
            let direct = 0.5 * shares.iter().zip(WEIGHTS).map(|(a, b)| (a - b).abs()).sum::<f64>();
            let computed = at(model, 1.5, &alpha).unwrap();
            assert!((direct - computed).abs() < 1e-9, "{model:?}: {direct} {computed}");
        }
    }
}
