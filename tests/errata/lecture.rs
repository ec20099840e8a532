//! S. Kannan, CMPTG 5, lecture 4, 2025: Itô sums, affine SDEs, schedules, the reverse SDE.

use rand::RngExt;
use resolvent::core::KilledBrownianMotion;
use resolvent::core::affine::Affine;
use resolvent::core::schedule::{OrnsteinUhlenbeck, Schedule, Ve};

use crate::numerics::{
    affine, assert_apart, assert_close, assert_mean, derivative, gauss, integral, linear, normal,
    reverse_sde, rng, simulated, solve, variance,
};

#[test]
fn the_energy_of_the_toy_is_a_well() {
    // -log q up to a constant; its negative has no partition function.
    let energy = |x: f64| 0.5 * (x - 1.0).powi(2);
    let mass = |sign: f64, half: f64| integral(1.0 - half, 1.0 + half, |x| f64::exp(-sign * energy(x)));
    for x in [-1.0, 0.5, 3.0] {
        assert_close(f64::exp(-energy(x)) / mass(1.0, 9.0), normal(x, 1.0, 1.0), 1e-10);
    }
    assert!(mass(-1.0, 9.0) > 1e6 * mass(-1.0, 6.0));
}

#[test]
fn the_score_is_minus_the_gradient_of_the_energy() {
    let energy = |x: f64| 0.25 * x.powi(4) - x;
    let partition = integral(-6.0, 6.0, |x| f64::exp(-energy(x)));
    let x = 1.7;
    let score = derivative(|x| f64::ln(f64::exp(-energy(x)) / partition), x);
    let gradient = x.powi(3) - 1.0;
    assert_close(score, -gradient, 1e-9);
    assert_apart(gradient, score, 1.0);
}

#[test]
fn the_ito_sum_is_half_the_square_less_half_the_squares() {
    let (n, horizon) = (20_000, 2.0);
    let mut rng = rng(11);
    let step = f64::sqrt(horizon / f64::from(n));
    let (mut w, mut sum, mut squares, mut quadratic) = (0.0, 0.0, 0.0, 0.0);
    for _ in 0..n {
        let next: f64 = w + step * gauss(&mut rng);
        sum += w * (next - w);
        squares += 0.5 * (next * next - w * w);
        quadratic += 0.5 * (next - w).powi(2);
        w = next;
    }
    assert_close(squares - quadratic, sum, 1e-10);
    // Printed: the other sign.
    assert_apart(quadratic - squares, sum, 2.0 * sum.abs() - 1e-9);
    assert!(sum.abs() > 0.1);
    // The squares telescope to half of W², not to W², and four standard deviations of the rest are 2t √(2/n).
    assert_close(squares, 0.5 * w * w, 1e-10);
    assert!((sum - 0.5 * w * w + 0.5 * horizon).abs() < 2.0 * horizon * f64::sqrt(2.0 / f64::from(n)));
}

#[test]
fn increments_have_the_variance_dt() {
    let (process, dt) = (KilledBrownianMotion::new(1, 1.0, 0.2).unwrap(), 0.01);
    let mut rng = rng(12);
    let squares: Vec<f64> = (0..30)
        .flat_map(|_| {
            let path = process.path(&[0.0], dt, &mut rng).unwrap();
            // The last increment is cut off by the death.
            let steps = path.points.len().saturating_sub(2);
            (0..steps).map(|k| (path.points[k + 1] - path.points[k]).powi(2)).collect::<Vec<f64>>()
        })
        .collect();
    let found = assert_mean(&squares, dt, 0.0);
    assert_apart(dt.sqrt(), found, 8.0 * dt);
}

#[test]
fn the_euler_step_has_no_second_root() {
    // dX = g dW over [0, 1]; a further factor √dt would make the noise vanish with the step.
    let (g, steps, n) = (1.7, 100, 20_000);
    let dt = 1.0 / steps as f64;
    let squares = |g: f64| -> Vec<f64> {
        let ends = simulated(&linear(|_| 0.0, move |_| g), 0.0, 1.0, steps, n, 13);
        ends.iter().map(|x| x * x).collect()
    };
    assert_mean(&squares(g), g * g, 0.0);
    let printed = assert_mean(&squares(g * dt.sqrt()), g * g * dt, 0.0);
    assert_apart(printed, g * g, 0.9 * g * g);
}

#[test]
fn the_variance_of_an_affine_sde_carries_an_exponential() {
    let a = |t: f64| -0.5 - t;
    let g2 = |t: f64| 1.0 + t * t;
    let area = |t: f64| -0.5 * t - 0.5 * t * t;
    let (start, t) = (0.4, 1.3);
    let exact = variance(start, t, a, g2);
    let inner = start + integral(0.0, t, |s| g2(s) * f64::exp(-2.0 * area(s)));
    assert_close(inner * f64::exp(2.0 * area(t)), exact, 1e-9);
    let transition = affine(a, |_| 0.0, |t| g2(t).sqrt()).transition(0.0, t);
    assert_close(transition.matrix[0].powi(2) * start + transition.covariance[0], exact, 1e-9);
    // Printed: the exponent itself, here negative, so the variance too.
    assert!(inner * 2.0 * area(t) < 0.0);
    assert_apart(inner * 2.0 * area(t), exact, 1.0);
}

