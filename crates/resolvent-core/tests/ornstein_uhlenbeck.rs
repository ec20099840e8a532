//! The killed Ornstein-Uhlenbeck process: its Green kernel against a table of 50-digit quadratures, its law at death, its
//! lifetimes between two places, and its reversal.

mod common;

use common::{KOLMOGOROV, assert_law, assert_mean, kolmogorov};
use nalgebra::DMatrix;
use rand::RngExt;
use resolvent_core::killed::{KilledDriftedBrownianMotion, KilledOrnsteinUhlenbeck, LineResolvent};
use resolvent_core::killing::DistanceToData;
use resolvent_core::random::{Purpose, stream};
use resolvent_core::score::KernelScore;
use resolvent_core::step::EulerMaruyama;
use resolvent_core::{
    EmpiricalMeasure, EmpiricalScore, Error, KilledBrownianMotion, PosteriorScore, Resolvent, Sampler, Score,
    ScoreAdaptive,
};

/// Written by generate.py beside it.
const TABLE: &str = include_str!("ornstein_uhlenbeck/green.csv");

fn process(dim: usize, theta: f64, sigma: f64, rate: f64) -> KilledOrnsteinUhlenbeck {
    KilledOrnsteinUhlenbeck::new(dim, theta, sigma, rate).unwrap()
}

/// Coordinates that are repeated in turn up to the dimension.
fn repeated(list: &str, dim: usize) -> Vec<f64> {
    let period: Vec<f64> = list.split(' ').map(|v| v.parse().unwrap()).collect();
    period.into_iter().cycle().take(dim).collect()
}

fn norm(v: &[f64]) -> f64 {
    v.iter().map(|v| v * v).sum::<f64>().sqrt()
}

#[test]
fn the_green_kernel_is_that_of_the_table() {
    let (mut worst_value, mut worst_gradient, mut worst_estimate) = (0.0_f64, 0.0_f64, 0.0_f64);
    let mut rows = 0;
    for line in TABLE.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let number = |i: usize| fields[i].parse::<f64>().unwrap();
        let dim = fields[0].parse().unwrap();
        let process = process(dim, number(1), number(2), number(3));
        let (x, y) = (repeated(fields[4], dim), repeated(fields[5], dim));
        let (mut gradient, mut work) = (vec![0.0; dim], vec![0.0; dim]);
        let log_kernel = process.log_kernel_and_gradient(&x, &y, &mut gradient);
        let log_green = log_kernel + process.log_measure_and_gradient(&x, &mut work);
        let error = (log_green - number(6)).abs();
        assert!(error < 1e-10, "{line}: {log_green}, off by {error:e}");
        let (_, estimate) = process.green().log_value_and_error(&x, &y);
        // The table's value is that of G, so the density of m adds its rounding.
        let rounding = 16.0 * f64::EPSILON * (log_kernel.abs() + log_green.abs());
        assert!(error <= estimate + rounding, "{line}: error {error:e}, estimated {estimate:e}");
        let exact = repeated(fields[7], dim);
        let difference: Vec<f64> = gradient.iter().zip(&exact).map(|(a, b)| a - b).collect();
        let slip = norm(&difference) / norm(&exact).max(1.0);
        assert!(slip < 1e-10, "{line}: gradient off by {slip:e}");
        (worst_value, worst_gradient) = (worst_value.max(error), worst_gradient.max(slip));
        worst_estimate = worst_estimate.max(estimate);
        rows += 1;
    }
    println!(
        "{rows} rows: value {worst_value:e} (estimated {worst_estimate:e}), gradient {worst_gradient:e}"
    );
    assert!(rows > 150);
}

#[test]
fn batches_are_those_of_pairs_and_the_kernel_is_symmetric() {
    let process = process(3, 0.7, 1.3, 0.2);
    let green = process.green();
    let x = DMatrix::from_fn(3, 4, |i, j| i as f64 - 0.3 * j as f64);
    let y = DMatrix::from_fn(3, 4, |i, j| 0.2 * (i * j) as f64 + 1.0);
    let (there, back) = (green.log_values(&x, &y).unwrap(), green.log_values(&y, &x).unwrap());
    assert!((&there - back.transpose()).amax() < 1e-12);
    let gradients = green.gradients(&x, &y).unwrap();
    for j in 0..4 {
        let (a, b) = (x.column(j).into_owned(), y.column(j).into_owned());
        let mut gradient = [0.0; 3];
        let value = green.log_value_and_gradient(a.as_slice(), b.as_slice(), &mut gradient);
        assert_eq!(value, there[(j, j)]);
        assert_eq!(gradient, gradients.column(j).as_slice());
    }
    assert!(matches!(green.log_values(&x, &DMatrix::zeros(2, 1)), Err(Error::Dimension { name: "y", .. })));
    assert!(matches!(green.gradients(&x, &DMatrix::zeros(3, 1)), Err(Error::Dimension { found: 1, .. })));
}

