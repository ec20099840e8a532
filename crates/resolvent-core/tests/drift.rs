//! Killed Brownian motion with a constant drift.

mod common;

use common::{KOLMOGOROV, assert_mean, kolmogorov};
use nalgebra::DMatrix;
use resolvent_core::killed::{ExactDeath, KilledDriftedBrownianMotion};
use resolvent_core::random::{Purpose, stream};
use resolvent_core::{Error, KilledDiffusion, Resolvent};

fn process(drift: &[f64], sigma: f64, rate: f64) -> KilledDriftedBrownianMotion {
    KilledDriftedBrownianMotion::new(drift.to_vec(), sigma, rate).unwrap()
}

/// log of G_r(y -> x) and the law of the time between, from e^{-rt} N(x; y + bt, σ² t I) by the trapezoidal rule in log t.
fn quadrature(process: &KilledDriftedBrownianMotion, x: &[f64], y: &[f64]) -> (f64, impl Fn(f64) -> f64) {
    const CELLS: usize = 60_000;
    let (low, width) = (f64::ln(1e-9), f64::ln(1e12) / CELLS as f64);
    let level = |s: f64| {
        let (t, variance) = (s.exp(), process.sigma().powi(2) * s.exp());
        let square: f64 =
            x.iter().zip(y).zip(process.velocity()).map(|((x, y), b)| (x - y - b * t).powi(2)).sum();
        s - process.rate() * t
            - 0.5 * x.len() as f64 * f64::ln(std::f64::consts::TAU * variance)
            - square / (2.0 * variance)
    };
    let mut cdf = vec![0.0];
    for i in 0..CELLS {
        cdf.push(cdf[i] + width * f64::exp(level(low + width * (i as f64 + 0.5))));
    }
    let total = cdf[CELLS];
    let law = move |t: f64| {
        let place = ((t.ln() - low) / width).clamp(0.0, CELLS as f64 - 1e-9);
        let (i, share) = (place as usize, place.fract());
        (cdf[i] + share * (cdf[i + 1] - cdf[i])) / total
    };
    (total.ln(), law)
}

#[test]
fn the_kernel_is_the_integral_of_the_transition_density() {
    for (drift, sigma, rate, x, y) in [
        (&[0.7][..], 1.3, 0.4, &[0.5][..], &[-1.0][..]),
        (&[-3.0], 0.8, 0.05, &[2.0], &[2.5]),
        (&[1.0, -0.5], 1.0, 0.1, &[0.3, 1.0], &[1.0, 0.2]),
        (&[0.2, 0.0, -2.0], 1.5, 0.3, &[1.0, 2.0, 0.0], &[0.5, -1.0, 1.0]),
        (&[0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5], 1.0, 1.0, &[0.1; 8], &[0.6; 8]),
    ] {
        let process = process(drift, sigma, rate);
        let d = drift.len();
        let (mut gradient, mut back, mut work) = (vec![0.0; d], vec![0.0; d], vec![0.0; d]);
        let kernel = process.log_kernel_and_gradient(x, y, &mut gradient);
        assert!(
            (process.log_kernel_and_gradient(y, x, &mut back) - kernel).abs() < 1e-13 * kernel.abs().max(1.0)
        );
        let value = kernel + process.log_measure_and_gradient(x, &mut work);
        let (exact, law) = quadrature(&process, x, y);
        assert!((value - exact).abs() < 1e-8, "d = {d}: {value} {exact}");
        for i in 0..d {
            // Of log G, so that the gradient of m is seen too.
            let shifted = |h: f64| {
                let mut moved = x.to_vec();
                moved[i] += h;
                quadrature(&process, &moved, y).0
            };
            let slope = (shifted(1e-3) - shifted(-1e-3)) / 2e-3;
            assert!((slope - gradient[i] - work[i]).abs() < 1e-5, "d = {d}: {slope}");
        }
        let mut rng = stream(3, Purpose::Oracle, 0);
        let times: Vec<f64> = (0..20_000).map(|_| process.lifetime_between(x, y, &mut rng)).collect();
        let ks = kolmogorov(&times, &law);
        assert!(ks < KOLMOGOROV, "d = {d}: {ks}");
        assert!(kolmogorov(&times, |t| law(1.1 * t)) > KOLMOGOROV, "the test sees ten percent of scale");
    }
}

#[test]
fn places_and_times_of_death() {
    let (process, n) = (process(&[0.9], 1.2, 0.3), 40_000);
    let (places, lifetimes) = process.deaths(&DMatrix::from_element(1, n, 0.5), 3).unwrap();
    assert!(kolmogorov(&lifetimes, |t| -f64::exp_m1(-0.3 * t)) < KOLMOGOROV);
    assert_mean(places.as_slice(), 0.5 + 0.9 / 0.3);
    // The asymmetric Laplace law: exponential on either side, with the roots of σ²k²/2 + b k = r as its rates.
    let (variance, drift) = (1.44, 0.9_f64);
    let root = f64::sqrt(drift * drift + 2.0 * 0.3 * variance);
    let (up, down) = ((root - drift) / variance, (root + drift) / variance);
    let cdf = |x: f64| {
        let x = x - 0.5;
        if x < 0.0 {
            up / (up + down) * f64::exp(down * x)
        } else {
            1.0 - down / (up + down) * f64::exp(-up * x)
        }
    };
    let ks = kolmogorov(places.as_slice(), cdf);
    assert!(ks < KOLMOGOROV, "{ks}");
    let mut place = [0.0];
    let lifetime = process.death_into(&[0.5], &mut stream(3, Purpose::Forward, 0), &mut place);
    assert_eq!((lifetime, place[0]), (lifetimes[0], places[0]));
}

#[test]
fn impossible_parameters_are_named() {
    let refused = |drift: &[f64], sigma, rate| KilledDriftedBrownianMotion::new(drift.to_vec(), sigma, rate);
    assert!(matches!(refused(&[], 1.0, 1.0), Err(Error::TooSmall { name: "dim", .. })));
    assert!(matches!(refused(&[0.0, f64::NAN], 1.0, 1.0), Err(Error::NotFinite { coordinate: 1, .. })));
    assert!(matches!(refused(&[1.0], 0.0, 1.0), Err(Error::NotPositive { name: "sigma", .. })));
    assert!(matches!(refused(&[1e20], 1.0, 1.0), Err(Error::OutOfRange { .. })));
    assert_eq!(KilledDiffusion::dim(&process(&[1.0, 2.0], 1.0, 1.0)), 2);
}
