//! L. Trottner, slides, ICSDS 2025: killed diffusions, Green kernels, projection.

use std::f64::consts::{LN_2, PI, TAU};

use nalgebra::DMatrix;
use resolvent::core::diffusion::{Diffusion, Dispersion, Field};
use resolvent::core::killing::L2Score;
use resolvent::core::random::{Purpose, stream};
use resolvent::core::{EmpiricalMeasure, EmpiricalScore, KilledBrownianMotion, Oracle};
use resolvent::special::log_k;

use crate::numerics::{
    assert_apart, assert_close, assert_mean, derivative, gauss, integral, integral_over_time, linear, normal,
    reverse_sde, rng,
};

fn brownian(dim: usize, rate: f64) -> KilledBrownianMotion {
    KilledBrownianMotion::new(dim, 1.0, rate).unwrap()
}

/// G_r(ρ) of standard Brownian motion by quadrature over time.
fn green_by_quadrature(dim: usize, rate: f64, rho: f64) -> f64 {
    integral_over_time(|t| f64::exp(-rate * t - 0.5 * rho * rho / t) * (TAU * t).powf(-0.5 * dim as f64))
}

fn score_of(process: &KilledBrownianMotion, points: &[f64], weights: &[f64]) -> EmpiricalScore {
    let points = DMatrix::from_column_slice(process.dim(), weights.len(), points);
    EmpiricalScore::new(process, EmpiricalMeasure::weighted(points, weights).unwrap()).unwrap()
}

fn distance(x: &[f64], y: &[f64]) -> f64 {
    x.iter().zip(y).map(|(x, y)| (x - y).powi(2)).sum::<f64>().sqrt()
}

#[test]
fn the_reverse_drift_multiplies_the_score_by_sigma() {
    // σ depends on x, p is a correlated Gaussian; the first line of the slide, by differences, is taken at
    // its word.
    let covariance = |x: &[f64]| (1.5 + 0.3 * x[0].sin()).powi(2);
    let density = |x: &[f64]| f64::exp(-0.5 * (x[0] * x[0] + x[1] * x[1] + 0.8 * x[0] * x[1]));
    let diffusion = Field::new(
        |_t, x: &[f64], out: &mut [f64]| out.copy_from_slice(&[0.4 * x[1], -x[0]]),
        |_t, x: &[f64], out: &mut Dispersion| *out = Dispersion::Scalar(1.5 + 0.3 * x[0].sin()),
    );
    let x = [0.7, -0.4];
    let score = [-x[0] - 0.4 * x[1], -x[1] - 0.4 * x[0]];
    let found = reverse_sde(&diffusion, 0.0, &x, &score);
    let (mut drift, mut divergence) = ([0.0; 2], [0.0; 2]);
    diffusion.drift(0.0, &x, &mut drift);
    diffusion.divergence(0.0, &x, &mut divergence);
    for i in 0..2 {
        let at = |v: f64| if i == 0 { [v, x[1]] } else { [x[0], v] };
        let flux = derivative(|v| density(&at(v)) * covariance(&at(v)), x[i]) / density(&x);
        assert_close(found[i], -drift[i] + flux, 1e-9);
        let printed = -drift[i] + divergence[i] + score[i];
        assert_apart(printed, found[i], 0.1);
    }
}

#[test]
fn the_green_kernel_integrates_over_time() {
    for (dim, rate, rho) in [(1, 0.7, 0.8), (2, 0.7, 0.3), (3, 2.0, 1.1), (6, 0.2, 0.8)] {
        let value = brownian(dim, rate).green().log_value(rho).exp();
        assert_close(value / green_by_quadrature(dim, rate, rho), 1.0, 1e-10);
    }
    // Over the space variable the integrand leaves e^{-rt}: a function of time, and of no second point.
    let printed = |t: f64| integral(-12.0, 12.0, |y| f64::exp(-0.7 * t) * normal(y, 0.3, t));
    assert_close(printed(1.0), f64::exp(-0.7), 1e-10);
    assert_apart(printed(2.0), printed(1.0), 0.2);
}

