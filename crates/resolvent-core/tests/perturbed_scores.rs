//! Scores with an error of stated size: is it that size, and nothing else?

mod common;

use common::assert_mean;
use nalgebra::DMatrix;
use rand::RngExt;
use rand_distr::StandardNormal;
use resolvent_core::killing::OracleLifetime;
use resolvent_core::random::{Purpose, stream};
use resolvent_core::score::perturbed::{Biased, Clipped, FrozenNoise};
use resolvent_core::step::EulerMaruyama;
use resolvent_core::{
    EmpiricalMeasure, EmpiricalScore, Error, FixedStep, KilledBrownianMotion, Oracle, Sampler, Score,
};

const DIM: usize = 5;

fn exact() -> EmpiricalScore {
    let process = KilledBrownianMotion::new(DIM, 1.0, 0.5).unwrap();
    let mut rng = stream(1, Purpose::Data, 0);
    let points = DMatrix::from_fn(DIM, 4, |_, _| rng.sample(StandardNormal));
    EmpiricalScore::new(&process, EmpiricalMeasure::new(points).unwrap()).unwrap()
}

fn places(n: usize) -> Vec<f64> {
    let mut rng = stream(2, Purpose::Start, 0);
    (0..n * DIM).map(|_| 2.0 * rng.sample::<f64, _>(StandardNormal)).collect()
}

fn evaluated(score: &dyn Score, points: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let (mut gains, mut displacements) = (vec![0.0; points.len() / DIM], vec![0.0; points.len()]);
    score.evaluate(points, &mut gains, &mut displacements);
    (gains, displacements)
}

fn norm(v: &[f64]) -> f64 {
    v.iter().map(|v| v * v).sum::<f64>().sqrt()
}

#[test]
fn a_bias_is_in_the_displacement_alone() {
    let (exact, points) = (exact(), places(50));
    let (gains, displacements) = evaluated(&exact, &points);
    let (biased_gains, biased) = evaluated(&Biased::new(&exact, -0.2).unwrap(), &points);
    assert_eq!(gains, biased_gains);
    assert!(biased.iter().zip(&displacements).all(|(b, v)| (b - 0.8 * v).abs() <= 1e-15 * v.abs()));
}

#[test]
fn a_clipped_score_is_at_most_that_long_and_points_the_same_way() {
    let (exact, points) = (exact(), places(200));
    let (gains, displacements) = evaluated(&exact, &points);
    let (clipped_gains, clipped) = evaluated(&Clipped::new(&exact, 1.5).unwrap(), &points);
    assert_eq!(displacements, clipped);
    let mut cut = 0;
    for (j, v) in displacements.chunks_exact(DIM).enumerate() {
        let (before, after) = (gains[j] * norm(v), clipped_gains[j] * norm(v));
        cut += usize::from(before > 1.5);
        assert!((after - before.min(1.5)).abs() < 1e-12, "{before} became {after}");
    }
    assert!(cut > 20 && cut < 180, "{cut} of 200 were cut");
}

/// Over draws of the field the error has the mean square ε², and at distance t along a line the correlation exp(-t²/2ℓ²).
#[test]
fn the_frozen_noise_has_its_size_and_its_length() {
    let (size, length) = (0.3, 0.7);
    let exact = exact();
    let mut points = places(1);
    let mut moved = points.clone();
    moved[2] += 0.5;
    points.extend(&moved);
    let (_, displacements) = evaluated(&exact, &points);
    let lengths: Vec<f64> = displacements.chunks_exact(DIM).map(norm).collect();
    let (mut squares, mut products) = (Vec::new(), Vec::new());
    for seed in 0..2_000 {
        let (_, noisy) = evaluated(&FrozenNoise::new(&exact, size, length, seed).unwrap(), &points);
        let errors: Vec<f64> = noisy.iter().zip(&displacements).map(|(a, b)| a - b).collect();
        let (here, there) = errors.split_at(DIM);
        squares.push((norm(here) / lengths[0]).powi(2));
        products.push(here.iter().zip(there).map(|(a, b)| a * b).sum::<f64>() / (lengths[0] * lengths[1]));
    }
    assert_mean(&squares, size * size);
    let correlation = f64::exp(-0.5 * f64::powi(0.5 / length, 2));
    assert_mean(&products, size * size * correlation);
}

#[test]
fn the_frozen_noise_is_one_field() {
    let (exact, points) = (exact(), places(40));
    let noisy = FrozenNoise::new(&exact, 0.3, 0.7, 9).unwrap();
    let (gains, whole) = evaluated(&noisy, &points);
    assert_eq!(gains, evaluated(&exact, &points).0);
    for (j, x) in points.chunks_exact(DIM).enumerate() {
        assert_eq!(evaluated(&noisy, x).1, whole[j * DIM..(j + 1) * DIM]);
    }
    let other = FrozenNoise::new(&exact, 0.3, 0.7, 10).unwrap();
    assert_ne!(evaluated(&other, &points).1, whole);
}

#[test]
fn impossible_errors_are_refused() {
    let exact = exact();
    let found = Biased::new(&exact, -1.0).unwrap_err();
    assert_eq!(found, Error::NotPositive { name: "1 + bias", value: 0.0 });
    assert!(Clipped::new(&exact, f64::NAN).is_err());
    assert!(
        FrozenNoise::new(&exact, 0.1, 0.0, 0).is_err() && FrozenNoise::new(&exact, -0.1, 1.0, 0).is_err()
    );
}

/// A particle under the oracle's clock lives as long as the oracle says, and dies away from the data.
#[test]
fn the_exact_lifetime_is_kept_and_does_not_bring_particles_to_the_data() {
    let exact = exact();
    let process = KilledBrownianMotion::new(DIM, 1.0, 0.5).unwrap();
    let oracle = Oracle::new(process.clone(), exact.measure().clone()).unwrap();
    let starts = DMatrix::from_fn(DIM, 2_000, |i, _| if i == 0 { 3.0 } else { 0.0 });
    let law = oracle.lifetime_law(starts.column(0).as_slice());
    let rule = OracleLifetime::new(&oracle);
    let (step, control) = (EulerMaruyama::new(&exact), FixedStep::new(0.02).unwrap());
    let ensemble = Sampler::new(&process, &step, &control).killing("oracle", &rule).run(&starts, 3).unwrap();
    assert_eq!(ensemble.exit_counts()[0].1, 2_000);
    assert!(common::kolmogorov(&ensemble.lifetimes, |t| law.cdf(t)) < common::KOLMOGOROV);
    // Were lifetime and path drawn together, all would be on a datum; a step of 0.02 moves a particle by 0.3.
    let away = |x: &[f64]| {
        exact.measure().points().as_slice().chunks_exact(DIM).all(|y| {
            let difference: Vec<f64> = x.iter().zip(y).map(|(x, y)| x - y).collect();
            norm(&difference) > 0.6
        })
    };
    let far = ensemble.points.column_iter().filter(|x| away(x.as_slice())).count();
    assert!(far > 400, "{far}");
}
