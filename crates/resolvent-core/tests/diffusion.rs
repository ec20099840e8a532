//! Diffusions: the dispersion in its three shapes, and the divergence of Σ.

use nalgebra::{DMatrix, DVector};
use resolvent_core::Error;
use resolvent_core::diffusion::{
    Diffusion, Dispersion, Field, Langevin, divergence_error, finite_divergence,
};

const X: [f64; 2] = [1.3, -0.4];

/// σ(t, x) = [[1 + x_0², x_1], [t sin x_0, 2 + x_0 x_1]], and by hand
/// Σ_00 = (1 + x_0²)² + x_1², Σ_01 = (1 + x_0²) t sin x_0 + x_1 (2 + x_0 x_1), Σ_11 = t² sin² x_0 + (2 + x_0 x_1)².
fn full(t: f64, x: &[f64], out: &mut Dispersion) {
    let rows = [1.0 + x[0] * x[0], x[1], t * x[0].sin(), 2.0 + x[0] * x[1]];
    *out = Dispersion::Full(DMatrix::from_row_slice(2, 2, &rows));
}

fn full_divergence(t: f64, x: &[f64], out: &mut [f64]) {
    let (a, b) = (x[0], x[1]);
    // ∂_0 Σ_00 + ∂_1 Σ_01, ∂_0 Σ_10 + ∂_1 Σ_11.
    out[0] = 4.0 * a * (1.0 + a * a) + 2.0 + 2.0 * a * b;
    out[1] = t * (2.0 * a * a.sin() + (1.0 + a * a) * a.cos()) + b * b + 2.0 * a * (2.0 + a * b);
}

fn vector(values: &[f64]) -> DVector<f64> {
    DVector::from_column_slice(values)
}

fn no_drift(_t: f64, _x: &[f64], out: &mut [f64]) {
    out.fill(0.0);
}

#[test]
fn the_finite_divergence_is_that_of_hand_formulas() {
    let field = Field::new(no_drift, full);
    let (mut found, mut exact) = ([0.0; 2], [0.0; 2]);
    field.divergence(0.7, &X, &mut found);
    full_divergence(0.7, &X, &mut exact);
    for (found, exact) in found.iter().zip(&exact) {
        assert!((found - exact).abs() < 1e-9 * exact.abs(), "{found} for {exact}");
    }
    // The scalar σ(x) I has div Σ = ∇ σ², the diagonal one ∂_i σ_i².
    let scalar =
        Field::new(no_drift, |_t, x: &[f64], out: &mut Dispersion| *out = Dispersion::Scalar(x[0] * x[1]));
    finite_divergence(&scalar, 0.0, &X, &mut found);
    assert!((found[0] - 2.0 * X[0] * X[1] * X[1]).abs() < 1e-9);
    assert!((found[1] - 2.0 * X[1] * X[0] * X[0]).abs() < 1e-9);
    let diagonal = Field::new(no_drift, |_t, x: &[f64], out: &mut Dispersion| {
        *out = Dispersion::Diagonal(vector(&[x[0].exp(), x[0] + x[1]]));
    });
    finite_divergence(&diagonal, 0.0, &X, &mut found);
    assert!((found[0] - 2.0 * f64::exp(2.0 * X[0])).abs() < 1e-9 * found[0]);
    assert!((found[1] - 2.0 * (X[0] + X[1])).abs() < 1e-9);
}

#[test]
fn a_stated_divergence_is_checked_against_the_dispersion() {
    let right = Field::new(no_drift, full).with_divergence(full_divergence);
    assert!(divergence_error(&right, 0.7, &X) < 1e-9);
    let wrong = Field::new(no_drift, full).with_divergence(no_drift);
    assert!(divergence_error(&wrong, 0.7, &X) > 0.5);
}

#[test]
fn every_shape_of_the_dispersion_acts_as_its_matrix() {
    let shapes = [
        Dispersion::Scalar(1.7),
        Dispersion::Diagonal(vector(&[0.5, -2.0, 3.0])),
        Dispersion::Full(DMatrix::from_fn(3, 3, |i, j| (1 + i * i + 2 * j) as f64)),
    ];
    let v = DMatrix::from_column_slice(3, 1, &[1.0, -2.0, 0.5]);
    for shape in shapes {
        let sigma = shape.matrix(3);
        let acted = |by: fn(&Dispersion, &mut [f64], &mut [f64])| {
            let mut out = v.clone();
            by(&shape, out.as_mut_slice(), &mut [f64::NAN; 3]);
            out
        };
        let same = |found: DMatrix<f64>, exact: DMatrix<f64>| assert!((found - exact).amax() < 1e-12);
        same(acted(Dispersion::apply), &sigma * &v);
        same(acted(Dispersion::apply_transpose), sigma.transpose() * &v);
        same(acted(Dispersion::apply_covariance), &sigma * sigma.transpose() * &v);
        assert!((shape.covariance(3) - &sigma * sigma.transpose()).amax() < 1e-12);
        assert!(!shape.is_zero());
    }
    assert!(Dispersion::default().is_zero());
    assert!(Dispersion::Diagonal(vector(&[0.0, 0.0])).is_zero());
    assert!(!Dispersion::Full(DMatrix::from_row_slice(2, 2, &[0.0, 1.0, 0.0, 0.0])).is_zero());
}

#[test]
fn langevin_dynamics_has_its_diffusivity_in_both_terms() {
    let score = |x: &[f64], out: &mut [f64]| out.iter_mut().zip(x).for_each(|(s, x)| *s = -x / 4.0);
    let langevin = Langevin::new(0.3, score).unwrap();
    let (mut drift, mut divergence, mut dispersion) = ([0.0; 4], [f64::NAN; 2], Dispersion::default());
    langevin.drifts(0.0, 2, &[1.0, 2.0, 3.0, 4.0], &mut drift);
    for (k, b) in drift.iter().enumerate() {
        assert!((b + 0.3 * (k + 1) as f64 / 4.0).abs() < 1e-15);
    }
    langevin.dispersion(0.0, &X, &mut dispersion);
    assert_eq!(dispersion, Dispersion::Scalar(0.6_f64.sqrt()));
    langevin.divergence(0.0, &X, &mut divergence);
    assert_eq!(divergence, [0.0; 2]);
    for value in [0.0, -1.0, f64::INFINITY] {
        assert_eq!(
            Langevin::new(value, score).err(),
            Some(Error::NotPositive { name: "diffusivity", value })
        );
    }
}
