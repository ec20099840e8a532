//! Precision, recall, density and coverage against cases counted by hand and closed forms.

mod common;

use common::{gaussian, rng};
use nalgebra::DMatrix;
use resolvent_metrics::*;

fn line(points: &[f64]) -> DMatrix<f64> {
    DMatrix::from_row_slice(1, points.len(), points)
}

/// References 0, 1, 3, 7: to the nearest fellow 1, 1, 2, 4, balls [-1, 1], [0, 2], [1, 5], [3, 11]. To the second nearest
/// 3, 2, 3, 6, balls [-3, 3], [-1, 3], [0, 6], [1, 13].
/// Samples -0.5, 0.5, 4, 20: to the nearest 1, 1, 3.5, 16, balls [-1.5, 0.5], [-0.5, 1.5], [0.5, 7.5], [4, 36].
#[test]
fn cases_counted_by_hand() {
    let (references, samples) = (line(&[0.0, 1.0, 3.0, 7.0]), line(&[-0.5, 0.5, 4.0, 20.0]));
    let found = precision_recall(&samples, &references, 1).unwrap();
    // -0.5, 0.5 and 4 lie in balls; so do all references.
    assert_eq!((found.precision.value, found.recall.value), (0.75, 1.0));
    let found = density_coverage(&samples, &references, 1).unwrap();
    // Balls that hold the samples: 1, 2, 2, 0. Every ball holds one.
    assert_eq!((found.density.value, found.coverage.value), (1.25, 1.0));
    let found = density_coverage(&samples, &references, 2).unwrap();
    // 2, 3, 2, 0, over two neighbours.
    assert_eq!((found.density.value, found.coverage.value), (0.875, 1.0));
}

#[test]
fn what_is_not_reached_is_not_covered() {
    let references = line(&[0.0, 1.0, 2.0, 100.0, 101.0, 102.0, 103.0, 104.0]);
    let samples = line(&[0.9, 1.0, 1.1, 1.2]);
    let quality = precision_recall(&samples, &references, 1).unwrap();
    // To the nearest fellow 0.1 each: the samples reach no reference but 1.
    assert_eq!((quality.precision.value, quality.recall.value), (1.0, 0.125));
    let quality = density_coverage(&samples, &references, 1).unwrap();
    // 0.9 and 1.0 lie in [-1, 1], all four in [0, 2], 1.0, 1.1 and 1.2 in [1, 3].
    assert_eq!((quality.density.value, quality.coverage.value), (2.25, 0.375));
}

/// Equal points are nearest to each other, at distance zero.
#[test]
fn repeated_points_have_empty_balls() {
    let references = line(&[0.0, 0.0, 5.0, 5.0]);
    let near = precision_recall(&line(&[1e-9, 5.0, 5.0]), &references, 1).unwrap();
    assert!((near.precision.value - 2.0 / 3.0).abs() < 1e-15);
    assert_eq!(near.recall.value, 1.0, "the ball of 1e-9 reaches to 5");
}

/// Coverage of a law by itself has a closed form in any dimension; 200 repetitions of 60 and 40 points, four standard errors.
#[test]
fn coverage_of_one_law_by_itself() {
    let (n, m, k) = (60, 40, 3);
    let coverages: Vec<f64> = (0..200)
        .map(|seed| {
            let mut rng = rng(seed);
            let samples = gaussian(4, n, 0.0, &mut rng);
            let references = gaussian(4, m, 0.0, &mut rng);
            density_coverage(&samples, &references, k).unwrap().coverage.value
        })
        .collect();
    // The k nearest of all n + m - 1 other points are references.
    let missed: f64 = (1..=k).map(|i| (m - i) as f64 / (n + m - i) as f64).product();
    common::assert_close(mean(&coverages).unwrap(), 1.0 - missed);
}

/// The mean number of balls that hold a sample is k where both sets have one law: each ball holds k/m of the law on average.
#[test]
fn density_of_one_law_by_itself_is_one() {
    let densities: Vec<f64> = (0..200)
        .map(|seed| {
            let mut rng = rng(1_000 + seed);
            let samples = gaussian(2, 50, 0.0, &mut rng);
            let references = gaussian(2, 80, 0.0, &mut rng);
            density_coverage(&samples, &references, 5).unwrap().density.value
        })
        .collect();
    // A ball to the k-th nearest of m - 1 others holds k/m of the law on average, and there are m of them.
    common::assert_close(mean(&densities).unwrap(), 1.0);
}

#[test]
fn bad_input_is_named() {
    let three = line(&[0.0, 1.0, 2.0]);
    assert!(matches!(precision_recall(&three, &three, 0), Err(Error::Parameter { name: "neighbours", .. })));
    assert!(matches!(
        precision_recall(&three, &three, 3),
        Err(Error::TooFew { what: "samples", got: 3, needed: 4 })
    ));
    assert!(matches!(
        density_coverage(&three, &line(&[0.0]), 1),
        Err(Error::TooFew { what: "references", got: 1, needed: 2 })
    ));
    assert!(matches!(
        density_coverage(&DMatrix::zeros(2, 3), &three, 1),
        Err(Error::Mismatch { quantity: "dimension", .. })
    ));
}