#[test]
fn the_geometric_schedule_ascends_and_is_a_variance() {
    let (low, high) = (0.1_f64.powi(2), 20_f64.powi(2));
    let schedule = |t: f64| low * (high / low).powf(t);
    assert_close(schedule(0.0), low, 1e-12);
    assert_close(schedule(1.0), high, 1e-12);
    let ve = Ve::new(low.sqrt(), high.sqrt(), 1.0).unwrap();
    assert_close(ve.level(0.4).sigma.powi(2), schedule(0.4), 1e-12);
    assert_close(ve.rates(0.4).noise, derivative(schedule, 0.4), 1e-9);
    // Printed: it descends, and from σ_min² down.
    let printed = |t: f64| low * (low / high).powf(t);
    assert!(printed(1.0) < 1e-4 * printed(0.0));
    // As the variance of dX = √(dσ²/dt) dW it adds σ²(t) - σ²(0); as the beta of (39) the variance stays
    // below one.
    let rate = |t: f64| derivative(schedule, t);
    assert_close(variance(0.0, 1.0, |_| 0.0, rate), high - low, 1e-6);
    let as_beta = solve([0.0], 0.0, 1.0, |t, [v]| [rate(t) * (1.0 - v)])[0];
    assert!(as_beta <= 1.0 && high - low > 300.0);
}

#[test]
fn the_reverse_sde_reads_its_own_place() {
    // Stationary Ornstein-Uhlenbeck dX = -X dt + √2 dW: reversed it has unit variance again. With f read at
    // the forward path the variance tends to 1/2 + 1/6.
    let (steps, dt, n) = (400, 0.01, 10_000);
    let forward = OrnsteinUhlenbeck::new(1.0, f64::sqrt(2.0), 1.0).unwrap();
    let mut rng = rng(14);
    let (mut own, mut other) = (Vec::new(), Vec::new());
    for _ in 0..n {
        let (mut x, mut y, mut z) = (gauss(&mut rng), gauss(&mut rng), gauss(&mut rng));
        for _ in 0..steps {
            let noise = f64::sqrt(2.0 * dt) * gauss(&mut rng);
            y += reverse_sde(&forward, 0.0, &[y], &[-y])[0] * dt + noise;
            // Drift -f(X) + 2 ∂ log p(Z) with the forward X, itself stationary.
            z += (x - 2.0 * z) * dt + noise;
            x += -x * dt + f64::sqrt(2.0 * dt) * gauss(&mut rng);
        }
        own.push(y * y);
        other.push(z * z);
    }
    // The Euler scheme's own variance is 1/(1 - dt/2).
    assert_mean(&own, 1.0, 0.006);
    let printed = assert_mean(&other, 2.0 / 3.0, 0.006);
    assert_apart(printed, 1.0, 0.25);
}

#[test]
fn a_step_back_in_time_subtracts_the_drift() {
    // X_0 ~ N(2, 0.3) under dX = -X dt + √2 dW; the backward Euler scheme is affine, so its mean and variance
    // are sums without noise.
    let (horizon, steps) = (2.0, 4_000);
    let dt = horizon / f64::from(steps);
    let law = |t: f64| (2.0 * f64::exp(-t), 0.3 * f64::exp(-2.0 * t) - f64::exp_m1(-2.0 * t));
    let back = |sign: f64| {
        let (mut mean, mut variance) = law(horizon);
        for k in 0..steps {
            let (m, v) = law(horizon - dt * f64::from(k));
            // f - g² ∂ log p = -x + 2 (x - m)/v.
            let (slope, shift) = (-1.0 + 2.0 / v, -2.0 * m / v);
            mean += sign * dt * (slope * mean + shift);
            variance = (1.0 + sign * dt * slope).powi(2) * variance + 2.0 * dt;
        }
        (mean, variance)
    };
    let (mean, variance) = back(-1.0);
    assert_close(mean, 2.0, 5e-3);
    assert_close(variance, 0.3, 5e-3);
    // Printed, with the step dt > 0 that its root needs: the law runs away from the data.
    let (mean, variance) = back(1.0);
    assert_apart(mean, 2.0, 10.0);
    assert_apart(variance, 0.3, 10.0);
    // With dt < 0 the root has no value.
    assert!(f64::sqrt(-dt).is_nan());
    // The drift of the step is the library's.
    let (m, v) = law(0.7);
    let x = rng(15).random::<f64>();
    let forward = OrnsteinUhlenbeck::new(1.0, f64::sqrt(2.0), horizon).unwrap();
    let drift = reverse_sde(&forward, 0.7, &[x], &[-(x - m) / v])[0];
    assert_close(drift, -(-x + 2.0 * (x - m) / v), 1e-14);
}
