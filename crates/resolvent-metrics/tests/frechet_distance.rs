//! The Fréchet distance against Gaussians for which it is known.

use nalgebra::{DMatrix, DVector};
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use resolvent_metrics::frechet_distance;

fn normals(d: usize, n: usize, seed: u64) -> DMatrix<f64> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    DMatrix::from_fn(d, n, |_, _| StandardNormal.sample(&mut rng))
}

/// Covariances that commute: |m_a - m_b|² + Σ (√λ_a - √λ_b)², in a basis that is not that of the coordinates.
#[test]
fn of_gaussians_whose_covariances_commute() {
    let turned = normals(3, 3, 1).qr().q();
    let scaled = |scales: [f64; 3], shift: f64, seed: u64| {
        let mut sample =
            &turned * DMatrix::from_diagonal(&DVector::from_row_slice(&scales)) * normals(3, 20_000, seed);
        sample.column_iter_mut().for_each(|mut x| x += DVector::from_element(3, shift));
        sample
    };
    let exact = 3.0 * 0.25 + 1.0 + 0.25 + 0.0;
    let found = frechet_distance(&scaled([1.0, 2.0, 0.5], 0.0, 2), &scaled([2.0, 1.5, 0.5], 0.5, 3)).unwrap();
    // Significance 1e-4, two-sided.
    assert!((found.value - exact).abs() < 3.9 * found.standard_error, "{found:?} {exact}");
    assert!(found.standard_error < 0.1 * exact);
}

/// Covariances that do not commute: in two dimensions tr (C_a^{1/2} C_b C_a^{1/2})^{1/2} is √(tr C_a C_b + 2 √(det C_a det C_b)).
#[test]
fn of_gaussians_whose_covariances_do_not_commute() {
    let maps: [DMatrix<f64>; 2] = [
        DMatrix::from_row_slice(2, 2, &[1.0, 0.0, 0.8, 0.6]),
        DMatrix::from_row_slice(2, 2, &[0.5, 0.3, 0.0, 1.2]),
    ];
    let covariances: [DMatrix<f64>; 2] = maps.clone().map(|a| &a * a.transpose());
    let [ca, cb] = &covariances;
    let cross = f64::sqrt((ca * cb).trace() + 2.0 * f64::sqrt(ca.determinant() * cb.determinant()));
    let exact = ca.trace() + cb.trace() - 2.0 * cross;
    let [a, b] = &maps;
    let found = frechet_distance(&(a * normals(2, 50_000, 4)), &(b * normals(2, 50_000, 5))).unwrap();
    assert!((found.value - exact).abs() < 3.9 * found.standard_error, "{found:?} {exact}");
    assert!(found.standard_error < 0.1 * exact);
}

#[test]
fn of_a_sample_and_itself_is_nothing() {
    let sample = normals(4, 200, 6);
    assert!(frechet_distance(&sample, &sample).unwrap().value < 1e-9);
    assert!(frechet_distance(&sample, &normals(4, 19, 7)).is_err());
    assert!(frechet_distance(&sample, &normals(3, 200, 7)).is_err());
}
