//! Killed Brownian motion: its Green kernel in closed form and its law at death.

mod common;

use common::{KOLMOGOROV, assert_mean, kolmogorov};
use nalgebra::DMatrix;
use resolvent_core::random::{Purpose, stream};
use resolvent_core::schedule::{Level, diffuse};
use resolvent_core::{Error, GaussianMixture, KilledBrownianMotion};

fn process(dim: usize, sigma: f64, rate: f64) -> KilledBrownianMotion {
    KilledBrownianMotion::new(dim, sigma, rate).unwrap()
}

#[test]
fn green_kernel_in_one_and_three_dimensions() {
    for (sigma, rate) in [(1.0, 0.5), (0.3, 2.0), (4.0, 0.01)] {
        let k = f64::sqrt(2.0 * rate) / sigma;
        for rho in [1e-9, 1e-3, 0.4, 3.0, 50.0] {
            let close = |found: f64, exact: f64| {
                assert!((found - exact).abs() < 2e-14 * exact.abs().max(1.0), "{found} {exact}");
            };
            let line = process(1, sigma, rate);
            close(line.green().log_value(rho), -k * rho - (k * sigma * sigma).ln());
            close(line.green().score_norm(rho), k);
            let space = process(3, sigma, rate);
            let exact = -k * rho - (std::f64::consts::TAU * sigma * sigma * rho).ln();
            close(space.green().log_value(rho), exact);
            close(space.green().score_norm(rho) / (k + 1.0 / rho), 1.0);
        }
    }
}

/// Of g = k/ρ on the line and k/ρ + 1/ρ² in space in closed form, elsewhere against differences.
#[test]
fn slopes_of_the_gain() {
    for (sigma, rate) in [(1.0, 0.5), (0.3, 2.0), (4.0, 0.01)] {
        let k = f64::sqrt(2.0 * rate) / sigma;
        for rho in [1e-9, 1e-3, 0.4, 3.0, 50.0] {
            let slope = |dim: usize| {
                let process = process(dim, sigma, rate);
                let green = process.green();
                let difference =
                    (green.gain(rho * 1.001) / green.gain(rho / 1.001)).ln() / (2.0 * 1.001_f64.ln());
                (green.gain_slope(rho, green.gain(rho)), difference)
            };
            let tolerance = 1e-12 * (1.0 + k * rho);
            assert!((slope(1).0 + 1.0).abs() < tolerance);
            assert!((slope(3).0 + 1.0 + 1.0 / (1.0 + k * rho)).abs() < tolerance);
            for dim in [2, 8, 784] {
                let (found, expected) = slope(dim);
                assert!((found - expected).abs() < 1e-5, "d = {dim}, ρ = {rho}: {found} {expected}");
            }
        }
    }
    // Without killing g = (d - 2)/ρ².
    let free = process(5, 1.0, 0.0);
    assert!((free.green().gain_slope(0.3, free.green().gain(0.3)) + 2.0).abs() < 1e-12);
}

#[test]
fn batches_of_kernels_and_gradients_are_those_of_pairs() {
    let process = process(3, 0.7, 0.2);
    let green = process.green();
    let x = DMatrix::from_fn(3, 4, |i, j| i as f64 - 0.3 * j as f64);
    let y = DMatrix::from_fn(3, 4, |i, j| 0.2 * (i * j) as f64 + 1.0);
    let values = green.log_values(&x, &y.columns(0, 2).into_owned()).unwrap();
    assert_eq!(values.shape(), (2, 4));
    let gradients = green.gradients(&x, &y).unwrap();
    for j in 0..4 {
        let at = |x: DMatrix<f64>, k: usize| green.log_value((x.column(0) - y.column(k)).norm());
        let column = x.columns(j, 1).into_owned();
        for k in 0..2 {
            assert!((values[(k, j)] - at(column.clone(), k)).abs() < 1e-14 * values[(k, j)].abs().max(1.0));
        }
        // R4: the gradient is the slope of the kernel.
        for i in 0..3 {
            let shifted = |h: f64| {
                let mut moved = column.clone();
                moved[(i, 0)] += h;
                at(moved, j)
            };
            let slope = (shifted(1e-5) - shifted(-1e-5)) / 2e-5;
            assert!((slope - gradients[(i, j)]).abs() < 1e-8 * slope.abs().max(1.0));
        }
    }
    assert!(matches!(green.log_values(&x, &DMatrix::zeros(2, 1)), Err(Error::Dimension { name: "y", .. })));
    assert!(matches!(
        green.gradients(&x, &DMatrix::zeros(3, 1)),
        Err(Error::Dimension { expected: 4, found: 1, .. })
    ));
}

#[test]
fn the_mass_of_the_kernel_is_the_mean_lifetime() {
    use std::f64::consts::PI;
    for d in [1, 2, 5, 8, 31] {
        let (sigma, rate) = (0.8, 0.3);
        let green = process(d, sigma, rate);
        let surface = 2.0 * PI.powf(d as f64 / 2.0) / statrs::function::gamma::gamma(d as f64 / 2.0);
        // Trapezoidal rule in log rho, where the integrand is smooth and falls off at both ends.
        let h = 0.01;
        let mass: f64 = (-2000..600)
            .map(|i| {
                let rho = f64::exp(f64::from(i) * h);
                h * surface * f64::exp(d as f64 * rho.ln() + green.green().log_value(rho))
            })
            .sum();
        assert!((mass * rate - 1.0).abs() < 1e-8, "d = {d}: {mass}");
    }
}