#[test]
fn the_argument_of_the_bessel_function_grows_with_the_distance() {
    for (dim, rate, rho) in [(2, 0.7, 0.3), (3, 2.0, 0.4), (7, 0.5, 1.8)] {
        let (a, nu) = (f64::sqrt(2.0 * rate), 0.5 * dim as f64 - 1.0);
        let form = |z: f64| 2.0 * TAU.powf(-0.5 * dim as f64) * (a / rho).powf(nu) * log_k(nu, z).exp();
        let exact = green_by_quadrature(dim, rate, rho);
        assert_close(form(a * rho) / exact, 1.0, 1e-10);
        assert_close(brownian(dim, rate).green().log_value(rho).exp() / exact, 1.0, 1e-10);
        assert_apart(form(a / rho) / exact, 1.0, 0.5);
    }
}

#[test]
fn the_green_kernel_has_mass_one_over_the_rate() {
    // With the printed factor r the mass is 1: that is the density r G of the place of death.
    for (rate, dim, sphere) in [(0.3, 2, TAU), (0.3, 3, 2.0 * TAU), (2.5, 5, 8.0 * PI * PI / 3.0)] {
        let process = brownian(dim, rate);
        let shell = |rho: f64| sphere * rho.powi(dim as i32 - 1) * process.green().log_value(rho).exp();
        let mass = integral_over_time(shell);
        assert_close(mass * rate, 1.0, 1e-9);
        assert_apart(mass, 1.0, 0.5);
    }
}

#[test]
fn the_score_in_high_dimension_points_at_the_data() {
    // a|x - y| is about 0.02, so that the kernel is ρ^{2-d} to one part in 10⁶.
    let d = 12;
    let process = brownian(d, 1e-4);
    let mut points = vec![0.0; 3 * d];
    (points[0], points[d + 1], points[2 * d + 2]) = (1.0, 1.1, -0.9);
    let weights = [0.2, 0.5, 0.3];
    let score = score_of(&process, &points, &weights);
    let mut x = vec![0.05; d];
    x[0] = 0.2;
    let found = score.score(&DMatrix::from_column_slice(d, 1, &x)).unwrap();
    let atoms = || points.chunks(d).zip(weights);
    let below: f64 = atoms().map(|(y, w)| w * distance(&x, y).powi(2 - d as i32)).sum();
    for i in 0..3 {
        let above: f64 = atoms().map(|(y, w)| w * (y[i] - x[i]) * distance(&x, y).powi(-(d as i32))).sum();
        assert_close(found[i], (d as f64 - 2.0) * above / below, 1e-5);
        // Printed: the factor d, and x - y.
        assert_apart(-(d as f64) * above / below / found[i], 1.0, 2.0);
    }
}

#[test]
fn the_drift_towards_the_projection_has_the_factor_d_minus_two() {
    let d = 60;
    let process = brownian(d, 1e-4);
    let mut points = vec![0.0; 2 * d];
    (points[0], points[1], points[d + 2]) = (0.6, 0.8, 2.0);
    let found = score_of(&process, &points, &[0.5, 0.5]).score(&DMatrix::zeros(d, 1)).unwrap();
    let norm = found.norm();
    assert_close(norm / (d as f64 - 2.0), 1.0, 1e-5);
    // The relative error of the factor d is 2/(d - 2), which does not matter to the limit but does to a
    // number.
    assert_apart(norm / d as f64, 1.0, 0.03);
}

#[test]
fn the_sign_of_a_vector_is_its_direction() {
    let d = 60;
    let process = brownian(d, 1e-4);
    let mut target = vec![0.0; d];
    (target[0], target[1]) = (0.6, 0.8);
    let found = score_of(&process, &target, &[1.0]).score(&DMatrix::zeros(d, 1)).unwrap() / (d as f64 - 2.0);
    for i in 0..d {
        assert_close(found[i], target[i], 1e-5);
    }
    // By components the sign would be (1, 1, 0, ..), of length √2 and pointing elsewhere.
    assert_apart(target[0].signum(), found[0], 0.3);
}

