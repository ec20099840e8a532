//! Energy distance and maximum mean discrepancy.

mod common;

use common::{
    assert_calibrated, assert_close, assert_relative, error_over_spread, gaussian, numbers, rng, table,
};
use nalgebra::DMatrix;
use resolvent_metrics::*;
use statrs::function::erf::erf;
use std::f64::consts::PI;

/// E|N(shift e_1, s^2 I)| in three dimensions.
fn mean_norm(shift: f64, s: f64) -> f64 {
    if shift == 0.0 {
        return 2.0 * s * (2.0 / PI).sqrt();
    }
    let z = shift / s;
    s * (2.0 / PI).sqrt() * (-0.5 * z * z).exp() + (shift + s * s / shift) * erf(z / 2_f64.sqrt())
}

fn energy_of_shift(shift: f64) -> f64 {
    2.0 * (mean_norm(shift, 2_f64.sqrt()) - mean_norm(0.0, 2_f64.sqrt()))
}

fn mmd_of_shift(d: i32, shift: f64, width: f64) -> f64 {
    let spread = width * width + 2.0;
    2.0 * (width * width / spread).sqrt().powi(d) * (1.0 - (-0.5 * shift * shift / spread).exp())
}

fn pair(d: usize, n: usize, m: usize, shift: f64, seed: u64) -> (DMatrix<f64>, DMatrix<f64>) {
    let mut rng = rng(seed);
    (gaussian(d, n, 0.0, &mut rng), gaussian(d, m, shift, &mut rng))
}

#[test]
fn energy_equals_scipy() {
    for row in table(include_str!("../golden/two_samples.csv")) {
        let (a, b) = (numbers(row[0]), numbers(row[1]));
        let (a, b) = (DMatrix::from_row_slice(1, a.len(), &a), DMatrix::from_row_slice(1, b.len(), &b));
        let value = energy_distance(&a, &b).unwrap().value;
        let truth: f64 = row[3].parse().unwrap();
        // Distances come from squares, so coinciding points cost sqrt(rounding).
        assert!((value - truth).abs() < 1e-7, "{value}, expected {truth}");
    }
}

#[test]
fn mmd_equals_the_definition() {
    let (a, b) = pair(4, 150, 70, 0.5, 11);
    let kernel = |x: &DMatrix<f64>, i: usize, y: &DMatrix<f64>, j: usize| {
        (-(x.column(i) - y.column(j)).norm_squared() / (2.0 * 1.5 * 1.5)).exp()
    };
    let within = |x: &DMatrix<f64>| {
        let n = x.ncols();
        let sum: f64 = (0..n)
            .flat_map(|i| (0..n).map(move |j| (i, j)))
            .filter(|(i, j)| i != j)
            .map(|(i, j)| kernel(x, i, x, j))
            .sum();
        sum / (n * (n - 1)) as f64
    };
    let between: f64 =
        (0..150).flat_map(|i| (0..70).map(move |j| (i, j))).map(|(i, j)| kernel(&a, i, &b, j)).sum();
    let truth = within(&a) + within(&b) - 2.0 * between / (150.0 * 70.0);
    assert_relative(mmd(&a, &b, Bandwidth::Fixed(1.5)).unwrap().value, truth, 1e-11);
}

#[test]
fn shifted_gaussians() {
    for (shift, seed) in [(0.0, 1), (0.3, 2), (1.0, 3), (3.0, 4)] {
        let (a, b) = pair(3, 3000, 2000, shift, seed);
        assert_close(energy_distance(&a, &b).unwrap(), energy_of_shift(shift));
        assert_close(mmd(&a, &b, Bandwidth::Fixed(1.3)).unwrap(), mmd_of_shift(3, shift, 1.3));
        assert_close(mmd(&b, &a, Bandwidth::Fixed(4.0)).unwrap(), mmd_of_shift(3, shift, 4.0));
    }
}

