//! The score of data in single precision against the one in double precision.

use nalgebra::DMatrix;
use resolvent_core::random::{Purpose, stream};
use resolvent_core::score::SinglePrecisionScore;
use resolvent_core::{EmpiricalMeasure, EmpiricalScore, KilledBrownianMotion, Score};

/// What is promised.
const BOUND: f64 = 1e-5;

fn normals(d: usize, n: usize, index: u64) -> DMatrix<f64> {
    let mut values = DMatrix::zeros(d, n);
    stream(3, Purpose::Experiment, index).fill_normals(values.as_mut_slice());
    values
}

/// Data of every kind: around the origin, far from it, sparse images without negative pixels, in tight groups, in pairs and doubled.
fn data(d: usize, m: usize) -> Vec<(&'static str, DMatrix<f32>)> {
    let noise = normals(d, m, 0);
    let centres = normals(d, 5, 1);
    let single = |values: DMatrix<f64>| values.map(|x| x as f32);
    vec![
        ("wide", single(noise.clone())),
        ("narrow", single(&noise * 0.02)),
        ("far off", single((&noise * 0.1).add_scalar(1.0))),
        ("images", single(noise.map(|x| (0.6 * x).clamp(0.0, 1.0)))),
        ("groups", single(DMatrix::from_fn(d, m, |i, k| centres[(i, k % 5)] + 1e-4 * noise[(i, k)]))),
        ("pairs", single(DMatrix::from_fn(d, m, |i, k| noise[(i, k / 2)] + 1e-3 * noise[(i, k)]))),
        ("doubled", single(DMatrix::from_fn(d, m, |i, k| noise[(i, k % (m / 40))]))),
    ]
}

/// Points at all distances from the data: noisy ones, ones next to a datum and ones between two.
fn points(data: &DMatrix<f64>) -> DMatrix<f64> {
    let (d, m) = data.shape();
    let noise = normals(d, 60, 2);
    let levels = [1e-6, 1e-4, 1e-3, 0.01, 0.03, 0.1, 0.2, 0.4, 0.7, 1.0, 3.0, 30.0];
    let mut columns = Vec::new();
    for (k, noise) in noise.column_iter().enumerate() {
        let (own, other) = (data.column(k * 7 % m), data.column(k * 13 % m));
        let level = levels[k % levels.len()];
        columns.push(own + noise * level);
        columns.push(own * 0.5 + other * 0.5 + noise * (level * 0.1));
        columns.push(own + noise / noise.norm() * 1e-6);
    }
    DMatrix::from_columns(&columns)
}

/// The largest relative error of the scores of `data` over the points, with the point.
fn worst(data: &DMatrix<f32>, points: &DMatrix<f64>) -> (f64, usize) {
    let wide = data.map(f64::from);
    let process = KilledBrownianMotion::new(data.nrows(), 1.0, 0.1).unwrap();
    let single = SinglePrecisionScore::new(&process, data.as_slice()).unwrap();
    let exact = EmpiricalScore::new(&process, EmpiricalMeasure::new(wide).unwrap()).unwrap();
    let (score, exact) = (single.score(points).unwrap(), exact.score(points).unwrap());
    let errors = score.column_iter().zip(exact.column_iter()).map(|(a, b)| (a - b).norm() / b.norm());
    errors.enumerate().fold((0.0, 0), |worst, (j, error)| if error <= worst.0 { worst } else { (error, j) })
}

#[test]
fn scores_agree_with_double_precision_everywhere() {
    for (d, m) in [(2, 3_000), (16, 2_000), (64, 3_000), (784, 2_000)] {
        for (name, data) in data(d, m) {
            let (error, point) = worst(&data, &points(&data.map(f64::from)));
            println!("d = {d}, {name}: {error:.1e} at point {point}");
            assert!(error <= BOUND, "d = {d}, {name}: {error:e} at point {point}");
        }
    }
}

#[test]
fn scores_do_not_depend_on_the_batch() {
    let data = normals(48, 700, 0).map(|x| x as f32);
    let process = KilledBrownianMotion::new(48, 1.0, 0.1).unwrap();
    let score = SinglePrecisionScore::new(&process, data.as_slice()).unwrap();
    let points = normals(48, 150, 1);
    let mut all = (vec![0.0; 150], vec![0.0; 150 * 48]);
    score.evaluate(points.as_slice(), &mut all.0, &mut all.1);
    for (j, point) in points.column_iter().enumerate() {
        let (mut gain, mut displacement) = ([0.0], vec![0.0; 48]);
        score.evaluate(point.as_slice(), &mut gain, &mut displacement);
        assert_eq!((gain[0], &displacement[..]), (all.0[j], &all.1[j * 48..(j + 1) * 48]), "point {j}");
    }
}

#[test]
fn bad_data_are_refused_by_place() {
    let process = KilledBrownianMotion::new(3, 1.0, 0.1).unwrap();
    let refused = |data: &[f32]| SinglePrecisionScore::new(&process, data).unwrap_err().to_string();
    assert!(refused(&[]).contains("data"));
    let short = refused(&[0.0; 7]);
    assert!(short.contains("dimension 1, expected 3"), "{short}");
    let infinite = refused(&[0.0, 1.0, 2.0, 3.0, f32::INFINITY, 5.0]);
    assert!(infinite.contains("point 1, coordinate 1"), "{infinite}");
}

/// Inner products beyond the numbers of single precision are no reason to give up.
#[test]
fn large_numbers_are_scored_in_double_precision() {
    let large = normals(32, 200, 0).map(|x| (1e20 * x) as f32);
    let points =
        DMatrix::from_fn(32, 50, |i, j| 0.6 * f64::from(large[(i, j)]) + 0.4 * f64::from(large[(i, j + 1)]));
    let (error, point) = worst(&large, &points);
    assert!(error <= BOUND, "{error:e} at point {point}");
}