#[test]
fn the_ball_of_the_projection_bound_is_around_the_observation() {
    let (d, delta, rate) = (10, 0.5, 0.05);
    // Mass 0.6 on the sphere of radius 1 around the observation 0, the rest just outside the larger ball,
    // which is as bad as it gets.
    let mut points = vec![0.0; 2 * d];
    (points[0], points[d + 1]) = (1.0, 1.0 + delta + 1e-9);
    let measure = EmpiricalMeasure::weighted(DMatrix::from_column_slice(d, 2, &points), &[0.6, 0.4]).unwrap();
    let oracle = Oracle::new(brownian(d, rate), measure).unwrap();
    let bound = 1.0 - (1.0 + delta).powi(2 - d as i32) / 0.6;
    assert!(bound > 0.9 && oracle.end_law(&vec![0.0; d])[0] >= bound);
    // Around any other point y the mass says nothing: from x = 5 e_2 the ball B(y, 1) about y = e_1 has mass
    // 0.6, and nothing at all ends within 1 + δ of x.
    let mut x = vec![0.0; d];
    x[1] = 5.0;
    let near = |y: &[f64]| distance(&x, y) <= 1.0 + delta;
    let ends: f64 = points.chunks(d).zip(oracle.end_law(&x)).filter(|(y, _)| near(y)).map(|(_, p)| p).sum();
    assert!(ends == 0.0);
}

#[test]
fn the_l2_norm_that_explodes_is_that_of_the_score() {
    // Exact paths that die at one atom, looked at ever closer to the lifetime: PIECES halvings of the time
    // left.
    const PIECES: usize = 30;
    const LOOKS: usize = 16;
    let d = 8;
    let process = brownian(d, 1.0);
    let oracle = Oracle::new(process.clone(), EmpiricalMeasure::new(DMatrix::zeros(d, 1)).unwrap()).unwrap();
    let mut start = vec![0.0; d];
    start[0] = 1.0;
    let threshold = L2Score::at_distance(&process, d, 1.0, 1e-2).unwrap().norm();
    let (mut late, mut reached) = (Vec::new(), 0);
    let n = 300;
    for i in 0..n {
        let mut rng = stream(3, Purpose::Experiment, i);
        let (atom, lifetime) = oracle.death(&start, &mut rng);
        let left = |k: usize| lifetime * f64::exp2(-(k as f64) / LOOKS as f64);
        let times: Vec<f64> = (0..PIECES * LOOKS).map(|k| lifetime - left(k)).collect();
        let path = oracle.path(&start, atom, lifetime, &times, &mut rng).unwrap();
        // The integral over each halving, in the logarithm of the time left.
        let piece = |j: usize, f: &dyn Fn(f64) -> f64| -> f64 {
            let looks = j * LOOKS..(j + 1) * LOOKS;
            looks.map(|k| f(distance(path.point(k), &[0.0; 8])) * left(k)).sum::<f64>() * LN_2 / LOOKS as f64
        };
        let of_score: Vec<f64> =
            (0..PIECES).map(|j| piece(j, &|rho| process.green().score_norm(rho).powi(2))).collect();
        let of_place: f64 = (0..PIECES).map(|j| piece(j, &|rho| rho * rho)).sum();
        late.push(of_score[PIECES / 2..].iter().sum::<f64>() / (PIECES / 2) as f64);
        reached += usize::from(of_score.iter().sum::<f64>() >= threshold * threshold);
        // The norm of the path itself stays far below the threshold up to the end.
        assert!(of_place < 0.2 * threshold * threshold, "{of_place}");
    }
    // Every halving adds (d-2) log 2 to the squared norm of the score, without end.
    assert_mean(&late, (d as f64 - 2.0) * LN_2, 0.0);
    assert!(reached as u64 > n * 9 / 10, "{reached}");
}

