//! The rule of local tangent planes against an exact sphere, and on data without a plane.

mod common;

use common::mean;
use nalgebra::DMatrix;
use rand::RngExt;
use rand_distr::StandardNormal;
use resolvent_core::killing::TangentPlane;
use resolvent_core::random::{Purpose, stream};
use resolvent_core::score::SphereScore;
use resolvent_core::step::EulerMaruyama;
use resolvent_core::{EmpiricalMeasure, Error, KilledBrownianMotion, KillingRule, Sampler, ScoreAdaptive};

const DIM: usize = 6;

fn process() -> KilledBrownianMotion {
    KilledBrownianMotion::new(DIM, 1.0, 1.0).unwrap()
}

/// A point of the unit sphere S² in the first three coordinates.
fn on_sphere(index: u64, purpose: Purpose) -> [f64; DIM] {
    let mut rng = stream(3, purpose, index);
    let x: [f64; 3] = std::array::from_fn(|_| rng.sample(StandardNormal));
    let norm = x.iter().map(|x| x * x).sum::<f64>().sqrt();
    std::array::from_fn(|k| if k < 3 { x[k] / norm } else { 0.0 })
}

fn sample(n: usize) -> EmpiricalMeasure {
    let points: Vec<f64> = (0..n as u64).flat_map(|i| on_sphere(i, Purpose::Data)).collect();
    EmpiricalMeasure::new(DMatrix::from_vec(DIM, n, points)).unwrap()
}

/// Neighbours of 12 among 2000 cover a cap of area 4π·12/2000, of radius h = 0.155. Its mean is h²/4 = 0.006 below the cap's top, and
/// the plane is nowhere further from the sphere than that within the cap, but for the scatter of the neighbours.
#[test]
fn the_distance_is_that_to_the_sphere() {
    let rule = TangentPlane::new(&process(), sample(2_000), 0.05, 12, 2).unwrap();

    let mut errors = Vec::new();
    for index in 0..500 {
        let mut x = on_sphere(index, Purpose::Experiment);
        let mut rng = stream(4, Purpose::Experiment, index);
        let (radial, off) = (0.3 * rng.random::<f64>() - 0.15, 0.3 * rng.random::<f64>());
        x.iter_mut().for_each(|x| *x *= 1.0 + radial);
        x[3] = off * 0.6;
        x[5] = -off * 0.8;
        errors.push((rule.distance(&x) - radial.hypot(off)).abs());
    }
    let worst = errors.iter().fold(0.0, |a: f64, e| a.max(*e));
    assert!(mean(&errors).0 < 0.01, "{:?}", mean(&errors));
    assert!(worst < 0.06, "{worst}");
    // In the tangent plane of the pole, two radii away: no datum is there, and an endless plane would say 0.
    let mut beyond = [0.0; DIM];
    (beyond[0], beyond[2]) = (2.0, 1.0);
    let exact = 5f64.sqrt() - 1.0;
    assert!((rule.distance(&beyond) - exact).abs() < 0.1 * exact, "{}", rule.distance(&beyond));
}

#[test]
fn particles_die_at_delta_from_the_sphere() {
    let (process, delta) = (process(), 0.1);
    let score = SphereScore::new(&process, 2, 1.0).unwrap();
    let (step, control) = (EulerMaruyama::new(&score), ScoreAdaptive::new(0.05, 0.0).unwrap());
    let starts = DMatrix::from_fn(DIM, 400, |i, j| {
        stream(5, Purpose::Start, (DIM * j + i) as u64).sample::<f64, _>(StandardNormal)
    });
    let rule = TangentPlane::new(&process, sample(2_000), delta, 12, 2).unwrap();
    let ensemble = Sampler::new(&process, &step, &control).killing("tangent", &rule).run(&starts, 6).unwrap();
    assert_eq!(ensemble.exit_counts()[0].1, 400);
    let distance = |x: &[f64]| {
        let within = x[..3].iter().map(|x| x * x).sum::<f64>().sqrt() - 1.0;
        within.hypot(x[3..].iter().map(|x| x * x).sum::<f64>().sqrt())
    };
    let distances: Vec<f64> = ensemble.points.column_iter().map(|x| distance(x.as_slice()) / delta).collect();
    // The plane is known to 0.01, and the mark to five percent.
    let (value, error) = mean(&distances);
    assert!((value - 1.0).abs() < 0.1 + 4.0 * error, "{value} +- {error}");
    assert!(distances.iter().all(|d| *d < 2.0));
}

