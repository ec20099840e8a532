//! Section 5: the appendix.

use resolvent::core::affine::Affine;
use resolvent::core::diffusion::{Dispersion, Field};
use resolvent::core::schedule::{Schedule, VpLinear};

use crate::numerics::{
    affine, assert_apart, assert_close, assert_mean, derivative, gauss, integral, normal, rng, simulated,
    solve, variance,
};

#[test]
fn the_covariance_decays_with_its_present_value() {
    let schedule = VpLinear::new(0.2, 3.0, 1.0).unwrap();
    let (start, t) = (2.5, 0.9);
    // (5.1.9), which is right.
    let level = schedule.level(t);
    let exact = 1.0 + level.alpha.powi(2) * (start - 1.0);
    let run = |decay: &dyn Fn(f64) -> f64| {
        solve([start], 0.0, t, |t, [v]| [schedule.beta(t) * (1.0 - decay(v))])[0]
    };
    assert_close(run(&|v| v), exact, 1e-9);
    // Printed: the value at time 0; the variance falls without end.
    assert_apart(run(&|_| start), exact, 0.5);
}

#[test]
fn the_ito_sum_is_shifted_as_a_whole() {
    let (n, t) = (10_000, 1.5);
    let step = f64::sqrt(t / f64::from(n));
    let mut rng = rng(61);
    let path: Vec<f64> = (0..n)
        .scan(0.0, |w, _| {
            *w += step * gauss(&mut rng);
            Some(*w)
        })
        .collect();
    let end = path[path.len() - 1];
    let pairs = || std::iter::once(0.0).chain(path.iter().copied()).zip(path.iter().copied());
    let ito: f64 = pairs().map(|(w, next)| w * (next - w)).sum();
    // β(t_k) β(t_{k-1}) - β²(t_{k-1}).
    let shifted: f64 = pairs().map(|(w, next)| next * w - w * w).sum();
    assert_close(shifted, ito, 1e-10);
    // Four standard deviations of ½ Σ (Δβ)².
    let tolerance = 2.0 * t * f64::sqrt(2.0 / f64::from(n));
    assert!((ito - (0.5 * end * end - 0.5 * t)).abs() < tolerance);
    // Printed, - β²(t_k): the limit is -½β² - ½t.
    let printed: f64 = pairs().map(|(w, next)| next * w - next * next).sum();
    assert!((printed + 0.5 * end * end + 0.5 * t).abs() < tolerance);
    assert_apart(printed, ito, end * end - 1e-9);
}

#[test]
fn the_differential_form_has_dt() {
    // Over [1, 1 + h] what exceeds β Δβ is on average ½h, however late it is.
    let h = 0.02_f64;
    let mut rng = rng(62);
    let excess: Vec<f64> = (0..20_000)
        .map(|_| {
            let (w, step) = (gauss(&mut rng), h.sqrt() * gauss(&mut rng));
            0.5 * ((w + step).powi(2) - w * w) - w * step
        })
        .collect();
    let found = assert_mean(&excess, 0.5 * h, 0.0);
    // Printed: ½t, here with t = 1.
    assert_apart(0.5, found, 0.4);
}

/// log P(t)/P(0) of dP = µP dt + σP dβ by the Euler scheme: µ = 0.4, σ = 0.6, t = 3.
fn log_prices() -> Vec<f64> {
    let (drift, sigma, steps) = (0.4, 0.6, 600);
    let price = Field::new(
        move |_t, p: &[f64], out: &mut [f64]| out[0] = drift * p[0],
        move |_t, p: &[f64], out: &mut Dispersion| *out = Dispersion::Scalar(sigma * p[0]),
    );
    simulated(&price, 1.0, 3.0, steps, 8_000, 63).iter().map(|p| p.ln()).collect()
}

#[test]
fn the_logarithm_of_a_price_drifts_by_mu_less_half_sigma_squared() {
    // The squared differential is σ² dt: not multiplied by dβ nor squared once more, which would leave the
    // drift µ.
    let found = assert_mean(&log_prices(), (0.4 - 0.5 * 0.36) * 3.0, 0.004);
    assert_apart(0.4 * 3.0, found, 0.5);
}

#[test]
fn the_noise_of_a_price_is_a_brownian_motion() {
    let logs = log_prices();
    let mean = logs.iter().sum::<f64>() / logs.len() as f64;
    let squares: Vec<f64> = logs.iter().map(|l| (l - mean).powi(2)).collect();
    let found = assert_mean(&squares, 0.36 * 3.0, 0.005);
    // Printed: w ~ N(0, 1) whatever the time.
    assert_apart(0.36, found, 0.6);
}

/// µ(t) of the time-variant Ornstein-Uhlenbeck process, and its integral γ.
fn mu(t: f64) -> f64 {
    0.3 + t
}

