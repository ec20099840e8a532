//! Section 4.2: variance exploding and variance preserving diffusions.

use resolvent::core::GaussianMixture;
use resolvent::core::horizon::{Variance, ddpm, reverse_diffusion};
use resolvent::core::schedule::{DdpmBetas, Grid, Level, Schedule, Ve, VpLinear};

use crate::numerics::{
    assert_apart, assert_close, correlation, derivative, gauss, linear, reverse_sde, rng, solve,
    step_moments, variance,
};

#[test]
fn the_reverse_drift_reads_f_at_the_reversed_time() {
    // Data of variance 0.3 under the VP schedule with β from 0.5 to 4.
    let schedule = VpLinear::new(0.5, 4.0, 1.0).unwrap();
    let start = 0.3;
    let law = |t: f64| {
        let level = schedule.level(t);
        start * level.alpha.powi(2) + level.sigma.powi(2)
    };
    let slope = |s: f64| reverse_sde(&schedule, 1.0 - s, &[1.0], &[-1.0 / law(1.0 - s)])[0];
    let noise = |s: f64| schedule.beta(1.0 - s);
    assert_close(variance(law(1.0), 1.0, slope, noise), start, 1e-8);
    // Printed: F(t), the rest at T - t.
    let printed = |s: f64| slope(s) + schedule.rates(1.0 - s).drift - schedule.rates(s).drift;
    assert_apart(variance(law(1.0), 1.0, printed, noise), start, 0.05);
}

#[test]
fn the_noise_of_ve_is_the_derivative_of_the_variance() {
    let sigma = |t: f64| 1.0 + 2.0 * t * t;
    let added = |g2: &dyn Fn(f64) -> f64| variance(0.0, 1.0, |_| 0.0, g2);
    let exact = sigma(1.0).powi(2) - sigma(0.0).powi(2);
    assert_close(added(&|t| derivative(|t| sigma(t).powi(2), t)), exact, 1e-8);
    let (ve, level) = (Ve::from_data(0.5, 3.0, 1.0).unwrap(), |t: f64| 0.5 * f64::powf(6.0, t));
    assert_close(added(&|t| ve.rates(t).noise), level(1.0).powi(2) - level(0.0).powi(2), 1e-8);
    assert_close(ve.level(1.0).sigma.powi(2), level(1.0).powi(2) - level(0.0).powi(2), 1e-12);
    // The text after (4.2.3) has dσ/dt.
    assert_apart(added(&|t| derivative(sigma, t)), exact, 5.0);
}

#[test]
fn both_rates_of_the_reverse_ve_sde_are_read_at_the_reversed_time() {
    let sigma2 = |t: f64| f64::powi(0.1 + t + t * t, 2);
    let rate = |t: f64| derivative(sigma2, t);
    let (start, horizon) = (0.5, 1.0);
    let law = |t: f64| start + sigma2(t) - sigma2(0.0);
    let forward = linear(|_| 0.0, |t| rate(t).sqrt());
    let slope = |s: f64| reverse_sde(&forward, horizon - s, &[1.0], &[-1.0 / law(horizon - s)])[0];
    let end = |slope: &dyn Fn(f64) -> f64, noise: &dyn Fn(f64) -> f64| {
        variance(law(horizon), horizon, slope, noise)
    };
    assert_close(end(&slope, &|s| rate(horizon - s)), start, 1e-8);
    // Printed: the noise at t, and d/dt of σ²(T - t), which is negative: the drift then points away from the
    // data.
    assert_apart(end(&slope, &rate), start, 0.3);
    let outward = |s: f64| -derivative(|s| sigma2(horizon - s), s) / law(horizon - s);
    assert!(outward(0.3) > 0.0);
    assert_apart(end(&outward, &|s| rate(horizon - s)), start, 5.0);
}