#[test]
fn radii_are_inverses() {
    for d in [1, 2, 3, 8, 784, 20_000] {
        let process = process(d, 1.4, 0.02);
        let green = process.green();
        for rho in [1e-6, 0.1, 2.0, 300.0] {
            assert!(
                (green.radius_of_gain(green.gain(rho)) / rho - 1.0).abs() < 1e-12,
                "d = {d}, rho = {rho}"
            );
            if d > 1 {
                let back = green.radius_of_score(green.score_norm(rho));
                // The norm tends to a/sigma and loses the distance as it does.
                let lost = f64::EPSILON * green.score_norm(rho) / (green.score_norm(rho) - green.decay());
                assert!((back / rho - 1.0).abs() < 1e-12 + 4.0 * lost, "d = {d}, rho = {rho}: {back}");
            }
        }
        assert_eq!(green.radius_of_score(0.5 * green.decay()), f64::INFINITY);
    }
}

#[test]
fn the_distance_law_integrates_the_kernel() {
    use std::f64::consts::PI;
    for d in [1, 2, 3, 10, 100] {
        let (process, h) = (process(d, 1.3, 0.4), 1e-4);
        let (green, half) = (process.green(), d as f64 / 2.0);
        let log_surface = std::f64::consts::LN_2 + half * PI.ln() - statrs::function::gamma::ln_gamma(half);
        for rho in [0.3, 1.0, 4.0] {
            let scaled = rho * half.sqrt();
            let slope = (green.distance_cdf(scaled + h) - green.distance_cdf(scaled - h)) / (2.0 * h);
            let density =
                0.4 * f64::exp(log_surface + (d as f64 - 1.0) * scaled.ln() + green.log_value(scaled));
            assert!(
                (slope - density).abs() < 1e-6 * density.max(0.1),
                "d = {d}, {scaled}: {slope} {density}"
            );
        }
    }
}

#[test]
fn places_and_times_of_death() {
    for d in [1, 3] {
        let process = process(d, 1.5, 0.3);
        let start = DMatrix::from_element(d, 40_000, 0.7);
        let (places, lifetimes) = process.deaths(&start, 3).unwrap();
        assert!(kolmogorov(&lifetimes, |t| -f64::exp_m1(-0.3 * t)) < KOLMOGOROV);
        let radii: Vec<f64> = places.column_iter().map(|x| x.add_scalar(-0.7).norm()).collect();
        let k = process.green().decay();
        let cdf = |rho: f64| {
            if d == 1 { -f64::exp_m1(-k * rho) } else { 1.0 - (1.0 + k * rho) * f64::exp(-k * rho) }
        };
        assert!(kolmogorov(&radii, cdf) < KOLMOGOROV);
        assert!(kolmogorov(&radii, |rho| cdf(1.05 * rho)) > KOLMOGOROV, "the test sees 5 % of scale");
        // The first particles do not know how many there are.
        let (few, _) = process.deaths(&DMatrix::from_element(d, 3, 0.7), 3).unwrap();
        assert_eq!(few, places.columns(0, 3).into_owned());
    }
}

#[test]
fn one_seed_gives_data_and_noise_that_are_independent() {
    let n = 100_000;
    let law = GaussianMixture::one_dimensional(&[0.3, 0.7], &[-5.0, 5.0], &[2.0, 2.0]).unwrap();
    let data = law.sample(n, 11);
    let (places, lifetimes) = process(1, 1.0, 0.5).deaths(&data, 11).unwrap();
    let moves = places - &data;
    let noise = diffuse(&Level { time: 1.0, alpha: 1.0, sigma: 1.0 }, &data, 11) - &data;
    let centred = |v: &DMatrix<f64>| v.add_scalar(-v.mean());
    for (what, other) in [
        ("move", moves.clone()),
        ("length of the move", moves.abs()),
        ("lifetime", DMatrix::from_vec(1, n, lifetimes)),
        ("noise", noise.clone()),
        ("size of the noise", noise.abs()),
    ] {
        let (a, b) = (centred(&data), centred(&other));
        let correlation = a.dot(&b) / (a.norm() * b.norm());
        assert!(correlation.abs() < 4.0 / (n as f64).sqrt(), "{what}: {correlation}");
    }
}

#[test]
fn paths_end_at_death_with_the_right_increments() {
    let process = process(2, 0.5, 1.0);
    let mut rng = stream(1, Purpose::Forward, 0);
    let (mut lifetimes, mut increments) = (Vec::new(), Vec::new());
    for _ in 0..20_000 {
        let path = process.path(&[1.0, -1.0], 0.1, &mut rng).unwrap();
        let last = path.times.len() - 1;
        assert_eq!(path.point(0), [1.0, -1.0]);
        assert!(path.times.windows(2).all(|w| w[0] < w[1] && w[1] - w[0] < 0.1 + 1e-12));
        lifetimes.push(path.times[last]);
        if last > 1 {
            increments.push((path.point(1)[0] - 1.0).powi(2));
        }
    }
    assert!(kolmogorov(&lifetimes, |t| -f64::exp_m1(-t)) < KOLMOGOROV);
    assert_mean(&increments, 0.025);
}

#[test]
fn impossible_parameters_are_named() {
    let message = |e: Error| e.to_string();
    assert_eq!(message(KilledBrownianMotion::new(0, 1.0, 1.0).unwrap_err()), "dim must be at least 1, got 0");
    for rate in [-1.0, f64::NAN, f64::INFINITY] {
        let error = message(KilledBrownianMotion::new(2, 1.0, rate).unwrap_err());
        assert_eq!(error, format!("rate must be positive and finite, got {rate}"));
    }
    assert!(matches!(KilledBrownianMotion::new(2, -1.0, 1.0), Err(Error::NotPositive { name: "sigma", .. })));
}
