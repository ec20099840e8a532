//! Sliced Wasserstein distance.

mod common;

use common::{assert_calibrated, assert_close, assert_relative, gaussian, numbers, rng, table};
use nalgebra::DMatrix;
use resolvent_metrics::*;
use statrs::function::gamma::gamma;

#[test]
fn on_the_line_equals_scipy() {
    for row in table(include_str!("../golden/two_samples.csv")) {
        let (a, b) = (numbers(row[0]), numbers(row[1]));
        let (a, b) = (DMatrix::from_row_slice(1, a.len(), &a), DMatrix::from_row_slice(1, b.len(), &b));
        for (order, cell) in [(Order::One, row[4]), (Order::Two, row[5])] {
            let distance = sliced_wasserstein(&a, &b, 3, order, 1).unwrap();
            assert_relative(distance.value, cell.parse().unwrap(), 1e-12);
            assert!(distance.standard_error < 1e-7);
        }
    }
}

#[test]
fn a_shift_has_a_closed_form() {
    for d in [2, 5, 64] {
        let a = gaussian(d, 50, 0.0, &mut rng(d as u64));
        let mut b = a.clone();
        b.row_mut(0).add_scalar_mut(3.0);
        let half = d as f64 / 2.0;
        let first = 3.0 * gamma(half) / (std::f64::consts::PI.sqrt() * gamma(half + 0.5));
        assert_close(sliced_wasserstein(&a, &b, 2000, Order::One, 1).unwrap(), first);
        assert_close(sliced_wasserstein(&a, &b, 2000, Order::Two, 2).unwrap(), 3.0 / (d as f64).sqrt());
    }
}

#[test]
fn independent_gaussians_of_different_size() {
    let mut rng = rng(8);
    let (a, b) = (gaussian(3, 20_000, 0.0, &mut rng), gaussian(3, 15_000, 2.0, &mut rng));
    let mut copy = a.clone();
    copy.row_mut(0).add_scalar_mut(2.0);
    for order in [Order::One, Order::Two] {
        let distance =
            |x: &DMatrix<f64>, y: &DMatrix<f64>| sliced_wasserstein(x, y, 300, order, 5).unwrap().value;
        // Triangle inequality on the same directions, with the exact shift as the third side.
        let noise = distance(&copy, &b);
        assert!((distance(&a, &b) - distance(&a, &copy)).abs() <= noise);
        // The noise of one projection is about sqrt((1/n + 1/m) log log n).
        assert!(noise < 0.03, "{noise}");
    }
}

#[test]
fn copies_do_not_matter() {
    let mut rng = rng(9);
    let (a, b) = (gaussian(3, 12, 0.0, &mut rng), gaussian(3, 20, 1.0, &mut rng));
    let twice = DMatrix::from_fn(3, 24, |i, j| a[(i, j % 12)]);
    let one = sliced_wasserstein(&a, &b, 40, Order::Two, 3).unwrap();
    assert_relative(sliced_wasserstein(&twice, &b, 40, Order::Two, 3).unwrap().value, one.value, 1e-12);
    assert_relative(sliced_wasserstein(&b, &a, 40, Order::Two, 3).unwrap().value, one.value, 1e-12);
    let itself = sliced_wasserstein(&a, &a, 40, Order::Two, 3).unwrap();
    assert_eq!(itself, Estimate { value: 0.0, standard_error: 0.0 });
}

#[test]
fn error_matches_the_spread_over_directions() {
    let mut rng = rng(10);
    let (a, b) = (gaussian(4, 60, 0.0, &mut rng), gaussian(4, 45, 1.5, &mut rng));
    for order in [Order::One, Order::Two] {
        assert_calibrated(|seed| sliced_wasserstein(&a, &b, 100, order, seed).unwrap());
    }
}

#[test]
fn bad_input_is_named() {
    let a = DMatrix::zeros(2, 3);
    assert!(matches!(sliced_wasserstein(&a, &a, 1, Order::One, 0), Err(Error::Parameter { value: 1.0, .. })));
    let wide = DMatrix::zeros(3, 3);
    assert!(matches!(sliced_wasserstein(&a, &wide, 9, Order::One, 0), Err(Error::Mismatch { .. })));
    let infinite = DMatrix::from_element(2, 3, f64::INFINITY);
    assert!(matches!(
        sliced_wasserstein(&a, &infinite, 9, Order::One, 0),
        Err(Error::OutOfRange { what: "b", .. })
    ));
}