#[test]
fn the_discrete_ve_step_back_adds_the_score() {
    // Gaussian data N(2, 0.5), σ from 0.01 to 10 in a geometric progression; every law on the way is
    // Gaussian.
    const STEPS: usize = 3_000;
    let (m, v) = (2.0, 0.5);
    let sigma2 = |k: usize| f64::powi(0.01 * f64::powf(1_000.0, k as f64 / STEPS as f64), 2);
    let alpha = |k: usize| sigma2(k) - sigma2(k - 1);
    let law = |k: usize| v + sigma2(k) - sigma2(0);
    let run = |sign: f64, noise: &dyn Fn(usize) -> f64| {
        (1..=STEPS).rev().fold((m + 0.5, law(STEPS)), |(mean, variance), k| {
            let factor = 1.0 - sign * alpha(k) / law(k);
            (m + factor * (mean - m), factor * factor * variance + noise(k))
        })
    };
    // x_{k-1} = x_k + α(k) ∇ log p_k(x_k) + √α(k) n. The offset of the mean shrinks by V_0/V_T.
    let (mean, found) = run(1.0, &alpha);
    assert_close(found, v, 0.01);
    assert_close(mean, m + 0.5 * v / law(STEPS), 1e-3);
    // The library's table of the same steps, with its denoiser; the last step is without noise there.
    let law_of_data = GaussianMixture::one_dimensional(&[1.0], &[m], &[v.sqrt()]).unwrap();
    let ve = Ve::from_data(0.01, 10.0, 1.0).unwrap();
    let scheme = reverse_diffusion(&Grid::uniform_time(&ve, STEPS, 0.0).unwrap()).unwrap();
    let moments = scheme.stages().iter().fold((m + 0.5, law(STEPS)), |moments, stage| {
        step_moments(&stage.next, &stage.level, &law_of_data, moments)
    });
    assert_close(moments.0, mean, 1e-9);
    assert_close(moments.1 + alpha(1), found, 1e-9);
    // Printed in (4.2.10): the other sign before the score, and the root of a negative number.
    assert!(f64::sqrt(-alpha(7)).is_nan());
    assert_apart(run(-1.0, &alpha).1, v, 1e3);
    // Printed in (4.2.8): the noise of forward step K - k + 1 given to backward step k.
    assert_apart(run(1.0, &|k| alpha(STEPS + 1 - k)).1, v, 0.4);
}

#[test]
fn sampling_repeats_the_last_line_of_the_derivation() {
    // Data N(0, 0.3), γ from 1e-4 to 0.02 in 1,000 steps. (4.2.45) returns the variance of the data;
    // (4.2.30), to which the text refers, is the forward step and leads to 1.
    const STEPS: usize = 1_000;
    let gamma = |k: usize| 1e-4 + (0.02 - 1e-4) * (k - 1) as f64 / (STEPS - 1) as f64;
    let laws: Vec<f64> = std::iter::once(0.3)
        .chain((1..=STEPS).scan(0.3, |v, k| {
            *v = (1.0 - gamma(k)) * *v + gamma(k);
            Some(*v)
        }))
        .collect();
    let run = |factor: &dyn Fn(usize) -> f64| {
        (1..=STEPS).rev().fold(laws[STEPS], |v, k| factor(k).powi(2) * v + gamma(k))
    };
    let back = run(&|k| (1.0 - gamma(k) / laws[k]) / f64::sqrt(1.0 - gamma(k)));
    assert_close(back, 0.3, 0.01);
    // The library's ancestral step with the large variance, for the same betas. The last step is without
    // noise there.
    let betas = DdpmBetas::linear(1e-4, 0.02, STEPS).unwrap();
    let clean = std::iter::once(Level::CLEAN);
    let noisy = betas.alpha_bars().iter().zip(1..).map(|(bar, k)| Level::from_alpha_bar(f64::from(k), *bar));
    let mut levels: Vec<Level> = clean.chain(noisy).collect();
    levels.reverse();
    let scheme = ddpm(&Grid::new(levels).unwrap(), Variance::Large).unwrap();
    let data = GaussianMixture::one_dimensional(&[1.0], &[0.0], &[f64::sqrt(0.3)]).unwrap();
    let (_, variance) = scheme
        .stages()
        .iter()
        .fold((0.0, laws[STEPS]), |moments, stage| step_moments(&stage.next, &stage.level, &data, moments));
    assert_close(variance + gamma(1), back, 1e-9);
    assert_apart(run(&|k| f64::sqrt(1.0 - gamma(k))), 0.3, 0.6);
}