#[test]
fn close_to_the_pole_it_is_the_kernel_of_brownian_motion() {
    for (dim, theta, sigma) in [(3, 0.5, 2.0), (10, 2.0, 0.3), (784, 1.0, 1.0), (100_000, 1.0, 1.0)] {
        let process = process(dim, theta, sigma, 0.1);
        let brownian = KilledBrownianMotion::new(dim, sigma, 0.1).unwrap();
        let x = vec![0.5 * sigma / (dim as f64).sqrt(); dim];
        for rho in [1e-9, 1e-6] {
            let mut y = x.clone();
            y[0] += rho;
            let rho = y[0] - x[0];
            let (mut gradient, mut work) = (vec![0.0; dim], vec![0.0; dim]);
            let log_kernel = process.log_kernel_and_gradient(&x, &y, &mut gradient);
            let value = log_kernel + process.log_measure_and_gradient(&x, &mut work);
            let exact = brownian.green().log_value(rho);
            // What Brownian motion lacks is the stationary law over the rate, at most 4 rho/sigma of the kernel.
            let tolerance = 6.0 * rho / sigma + 1e-13 * exact.abs();
            assert!((value - exact).abs() < tolerance, "d = {dim}, rho = {rho}: {value} {exact}");
            let pull = brownian.green().score_norm(rho);
            assert!((gradient[0] / pull - 1.0).abs() < 1e-4, "d = {dim}, rho = {rho}");
        }
    }
}

#[test]
fn extremes_stay_numbers() {
    for dim in [1, 2, 3, 784] {
        for (theta, sigma, rate) in
            [(1e-20, 1.0, 1e20), (1e20, 1.0, 1e-20), (1.0, 1e-25, 1.0), (1.0, 1e25, 1.0)]
        {
            let process = process(dim, theta, sigma, rate);
            let mut gradient = vec![0.0; dim];
            for (x, y) in [(0.0, 0.0), (1.0, 1.0), (1.0, -1.0), (1e-30, 0.0), (1e6, 1.0)] {
                let value = process.log_kernel_and_gradient(&vec![x; dim], &vec![y; dim], &mut gradient);
                assert!(
                    value.is_finite() && gradient.iter().all(|g| g.is_finite()),
                    "d = {dim}, {theta:e}, {sigma:e}, {rate:e}, {x} {y}: {value}"
                );
            }
        }
    }
}

#[test]
fn places_and_times_of_death() {
    let (process, start, n) = (process(1, 0.8, 1.2, 0.3), 1.7, 40_000);
    let (places, lifetimes) = process.deaths(&DMatrix::from_element(1, n, start), 3).unwrap();
    assert!(kolmogorov(&lifetimes, |t| -f64::exp_m1(-0.3 * t)) < KOLMOGOROV);
    let line = LineResolvent::uniform(&process, (-9.0, 9.0), 6_000).unwrap().point(start).unwrap();
    let places = places.as_slice();
    let ks = kolmogorov(places, |x| line.death_cdf(x));
    assert!(ks < KOLMOGOROV, "{ks}");
    assert!(
        kolmogorov(places, |x| line.death_cdf(1.1 * x)) > KOLMOGOROV,
        "the test sees ten percent of scale"
    );
    assert_mean(places, start * 0.3 / 1.1);
}

/// P(T <= t) for the density e^{-rt} N(x; y e^{-θt}, v(t)) of R6 by Simpson's rule in log t, at the ends of its cells.
fn lifetime_law(process: &KilledOrnsteinUhlenbeck, x: &[f64], y: &[f64]) -> impl Fn(f64) -> f64 {
    const CELLS: usize = 20_000;
    let (theta, rate) = (process.theta(), process.rate());
    let (low, width) = (f64::ln(1e-9), f64::ln(1e-9f64.recip() * 100.0 / rate) / CELLS as f64);
    let level = |s: f64| {
        let t = s.exp();
        let (q, v) = (f64::exp(-theta * t), -process.stationary_variance() * f64::exp_m1(-2.0 * theta * t));
        let square: f64 = x.iter().zip(y).map(|(x, y)| (x - q * y).powi(2)).sum();
        s - rate * t - 0.5 * x.len() as f64 * v.ln() - square / (2.0 * v)
    };
    let levels: Vec<f64> = (0..=2 * CELLS).map(|i| level(low + 0.5 * width * i as f64)).collect();
    let peak = levels.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut cdf = vec![0.0];
    for cell in 0..CELLS {
        let f = |i: usize| f64::exp(levels[2 * cell + i] - peak);
        cdf.push(cdf[cell] + (f(0) + 4.0 * f(1) + f(2)) * width / 6.0);
    }
    let total = cdf[CELLS];
    move |t: f64| {
        let place = ((t.ln() - low) / width).clamp(0.0, CELLS as f64 - 1e-9);
        let (i, share) = (place as usize, place.fract());
        (cdf[i] + share * (cdf[i + 1] - cdf[i])) / total
    }
}

