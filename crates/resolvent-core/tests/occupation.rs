//! The smoothed Green kernel against reference values and closed forms, and what is read from the occupation density.

use nalgebra::DMatrix;
use rand::RngExt;
use rand_distr::StandardNormal;
use resolvent_core::killed::SmoothedGreenKernel;
use resolvent_core::marginal::{Denoiser, NoisyDensity};
use resolvent_core::occupation::{
    ClassPosterior, Occupation, codimension_by_gap, codimension_by_norm, score_singular_values,
    squared_distances,
};
use resolvent_core::random::{Purpose, stream};
use resolvent_core::schedule::Level;
use resolvent_core::score::SmoothedScore;
use resolvent_core::{
    EmpiricalMeasure, EmpiricalScore, Error, GaussianMixture, KilledBrownianMotion, Oracle, Score,
};
use statrs::function::erf::erfc;

fn normal(d: usize, n: usize, seed: u64) -> DMatrix<f64> {
    let mut rng = stream(seed, Purpose::Experiment, 0);
    DMatrix::from_fn(d, n, |_, _| rng.sample(StandardNormal))
}

fn weighted(points: DMatrix<f64>) -> EmpiricalMeasure {
    let weights: Vec<f64> = (0..points.ncols()).map(|i| 1.0 + (i % 4) as f64).collect();
    EmpiricalMeasure::weighted(points, &weights).unwrap()
}

fn relative(value: f64, expected: f64) -> f64 {
    (value / expected - 1.0).abs()
}

/// Values of an independent 40-digit quadrature over the time (golden/smoothed_green.py).
#[test]
fn smoothed_kernel_agrees_with_reference_values() {
    let table = include_str!("golden/smoothed_green.csv");
    let mut rows = 0;
    for line in table.lines().skip(1) {
        let row: Vec<f64> = line.split(',').map(|cell| cell.parse().unwrap()).collect();
        let process = KilledBrownianMotion::new(row[0] as usize, row[1], row[2]).unwrap();
        let kernel = SmoothedGreenKernel::new(&process, row[3]).unwrap();
        let (log_value, gain) = kernel.log_value_and_gain(row[4]);
        let lifetime = kernel.expected_lifetime(row[4]);
        assert!((log_value - row[5]).abs() < 1e-9 + 1e-15 * row[5].abs(), "{line}: log value {log_value}");
        assert!(relative(gain, row[6]) < 1e-8, "{line}: gain {gain}");
        assert!(relative(lifetime, row[7]) < 1e-8, "{line}: lifetime {lifetime}");
        rows += 1;
    }
    assert!(rows >= 12);
}

/// In d = 1 the Laplace law convolved with the normal one; in d = 3 its derivative, G³(ρ) = -(2πρ)^{-1} dG¹/dρ.
fn closed_form(d: usize, sigma: f64, rate: f64, h: f64, rho: f64) -> f64 {
    let (a, h, rho, sqrt2) = ((2.0 * rate).sqrt(), h / sigma, rho / sigma, std::f64::consts::SQRT_2);
    let tail = |x: f64| 0.5 * erfc(x / sqrt2);
    let (down, up) = ((-a * rho).exp() * tail(a * h - rho / h), (a * rho).exp() * tail(a * h + rho / h));
    let factor = (0.5 * a * a * h * h).exp();
    match d {
        1 => factor / a * (down + up) / sigma,
        3 => factor * (down - up) / (std::f64::consts::TAU * rho) / sigma.powi(3),
        _ => unreachable!(),
    }
}

#[test]
fn smoothed_kernel_agrees_with_the_closed_forms() {
    for d in [1, 3] {
        for (sigma, rate, h) in [(1.0, 0.5, 0.3), (0.6, 0.02, 0.05), (2.0, 3.0, 1.4)] {
            let process = KilledBrownianMotion::new(d, sigma, rate).unwrap();
            let kernel = SmoothedGreenKernel::new(&process, h).unwrap();
            for k in 1..60 {
                let rho = 0.12 * f64::from(k) * h;
                let expected = closed_form(d, sigma, rate, h, rho);
                // The difference of the two terms in d = 3 cancels next to the datum.
                assert!(relative(kernel.log_value(rho).exp(), expected) < 2e-9, "d = {d}, rho = {rho}");
            }
        }
    }
}