fn gamma(t: f64) -> f64 {
    0.3 * t + 0.5 * t * t
}

#[test]
fn the_integrating_factor_runs_from_zero() {
    // Without noise x e^γ is constant.
    let path = |t: f64| solve([1.4], 0.0, t, |t, [x]| [-mu(t) * x])[0];
    let t = 0.8;
    assert_close(derivative(|t| path(t) * f64::exp(gamma(t)), t), 0.0, 1e-8);
    let sum = |factor: f64| f64::exp(gamma(t)) * -mu(t) * path(t) + mu(t) * path(t) * factor;
    assert_close(sum(f64::exp(gamma(t))), 0.0, 1e-12);
    // Printed: the integral from t to t, so the factor 1.
    assert_apart(sum(1.0), 0.0, 0.5);
}

#[test]
fn the_time_variant_noise_decays_with_the_integral() {
    let eta = |t: f64| 0.8 + 0.2 * t;
    let t = 1.3;
    let exact = variance(0.0, t, |t| -mu(t), |t| eta(t).powi(2));
    let formula = |weight: &dyn Fn(f64) -> f64| integral(0.0, t, |s| (eta(s) * weight(s)).powi(2));
    assert_close(formula(&|s| f64::exp(gamma(s) - gamma(t))), exact, 1e-9);
    let transition = affine(|t| -mu(t), |_| 0.0, eta).transition(0.0, t);
    assert_close(transition.covariance[0], exact, 1e-9);
    // Printed: e^{-µ(t-s)}, as for constant µ, with the present µ.
    assert_apart(formula(&|s| f64::exp(-mu(t) * (t - s))), exact, 0.04);
}

#[test]
fn the_vp_transition_is_normalised_by_its_variance() {
    let schedule = VpLinear::new(0.5, 2.0, 1.0).unwrap();
    let (t, start) = (0.6, 1.5);
    // κ = exp(-∫σ), by quadrature.
    let kappa = f64::exp(-integral(0.0, t, |t| schedule.beta(t)));
    let form = |x: f64, mean: f64, norm: f64| f64::exp(-0.5 * (x - mean).powi(2) / (1.0 - kappa)) / norm;
    let root = f64::sqrt(std::f64::consts::TAU * (1.0 - kappa));
    let level = schedule.level(t);
    assert_close(
        form(0.4, start * kappa.sqrt(), root),
        normal(0.4, level.alpha * start, level.sigma.powi(2)),
        1e-9,
    );
    let mass = |norm: f64| integral(-9.0, 9.0, |x| form(x, 0.0, norm));
    assert_close(mass(root), 1.0, 1e-9);
    // Printed: (1 - κ)² under the root.
    assert_apart(mass(root * f64::sqrt(1.0 - kappa)), 1.0, 0.3);
}

#[test]
fn the_convolution_scales_the_data_by_the_root() {
    // Data N(0, v): p_t is N(0, κ v + 1 - κ).
    let schedule = VpLinear::new(0.5, 2.0, 1.0).unwrap();
    let (t, v, x) = (0.6, 4.0, 2.5);
    let kappa = f64::exp(-integral(0.0, t, |t| schedule.beta(t)));
    let convolved =
        |scale: f64| integral(-16.0, 16.0, |s| normal(s, 0.0, v) * normal(x, scale * s, 1.0 - kappa));
    let exact = variance(v, t, |t| -0.5 * schedule.beta(t), |t| schedule.beta(t));
    assert_close(convolved(kappa.sqrt()), normal(x, 0.0, exact), 1e-9);
    assert_apart(convolved(kappa) / normal(x, 0.0, exact), 1.0, 0.2);
}

#[test]
fn the_cross_term_is_the_mean_of_a_product_of_scores() {
    // Data N(0, 1), x_t = α x_0 + σ n, s(x) = 0.2 - 0.7x + 0.1x³.
    let (alpha, spread) = (0.6_f64, 0.5);
    let s = |x: f64| 0.2 - 0.7 * x + 0.1 * x.powi(3);
    let total = alpha * alpha + spread;
    let exact = integral(-8.0, 8.0, |x| normal(x, 0.0, total) * s(x) * -x / total);
    let over_both = |f: &dyn Fn(f64, f64) -> f64| {
        integral(-8.0, 8.0, |start| {
            let mean = alpha * start;
            let inner = |x: f64| normal(x, mean, spread) * f(x, mean);
            normal(start, 0.0, 1.0) * integral(mean - 6.0, mean + 6.0, inner)
        })
    };
    let product = |x: f64, mean: f64| s(x) * (mean - x) / spread;
    assert_close(over_both(&product), exact, 1e-9);
    // Printed: the squared norm of s ∇p, without the logarithm.
    let printed = over_both(&|x, mean| (product(x, mean) * normal(x, mean, spread)).powi(2));
    assert_apart(printed, exact, 0.2);
}
