//! The occupation measure of an h-transform.

use crate::support::{Cells, FIVE, at, distance, exact};
use nalgebra::DMatrix;
use resolvent_core::htransform::{Atoms, ExponentialClock, HTransform, Sphere, backward_measure};
use resolvent_core::random::{Purpose, stream};
use resolvent_core::{EmpiricalMeasure, EmpiricalScore, KilledBrownianMotion, Score};
use resolvent_learn::examples::{Occupation, Source};

const RATE: f64 = 0.7;

fn data() -> DMatrix<f64> {
    DMatrix::from_column_slice(3, 3, &[-1.0, -0.4, 0.0, 1.2, -0.2, 0.3, 0.1, 1.3, -0.5])
}

/// The largest |mean| in standard errors, over cells of points, of weight · (target score - `score`).
fn pull(source: &dyn Source, score: &dyn Score, reweigh: impl Fn(f64) -> f64) -> f64 {
    let data = data();
    let mut cells = Cells::new(4 * 3);
    let (mut x, mut y) = ([0.0; 3], [0.0; 3]);
    for i in 0..60_000 {
        let example = source.draw(&mut stream(6, Purpose::Training, i), &mut x, &mut y);
        assert!((example.distance - distance(&x, &y)).abs() < 1e-12 * (1.0 + example.distance));
        let nearest = data.column_iter().map(|y| distance(&x, y.as_slice())).fold(f64::INFINITY, f64::min);
        if !(0.3..2.5).contains(&nearest) {
            continue;
        }
        let cell = usize::from(x[0] > 0.2) + 2 * usize::from(x[1] > 0.3);
        let truth = at(score, &x).1;
        for k in 0..3 {
            let error = example.gain * (y[k] - x[k]) - truth[k];
            cells.add(3 * cell + k, reweigh(example.weight) * error);
        }
    }
    cells.largest()
}

/// 4 transforms x 2 powers x 12 cells: by chance it fails once in 10⁴.
#[test]
fn it_teaches_the_score_of_the_backward_process() {
    let data = data();
    let alpha = EmpiricalMeasure::new(data.clone()).unwrap();
    let process = KilledBrownianMotion::new(3, 1.0, RATE).unwrap();
    let far = DMatrix::from_column_slice(3, 2, &[2.0, 2.0, 0.0, -2.0, 1.0, 1.0]);
    let transforms: Vec<Box<dyn HTransform>> = vec![
        Box::new(Atoms::point(process.clone(), &[2.0, 2.0, 0.0], &[0.0; 3]).unwrap()),
        Box::new(
            Atoms::weighted(process.clone(), EmpiricalMeasure::weighted(far, &[1.0, 3.0]).unwrap()).unwrap(),
        ),
        Box::new(Sphere::new(&process, 3.0).unwrap()),
        Box::new(ExponentialClock::new(process.clone())),
    ];
    for (k, transform) in transforms.iter().enumerate() {
        let backward = backward_measure(&**transform, &alpha).unwrap();
        let score = EmpiricalScore::new(&process, backward).unwrap();
        for power in [1.0, 2.5] {
            let source = Occupation::new(&data, &**transform, RATE, power, 0.0).unwrap();
            let largest = pull(&source, &score, |weight| weight);
            assert!(largest < FIVE, "transform {k}, power {power}: {largest}");
        }
    }
    // With h = 1 that is the score of the deaths.
    let source = Occupation::new(&data, &*transforms[3], RATE, 1.0, 0.0).unwrap();
    assert!(pull(&source, &exact(&data, RATE), |weight| weight) < FIVE);
}

#[test]
fn without_the_lifetime_as_weight_it_does_not() {
    let data = data();
    let alpha = EmpiricalMeasure::new(data.clone()).unwrap();
    let process = KilledBrownianMotion::new(3, 1.0, RATE).unwrap();
    let point = Atoms::point(process.clone(), &[2.0, 2.0, 0.0], &[0.0; 3]).unwrap();
    let score = EmpiricalScore::new(&process, backward_measure(&point, &alpha).unwrap()).unwrap();
    let source = Occupation::new(&data, &point, RATE, 1.0, 0.0).unwrap();
    assert!(pull(&source, &score, |_| 1.0) > FIVE);
    // Nor is it the score of the data without the weights 1/h(y).
    assert!(pull(&source, &exact(&data, RATE), |weight| weight) > FIVE);
}

/// With h = 1 and one datum the distances have the law of the distance at death: density r u = r G_r.
#[test]
fn its_law_is_the_occupation_measure() {
    let data = DMatrix::from_column_slice(3, 1, &[0.5, 0.0, -1.0]);
    let process = KilledBrownianMotion::new(3, 1.0, RATE).unwrap();
    let clock = ExponentialClock::new(process.clone());
    for power in [1.0, 2.5] {
        let source = Occupation::new(&data, &clock, RATE, power, 0.0).unwrap();
        let bounds = [0.2, 0.5, 1.0, 2.0, 3.0];
        let mut cells = Cells::new(bounds.len());
        let (mut x, mut y) = ([0.0; 3], [0.0; 3]);
        for i in 0..60_000 {
            let example = source.draw(&mut stream(6, Purpose::Training, i), &mut x, &mut y);
            for (cell, bound) in bounds.into_iter().enumerate() {
                let share = process.green().distance_cdf(bound);
                cells.add(cell, example.weight * (f64::from(example.distance <= bound) - share));
            }
        }
        assert!(cells.largest() < FIVE, "power {power}: {}", cells.largest());
    }
}

#[test]
fn impossible_settings_are_refused() {
    let data = data();
    let process = KilledBrownianMotion::new(3, 1.0, RATE).unwrap();
    let point = |z: &[f64]| Atoms::point(process.clone(), z, &[5.0, 0.0, 0.0]).unwrap();
    assert!(Occupation::new(&data, &point(&[1.2, -0.2, 0.3]), RATE, 1.0, 0.0).is_err());
    let away = point(&[2.0, 2.0, 0.0]);
    assert!(Occupation::new(&data, &away, RATE, 0.5, 0.0).is_err());
    assert!(Occupation::new(&data, &away, RATE, 1.0, -1.0).is_err());
    assert!(Occupation::new(&DMatrix::zeros(2, 1), &away, RATE, 1.0, 0.0).is_err());
    assert!(Occupation::new(&DMatrix::zeros(3, 0), &away, RATE, 1.0, 0.0).is_err());
}
