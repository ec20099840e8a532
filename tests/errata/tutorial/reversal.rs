//! Section 2.4: time reversal.

use resolvent::core::schedule::OrnsteinUhlenbeck;

use crate::numerics::{
    assert_apart, assert_close, derivative, fokker_planck, normal, reverse_ode, reverse_sde,
    second_derivative, solve,
};

/// Gaussian data of variance V under dX = -½X dt + dW.
const V: f64 = 0.3;
const HORIZON: f64 = 1.5;

fn forward() -> OrnsteinUhlenbeck {
    OrnsteinUhlenbeck::new(0.5, 1.0, HORIZON).unwrap()
}

fn variance_at(t: f64) -> f64 {
    1.0 + (V - 1.0) * f64::exp(-t)
}

/// The density at time t of the forward process.
fn density(t: f64, x: f64) -> f64 {
    normal(x, 0.0, variance_at(t))
}

/// A backward time.
const S: f64 = 0.4;

/// What is left at (S, x) of the Fokker-Planck equation of the reversed density q(s, ·) = p(T - s, ·).
fn rest(drift: impl Fn(f64, f64) -> f64, covariance: f64, x: f64) -> f64 {
    fokker_planck(|s, x| density(HORIZON - s, x), drift, |_, _| covariance, S, x)
}

#[test]
fn the_score_of_the_reversed_process_is_read_at_the_reversed_time() {
    let drift = |time: &dyn Fn(f64) -> f64, s: f64, x: f64| {
        let t = time(s);
        reverse_sde(&forward(), HORIZON - s, &[x], &[-x / variance_at(t)])[0]
    };
    for x in [-1.3, 0.0, 0.8] {
        assert_close(rest(|s, x| drift(&|s| HORIZON - s, s, x), 1.0, x), 0.0, 1e-7);
    }
    // Printed: the density indexed T - t from the back is that of time t from the front. The excess c x of
    // the drift leaves ∂(c x q), at 0 that is c q.
    let excess = 1.0 / variance_at(HORIZON - S) - 1.0 / variance_at(S);
    let left = excess * density(HORIZON - S, 0.0);
    assert_close(rest(|s, x| drift(&|s| s, s, x), 1.0, 0.0), left, 1e-7);
    assert_apart(left, 0.0, 0.1);
}

#[test]
fn the_derivative_acts_on_the_product() {
    // ∂(π ∂ log π) = ∂²π; the product (∂π)(∂ log π) is something else.
    let (density, x) = (|x: f64| normal(x, 0.3, 0.7) + 0.5 * normal(x, -1.0, 0.2), 0.6);
    let score = |x: f64| derivative(|x| density(x).ln(), x);
    let exact = second_derivative(density, x);
    assert_close(derivative(|x| density(x) * score(x), x), exact, 1e-8);
    assert_apart(derivative(density, x) * score(x), exact, 0.2);
}

#[test]
fn many_sdes_share_the_marginals() {
    // Drift R1 with the noise l, R2 without noise, and everything between and beyond.
    let score = |s: f64, x: f64| -x / variance_at(HORIZON - s);
    let sde = |s: f64, x: f64| reverse_sde(&forward(), HORIZON - s, &[x], &[score(s, x)])[0];
    let ode = |s: f64, x: f64| reverse_ode(&forward(), HORIZON - s, &[x], &[score(s, x)])[0];
    for lambda in [0.0, 0.5, 1.0, 2.0_f64] {
        let drift = |s: f64, x: f64| ode(s, x) + lambda * (sde(s, x) - ode(s, x));
        for x in [-1.3, 0.0, 0.8] {
            assert_close(rest(drift, lambda, x), 0.0, 1e-7);
        }
    }
    assert_apart(sde(S, 0.8), ode(S, 0.8), 0.2);
    // Not all drifts do: that of the SDE without its noise leaves ½ ∂²q, at 0 that is -½ q/v.
    let left = -0.5 * density(HORIZON - S, 0.0) / variance_at(HORIZON - S);
    assert_close(rest(sde, 0.0, 0.0), left, 1e-7);
    assert_apart(left, 0.0, 0.1);
}

#[test]
fn the_reversed_sde_matches_the_joint_law_and_the_probability_flow_does_not() {
    // Gaussian: the joint law of the ends is their covariance. E[Y_s | Y_0] = M Y_0.
    let end = variance_at(HORIZON);
    let run =
        |drift: &dyn Fn(f64) -> f64| solve([1.0], 0.0, HORIZON, |s, [m]| [drift(HORIZON - s) * m])[0] * end;
    let score = |t: f64| [-1.0 / variance_at(t)];
    let sde = run(&|t| reverse_sde(&forward(), t, &[1.0], &score(t))[0]);
    let ode = run(&|t| reverse_ode(&forward(), t, &[1.0], &score(t))[0]);
    let exact = V * f64::exp(-0.5 * HORIZON);
    assert_close(sde, exact, 1e-9);
    // The flow carries every start to one end: correlation one.
    assert_close(ode, (V * end).sqrt(), 1e-9);
    assert_apart(ode, exact, 0.2);
    // At any two times, not only at the ends.
    let (early, late) = (0.5, 1.2);
    let between =
        solve([1.0], late, early, |t, [m]| [-reverse_sde(&forward(), t, &[1.0], &score(t))[0] * m])[0];
    assert_close(between * variance_at(late), variance_at(early) * f64::exp(-0.5 * (late - early)), 1e-9);
}