#[test]
fn unbiased_under_the_null() {
    let values: Vec<f64> = (0..400)
        .map(|seed| {
            let (a, b) = pair(2, 20, 35, 0.0, seed);
            energy_distance(&a, &b).unwrap().value
        })
        .collect();
    assert_close(mean(&values).unwrap(), 0.0);
}

#[test]
fn errors_match_the_spread() {
    for (n, m, shift) in [(150, 150, 0.0), (200, 80, 0.0), (150, 100, 0.25), (150, 100, 2.0)] {
        assert_calibrated(|seed| {
            let (a, b) = pair(3, n, m, shift, seed);
            energy_distance(&a, &b).unwrap()
        });
        assert_calibrated(|seed| {
            let (a, b) = pair(3, n, m, shift, seed);
            mmd(&a, &b, Bandwidth::Fixed(1.5)).unwrap()
        });
    }
}

/// The first-order part of the error alone, to four times the 5 % to which the spread is known.
#[test]
fn errors_are_sharp_for_distant_laws() {
    let ratio = error_over_spread(|seed| {
        let (a, b) = pair(3, 150, 100, 2.0, seed);
        energy_distance(&a, &b).unwrap()
    });
    assert!((0.8..1.2).contains(&ratio), "{ratio}");
}

#[test]
fn far_from_the_origin_nothing_changes() {
    let (a, b) = pair(3, 300, 200, 1.0, 5);
    let near = energy_distance(&a, &b).unwrap();
    let far = energy_distance(&a.add_scalar(1e6), &b.add_scalar(1e6)).unwrap();
    assert_relative(far.value, near.value, 1e-8);
    assert_relative(far.standard_error, near.standard_error, 1e-8);
}

#[test]
fn median_width() {
    // Distances 1, 1, 2, 2, 3, 4 between the points 0, 1, 2, 4.
    let a = DMatrix::from_row_slice(1, 2, &[0.0, 1.0]);
    let b = DMatrix::from_row_slice(1, 2, &[2.0, 4.0]);
    assert_relative(median_bandwidth(&a, &b).unwrap(), 2.0, 1e-15);
    // In high dimension all distances are close to sqrt(2 d).
    let (a, b) = pair(400, 600, 1200, 0.0, 6);
    assert_relative(median_bandwidth(&a, &b).unwrap(), 800_f64.sqrt(), 0.01);
    let width = median_bandwidth(&a, &b).unwrap();
    assert_eq!(mmd(&a, &b, Bandwidth::Median), mmd(&a, &b, Bandwidth::Fixed(width)));
    let same = DMatrix::from_element(2, 5, 1.0);
    assert!(matches!(median_bandwidth(&same, &same), Err(Error::Parameter { value: 0.0, .. })));
}

#[test]
fn identical_points_give_zero() {
    let same = DMatrix::from_element(2, 5, 0.1);
    assert_eq!(energy_distance(&same, &same), Ok(Estimate { value: 0.0, standard_error: 0.0 }));
}

#[test]
fn bad_input_is_named() {
    let (a, b) = pair(3, 10, 10, 0.0, 0);
    let thin = DMatrix::zeros(2, 10);
    assert!(matches!(energy_distance(&a, &thin), Err(Error::Mismatch { left: 3, right: 2, .. })));
    assert!(matches!(energy_distance(&a, &DMatrix::zeros(3, 0)), Err(Error::Empty { what: "b" })));
    assert!(matches!(
        energy_distance(&a, &DMatrix::zeros(3, 3)),
        Err(Error::TooFew { got: 3, needed: 4, .. })
    ));
    let mut bad = b.clone();
    bad[(1, 2)] = f64::NAN;
    assert!(matches!(energy_distance(&a, &bad), Err(Error::OutOfRange { what: "b", position: 7, .. })));
    assert!(matches!(mmd(&a, &b, Bandwidth::Fixed(0.0)), Err(Error::Parameter { .. })));
    assert!(matches!(mmd(&a, &b, Bandwidth::Fixed(f64::NAN)), Err(Error::Parameter { .. })));
}
