//! Sections 2.1 to 2.3: linear systems, Itô's formula, the Fokker-Planck equation.

use std::f64::consts::TAU;

use nalgebra::{DMatrix, DVector};
use resolvent::core::KilledBrownianMotion;
use resolvent::core::affine::{Affine, LinearSde};

use crate::numerics::{
    affine, assert_apart, assert_close, derivative, fokker_planck, integral, normal, rng, second_derivative,
    solve,
};

#[test]
fn the_transition_matrix_is_differentiated_at_its_second_time() {
    // Ψ' = F Ψ in the first argument, row by row, with F(t) that does not commute with itself.
    let f = |t: f64| [0.0, 1.0, -1.0 - t, -0.3 * t * t];
    let product = |a: [f64; 4], b: [f64; 4]| {
        [
            a[0] * b[0] + a[1] * b[2],
            a[0] * b[1] + a[1] * b[3],
            a[2] * b[0] + a[3] * b[2],
            a[2] * b[1] + a[3] * b[3],
        ]
    };
    let psi = |tau: f64, t: f64| solve([1.0, 0.0, 0.0, 1.0], t, tau, |s, p| product(f(s), p));
    let (tau, t) = (1.4, 0.3);
    let exact = product(psi(tau, t), f(t));
    let printed = product(psi(tau, t), f(tau));
    // The library's transition, by its own solver.
    let sde = LinearSde::new(
        2,
        (0.0, 2.0),
        move |t, out: &mut DMatrix<f64>| out.copy_from(&DMatrix::from_row_slice(2, 2, &f(t))),
        |_, out: &mut DVector<f64>| out.fill(0.0),
        |_, out: &mut DMatrix<f64>| out.fill(0.0),
    )
    .unwrap();
    let transition = sde.transition(t, tau).matrix.transpose();
    for (i, exact) in exact.into_iter().enumerate() {
        assert_close(derivative(|t| psi(tau, t)[i], t), -exact, 1e-8);
        assert_close(transition[i], psi(tau, t)[i], 1e-9);
    }
    assert_apart(printed[0], exact[0], 0.3);
}

#[test]
fn the_response_of_a_linear_system_is_an_exponential() {
    let (f, l, start, t) = (-2.0, 1.5, 0.7, 1.1);
    let exact = solve([start], 0.0, t, |s, [x]| [f * x + l * s.sin()])[0];
    let form = |response: &dyn Fn(f64) -> f64| {
        start * f64::exp(f * t) + integral(0.0, t, |s| response(t - s) * l * s.sin())
    };
    assert_close(form(&|s| f64::exp(f * s)), exact, 1e-9);
    let transition = affine(|_| f, |s| l * s.sin(), |_| 0.0).transition(0.0, t);
    assert_close(transition.matrix[0] * start + transition.offset[0], exact, 1e-9);
    assert_apart(form(&|s| f * s), exact, 0.5);
}

#[test]
fn paths_of_an_sde_are_continuous_but_have_no_derivative() {
    // Largest increment over a step: at most six of its deviations. Sum of their lengths: grows like
    // dt^{-1/2}.
    let process = KilledBrownianMotion::new(1, 1.0, 1.0).unwrap();
    for dt in [1e-3_f64, 1e-4, 1e-5] {
        // The same seed, so the same lifetime.
        let path = process.path(&[0.0], dt, &mut rng(41)).unwrap();
        let increments = || path.points.windows(2).map(|w| (w[1] - w[0]).abs());
        assert!(increments().fold(0.0, f64::max) < 6.0 * dt.sqrt());
        let lifetime = path.times[path.times.len() - 1];
        let (n, length) = (lifetime / dt, increments().sum::<f64>());
        // E|N| and its standard deviation 0.603; the last step is short.
        let tolerance = 4.0 * 0.603 / n.sqrt() + 1.0 / n;
        assert_close(length * dt.sqrt() / lifetime, f64::sqrt(2.0 / std::f64::consts::PI), tolerance);
    }
}

