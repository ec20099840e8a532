//! Nearest atoms against a direct search.

mod common;

use common::{gaussian, rng};
use nalgebra::DMatrix;
use proptest::prelude::*;
use resolvent_metrics::*;

fn direct(points: &DMatrix<f64>, atoms: &DMatrix<f64>) -> Vec<usize> {
    let squared = |x: usize, y: usize| -> f64 {
        points.column(x).iter().zip(atoms.column(y).iter()).map(|(u, v)| (u - v).powi(2)).sum()
    };
    (0..points.ncols())
        .map(|i| {
            (0..atoms.ncols()).fold(0, |best, j| if squared(i, j) < squared(i, best) { j } else { best })
        })
        .collect()
}

proptest! {
    /// Integer coordinates make exact ties frequent; the offset makes the product lose digits.
    #[test]
    fn equals_a_direct_search(
        d in 1_usize..6, n in 1_usize..80, m in 1_usize..300, offset in prop::sample::select(vec![0.0, 1e3, 1e7]),
        integer in any::<bool>(), seed in any::<u64>(),
    ) {
        let mut rng = rng(seed);
        let mut make = |n| {
            let points = gaussian(d, n, 0.0, &mut rng).add_scalar(offset);
            if integer { points.map(f64::round) } else { points }
        };
        let (points, atoms) = (make(n), make(m));
        let found = nearest(&points, &atoms).unwrap();
        prop_assert_eq!(&found.indices, &direct(&points, &atoms));
        for (i, (&j, distance)) in found.indices.iter().zip(&found.distances).enumerate() {
            let norm = (points.column(i) - atoms.column(j)).norm();
            prop_assert!((norm - distance).abs() <= 1e-12 * norm);
        }
    }
}

#[test]
fn points_on_atoms_are_at_distance_zero() {
    let atoms = gaussian(100, 400, 0.0, &mut rng(1));
    let found = nearest(&atoms, &atoms).unwrap();
    assert_eq!(found.indices, (0..400).collect::<Vec<_>>());
    assert!(found.distances.iter().all(|&d| d == 0.0));
    assert_eq!(nearest_index(&atoms, &atoms).unwrap(), found.indices);
}

#[test]
fn bad_input_is_named() {
    let atoms = DMatrix::zeros(2, 3);
    assert!(matches!(nearest(&DMatrix::zeros(3, 3), &atoms), Err(Error::Mismatch { left: 3, right: 2, .. })));
    assert!(matches!(nearest(&atoms, &DMatrix::zeros(2, 0)), Err(Error::Empty { what: "atoms" })));
    let bad = DMatrix::from_element(2, 1, f64::NAN);
    assert!(matches!(nearest(&bad, &atoms), Err(Error::OutOfRange { what: "points", position: 0, .. })));
}