#[test]
fn the_process_reversed_is_the_transformed_one() {
    // Every path of the transform by h = G(., z) dies at z, so its reversal from z ends with the law of the
    // data; that of the plain process, found at z, ends with α_i G(z, y_i).
    let (z, weights) = ([0.9], [0.3, 0.7]);
    let process = brownian(1, 2.0);
    let points = [-0.7, 0.7];
    let h = |y: f64| process.green().log_value(distance(&z, &[y])).exp();
    let transformed = score_of(&process, &points, &[weights[0] / h(points[0]), weights[1] / h(points[1])]);
    assert_close(transformed.posterior(&z)[0], weights[0], 1e-12);
    let plain = score_of(&process, &points, &weights);
    assert_apart(plain.posterior(&z)[0], weights[0], 0.2);
    // The latter by simulation: where those were born that died near z.
    let born = |i: usize| usize::from(i % 10 >= 3);
    let starts = DMatrix::from_fn(1, 100_000, |_, i| points[born(i)]);
    let (places, _) = process.deaths(&starts, 4).unwrap();
    let near = places.iter().enumerate().filter(|(_, x)| (*x - z[0]).abs() < 0.1);
    let gaps: Vec<f64> = near.map(|(i, x)| born(i) as f64 - plain.posterior(&[*x])[1]).collect();
    assert_mean(&gaps, 0.0, 0.0);
}

#[test]
fn the_drift_of_the_transform_is_taken_at_its_own_place() {
    // Atoms at ±R on the line: h is cosh(ax) between them, and Z_t from 0 is the mixture of N(±at, t).
    let (rate, horizon, steps, n) = (2.0, 3.0, 300, 10_000);
    let a = f64::sqrt(2.0 * rate);
    let score = score_of(&brownian(1, rate), &[-30.0, 30.0], &[0.5, 0.5]);
    let dt = horizon / f64::from(steps);
    let mut rng = rng(5);
    let [mut own, mut other, mut free] = [0; 3].map(|_| DMatrix::zeros(1, n));
    for _ in 0..steps {
        let (at_own, at_free) = (score.score(&own).unwrap(), score.score(&free).unwrap());
        let noise = DMatrix::from_fn(1, n, |_, _| dt.sqrt() * gauss(&mut rng));
        own += at_own * dt + &noise;
        other += at_free * dt + &noise;
        free += noise;
    }
    let squares = |z: &DMatrix<f64>| z.iter().map(|z| z * z).collect::<Vec<f64>>();
    let exact = horizon + (a * horizon).powi(2);
    // The Euler scheme adds E b² dt to each unit of time and sums 2 E[Z b] from the left: a²t dt each, of
    // opposite sign.
    assert_mean(&squares(&own), exact, a * a * horizon * dt);
    assert_apart(squares(&other).iter().sum::<f64>() / n as f64, exact, 4.0);
}