/// Steps long enough to leap over a small neighbourhood are cut in front of it.
#[test]
fn steps_end_short_of_the_mark() {
    let process = process();
    let score = SphereScore::new(&process, 2, 1.0).unwrap();
    let rule = TangentPlane::new(&process, sample(500), 0.02, 12, 2).unwrap();
    let (step, control) = (EulerMaruyama::new(&score), ScoreAdaptive::new(1.0, 0.0).unwrap());
    let starts = DMatrix::from_fn(DIM, 100, |i, _| if i == 4 { 1.0 } else { 0.0 });
    let ensemble =
        Sampler::new(&process, &step, &control).killing("tangent", &rule).paths(100).run(&starts, 2).unwrap();
    for path in &ensemble.paths {
        for k in 1..path.times.len() {
            let gap = (rule.distance(path.point(k - 1)) - 0.02).max(0.2 * 0.02);
            let dt = path.times[k] - path.times[k - 1];
            assert!(dt <= (0.25 * gap).powi(2) * (1.0 + 1e-6), "dt {dt} at {gap}");
        }
    }
}

#[test]
fn degenerate_neighbours_span_what_they_can() {
    let process = process();
    // Twelve copies of two points, and a third point far away: their neighbours coincide.
    let copies = DMatrix::from_fn(DIM, 24, |i, j| if i == 0 { (j % 2) as f64 } else { 0.0 });
    let measure = EmpiricalMeasure::new(copies).unwrap();
    let rule = TangentPlane::new(&process, measure, 0.1, 12, 2).unwrap();
    for (x, expected) in [([0.3, 0.4, 0.0, 0.0, 0.0, 0.0], 0.5), ([1.5, 0.0, 0.0, 1.2, 0.0, 0.0], 1.3)] {
        assert!((rule.distance(&x) - expected).abs() < 1e-12, "{}", rule.distance(&x));
    }
    // On a line there is one direction: across it the distance is that to the line, beyond its ends that to the end.
    let line = DMatrix::from_fn(DIM, 9, |i, j| if i == 1 { j as f64 } else { 0.0 });
    let rule = TangentPlane::new(&process, EmpiricalMeasure::new(line).unwrap(), 0.1, 9, 3).unwrap();
    for (x, expected) in [([0.3, 3.7, 0.4, 0.0, 0.0, 0.0], 0.5), ([0.0, 8.6, 0.0, 0.0, 0.8, 0.0], 1.0)] {
        assert!((rule.distance(&x) - expected).abs() < 1e-12, "{}", rule.distance(&x));
    }
}

#[test]
fn impossible_parameters_are_refused() {
    let process = process();
    let refused = |data: EmpiricalMeasure, delta: f64, neighbours: usize, intrinsic: usize| {
        TangentPlane::new(&process, data, delta, neighbours, intrinsic).unwrap_err()
    };
    let found = refused(sample(20), 0.0, 12, 2);
    assert_eq!(found, Error::NotPositive { name: "delta", value: 0.0 });
    assert_eq!(refused(sample(20), 0.1, 2, 2), Error::TooSmall { name: "neighbours", least: 3, value: 2 });
    assert_eq!(refused(sample(20), 0.1, 21, 2), Error::TooSmall { name: "data", least: 21, value: 20 });
    assert_eq!(refused(sample(20), 0.1, 12, 0), Error::TooSmall { name: "intrinsic", least: 1, value: 0 });
    assert_eq!(refused(sample(20), 0.1, 12, 5), Error::NotPolar { codimension: 1 });
    let flat = EmpiricalMeasure::new(DMatrix::zeros(3, 20)).unwrap();
    assert_eq!(refused(flat, 0.1, 12, 2), Error::Dimension { name: "data", expected: DIM, found: 3 });
    let _: &dyn KillingRule = &TangentPlane::new(&process, sample(20), 0.1, 12, 2).unwrap();
}