#[test]
fn the_discrete_vp_products_have_as_many_factors_as_steps() {
    let gamma = |k: usize| 0.25 - 0.02 * k as f64;
    let steps = 6;
    // The recursion itself: factor of x_0, and variance.
    let exact = (1..=steps).fold((1.0, 0.0), |(factor, variance), k| {
        let keep = 1.0 - gamma(k);
        (factor * f64::sqrt(keep), keep * variance + gamma(k))
    });
    let keep = |i: usize| 1.0 - gamma(steps - i);
    let formula = |last: usize| {
        let factor: f64 = (0..=last).map(|i| keep(i).sqrt()).product();
        let variance: f64 = (0..=last).map(|i| gamma(steps - i) * (0..i).map(keep).product::<f64>()).sum();
        (factor, variance)
    };
    assert_close(formula(steps - 1).0, exact.0, 1e-14);
    assert_close(formula(steps - 1).1, exact.1, 1e-14);
    // Printed: up to i = k, one factor and one term more.
    assert_apart(formula(steps).0, exact.0, 0.05);
    assert_apart(formula(steps).1, exact.1, 0.05);
}

#[test]
fn the_vp_mean_decays_with_half_the_integral() {
    let schedule = VpLinear::new(0.3, 5.0, 2.0).unwrap();
    for t in [0.4, 1.0, 2.0] {
        let [mean, spread] = solve([1.0, 0.0], 0.0, t, |t, [m, v]| {
            let beta = schedule.beta(t);
            [-0.5 * beta * m, beta * (1.0 - v)]
        });
        let level = schedule.level(t);
        let integral = 0.3 * t + 0.5 * 4.7 * t * t / 2.0;
        assert_close(f64::exp(-0.5 * integral), mean, 1e-9);
        assert_close(-f64::exp_m1(-integral), spread, 1e-9);
        assert_close(level.alpha, mean, 1e-9);
        assert_close(level.sigma.powi(2), spread, 1e-9);
        // Printed: the whole integral in the mean too.
        assert_apart(f64::exp(-integral) / mean, 1.0, 0.1);
    }
}

#[test]
fn the_score_is_the_noise_of_all_steps_together() {
    // Data N(0, 0.5), 20 steps of (4.2.30) with γ = 0.05. E[noise | x_k] is linear; its slope over that of
    // the score is -√var for the noise accumulated since x_0, and -√γ for the noise of the last step.
    let (gamma, steps, n) = (0.05, 20, 40_000);
    let keep = f64::powi(1.0 - gamma, steps);
    let mut rng = rng(51);
    let [mut last, mut total, mut place] = [0; 3].map(|_| Vec::with_capacity(n));
    for _ in 0..n {
        let first = f64::sqrt(0.5) * gauss(&mut rng);
        let (mut x, mut noise) = (first, 0.0);
        for _ in 0..steps {
            noise = gauss(&mut rng);
            x = f64::sqrt(1.0 - gamma) * x + f64::sqrt(gamma) * noise;
        }
        last.push(noise);
        total.push((x - keep.sqrt() * first) / f64::sqrt(1.0 - keep));
        place.push(x);
    }
    // The slope on the score -x/v times -1 is the correlation times √v, both noises having variance one.
    let deviation = f64::sqrt(0.5 * keep + 1.0 - keep);
    let slope = |noise: &[f64]| correlation(noise, &place) * deviation;
    // Four standard errors, at most 1/√n each.
    let tolerance = 4.0 / f64::sqrt(n as f64);
    assert_close(slope(&total), f64::sqrt(1.0 - keep), tolerance);
    assert_close(slope(&last), gamma.sqrt(), tolerance);
    assert_apart(slope(&last), f64::sqrt(1.0 - keep), 0.5);
}