#[test]
fn the_clock_is_the_rate_times_the_symmetrising_measure() {
    // Ornstein-Uhlenbeck, dX = -X dt + √2 dW, stationary law m = N(0, 1).
    let rate = 3.0;
    let stationary = |x: f64| normal(x, 0.0, 1.0);
    let lebesgue = |x: f64, y: f64| {
        integral_over_time(|t| f64::exp(-rate * t) * normal(y, x * f64::exp(-t), -f64::exp_m1(-2.0 * t)))
    };
    let symmetric = |x: f64, y: f64| lebesgue(x, y) / stationary(y);
    assert_close(symmetric(0.3, -0.8) / symmetric(-0.8, 0.3), 1.0, 1e-9);
    assert_apart(lebesgue(0.3, -0.8) / lebesgue(-0.8, 0.3), 1.0, 0.2);
    // κ = r m gives h = 1; κ = r dy gives r √(2π) e^{x²/2} / (r - 1).
    for x in [0.0, 1.0] {
        let over = |density: &dyn Fn(f64) -> f64| {
            let part = |a, b| integral(a, b, |y| symmetric(x, y) * rate * density(y));
            part(-7.0, x) + part(x, 7.0)
        };
        assert_close(over(&stationary), 1.0, 1e-5);
        let closed = rate / (rate - 1.0) * TAU.sqrt() * f64::exp(0.5 * x * x);
        assert_apart(over(&|_| 1.0), 1.0, 1.0);
        assert_close(over(&|_| 1.0), closed, 0.2);
    }
    // The backward drift b + Σ ∇ log h~ agrees with the reversal from the occupation density for the
    // symmetric kernel only.
    let (data, x) = ([-1.0, 2.0], 0.4);
    let u = |x: f64| data.iter().map(|&y| 0.5 * lebesgue(y, x)).sum::<f64>();
    let score = derivative(|x| u(x).ln(), x);
    let exact = reverse_sde(&linear(|_| -1.0, |_| f64::sqrt(2.0)), 0.0, &[x], &[score])[0];
    let transform = |kernel: &dyn Fn(f64, f64) -> f64| {
        -x + 2.0 * derivative(|x| data.iter().map(|&y| kernel(x, y)).sum::<f64>().ln(), x)
    };
    assert_close(transform(&symmetric), exact, 1e-7);
    assert_apart(transform(&lebesgue), exact, 0.2);
}

#[test]
fn deaths_have_the_covariance_one_over_the_rate() {
    let (rate, n) = (0.3, 40_000);
    let (places, _) = brownian(2, rate).deaths(&DMatrix::zeros(2, n), 1).unwrap();
    let squares: Vec<f64> = places.row(0).iter().map(|x| x * x).collect();
    let found = assert_mean(&squares, 1.0 / rate, 0.0);
    // (2r)^{-1/2} is the scale of the Laplace law of one coordinate, its mean distance from 0, and no
    // covariance.
    let lengths: Vec<f64> = places.row(0).iter().map(|x| x.abs()).collect();
    let scale = 1.0 / f64::sqrt(2.0 * rate);
    assert_mean(&lengths, scale, 0.0);
    assert_apart(scale, found, 1.0);
    // Nor are the coordinates independent: they share the lifetime, and E x²y² = 2/r².
    let products: Vec<f64> = places.column_iter().map(|x| (x[0] * x[1]).powi(2)).collect();
    assert_mean(&products, 2.0 / (rate * rate), 0.0);
}

#[test]
fn it_is_the_reversed_process_that_ends_in_the_data() {
    // Killed forward from two atoms: given the place of death, the place of birth has the law G(x, y) α(dy) /
    // h~(x).
    let process = brownian(2, 1.0);
    let (points, n) = ([-0.5, 0.0, 0.5, 0.0], 20_000);
    let score = score_of(&process, &points, &[0.3, 0.7]);
    let born = |i: usize| usize::from(i % 10 >= 3);
    let starts = DMatrix::from_fn(2, n, |row, i| points[2 * born(i) + row]);
    let (places, _) = process.deaths(&starts, 2).unwrap();
    let (mut gaps, mut prior_gaps) = (Vec::new(), Vec::new());
    for (i, x) in places.column_iter().enumerate().filter(|(_, x)| x[0] > 0.3) {
        gaps.push(born(i) as f64 - score.posterior(x.as_slice())[1]);
        prior_gaps.push(born(i) as f64 - 0.7);
        // The forward process never dies in the data, as the line without its arrow would have it.
        assert!(points.chunks(2).all(|y| distance(x.as_slice(), y) > 0.0));
    }
    assert_mean(&gaps, 0.0, 0.0);
    // The test sees the difference between the posterior and the weights of the data.
    assert_apart(prior_gaps.iter().sum::<f64>() / prior_gaps.len() as f64, 0.0, 0.1);
}
