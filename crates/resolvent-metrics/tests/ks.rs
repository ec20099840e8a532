//! Kolmogorov-Smirnov statistics and p-values.

mod common;

use common::{assert_close, assert_relative, numbers, rng, table};
use rand::RngExt;
use resolvent_metrics::*;

fn uniforms(n: usize, seed: u64) -> Vec<f64> {
    let mut rng = rng(seed);
    (0..n).map(|_| rng.random()).collect()
}

#[test]
fn law_equals_scipy() {
    for row in table(include_str!("../golden/ks_law.csv")) {
        let n: usize = row[0].parse().unwrap();
        let truth: f64 = row[2].parse().unwrap();
        let value = ks_p_value(row[1].parse().unwrap(), n).unwrap();
        // The table is one minus a sum of rounding 1e-12; beyond 256 the documented error.
        let tolerance = if n <= 256 { 1e-9 * truth + 1e-12 } else { 0.05 / n as f64 };
        assert!((value - truth).abs() <= tolerance, "n {n}, D {}: {value}, expected {truth}", row[1]);
    }
}

#[test]
fn law_in_closed_form() {
    // n = 1: D = max(U, 1 - U).
    assert_relative(ks_p_value(0.7, 1).unwrap(), 0.6, 1e-14);
    // P(D_n < 1/(2n) + e) = n! (2e)^n.
    let below = 1.0 - ks_p_value(0.125 + 0.05, 4).unwrap();
    assert_relative(below, 24.0 * 0.1_f64.powi(4), 1e-10);
    assert_eq!(ks_p_value(0.0, 300), Ok(1.0));
    assert_eq!(ks_p_value(1.0, 3), Ok(0.0));
    assert!(ks_p_value(1.0, 2000).unwrap() < 1e-300);
}

#[test]
fn critical_value_inverts_the_law() {
    for n in [1, 5, 40, 256, 257, 5000] {
        for alpha in [0.5, 0.05, 1e-3, 1e-6] {
            let critical = ks_critical(n, alpha).unwrap();
            assert_relative(ks_p_value(critical, n).unwrap(), alpha, 1e-6);
        }
    }
    // Published table: n = 20, 5 %.
    assert_relative(ks_critical(20, 0.05).unwrap(), 0.294_08, 2e-5);
}

#[test]
fn mean_of_the_statistic() {
    for n in [10, 2000] {
        let statistics: Vec<f64> =
            (0..2000).map(|seed| ks_one_sample(&uniforms(n, seed), |x| x).unwrap().statistic).collect();
        assert_close(mean(&statistics).unwrap(), expected_ks(n).unwrap());
    }
    // By integration of the exact law.
    assert_relative(expected_ks(100).unwrap(), 0.085_243_541, 1e-3);
}

#[test]
fn one_sample_p_values_are_uniform() {
    for n in [4, 50, 1000] {
        let p_values: Vec<f64> =
            (0..2000).map(|seed| ks_one_sample(&uniforms(n, seed), |x| x).unwrap().p_value).collect();
        assert_uniform(&p_values);
    }
}

#[test]
fn two_sample_p_values_are_uniform() {
    let p_values: Vec<f64> = (0..2000)
        .map(|seed| ks_two_sample(&uniforms(301, seed), &uniforms(200, seed + 10_000)).unwrap().p_value)
        .collect();
    assert_uniform(&p_values);
}

/// Twenty equal bins, by a test that is not the one under test.
fn assert_uniform(p_values: &[f64]) {
    let bins: Vec<usize> = p_values.iter().map(|p| ((p * 20.0) as usize).min(19)).collect();
    let test = chi_square_test(&counts(&bins, 20).unwrap(), &[0.05; 20]).unwrap();
    assert!(test.p_value > 1e-4, "{test:?}");
}

#[test]
fn two_sample_statistic_equals_scipy() {
    for row in table(include_str!("../golden/two_samples.csv")) {
        let result = ks_two_sample(&numbers(row[0]), &numbers(row[1])).unwrap();
        assert_relative(result.statistic, row[2].parse().unwrap(), 1e-12);
    }
}

#[test]
fn ties_are_stepped_over() {
    assert_eq!(ks_two_sample(&[1.0, 1.0, 2.0], &[1.0, 1.0, 2.0]).unwrap().statistic, 0.0);
    assert_eq!(ks_two_sample(&[0.0, -0.0], &[-0.0]).unwrap().statistic, 0.0);
    assert_eq!(ks_two_sample(&[0.0; 3], &[1.0; 5]).unwrap().statistic, 1.0);
    assert_eq!(ks_one_sample(&[0.5; 4], |x| x).unwrap().statistic, 0.5);
}

#[test]
fn a_wrong_law_is_rejected() {
    let sample = uniforms(2000, 3);
    assert!(ks_one_sample(&sample, |x| x * x).unwrap().p_value < 1e-10);
    let shifted: Vec<f64> = uniforms(2000, 4).iter().map(|x| x + 0.2).collect();
    assert!(ks_two_sample(&sample, &shifted).unwrap().p_value < 1e-10);
}

#[test]
fn bad_input_is_named() {
    assert!(matches!(ks_one_sample(&[], |x| x), Err(Error::Empty { what: "sample" })));
    assert!(matches!(
        ks_two_sample(&[1.0], &[2.0, f64::NAN]),
        Err(Error::OutOfRange { what: "b", position: 1, .. })
    ));
    assert_eq!(ks_one_sample(&[2.0], |x| x), Err(Error::DistributionFunction { at: 2.0, value: 2.0 }));
    assert!(matches!(ks_one_sample(&[2.0], |_| f64::NAN), Err(Error::DistributionFunction { .. })));
    assert!(matches!(ks_critical(0, 0.1), Err(Error::Empty { .. })));
    assert!(matches!(ks_critical(5, 1.0), Err(Error::Parameter { .. })));
}