#[test]
fn lifetimes_between_two_places() {
    let cases: [(usize, f64, f64, f64, f64, f64); 9] = [
        (1, 1.0, 1.4, 0.5, 0.3, 0.3),
        (1, 1.0, 1.4, 0.01, 2.0, -1.0),
        (1, 0.5, 1.0, 10.0, -3.0, 3.0),
        (2, 2.0, 0.7, 0.1, 0.1, 0.11),
        (3, 1.0, 1.0, 0.2, 1.0, 0.8),
        (3, 1.0, 1.0, 1e-3, -0.2, 0.9),
        (10, 1.0, 1.4, 0.05, 0.5, 0.1),
        (784, 1.0, 1.4, 0.1, 1.0, 0.6),
        (784, 1.0, 1.4, 0.1, 0.02, 1.1),
    ];
    for (dim, theta, sigma, rate, x, y) in cases {
        let process = process(dim, theta, sigma, rate);
        let (x, y) = (vec![x; dim], vec![y; dim]);
        let mut rng = stream(5, Purpose::Oracle, 0);
        let n = if dim < 100 { 20_000 } else { 4_000 };
        let times: Vec<f64> = (0..n).map(|_| process.lifetime_between(&x, &y, &mut rng)).collect();
        let cdf = lifetime_law(&process, &x, &y);
        let ks = kolmogorov(&times, &cdf);
        assert!(ks < KOLMOGOROV, "d = {dim}, theta = {theta}, r = {rate}: {ks}");
        assert!(
            kolmogorov(&times, |t| cdf(1.1 * t)) > KOLMOGOROV,
            "d = {dim}: the test sees ten percent of scale"
        );
    }
}

#[test]
fn the_score_is_the_gradient_and_for_brownian_motion_the_empirical_one() {
    let points = DMatrix::from_column_slice(2, 3, &[0.0, 1.0, -2.0, 0.5, 1.0, 1.5]);
    let measure = EmpiricalMeasure::weighted(points, &[1.0, 3.0, 0.5]).unwrap();
    let process = process(2, 0.9, 1.2, 0.3);
    let score = KernelScore::new(&process, measure.clone()).unwrap();
    let x = [0.4, -0.7];
    let exact = score.score(&DMatrix::from_column_slice(2, 1, &x)).unwrap();
    for i in 0..2 {
        let shifted = |h: f64| {
            let mut moved = x;
            moved[i] += h;
            score.log_density(&moved)
        };
        let slope = (shifted(1e-4) - shifted(-1e-4)) / 2e-4;
        assert!((slope - exact[i]).abs() < 1e-7, "{slope} {}", exact[i]);
    }
    // ∫ r u = 1: a rectangle, exact to rounding but for the poles, which cost about h² log h.
    let h = 0.05;
    let cells = (-140..140)
        .flat_map(|i| (-140..140).map(move |j| [h * (f64::from(i) + 0.5), h * (f64::from(j) + 0.5)]));
    let total: f64 = cells.map(|x| 0.3 * h * h * score.log_density(&x).exp()).sum();
    assert!((total - 1.0).abs() < 2e-3, "{total}");

    let brownian = KilledBrownianMotion::new(2, 1.2, 0.3).unwrap();
    let general = KernelScore::new(&brownian, measure.clone()).unwrap();
    let empirical = EmpiricalScore::new(&brownian, measure).unwrap();
    let (mut gains, mut displacements) = ([[0.0; 1]; 2], [[0.0; 2]; 2]);
    general.evaluate(&x, &mut gains[0], &mut displacements[0]);
    empirical.evaluate(&x, &mut gains[1], &mut displacements[1]);
    assert!((gains[0][0] / gains[1][0] - 1.0).abs() < 1e-13);
    assert!((0..2).all(|i| (displacements[0][i] - displacements[1][i]).abs() < 1e-13));
    assert!((general.log_density(&x) - empirical.log_density(&x)).abs() < 1e-13);
    assert!(general.posterior(&x).iter().zip(empirical.posterior(&x)).all(|(a, b)| (a - b).abs() < 1e-13));

    // Draws have the posterior, and are the same in any batch.
    let (n, mut rng) = (20_000, stream(2, Purpose::Experiment, 0));
    let uniforms: Vec<f64> = (0..n).map(|_| rng.random()).collect();
    let batch: Vec<f64> = x.into_iter().cycle().take(2 * n).collect();
    let (mut gains, mut displacements, mut atoms) = (vec![0.0; n], vec![0.0; 2 * n], vec![0; n]);
    score.evaluate_and_draw(&batch, &uniforms, &mut gains, &mut displacements, &mut atoms);
    let mut counts = [0; 3];
    atoms.iter().for_each(|&i| counts[i] += 1);
    assert_law(&counts, &score.posterior(&x));
    let mut alone = [0.0; 2];
    score.evaluate(&x, &mut [0.0], &mut alone);
    assert_eq!(alone, displacements[2 * n - 2..]);
}