#[test]
fn without_smoothing_it_is_the_green_kernel() {
    for d in [1, 2, 3, 784] {
        let process = KilledBrownianMotion::new(d, 1.3, 0.2).unwrap();
        for (h, tolerance) in [(1e-2, 1e-3), (1e-4, 1e-7), (1e-25, 1e-11)] {
            let kernel = SmoothedGreenKernel::new(&process, h).unwrap();
            for rho in [1.0, 3.0, 20.0] {
                let (log_value, gain) = process.green().log_value_and_gain(rho);
                let (smoothed, smoothed_gain) = kernel.log_value_and_gain(rho);
                let lifetime = process.green().lifetime(rho).mean();
                assert!((smoothed - log_value).abs() < tolerance * log_value.abs().max(1.0));
                assert!(relative(smoothed_gain, gain) < tolerance);
                assert!(relative(kernel.expected_lifetime(rho), lifetime) < 100.0 * tolerance);
            }
        }
    }
}

#[test]
fn the_smoothed_score_is_the_gradient_and_its_hazard_solves_the_equation() {
    for (d, m) in [(1, 5), (2, 8), (3, 40), (20, 300)] {
        let process = KilledBrownianMotion::new(d, 0.8, 0.3).unwrap();
        let score = SmoothedScore::new(&process, weighted(normal(d, m, 3)), 0.4).unwrap();
        let points = normal(d, 40, 4);
        let (mut gains, mut moves) = (vec![0.0; 40], vec![0.0; 40 * d]);
        score.evaluate(points.as_slice(), &mut gains, &mut moves);
        for (j, x) in points.column_iter().enumerate() {
            let step = 2e-3;
            let at = |k: usize, by: f64| {
                let mut y = x.clone_owned();
                y[k] += by;
                score.log_density(y.as_slice())
            };
            let here = score.log_density(x.as_slice());
            let mut laplacian = 0.0;
            for k in 0..d {
                let (low, high) = (at(k, -step), at(k, step));
                let (wide_low, wide_high) = (at(k, -2.0 * step), at(k, 2.0 * step));
                let slope = (8.0 * (high - low) - (wide_high - wide_low)) / (12.0 * step);
                assert!((slope - gains[j] * moves[j * d + k]).abs() < 1e-6 * (1.0 + slope.abs()));
                let curvature =
                    (16.0 * (high + low) - wide_high - wide_low - 30.0 * here) / (12.0 * step * step);
                laplacian += curvature + slope * slope;
            }
            // ½ σ² Δu - r u = -α^h.
            let hazard = 0.3 - 0.5 * 0.64 * laplacian;
            let expected = score.log_hazard(x.as_slice()).exp();
            assert!((hazard - expected).abs() < 1e-3 * (d as f64).max(expected), "{hazard} {expected}");
        }
    }
}

