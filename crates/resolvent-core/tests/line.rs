//! The resolvent on a line against the kernels in closed form and quadratures.

mod common;

use common::{KOLMOGOROV, kolmogorov};
use nalgebra::DMatrix;
use rand::RngExt;
use rand_distr::{Exp1, StandardNormal};
use resolvent_core::diffusion::{Diffusion, Dispersion};
use resolvent_core::killed::{KilledDriftedBrownianMotion, KilledOrnsteinUhlenbeck, LineResolvent};
use resolvent_core::random::{Purpose, stream};
use resolvent_core::{EmpiricalMeasure, Error, KilledBrownianMotion, KilledDiffusion, Resolvent};

const INTERVAL: (f64, f64) = (-12.0, 12.0);

/// log G_r(start -> x) and its derivative in x.
fn exact(process: &dyn Resolvent, start: f64, x: f64) -> (f64, f64) {
    let (mut kernel, mut measure) = ([0.0], [0.0]);
    let value = process.log_kernel_and_gradient(&[x], &[start], &mut kernel)
        + process.log_measure_and_gradient(&[x], &mut measure);
    (value, kernel[0] + measure[0])
}

/// The largest errors of log u at the places `at` and of its derivative half way between them, away from start and ends.
fn errors(process: &dyn Resolvent, nodes: Vec<f64>, start: f64, at: &[f64]) -> (f64, f64) {
    let occupation = LineResolvent::new(process, nodes).unwrap().point(start).unwrap();
    assert!((occupation.mass() - 1.0).abs() < 1e-12, "{}", occupation.mass());
    let mut worst = (0.0_f64, 0.0_f64);
    for pair in at.windows(2).filter(|pair| pair[0].abs() < 3.0 && (pair[0] - start).abs() > 0.3) {
        let middle = 0.5 * (pair[0] + pair[1]);
        worst.0 = worst.0.max((occupation.log_value(pair[0]) - exact(process, start, pair[0]).0).abs());
        worst.1 = worst.1.max((occupation.derivative(middle) - exact(process, start, middle).1).abs());
    }
    worst
}

/// Nodes of `cells` equal gaps.
fn uniform(cells: usize) -> Vec<f64> {
    let node = |i: usize| INTERVAL.0 + (INTERVAL.1 - INTERVAL.0) * i as f64 / cells as f64;
    (0..=cells).map(node).collect()
}

/// Nodes three times as dense in the middle.
fn graded(cells: usize) -> Vec<f64> {
    uniform(cells).into_iter().map(|x| x * (1.0 + 2.0 * (x / INTERVAL.1).powi(2)) / 3.0).collect()
}

#[test]
fn kernels_in_closed_form_are_met_with_the_second_order() {
    let brownian = KilledBrownianMotion::new(1, 1.3, 0.8).unwrap();
    let drifted = KilledDriftedBrownianMotion::new(vec![0.6], 1.0, 0.9).unwrap();
    let reverting = KilledOrnsteinUhlenbeck::new(1, 1.0, 1.4, 0.3).unwrap();
    for (name, process) in
        [("brownian", &brownian as &dyn Resolvent), ("drift", &drifted), ("ornstein-uhlenbeck", &reverting)]
    {
        for (grid, nodes) in [("uniform", uniform as fn(usize) -> Vec<f64>), ("graded", graded)] {
            // A start on a node of every grid, and the places where the coarsest has nodes.
            let (at, start) = (nodes(500), nodes(500)[270]);
            let fine = errors(process, nodes(7_500), start, &at);
            println!("{name}, {grid}: {:e}, {:e}", fine.0, fine.1);
            assert!(fine.0 < 2e-5 && fine.1 < 2e-5, "{name}, {grid}: {fine:?}");
            // Half way between two nodes is half way for three times as many. The first order would give 3.
            let (coarse, fine) =
                (errors(process, at.clone(), start, &at), errors(process, nodes(1_500), start, &at));
            for ratio in [coarse.0 / fine.0, coarse.1 / fine.1] {
                assert!((8.0..10.0).contains(&ratio), "{name}, {grid}: {ratio}");
            }
            // A start between two nodes costs no order.
            let between = start + 0.3 * (at[271] - start);
            let (coarse, fine) =
                (errors(process, at.clone(), between, &at), errors(process, nodes(7_500), between, &at));
            assert!(coarse.0 / fine.0 > 100.0, "{name}, {grid}: {}", coarse.0 / fine.0);
        }
    }
}

#[test]
fn tails_far_below_the_smallest_number_are_right() {
    let process = KilledBrownianMotion::new(1, 1.0, 50.0).unwrap();
    let occupation = LineResolvent::uniform(&process, (-10.0, 200.0), 420_000).unwrap().point(0.0).unwrap();
    // u = e^{-10 |x|}/10.
    let value = occupation.log_value(150.0);
    assert!((value + 1500.0 + 10f64.ln()).abs() < 1e-4 * 1500.0, "{value}");
    assert!((occupation.derivative(150.0) + 10.0).abs() < 1e-4);
}

/// b(x) = -x + sin 2x, σ(x)² = 1 + x²/4, r(x) = 0.2 + x²: nothing is constant, nothing known.
struct Uneven;

impl Diffusion for Uneven {
    fn drift(&self, _t: f64, x: &[f64], out: &mut [f64]) {
        out[0] = -x[0] + (2.0 * x[0]).sin();
    }

