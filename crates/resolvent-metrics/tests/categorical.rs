//! Total variation and chi-square on laws with known answers.

mod common;

use common::{assert_calibrated, assert_close, assert_relative, error_over_spread, numbers, rng, table};
use rand::distr::weighted::WeightedIndex;
use rand_distr::Distribution;
use resolvent_metrics::*;

fn draw(weights: &[f64], n: usize, seed: u64) -> Vec<u64> {
    let law = WeightedIndex::new(weights).unwrap();
    let mut rng = rng(seed);
    let indices: Vec<usize> = (0..n).map(|_| law.sample(&mut rng)).collect();
    counts(&indices, weights.len()).unwrap()
}

const LAW: [f64; 5] = [0.1, 0.15, 0.2, 0.25, 0.3];
const OTHER: [f64; 5] = [0.2, 0.1, 0.3, 0.2, 0.2];

#[test]
fn counts_by_hand() {
    assert_eq!(counts(&[2, 0, 2, 2], 4), Ok(vec![1, 0, 3, 0]));
    assert_eq!(counts(&[0, 4], 4), Err(Error::IndexOutOfRange { position: 1, value: 4, cells: 4 }));
}

#[test]
fn total_variation_by_hand() {
    let distance = total_variation(&[6, 2, 2], &[0.5, 0.5, 0.0]).unwrap();
    assert_relative(distance.value, 0.3, 1e-15);
    let exact = total_variation(&[50, 50], &[0.5, 0.5]).unwrap();
    assert_eq!(exact.value, 0.0);
    assert_relative(exact.standard_error, 0.05, 0.01);
    assert!(total_variation(&[10, 0], &[0.999, 0.001]).unwrap().standard_error > 0.01);
}

#[test]
fn total_variation_error_matches_the_spread() {
    assert_calibrated(|seed| total_variation(&draw(&OTHER, 2000, seed), &LAW).unwrap());
    let truth = 0.5 * LAW.iter().zip(OTHER).map(|(p, q)| (p - q).abs()).sum::<f64>();
    assert_close(total_variation(&draw(&OTHER, 20_000, 7), &LAW).unwrap(), truth);
}

#[test]
fn total_variation_error_is_safe_under_the_law() {
    let uniform = vec![1.0 / 40.0; 40];
    let ratio = error_over_spread(|seed| total_variation(&draw(&uniform, 4000, seed), &uniform).unwrap());
    let limit = (1.0 - 2.0 / std::f64::consts::PI).sqrt().recip();
    assert!(ratio > 0.8 * limit && ratio < 1.2 * limit, "{ratio}, limit {limit}");
}

#[test]
fn floor_is_the_mean_under_the_law() {
    for (weights, n) in [(LAW.to_vec(), 30), (vec![0.5, 0.5], 1000), (vec![1.0 / 300.0; 300], 200)] {
        let floor = expected_total_variation(&weights, n).unwrap();
        let values: Vec<f64> = (0..4000)
            .map(|seed| total_variation(&draw(&weights, n as usize, seed), &weights).unwrap().value)
            .collect();
        assert_close(mean(&values).unwrap(), floor);
        let critical = total_variation_critical(&weights, n, 0.05).unwrap();
        let above = values.iter().filter(|&&v| v > critical).count();
        assert!(wilson(above as u64, 4000, 4.0).unwrap().0 <= 0.05, "{above} of 4000 above {critical}");
    }
    // Large n: sum sqrt(2 p (1 - p) / (pi n)) / 2.
    let limit: f64 =
        LAW.iter().map(|p| (2.0 * p * (1.0 - p) / std::f64::consts::PI / 1e9).sqrt() / 2.0).sum();
    assert_relative(expected_total_variation(&LAW, 1_000_000_000).unwrap(), limit, 1e-5);
}

#[test]
fn chi_square_equals_scipy() {
    for row in table(include_str!("../golden/chi_square.csv")) {
        let counts: Vec<u64> = numbers(row[0]).into_iter().map(|v| v as u64).collect();
        let test = chi_square_test(&counts, &numbers(row[1])).unwrap();
        assert_eq!(test.degrees_of_freedom, counts.len() - 1);
        assert_relative(test.statistic, row[2].parse().unwrap(), 1e-11);
        assert_relative(test.p_value, row[3].parse().unwrap(), 1e-9);
    }
}

#[test]
fn chi_square_is_uniform_under_the_law_and_small_off_it() {
    // The last three cells expect 3, 1 and 1 and are tested as one.
    let weights = [0.3, 0.3, 0.395, 0.003, 0.001, 0.001];
    let p_values: Vec<f64> = (0..2000)
        .map(|seed| {
            let test = chi_square_test(&draw(&weights, 1000, seed), &weights).unwrap();
            assert_eq!(test.degrees_of_freedom, 3);
            test.p_value
        })
        .collect();
    let uniform = ks_one_sample(&p_values, |p| p).unwrap();
    assert!(uniform.p_value > 1e-4, "{uniform:?}");
    assert!(chi_square_test(&draw(&OTHER, 2000, 1), &LAW).unwrap().p_value < 1e-10);
}

#[test]
fn chi_square_pools_small_cells() {
    let pooled = chi_square_test(&[45, 50, 2, 3], &[0.45, 0.5, 0.02, 0.03]).unwrap();
    assert_eq!((pooled.degrees_of_freedom, pooled.statistic, pooled.p_value), (2, 0.0, 1.0));
    let joined = chi_square_test(&[40, 55, 5], &[0.42, 0.56, 0.02]).unwrap();
    assert_eq!(joined.degrees_of_freedom, 1);
    assert_relative(joined.statistic, 1.0 / 44.0 + 1.0 / 56.0, 1e-12);
}

#[test]
fn chi_square_rejects_the_impossible() {
    let test = chi_square_test(&[50, 49, 1], &[0.5, 0.5, 0.0]).unwrap();
    assert_eq!((test.statistic, test.p_value), (f64::INFINITY, 0.0));
    let unseen = chi_square_test(&[50, 50, 0], &[0.5, 0.5, 0.0]).unwrap();
    assert_eq!((unseen.degrees_of_freedom, unseen.p_value), (1, 1.0));
}

#[test]
fn bad_input_is_named() {
    assert_eq!(total_variation(&[0, 0], &[0.5, 0.5]), Err(Error::Empty { what: "counts" }));
    assert_eq!(total_variation(&[1, 1], &[1.5, -0.5]), Err(Error::Probability { index: 0, value: 1.5 }));
    assert!(matches!(total_variation(&[1, 1], &[0.5, f64::NAN]), Err(Error::Probability { index: 1, .. })));
    assert_eq!(expected_total_variation(&[0.5, 0.25], 3), Err(Error::ProbabilitySum { sum: 0.75 }));
    assert!(matches!(chi_square_test(&[1], &[0.5, 0.5]), Err(Error::Mismatch { left: 1, right: 2, .. })));
    assert!(matches!(chi_square_test(&[9], &[1.0]), Err(Error::TooFew { got: 1, needed: 2, .. })));
    assert!(matches!(expected_total_variation(&[1.0], 0), Err(Error::Empty { .. })));
    assert!(matches!(total_variation_critical(&[1.0], 5, 0.0), Err(Error::Parameter { .. })));
}
