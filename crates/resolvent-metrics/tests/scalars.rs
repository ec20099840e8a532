//! Means, proportions, quantiles, distances and image errors.

mod common;

use common::{assert_calibrated, assert_relative, gaussian, rng};
use nalgebra::DMatrix;
use rand::RngExt;
use resolvent_metrics::*;

#[test]
fn mean_by_hand_and_its_error() {
    let estimate = mean(&[1.0, 2.0, 3.0, 6.0]).unwrap();
    assert_eq!(estimate.value, 3.0);
    assert_relative(estimate.standard_error, (14.0_f64 / 12.0).sqrt(), 1e-15);
    assert_calibrated(|seed| mean(gaussian(1, 30, 2.0, &mut rng(seed)).as_slice()).unwrap());
}

#[test]
fn proportion_and_its_interval() {
    assert_calibrated(|seed| {
        let mut rng = rng(seed);
        proportion((0..100).filter(|_| rng.random_bool(0.2)).count() as u64, 100).unwrap()
    });
    // Wilson 95 % interval of 10 in 50, from the roots of (p - 0.2)^2 = z^2 p (1 - p) / 50.
    let z = 1.959_963_984_540_054_f64;
    let (low, high) = wilson(10, 50, z).unwrap();
    for p in [low, high] {
        assert_relative((p - 0.2).powi(2), z * z * p * (1.0 - p) / 50.0, 1e-12);
    }
    assert!(low < 0.2 && high > 0.2);
    assert_eq!(wilson(0, 9, 2.0).unwrap().0, 0.0);
    assert_eq!(wilson(9, 9, 2.0).unwrap().1, 1.0);
    assert!(proportion(0, 100).unwrap().standard_error > 0.0);
    // Coverage over the exact binomial law of 20 trials at 0.3.
    let law = statrs::distribution::Binomial::new(0.3, 20).unwrap();
    let covered: f64 = (0..=20)
        .filter(|&k| wilson(k, 20, z).is_ok_and(|(low, high)| low <= 0.3 && 0.3 <= high))
        .map(|k| statrs::distribution::Discrete::pmf(&law, k))
        .sum();
    assert!((0.93..0.98).contains(&covered), "{covered}");
}

#[test]
fn quantiles_interpolate() {
    let sorted = [1.0, 2.0, 4.0, 8.0];
    for (q, truth) in [(0.0, 1.0), (1.0, 8.0), (0.5, 3.0), (1.0 / 3.0, 2.0), (0.9, 6.8)] {
        assert_relative(quantile(&sorted, q).unwrap(), truth, 1e-14);
    }
    assert_eq!(quantile(&[5.0], 0.3), Ok(5.0));
    assert!(matches!(quantile(&sorted, 1.1), Err(Error::Parameter { .. })));
    assert!(matches!(quantile(&sorted, f64::NAN), Err(Error::Parameter { .. })));
    assert!(matches!(quantile(&[], 0.5), Err(Error::Empty { .. })));
}

#[test]
fn distances_are_summarised() {
    let distances: Vec<f64> = (0..=100).rev().map(f64::from).collect();
    let summary = distance_statistics(&distances).unwrap();
    assert_eq!((summary.mean, summary.max), (50.0, 100.0));
    assert_eq!(summary.quantiles, [5.0, 25.0, 50.0, 75.0, 95.0]);
    assert_relative(summary.standard_error, (8585.0_f64 / 10.0 / 101.0).sqrt(), 1e-12);
    assert!(matches!(distance_statistics(&[1.0, f64::NAN]), Err(Error::OutOfRange { position: 1, .. })));
    assert!(matches!(distance_statistics(&[1.0, -2.0]), Err(Error::Parameter { value: -2.0, .. })));
}

#[test]
fn psnr_by_hand() {
    assert_relative(psnr(&[0.1, 0.9], &[0.0, 1.0], 1.0).unwrap(), 20.0, 1e-14);
    assert_relative(psnr(&[0.1, 0.9], &[0.0, 1.0], 2.0).unwrap(), 20.0 + 20.0 * 2_f64.log10(), 1e-14);
    assert_eq!(psnr(&[0.5], &[0.5], 1.0), Ok(f64::INFINITY));
    let references = DMatrix::zeros(2, 2);
    let batch = DMatrix::from_column_slice(2, 2, &[0.1, 0.1, 0.01, 0.01]);
    let average = mean_psnr(&batch, &references, 1.0).unwrap();
    assert_relative(average.value, 30.0, 1e-14);
    assert_relative(average.standard_error, 10.0, 1e-14);
    let exact = mean_psnr(&references, &references, 1.0).unwrap();
    assert_eq!(exact, Estimate { value: f64::INFINITY, standard_error: f64::INFINITY });
}

#[test]
fn mean_psnr_error_matches_the_spread() {
    let references = DMatrix::zeros(16, 30);
    assert_calibrated(|seed| mean_psnr(&gaussian(16, 30, 0.0, &mut rng(seed)), &references, 1.0).unwrap());
}

#[test]
fn bad_input_is_named() {
    assert!(matches!(mean(&[]), Err(Error::Empty { .. })));
    assert!(matches!(mean(&[1.0]), Err(Error::TooFew { got: 1, needed: 2, .. })));
    assert!(matches!(mean(&[1.0, f64::INFINITY]), Err(Error::OutOfRange { position: 1, .. })));
    assert!(matches!(mean(&[1.0, 1e80]), Err(Error::OutOfRange { value: 1e80, .. })));
    assert!(matches!(wilson(3, 2, 1.0), Err(Error::Parameter { value: 3.0, .. })));
    assert!(matches!(proportion(0, 0), Err(Error::Empty { .. })));
    assert!(matches!(psnr(&[1.0], &[1.0, 2.0], 1.0), Err(Error::Mismatch { .. })));
    assert!(matches!(psnr(&[1.0], &[1.0], 0.0), Err(Error::Parameter { .. })));
}
