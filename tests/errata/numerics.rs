//! What the tests measure with: quadrature, finite differences, Runge-Kutta, means with their errors.

use nalgebra::{DMatrix, DVector};
use rand::RngExt;
use rand_distr::StandardNormal;
use resolvent::core::affine::{Affine, LinearSde};
use resolvent::core::diffusion::{Diffusion, Dispersion, Field};
use resolvent::core::horizon::{HorizonSampler, Row, Simulation};
use resolvent::core::integrate::EulerMaruyama;
use resolvent::core::marginal::Denoiser;
use resolvent::core::random::{Purpose, Stream, stream};
use resolvent::core::reversal::{Work, ode_drift, sde_drift};
use resolvent::core::schedule::Level;
use resolvent::metrics;

/// ∫_a^b f by Simpson's rule.
pub(crate) fn integral(a: f64, b: f64, f: impl Fn(f64) -> f64) -> f64 {
    const CELLS: usize = 400;
    let h = (b - a) / CELLS as f64;
    let weight = |k| match k {
        0 | CELLS => 1.0,
        k if k % 2 == 1 => 4.0,
        _ => 2.0,
    };
    (0..=CELLS).map(|k| weight(k) * f(a + h * k as f64)).sum::<f64>() * h / 3.0
}

/// ∫_0^∞ f by the trapezoidal rule in log t, for f that vanishes fast at both ends.
pub(crate) fn integral_over_time(f: impl Fn(f64) -> f64) -> f64 {
    let h = 0.02;
    (-1_500..300).map(|k| f64::exp(h * f64::from(k))).map(|t| t * f(t)).sum::<f64>() * h
}

/// f' by central differences of fourth order.
pub(crate) fn derivative(f: impl Fn(f64) -> f64, x: f64) -> f64 {
    let h = 1e-3;
    (8.0 * (f(x + h) - f(x - h)) - (f(x + 2.0 * h) - f(x - 2.0 * h))) / (12.0 * h)
}

/// f'' by central differences of fourth order.
pub(crate) fn second_derivative(f: impl Fn(f64) -> f64, x: f64) -> f64 {
    let h = 5e-3;
    (16.0 * (f(x + h) + f(x - h)) - (f(x + 2.0 * h) + f(x - 2.0 * h)) - 30.0 * f(x)) / (12.0 * h * h)
}

/// What is left of the Fokker-Planck equation ∂_t p + ∂_x(b p) - ½ ∂_xx(Σ p) at (t, x): zero for a solution.
pub(crate) fn fokker_planck(
    p: impl Fn(f64, f64) -> f64,
    drift: impl Fn(f64, f64) -> f64,
    covariance: impl Fn(f64, f64) -> f64,
    t: f64,
    x: f64,
) -> f64 {
    derivative(|t| p(t, x), t) + derivative(|x| drift(t, x) * p(t, x), x)
        - 0.5 * second_derivative(|x| covariance(t, x) * p(t, x), x)
}

/// The density of N(mean, variance) at x.
pub(crate) fn normal(x: f64, mean: f64, variance: f64) -> f64 {
    f64::exp(-0.5 * (x - mean).powi(2) / variance) / (std::f64::consts::TAU * variance).sqrt()
}

/// y(`to`) for dy/dt = f(t, y), y(`from`) = `start`, by the classical Runge-Kutta method.
pub(crate) fn solve<const N: usize>(
    start: [f64; N],
    from: f64,
    to: f64,
    f: impl Fn(f64, [f64; N]) -> [f64; N],
) -> [f64; N] {
    const STEPS: usize = 1_000;
    let h = (to - from) / STEPS as f64;
    let along = |y: [f64; N], k: [f64; N], h: f64| std::array::from_fn(|i| y[i] + h * k[i]);
    (0..STEPS).fold(start, |y, step| {
        let t = from + h * step as f64;
        let k1 = f(t, y);
        let k2 = f(t + 0.5 * h, along(y, k1, 0.5 * h));
        let k3 = f(t + 0.5 * h, along(y, k2, 0.5 * h));
        let k4 = f(t + h, along(y, k3, h));
        std::array::from_fn(|i| y[i] + h / 6.0 * (k1[i] + 2.0 * k2[i] + 2.0 * k3[i] + k4[i]))
    })
}

/// The variance at `horizon` of dY = c(s) Y ds + √n(s) dW from the variance `start`.
pub(crate) fn variance(start: f64, horizon: f64, c: impl Fn(f64) -> f64, noise: impl Fn(f64) -> f64) -> f64 {
    solve([start], 0.0, horizon, |s, [v]| [2.0 * c(s) * v + noise(s)])[0]
}

