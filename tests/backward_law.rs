//! The whole way, through public names only: data, killed forward, run backward, judged.

use nalgebra::DMatrix;
use resolvent::core::killing::DistanceToSupport;
use resolvent::core::step::{Bridge, EulerMaruyama, PosteriorBridge};
use resolvent::core::{
    EmpiricalMeasure, EmpiricalScore, Ensemble, KilledBrownianMotion, Sampler, ScoreAdaptive, Step,
};
use resolvent::data::{Circle, Law, Support};
use resolvent::metrics;

/// Significance 1e-4.
const ALPHA: f64 = 1e-4;

/// Points evenly on a circle in R^d: the data, as fine as the resolution used here.
fn circle(dim: usize, points: usize) -> EmpiricalMeasure {
    let angle = |j: usize| std::f64::consts::TAU * j as f64 / points as f64;
    EmpiricalMeasure::new(DMatrix::from_fn(dim, points, |i, j| match i {
        0 => angle(j).cos(),
        1 => angle(j).sin(),
        _ => 0.0,
    }))
    .unwrap()
}

/// Backward from the law at death of a uniform start on the circle.
fn from_law(step: &dyn Step, process: &KilledBrownianMotion, n: usize) -> Ensemble {
    let (starts, _) = process.deaths(&Circle::new(1.0, process.dim()).unwrap().sample(n, 5), 5).unwrap();
    let control = ScoreAdaptive::new(0.3, 0.05).unwrap();
    Sampler::new(process, step, &control).run(&starts, 6).unwrap()
}

#[test]
fn backward_from_the_law_at_death_returns_data_and_lifetime() {
    let rate = 0.7;
    for dim in [3, 6] {
        let process = KilledBrownianMotion::new(dim, 1.0, rate).unwrap();
        let score = EmpiricalScore::new(&process, circle(dim, 200)).unwrap();
        let (exact, mean) = (PosteriorBridge::new(&score), Bridge::new(&score));
        let n = 2_000;
        let critical = metrics::ks_critical(n, ALPHA).unwrap();
        // The mean bridge has an error of its own; a few hundredths is what it is declared to have.
        for (step, allowed) in [(&exact as &dyn Step, critical), (&mean, critical + 0.03)] {
            let ensemble = from_law(step, &process, n);
            let angles: Vec<f64> = ensemble
                .points
                .column_iter()
                .map(|x| x[1].atan2(x[0]) / std::f64::consts::TAU + 0.5)
                .collect();
            let end = metrics::ks_one_sample(&angles, |a| a.clamp(0.0, 1.0)).unwrap();
            assert!(end.statistic < allowed, "d = {dim}: end points {}", end.statistic);
            let life = metrics::ks_one_sample(&ensemble.lifetimes, |t| -f64::exp_m1(-rate * t)).unwrap();
            assert!(life.statistic < allowed, "d = {dim}: lifetimes {}", life.statistic);
        }
    }
}

#[test]
fn scaling_space_and_time_scales_the_law() {
    // Lengths times 4 and times over 4: σ = length / √time goes up by 8 and r by 4.
    let starts = DMatrix::from_fn(3, 500, |i, j| 0.3 * i as f64 + 0.001 * j as f64);
    let run = |sigma: f64, rate: f64, scale: f64| {
        let process = KilledBrownianMotion::new(3, sigma, rate).unwrap();
        let measure = EmpiricalMeasure::new(circle(3, 50).points() * scale).unwrap();
        let score = EmpiricalScore::new(&process, measure).unwrap();
        let control = ScoreAdaptive::new(0.2, 0.01 * scale).unwrap();
        Sampler::new(&process, &Bridge::new(&score), &control).run(&(&starts * scale), 3).unwrap()
    };
    let base = run(1.0, 0.5, 1.0);
    // Powers of two, so that rounding is the same on both sides but for logarithms.
    let other = run(8.0, 2.0, 4.0);
    let close = |a: f64, b: f64| (a - b).abs() < 1e-6 * b.abs().max(1.0);
    let same = (0..500).filter(|&i| {
        close(4.0 * other.lifetimes[i], base.lifetimes[i])
            && other
                .points
                .column(i)
                .iter()
                .zip(base.points.column(i).iter())
                .all(|(a, b)| close(a / 4.0, *b))
    });
    // A draw next to a threshold may fall on the other side.
    assert!(same.count() > 490);
}

#[test]
fn known_supports_stop_particles_at_the_distance_asked_for() {
    let support = Circle::new(1.0, 8).unwrap();
    let process = KilledBrownianMotion::new(8, 1.0, 0.7).unwrap();
    let score = EmpiricalScore::new(&process, circle(8, 400)).unwrap();
    let step = EulerMaruyama::new(&score);
    let control = ScoreAdaptive::new(0.1, 0.0).unwrap();
    let rule = DistanceToSupport::new(|x: &[f64]| support.distance(x), 0.1).unwrap();
    let (starts, _) = process.deaths(&support.sample(1_000, 1), 1).unwrap();
    let ensemble =
        Sampler::new(&process, &step, &control).killing("support:0.1", &rule).run(&starts, 2).unwrap();
    assert_eq!(ensemble.exit_counts()[0], ("support:0.1".into(), 1_000));
    let distances: Vec<f64> = ensemble.points.column_iter().map(|x| support.distance(x.as_slice())).collect();
    let statistics = metrics::distance_statistics(&distances).unwrap();
    assert!((statistics.quantiles[2] / 0.1 - 1.0).abs() < 0.1, "{statistics:?}");
}