#[test]
fn readings_are_log_u_and_its_derivative_by_the_rate() {
    for (d, m) in [(1, 6), (3, 50), (40, 300)] {
        let points = normal(d, 70, 9) * 1.5;
        let at = |rate: f64, bandwidth: Option<f64>| {
            let process = KilledBrownianMotion::new(d, 0.9, rate).unwrap();
            let measure = weighted(normal(d, m, 3));
            let occupation = match bandwidth {
                None => Occupation::new(&process, measure),
                Some(h) => Occupation::smoothed(&process, measure, h),
            };
            occupation.unwrap().readings(&points).unwrap()
        };
        let process = KilledBrownianMotion::new(d, 0.9, 0.3).unwrap();
        let score = EmpiricalScore::new(&process, weighted(normal(d, m, 3))).unwrap();
        let smoothed = SmoothedScore::new(&process, weighted(normal(d, m, 3)), 0.5).unwrap();
        let oracle = Oracle::new(process, weighted(normal(d, m, 3))).unwrap();
        for bandwidth in [None, Some(0.5)] {
            let readings = at(0.3, bandwidth);
            let (low, high) = (at(0.3 - 1e-4, bandwidth), at(0.3 + 1e-4, bandwidth));
            for (j, x) in points.column_iter().enumerate() {
                let difference = -(high[j].log_density - low[j].log_density) / 2e-4;
                assert!(relative(readings[j].expected_lifetime, difference) < 1e-5, "R4b");
                let log_density = match bandwidth {
                    None => score.log_density(x.as_slice()),
                    Some(_) => smoothed.log_density(x.as_slice()),
                };
                assert!((readings[j].log_density - log_density).abs() < 1e-11 * log_density.abs().max(1.0));
                if bandwidth.is_none() {
                    let mean = oracle.lifetime_law(x.as_slice()).mean();
                    assert!(relative(readings[j].expected_lifetime, mean) < 1e-10);
                }
            }
        }
    }
}

#[test]
fn class_probabilities_are_sums_of_the_end_point_law() {
    for (d, m) in [(2, 30), (20, 300), (784, 90)] {
        let process = KilledBrownianMotion::new(d, 1.0, 0.3).unwrap();
        let data = normal(d, m, 3);
        let labels: Vec<usize> = (0..m).map(|i| [1, 3, 1, 4, 3][i % 5]).collect();
        let score = EmpiricalScore::new(&process, weighted(data.clone())).unwrap();
        let occupation = Occupation::new(&process, weighted(data.clone())).unwrap();
        let posterior = ClassPosterior::new(occupation, labels.clone(), 5).unwrap();
        // Midway between two data, where more than one weight counts in any dimension.
        let points = DMatrix::from_fn(d, 45, |k, j| {
            0.5 * (data[(k, j % m)] + data[(k, (j + 1) % m)]) + 0.02 * ((k * 7 + j * 3) % 5) as f64
        });
        let logs = posterior.log_probabilities(&points).unwrap();
        for (j, x) in points.column_iter().enumerate() {
            let mut expected = [0.0; 5];
            for (weight, &label) in score.posterior(x.as_slice()).iter().zip(&labels) {
                expected[label] += weight;
            }
            for (k, expected) in expected.iter().enumerate() {
                assert!((logs[(k, j)].exp() - expected).abs() < 1e-9, "class {k}");
            }
            for empty in [0, 2] {
                assert_eq!(logs[(empty, j)], f64::NEG_INFINITY, "no datum is in class {empty}");
            }
        }
        let alone = posterior.log_probabilities(&points.columns(44, 1).into_owned()).unwrap();
        assert_eq!(alone.column(0), logs.column(44), "the same bits in any batch");
    }
}

#[test]
fn a_datum_at_infinite_distance_is_left_out() {
    let process = KilledBrownianMotion::new(2, 1.0, 0.3).unwrap();
    let (data, points) = (normal(2, 12, 3), normal(2, 5, 4));
    let rest = data.columns(0, 9).into_owned();
    let classes = |points: DMatrix<f64>| {
        let labels = (0..points.ncols()).map(|i| i % 3).collect();
        let measure = EmpiricalMeasure::new(points).unwrap();
        ClassPosterior::new(Occupation::smoothed(&process, measure, 0.3).unwrap(), labels, 3).unwrap()
    };
    let mut squared = squared_distances(&EmpiricalMeasure::new(data.clone()).unwrap(), &points).unwrap();
    squared.rows_mut(9, 3).fill(f64::INFINITY);
    let (all, fewer) = (classes(data), classes(rest).log_probabilities(&points).unwrap());
    let mut out = [0.0; 3];
    for (squared, fewer) in squared.column_iter().zip(fewer.column_iter()) {
        all.log_probabilities_at(squared.clone_owned().as_slice(), &mut out);
        out.iter().zip(fewer.iter()).for_each(|(a, b)| assert!((a - b).abs() < 1e-12));
    }
}

