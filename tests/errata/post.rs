//! "Deriving Reverse-Time Stochastic Differential Equations", blog post.

use nalgebra::{DMatrix, Matrix2};
use resolvent::core::diffusion::{Dispersion, Field, finite_divergence};
use resolvent::core::schedule::OrnsteinUhlenbeck;

use crate::numerics::{
    assert_apart, assert_close, correlation, derivative, gauss, reverse_sde, rng, second_derivative,
};

#[test]
fn the_backward_noise_is_independent_of_what_came_later() {
    // Stationary dX = -X dt + √2 dW, at the forward times T-s-2h, T-s-h, T-s, T-s+h. The increment of the
    // backward noise over [s, s+h] is independent of σ(X_u : u >= T-s), and depends on σ(X_u : u <= T-s).
    let (h, n) = (0.01, 40_000);
    let forward = OrnsteinUhlenbeck::new(1.0, f64::sqrt(2.0), 1.0).unwrap();
    let mut rng = rng(31);
    let (decay, spread) = (f64::exp(-h), (-f64::exp_m1(-2.0 * h)).sqrt());
    let [mut noise, mut now, mut later, mut earlier] = [0; 4].map(|_| Vec::with_capacity(n));
    for _ in 0..n {
        let mut x = [gauss(&mut rng); 4];
        for k in 1..4 {
            x[k] = decay * x[k - 1] + spread * gauss(&mut rng);
        }
        let drift = reverse_sde(&forward, 0.0, &[x[2]], &[-x[2]])[0];
        noise.push((x[1] - x[2] - drift * h) / f64::sqrt(2.0));
        now.push(x[2]);
        later.push(x[3]);
        earlier.push(x[0]);
    }
    let limit = 4.0 / f64::sqrt(n as f64);
    assert!(correlation(&noise, &now).abs() < limit);
    assert!(correlation(&noise, &later).abs() < limit);
    // Printed: about √(2h) = 0.14.
    assert!(correlation(&noise, &earlier) > 5.0 * limit);
}

#[test]
fn the_density_fixes_the_drift_up_to_divergence_free_fields() {
    // q = N(0, I) in the plane and c = J x: ∫ c q·∇φ = 0 for every φ, that is div(c q) = 0, and yet c q is
    // not 0.
    let q = |x: f64, y: f64| f64::exp(-0.5 * (x * x + y * y));
    let (x, y) = (0.7, -1.2);
    let divergence = derivative(|x| -y * q(x, y), x) + derivative(|y| x * q(x, y), y);
    assert_close(divergence, 0.0, 1e-10);
    assert!(f64::hypot(x, y) * q(x, y) > 0.3);
    // The forward drift A x = (-½I + J) x keeps q. Matching densities would allow the reverse drift -½x,
    // without the rotation; the process itself has E[X_{t-h} | X_t = x] = exp(Aᵀh) x, so the drift Aᵀx = (-½I
    // - J) x: it is R1.
    let a = Matrix2::new(-0.5, -1.0, 1.0, -0.5);
    let forward = Field::new(
        |_t, x: &[f64], out: &mut [f64]| out.copy_from_slice(&[-0.5 * x[0] - x[1], x[0] - 0.5 * x[1]]),
        |_t, _x: &[f64], out: &mut Dispersion| *out = Dispersion::Scalar(1.0),
    );
    let found = reverse_sde(&forward, 0.0, &[x, y], &[-x, -y]);
    for (i, at) in [x, y].into_iter().enumerate() {
        let conditional = |h: f64| ((a.transpose() * h).exp() * nalgebra::Vector2::new(x, y))[i];
        assert_close(found[i], derivative(conditional, 0.0), 1e-9);
        assert_apart(-0.5 * at, found[i], 0.5);
    }
}

/// A full matrix σ(x), Σ its square.
fn sigma(x: &[f64]) -> DMatrix<f64> {
    DMatrix::from_row_slice(2, 2, &[1.0 + 0.3 * x[1].sin(), 0.2, 0.4 * x[0].cos(), 1.1 + 0.2 * x[1].sin()])
}

#[test]
fn a_matrix_needs_the_divergence_of_sigma() {
    // The diffusion that is symmetric with respect to m, b = ½ Σ ∇ log m + ½ div Σ: its reversal is itself.
    let log_m = |x: &[f64]| -0.5 * (x[0] * x[0] + x[1] * x[1]) - 0.3 * x[0] * x[1];
    let score = |x: &[f64]| [-x[0] - 0.3 * x[1], -x[1] - 0.3 * x[0]];
    let covariance = |x: &[f64]| {
        let sigma = sigma(x);
        &sigma * sigma.transpose()
    };
    let noise = |_t: f64, x: &[f64], out: &mut Dispersion| *out = Dispersion::Full(sigma(x));
    let still = Field::new(|_t, _x: &[f64], out: &mut [f64]| out.fill(0.0), noise);
    let drift = |x: &[f64]| {
        let (s, cov, mut div) = (score(x), covariance(x), [0.0; 2]);
        finite_divergence(&still, 0.0, x, &mut div);
        std::array::from_fn::<f64, 2, _>(|i| 0.5 * (cov[(i, 0)] * s[0] + cov[(i, 1)] * s[1] + div[i]))
    };
    let forward = Field::new(|_t, x: &[f64], out: &mut [f64]| out.copy_from_slice(&drift(x)), noise);
    let x = [0.5, -0.8];
    let at = |i: usize, v: f64| if i == 0 { [v, x[1]] } else { [x[0], v] };
    // By differences: m is stationary, -div(b m) + ½ Σ_ij ∂_ij(Σ_ij m) = 0.
    let m = |x: &[f64]| log_m(x).exp();
    let mut rest = 0.0;
    for (i, at_i) in x.into_iter().enumerate() {
        rest -= derivative(|v| drift(&at(i, v))[i] * m(&at(i, v)), at_i);
        rest += 0.5 * second_derivative(|v| covariance(&at(i, v))[(i, i)] * m(&at(i, v)), at_i);
    }
    let mixed = |u: f64, v: f64| covariance(&[u, v])[(0, 1)] * m(&[u, v]);
    rest += derivative(|v| derivative(|u| mixed(u, v), x[0]), x[1]);
    assert_close(rest, 0.0, 1e-7);
    // R1 returns b.
    let found = reverse_sde(&forward, 0.0, &x, &score(&x));
    // Printed: a gradient of g². The gradient of each diagonal entry, what it means for diagonal g, misses
    // the rest.
    let cov = covariance(&x);
    for (i, b) in drift(&x).into_iter().enumerate() {
        assert_close(found[i], b, 1e-9);
        let gradient = derivative(|v| covariance(&at(i, v))[(i, i)], x[i]);
        let printed = -b + gradient + cov[(i, 0)] * score(&x)[0] + cov[(i, 1)] * score(&x)[1];
        assert_apart(printed, b, 0.05);
    }
}
