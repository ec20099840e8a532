//! Sections 3 and 4.1: variational inference, Langevin dynamics, score matching.

use resolvent::core::diffusion::{Diffusion, Langevin};

use crate::numerics::{assert_apart, assert_close, derivative, fokker_planck, integral, normal};

#[test]
fn the_divergence_of_the_gaussian_encoder_has_the_square_of_the_mean() {
    let sigma = 0.5_f64;
    let divergence = |mean: f64| {
        integral(mean - 6.0, mean + 6.0, |z| {
            let q = normal(z, mean, sigma * sigma);
            if q > 0.0 { q * (q / normal(z, 0.0, 1.0)).ln() } else { 0.0 }
        })
    };
    let formula = |square: f64| 0.5 * (sigma * sigma + square - 2.0 * sigma.ln() - 1.0);
    for mean in [0.3, 2.0] {
        assert_close(divergence(mean), formula(mean * mean), 1e-9);
    }
    // Constants aside: between the means 0.3 and 2 the printed formula grows by half of 1.7.
    assert_apart(formula(2.0) - formula(0.3), divergence(2.0) - divergence(0.3), 1.0);
}

#[test]
fn the_divergence_from_q_to_p_seeks_a_mode() {
    // The best single Gaussian for two equal bumps at ±3, under both orders of the divergence.
    let log_normal =
        |x: f64, m: f64, s: f64| -0.5 * ((x - m) / s).powi(2) - s.ln() - 0.5 * std::f64::consts::TAU.ln();
    let log_p = |x: f64| {
        let (a, b) = (log_normal(x, 3.0, 1.0), log_normal(x, -3.0, 1.0));
        a.max(b) + f64::ln_1p(f64::exp(-(a - b).abs())) - std::f64::consts::LN_2
    };
    let divergence = |from: &dyn Fn(f64) -> f64, to: &dyn Fn(f64) -> f64| {
        integral(-24.0, 24.0, |x| f64::exp(from(x)) * (from(x) - to(x)))
    };
    let best = |towards_p: bool| {
        let of = |m: f64, s: f64| {
            let log_q = |x: f64| log_normal(x, m, s);
            if towards_p { divergence(&log_q, &log_p) } else { divergence(&log_p, &log_q) }
        };
        let means = (-8..=8).map(|k| 0.5 * f64::from(k));
        let scales = (2..=16).map(|k| 0.25 * f64::from(k));
        let pairs = means.flat_map(|m| scales.clone().map(move |s| (of(m, s), m, s)));
        pairs.min_by(|a, b| a.0.total_cmp(&b.0)).unwrap()
    };
    let (_, mean, scale) = best(true);
    assert!(mean.abs() == 3.0 && scale == 1.0, "KL(q||p): {mean}, {scale}");
    // The other order covers both: the mean 0 and the variance 1 + 9.
    let (_, mean, scale) = best(false);
    assert!(mean == 0.0 && (scale - f64::sqrt(10.0)).abs() < 0.13, "KL(p||q): {mean}, {scale}");
}

#[test]
fn the_stationary_law_is_proportional_to_the_exponential() {
    let energy = |x: f64| 0.5 * x.powi(4) - x;
    let partition = integral(-4.0, 4.0, |x| f64::exp(-energy(x)));
    let law = |x: f64| f64::exp(-energy(x)) / partition;
    let score =
        |x: &[f64], out: &mut [f64]| out.iter_mut().zip(x).for_each(|(s, x)| *s = 1.0 - 2.0 * x.powi(3));
    let dynamics = Langevin::new(1.0, score).unwrap();
    let drift = |t: f64, x: f64| {
        let mut out = [0.0];
        dynamics.drift(t, &[x], &mut out);
        out[0]
    };
    for x in [-1.1, 0.2, 1.4] {
        assert_close(fokker_planck(|_, x| law(x), drift, |_, _| 2.0, 0.0, x), 0.0, 1e-6);
    }
    assert_close(integral(-4.0, 4.0, law), 1.0, 1e-9);
    // Printed without the constant it is no density.
    assert_apart(partition, 1.0, 0.5);
}

#[test]
fn the_score_of_the_model_is_the_gradient_of_a_logarithm() {
    let f = |x: f64| f64::cosh(0.8 * x);
    let partition = integral(-8.0, 8.0, |x| f64::exp(-f(x)));
    let x = 1.3;
    let score = derivative(|x| f64::ln(f64::exp(-f(x)) / partition), x);
    assert_close(score, -derivative(f, x), 1e-9);
    // Printed: the gradient of the exponential itself.
    assert_apart(derivative(|x| f64::exp(-f(x)), x), score, 0.5);
}

#[test]
fn the_two_objectives_differ_by_a_constant() {
    // p = N(0, 1), s = -x/v: half the squared distance of the scores against E[½ s² + s'].
    let both = |v: f64| {
        let explicit = integral(-9.0, 9.0, |x| normal(x, 0.0, 1.0) * 0.5 * (-x + x / v).powi(2));
        let implicit = integral(-9.0, 9.0, |x| normal(x, 0.0, 1.0) * (0.5 * (x / v).powi(2) - 1.0 / v));
        (explicit, implicit)
    };
    for v in [0.5, 0.8, 2.0] {
        let (explicit, implicit) = both(v);
        assert_close(explicit - implicit, 0.5, 1e-9);
    }
    // Not proportional: at v = ½ one is ½ and the other 0.
    assert_close(both(0.5).1, 0.0, 1e-9);
    assert_apart(both(0.5).0, 0.0, 0.4);
}

#[test]
fn the_probes_of_the_trace_have_the_identity_as_covariance() {
    // Exact means: over all signs, E vvᵀ = I; over those divided by √d, of unit length, E vvᵀ = I/d.
    const D: usize = 4;
    let matrix = |i: usize, j: usize| (1.0 + i as f64) * 0.5 + f64::sin((3 * i + j) as f64);
    let trace: f64 = (0..D).map(|i| matrix(i, i)).sum();
    let mean = |length: f64| {
        let probe = |signs: usize| -> f64 {
            let v = |i: usize| length / f64::sqrt(D as f64) * if signs >> i & 1 == 1 { 1.0 } else { -1.0 };
            (0..D * D).map(|k| v(k / D) * matrix(k / D, k % D) * v(k % D)).sum()
        };
        (0..1 << D).map(probe).sum::<f64>() / f64::from(1 << D)
    };
    assert_close(mean(f64::sqrt(D as f64)), trace, 1e-12);
    assert_close(mean(1.0), trace / D as f64, 1e-12);
    assert_apart(mean(1.0), trace, 1.0);
}