#[test]
fn squared_distances_do_not_cancel() {
    for d in [1, 3, 100] {
        let data = normal(d, 300, 3).add_scalar(1e3);
        let points = DMatrix::from_fn(d, 40, |k, j| data[(k, j)] + 1e-6 * (1 + k + j) as f64);
        let squared = squared_distances(&EmpiricalMeasure::new(data.clone()).unwrap(), &points).unwrap();
        for j in 0..40 {
            for i in 0..300 {
                let expected = (points.column(j) - data.column(i)).norm_squared();
                assert!(relative(squared[(i, j)], expected) < 1e-9);
            }
        }
    }
}

/// Points on a circle, so dense that at the distances used the score is that of the circle.
fn circle(d: usize, n: usize) -> EmpiricalMeasure {
    EmpiricalMeasure::new(DMatrix::from_fn(d, n, |k, i| {
        let angle = std::f64::consts::TAU * i as f64 / n as f64;
        [angle.cos(), angle.sin()].get(k).copied().unwrap_or(0.0)
    }))
    .unwrap()
}

#[test]
fn both_estimates_find_the_codimension_of_a_circle() {
    for d in [4, 5, 9] {
        let process = KilledBrownianMotion::new(d, 1.0, 0.1).unwrap();
        let score = EmpiricalScore::new(&process, circle(d, 4000)).unwrap();
        let centre: Vec<f64> = (0..d).map(|k| [0.6, 0.8].get(k).copied().unwrap_or(0.0)).collect();
        let values = score_singular_values(&score, &centre, 0.1, 8 * d, 1).unwrap();
        assert!((values.norm_squared() - 1.0).abs() < 1e-12);
        assert_eq!(codimension_by_gap(values.as_slice()), d - 1, "{values}");
        let mut place = centre.clone();
        place[d - 1] = 0.03;
        let (mut gain, mut displacement) = ([0.0], vec![0.0; d]);
        score.evaluate(&place, &mut gain, &mut displacement);
        let length = displacement.iter().map(|v| v * v).sum::<f64>().sqrt();
        for distance in [0.03, length] {
            let estimate = codimension_by_norm(distance, gain[0] * length);
            assert!((estimate - (d - 1) as f64).abs() < 0.1, "d = {d}: {estimate}");
        }
        // Nearer to one datum than data are to each other the support is a point.
        let values = score_singular_values(&score, score.measure().point(590), 1e-6, 8 * d, 1).unwrap();
        assert_eq!(codimension_by_gap(values.as_slice()), d, "{values}");
    }
}