/// dX = f(t) X dt + g(t) dW.
pub(crate) fn linear(f: impl Fn(f64) -> f64 + Sync, g: impl Fn(f64) -> f64 + Sync) -> impl Diffusion {
    Field::new(
        move |t, x: &[f64], out: &mut [f64]| out.iter_mut().zip(x).for_each(|(b, x)| *b = f(t) * x),
        move |t, _x: &[f64], out: &mut Dispersion| *out = Dispersion::Scalar(g(t)),
    )
    .with_divergence(|_t, _x: &[f64], out: &mut [f64]| out.fill(0.0))
}

/// dX = (f(t) X + c(t)) dt + g(t) dW on [0, 2] with its exact moments.
pub(crate) fn affine(
    f: impl Fn(f64) -> f64 + Sync,
    c: impl Fn(f64) -> f64 + Sync,
    g: impl Fn(f64) -> f64 + Sync,
) -> impl Affine {
    LinearSde::new(
        1,
        (0.0, 2.0),
        move |t, out: &mut DMatrix<f64>| out[0] = f(t),
        move |t, out: &mut DVector<f64>| out[0] = c(t),
        move |t, out: &mut DMatrix<f64>| out[0] = g(t),
    )
    .unwrap()
}

/// `n` ends of paths on the line from `start` over [0, `horizon`], by the Euler-Maruyama scheme.
pub(crate) fn simulated(
    diffusion: &dyn Diffusion,
    start: f64,
    horizon: f64,
    steps: usize,
    n: usize,
    seed: u64,
) -> Vec<f64> {
    let method = Simulation::uniform(diffusion, &EulerMaruyama, 1, (0.0, horizon), steps).unwrap();
    let ensemble = HorizonSampler::new(&method).run(&DMatrix::from_element(1, n, start), seed).unwrap();
    ensemble.points.as_slice().to_vec()
}

/// Mean and variance after a step of a sampler, x' = a x + b D(x) + c n, on the line, for D linear in x at
/// `level`.
pub(crate) fn step_moments(
    row: &Row,
    level: &Level,
    denoiser: &impl Denoiser,
    (mean, variance): (f64, f64),
) -> (f64, f64) {
    let mut denoised = [0.0; 2];
    denoiser.denoise(level, &[mean, mean + 1.0], &mut denoised);
    let slope = denoised[1] - denoised[0];
    let factor = row.x + row.denoised[0] * slope;
    (row.x * mean + row.denoised[0] * denoised[0], factor * factor * variance + row.noise * row.noise)
}

/// The drift R1 of the reverse SDE.
pub(crate) fn reverse_sde(diffusion: &impl Diffusion, t: f64, x: &[f64], score: &[f64]) -> Vec<f64> {
    let mut drift = score.to_vec();
    sde_drift(diffusion, t, x, &mut drift, &mut Work::new(x.len()));
    drift
}

/// The drift R2 of the probability flow.
pub(crate) fn reverse_ode(diffusion: &impl Diffusion, t: f64, x: &[f64], score: &[f64]) -> Vec<f64> {
    let mut drift = score.to_vec();
    ode_drift(diffusion, t, x, &mut drift, &mut Work::new(x.len()));
    drift
}

/// A stream of random numbers for one test.
pub(crate) fn rng(seed: u64) -> Stream {
    stream(seed, Purpose::Experiment, 0)
}

/// A standard normal number.
pub(crate) fn gauss(rng: &mut Stream) -> f64 {
    rng.sample(StandardNormal)
}

/// Passes if `value` is within `tolerance` of `expected`, relative to max(1, |expected|).
#[track_caller]
pub(crate) fn assert_close(value: f64, expected: f64, tolerance: f64) {
    let error = (value - expected).abs() / expected.abs().max(1.0);
    assert!(error <= tolerance, "{value}, expected {expected}");
}

/// Passes if `printed`, the value of a misprint, is at least `margin` from `correct`.
#[track_caller]
pub(crate) fn assert_apart(printed: f64, correct: f64, margin: f64) {
    assert!((printed - correct).abs() >= margin, "{printed} is not {margin} from {correct}");
}

/// Passes if the mean of `sample`, which it returns, is within four standard errors (significance 6e-5) and
/// `bias` of `expected`.
#[track_caller]
pub(crate) fn assert_mean(sample: &[f64], expected: f64, bias: f64) -> f64 {
    let mean = metrics::mean(sample).unwrap();
    let allowed = 4.0 * mean.standard_error + bias;
    assert!((mean.value - expected).abs() <= allowed, "{mean:?}, expected {expected}");
    mean.value
}

/// The correlation of two samples of the same length.
pub(crate) fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let n = a.len() as f64;
    let (ma, mb) = (a.iter().sum::<f64>() / n, b.iter().sum::<f64>() / n);
    let product = |u: &[f64], mu: f64, v: &[f64], mv: f64| -> f64 {
        u.iter().zip(v).map(|(u, v)| (u - mu) * (v - mv)).sum()
    };
    product(a, ma, b, mb) / (product(a, ma, a, ma) * product(b, mb, b, mb)).sqrt()
}