#[test]
fn the_second_order_term_of_itos_formula_runs_over_both_indices() {
    // φ = cos(k·x) under dx = L dβ: E φ(x_t) = exp(-½ kᵀΣk t), whose derivative at 0 is the mean drift ½ Σ_ij
    // Σ_ij ∂_ij φ.
    let (k, sigma) = ([1.0, 2.0], [[1.0, 0.6], [0.6, 0.5]]);
    let term = |i: usize, j: usize| -0.5 * sigma[i][j] * k[i] * k[j];
    let quadratic = |t: f64| {
        let sum: f64 = (0..4).map(|n| sigma[n / 2][n % 2] * k[n / 2] * k[n % 2]).sum();
        f64::exp(-0.5 * sum * t)
    };
    // The mean itself by quadrature: k·x is N(0, kᵀΣk t).
    let spread = 1.0 + 4.0 * 0.5 + 2.0 * 2.0 * 0.6;
    assert_close(integral(-20.0, 20.0, |z| z.cos() * normal(z, 0.0, 0.8 * spread)), quadratic(0.8), 1e-10);
    let exact = derivative(quadratic, 0.0);
    let both: f64 = (0..4).map(|n| term(n / 2, n % 2)).sum();
    assert_close(both, exact, 1e-9);
    assert_apart(term(0, 0) + term(1, 1), exact, 1.0);
}

#[test]
fn the_heat_equation_belongs_to_the_square_root_of_2d() {
    // Away from the source ½ σ² G'' = r G; with σ = √(2D) that is D G'' = r G.
    let (diffusivity, rate): (f64, f64) = (1.7, 0.6);
    let rest = |sigma: f64| {
        let process = KilledBrownianMotion::new(1, sigma, rate).unwrap();
        let value = |x: f64| process.green().log_value(x).exp();
        (diffusivity * second_derivative(value, 0.9) - rate * value(0.9)) / value(0.9)
    };
    assert_close(rest(f64::sqrt(2.0 * diffusivity)), 0.0, 1e-8);
    assert_apart(rest(2.0 * diffusivity), 0.0, 0.3);
    // And in time: p = N(0, 2Dt).
    let heat = |t: f64, x: f64| normal(x, 0.0, 2.0 * diffusivity * t);
    assert_close(
        derivative(|t| heat(t, 0.9), 0.5),
        diffusivity * second_derivative(|x| heat(0.5, x), 0.9),
        1e-8,
    );
}

#[test]
fn a_drift_conserves_mass_and_only_killing_does_not() {
    // Ornstein-Uhlenbeck from 0.8: the continuity equation with J = f p - ½ ∂(l² p) has no source.
    let density = |t: f64, x: f64| normal(x, 0.8 * f64::exp(-t), -0.5 * f64::exp_m1(-2.0 * t));
    assert_close(fokker_planck(density, |_, x| -x, |_, _| 1.0, 0.7, 0.4), 0.0, 1e-7);
    assert_close(integral(-8.0, 8.0, |x| derivative(|t| density(t, x), 0.7)), 0.0, 1e-9);
    // Put on the right as a source, with the gradient part alone for the current, it is -∂(f p): not zero,
    // but without mass.
    let source = |x: f64| derivative(|x| x * density(0.7, x), x);
    assert_apart(source(0.4), 0.0, 0.3);
    assert_close(integral(-8.0, 8.0, source), 0.0, 1e-9);
    // With killing, mass r u is lost: what flows out of a ball is what has not died in it.
    let (rate, sigma) = (0.8, 1.3_f64);
    let process = KilledBrownianMotion::new(3, sigma, rate).unwrap();
    let green = process.green();
    for rho in [0.2, 1.0, 2.5_f64] {
        let flux = 0.5 * sigma * sigma * green.score_norm(rho) * green.log_value(rho).exp();
        assert_close(flux * 2.0 * TAU * rho * rho, 1.0 - green.distance_cdf(rho), 1e-10);
    }
}