/// ∇(-log r u)(x) = -E[∇ log p_t(x) | x] with t ~ Exp(r) unknown: the gradient of the marginal energy is the mean of the
/// gradients of the energies -log p_t. The marginals p_t of a Gaussian mixture are closed forms; u is not computed from them.
#[test]
fn the_marginal_energy_averages_the_energies_of_all_times() {
    let (d, sigma, rate, h) = (3, 0.8, 0.4, 0.5);
    let (means, weights) = (normal(d, 4, 7) * 2.0, [0.4, 0.3, 0.2, 0.1]);
    let mixture = GaussianMixture::isotropic(&weights, means.clone(), &[h; 4]).unwrap();
    let process = KilledBrownianMotion::new(d, sigma, rate).unwrap();
    let measure = EmpiricalMeasure::weighted(means.clone(), &weights).unwrap();
    let score = SmoothedScore::new(&process, measure, h).unwrap();
    for x in (normal(d, 6, 8) * 2.5).column_iter() {
        let x = x.clone_owned();
        // The trapezoidal rule over log t: the integrand falls off exponentially at both ends.
        let (step, count) = (0.02, 2400);
        let (mut mass, mut mean) = (0.0, vec![0.0; d]);
        for k in 0..count {
            let t = f64::exp(-40.0 + step * f64::from(k));
            let level = Level { time: t, alpha: 1.0, sigma: sigma * t.sqrt() };
            let (mut log_density, mut gradient) = ([0.0], vec![0.0; d]);
            mixture.log_densities(&level, x.as_slice(), &mut log_density);
            mixture.scores(&level, x.as_slice(), &mut gradient);
            let weight = step * t * rate * (log_density[0] - rate * t).exp();
            mass += weight;
            mean.iter_mut().zip(&gradient).for_each(|(m, g)| *m += weight * g);
        }
        let closed: f64 =
            (0..4).map(|k| weights[k] * closed_form(3, sigma, rate, h, (&x - means.column(k)).norm())).sum();
        assert!(relative(mass, rate * closed) < 1e-9, "r u = ∫ r e^(-rt) p_t dt");
        assert!((mass.ln() - (rate.ln() + score.log_density(x.as_slice()))).abs() < 1e-8);
        let (mut gain, mut displacement) = ([0.0], vec![0.0; d]);
        score.evaluate(x.as_slice(), &mut gain, &mut displacement);
        for (v, mean) in displacement.iter().zip(&mean) {
            assert!((gain[0] * v - mean / mass).abs() < 1e-7, "gradient of the marginal energy");
        }
    }
}

/// A path that runs away is for the sampler to count: its score must not panic.
#[test]
fn points_beyond_all_numbers_are_no_panic() {
    let process = KilledBrownianMotion::new(2, 1.0, 0.3).unwrap();
    let measure = EmpiricalMeasure::new(normal(2, 4, 1)).unwrap();
    let score = SmoothedScore::new(&process, measure, 1e-2).unwrap();
    for far in [1e10, 1e100, 9e153, 1e154, 1e200] {
        let (mut gain, mut displacement) = ([0.0], [0.0; 2]);
        score.evaluate(&[far, -far], &mut gain, &mut displacement);
        if far <= 1e100 {
            assert!(
                relative(-displacement[0], far) < 1e-6 && gain[0] > 0.0,
                "{far}: {gain:?} {displacement:?}"
            );
        }
    }
}

#[test]
fn bad_input_is_refused() {
    let process = KilledBrownianMotion::new(2, 1.0, 0.3).unwrap();
    let measure = EmpiricalMeasure::new(normal(2, 4, 1)).unwrap();
    for bandwidth in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e4] {
        let kernel = SmoothedGreenKernel::new(&process, bandwidth);
        assert!(matches!(kernel, Err(Error::Outside { name: "bandwidth", .. })), "{bandwidth}");
    }
    let other = EmpiricalMeasure::new(normal(3, 4, 1)).unwrap();
    assert!(matches!(Occupation::new(&process, other), Err(Error::Dimension { name: "data", .. })));
    let occupation = Occupation::new(&process, measure).unwrap();
    let bad = DMatrix::from_element(2, 1, f64::NAN);
    assert!(matches!(occupation.readings(&bad), Err(Error::NotFinite { name: "points", .. })));
    let short = ClassPosterior::new(occupation.clone(), vec![0; 3], 1);
    assert!(matches!(short, Err(Error::Dimension { name: "labels", .. })));
    let wrong = ClassPosterior::new(occupation, vec![0, 0, 2, 0], 2);
    assert!(matches!(wrong, Err(Error::Label { index: 2, label: 2, classes: 2 })));
    let score = EmpiricalScore::new(&process, EmpiricalMeasure::new(normal(2, 4, 1)).unwrap()).unwrap();
    let few = score_singular_values(&score, &[0.0, 0.0], 0.1, 1, 1);
    assert!(matches!(few, Err(Error::TooSmall { name: "samples", .. })));
}