    fn dispersion(&self, _t: f64, x: &[f64], out: &mut Dispersion) {
        *out = Dispersion::Scalar((1.0 + 0.25 * x[0] * x[0]).sqrt());
    }

    fn divergence(&self, _t: f64, x: &[f64], out: &mut [f64]) {
        out[0] = 0.5 * x[0];
    }
}

impl KilledDiffusion for Uneven {
    fn dim(&self) -> usize {
        1
    }

    fn rate(&self, x: &[f64]) -> f64 {
        0.2 + x[0] * x[0]
    }
}

#[test]
fn state_dependent_coefficients_agree_with_simulation() {
    // Euler-Maruyama with the integrated hazard, steps of 2e-3: a bias of that order, far below the Monte-Carlo error.
    let (n, dt, start) = (20_000, 2e-3, 0.8);
    let mut deaths = Vec::with_capacity(n);
    let mut lifetimes = Vec::with_capacity(n);
    for i in 0..n {
        let mut rng = stream(6, Purpose::Forward, i as u64);
        let mut budget: f64 = rng.sample(Exp1);
        let (mut x, mut t) = (start, 0.0);
        loop {
            let hazard = Uneven.rate(&[x]);
            let step = f64::min(dt, budget / hazard);
            let (mut drift, mut sigma) = ([0.0], Dispersion::default());
            Uneven.drift(0.0, &[x], &mut drift);
            Uneven.dispersion(0.0, &[x], &mut sigma);
            let mut noise = [rng.sample::<f64, _>(StandardNormal)];
            sigma.apply(&mut noise, &mut [0.0]);
            x += drift[0] * step + step.sqrt() * noise[0];
            t += step;
            budget -= hazard * step;
            if step < dt {
                break;
            }
        }
        deaths.push(x);
        lifetimes.push(t);
    }
    let resolvent = LineResolvent::uniform(&Uneven, (-15.0, 15.0), 6_000).unwrap();
    let occupation = resolvent.point(start).unwrap();
    let ks = kolmogorov(&deaths, |x| occupation.death_cdf(x));
    assert!(ks < KOLMOGOROV, "{ks}");
    assert!(kolmogorov(&deaths, |x| occupation.death_cdf(1.1 * x)) > KOLMOGOROV);
    common::assert_mean(&lifetimes, occupation.mean_lifetime());
    // The backward equation says the same of the start: E ζ, and E[X_ζ²] as the potential of r x².
    let lifetime = resolvent.potential(|_| 1.0).unwrap().log_value(start).exp();
    assert!((lifetime - occupation.mean_lifetime()).abs() < 1e-6, "{lifetime}");
    let square = resolvent.potential(|x| Uneven.rate(&[x]) * x * x).unwrap().log_value(start).exp();
    common::assert_mean(&deaths.iter().map(|x| x * x).collect::<Vec<_>>(), square);
}

#[test]
fn a_density_is_a_mixture_of_points() {
    let process = KilledOrnsteinUhlenbeck::new(1, 0.7, 1.1, 0.4).unwrap();
    let resolvent = LineResolvent::uniform(&process, INTERVAL, 1_200).unwrap();
    // The stationary law is where it starts, lives and dies: u = m/r.
    let variance = process.stationary_variance();
    let density = |x: f64| f64::exp(-0.5 * x * x / variance) / (std::f64::consts::TAU * variance).sqrt();
    let occupation = resolvent.density(density).unwrap();
    for x in [-2.0, 0.1, 1.5] {
        assert!((occupation.log_value(x).exp() * 0.4 / density(x) - 1.0).abs() < 1e-3);
    }
    assert!((occupation.mass() - 1.0).abs() < 1e-10);
    let points = DMatrix::from_row_slice(1, 2, &[-1.0, 2.013]);
    let measure = EmpiricalMeasure::weighted(points, &[0.25, 0.75]).unwrap();
    let mixture = resolvent.measure(&measure).unwrap();
    let (a, b) = (resolvent.point(-1.0).unwrap(), resolvent.point(2.013).unwrap());
    for x in [-3.0, 0.0, 4.0] {
        let sum = 0.25 * a.log_value(x).exp() + 0.75 * b.log_value(x).exp();
        assert!((mixture.log_value(x).exp() / sum - 1.0).abs() < 1e-4);
    }
}

#[test]
fn what_cannot_be_solved_is_refused() {
    let plane = KilledBrownianMotion::new(2, 1.0, 1.0).unwrap();
    assert!(matches!(LineResolvent::uniform(&plane, INTERVAL, 10), Err(Error::Dimension { found: 2, .. })));
    let line = KilledBrownianMotion::new(1, 1.0, 1.0).unwrap();
    let refused = |nodes: &[f64]| LineResolvent::new(&line, nodes.to_vec()).unwrap_err();
    assert!(matches!(refused(&[0.0, 1.0, 1.0]), Error::NotAscending { index: 2, .. }));
    assert!(matches!(refused(&[0.0, 1.0]), Error::TooSmall { .. }));
    assert!(matches!(refused(&[0.0, 1.0, f64::NAN]), Error::NotAscending { index: 2, .. }));
    let resolvent = LineResolvent::uniform(&line, (-1.0, 1.0), 10).unwrap();
    assert!(matches!(resolvent.point(1.5), Err(Error::Outside { .. })));
    assert!(matches!(resolvent.density(|x| x), Err(Error::Negative { .. })));
    assert!(matches!(resolvent.density(|_| 0.0), Err(Error::NoMass)));
}