/// How many of `n` particles from `start` end nearest to each of three unequal atoms, and what R10 says.
fn reversal<P>(process: &P, start: &[f64], n: usize) -> (Vec<usize>, Vec<f64>)
where
    P: Resolvent + resolvent_core::killed::LocallyBrownian,
{
    let d = process.dim();
    let mut rng = stream(2, Purpose::Experiment, d as u64);
    let points = DMatrix::from_fn(d, 3, |_, _| 2.0 * rng.random::<f64>() - 1.0);
    let measure = EmpiricalMeasure::weighted(points, &[1.0, 2.0, 0.5]).unwrap();
    let score = KernelScore::new(process, measure.clone()).unwrap();
    let step = EulerMaruyama::new(&score);
    let control = ScoreAdaptive::new(0.04, 0.0).unwrap();
    let delta = 0.02 * measure.smallest_gap();
    let rule = DistanceToData::new(process, measure.clone(), delta).unwrap();
    let starts = DMatrix::from_fn(d, n, |i, _| start[i]);
    let ensemble = Sampler::new(process, &step, &control).killing("distance", &rule).run(&starts, 4).unwrap();
    assert_eq!(ensemble.exit_counts()[0].1, n);
    let mut counts = vec![0; measure.len()];
    for x in ensemble.points.column_iter() {
        let distance = |i: &usize| (measure.points().column(*i) - x).norm();
        let nearest = (0..counts.len()).min_by(|a, b| distance(a).total_cmp(&distance(b))).unwrap();
        assert!(distance(&nearest) < 3.0 * delta);
        counts[nearest] += 1;
    }
    (counts, score.posterior(start))
}

#[test]
fn the_reversal_ends_at_the_data_with_the_right_weights() {
    // In dimension 5, since a particle within delta of a datum dies there but for a share of the order of delta^(d - 2).
    let start = [0.4, -0.3, 0.5, 0.0, 0.2];
    let (counts, weights) = reversal(&process(5, 1.0, 1.0, 0.5), &start, 2_000);
    assert_law(&counts, &weights);
    let drifted = KilledDriftedBrownianMotion::new(vec![1.5, 0.0, -0.5, 0.0, 0.0], 1.0, 0.5).unwrap();
    let (counts, weights) = reversal(&drifted, &start, 2_000);
    assert_law(&counts, &weights);
    // Another process has another law, and so many particles tell.
    let brownian = KilledBrownianMotion::new(5, 1.0, 0.5).unwrap();
    let (_, others) = reversal(&brownian, &start, 1);
    let (statistic, _) = common::chi_square(&counts, &others);
    assert!(statistic > 50.0, "{statistic}");
}

#[test]
fn impossible_parameters_are_named() {
    let refused = |theta, sigma, rate| KilledOrnsteinUhlenbeck::new(2, theta, sigma, rate).unwrap_err();
    assert!(matches!(refused(0.0, 1.0, 1.0), Error::NotPositive { name: "theta", .. }));
    assert!(matches!(refused(1e31, 1.0, 1.0), Error::OutOfRange { name: "theta", .. }));
    assert!(matches!(refused(1.0, f64::NAN, 1.0), Error::NotPositive { name: "sigma", .. }));
    assert!(matches!(refused(1.0, 1.0, -2.0), Error::NotPositive { name: "rate", .. }));
    assert!(matches!(
        KilledOrnsteinUhlenbeck::new(0, 1.0, 1.0, 1.0),
        Err(Error::TooSmall { name: "dim", .. })
    ));
    let measure = EmpiricalMeasure::new(DMatrix::zeros(3, 1)).unwrap();
    assert!(matches!(KernelScore::new(&process(2, 1.0, 1.0, 1.0), measure), Err(Error::Dimension { .. })));
}
