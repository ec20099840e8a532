//! Bounds, recurrences and inverses on random points of the whole domain.

use proptest::prelude::*;
use rand::{Rng, RngExt, SeedableRng, rngs::ChaCha8Rng};
use resolvent_special::*;

const ULP: f64 = f64::EPSILON;

/// Orders and arguments over the domain, log-uniform mixed with integers, half-integers and the border z ~ nu.
fn point<R: Rng>(rng: &mut R) -> (f64, f64) {
    let size = 10f64.powf(rng.random_range(-3.0..5.3));
    let nu = match rng.random_range(0..4) {
        0 => size.round(),
        1 => size.round() - 0.5,
        2 => rng.random_range(-0.5..0.5),
        _ => size,
    };
    let z = if rng.random::<f64>() < 0.25 {
        (nu.abs() + 0.1) * 10f64.powf(rng.random_range(-1.0..1.0))
    } else {
        10f64.powf(rng.random_range(-12.0..8.0))
    };
    (nu.clamp(-0.5, 2e5), z)
}

fn scan(count: usize, mut check: impl FnMut(f64, f64)) {
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    for _ in 0..count {
        let (nu, z) = point(&mut rng);
        check(nu, z);
    }
}

/// B(p, q) = (p + sqrt(q^2 + z^2))/z.
fn algebraic(p: f64, q: f64, z: f64) -> f64 {
    (p + q.hypot(z)) / z
}

#[test]
fn finite_everywhere() {
    let all = |nu: f64, z: f64| {
        [
            log_k(nu, z),
            log_zk(nu, z),
            ratio_k(nu, z),
            ratio_k_excess(nu, z),
            ratio_k_derivative(nu, z),
            log_i(nu, z),
            ratio_i(nu, z),
        ]
    };
    scan(10_000, |nu, z| {
        assert!(all(nu, z).iter().all(|v| v.is_finite()), "nu = {nu}, z = {z}: {:?}", all(nu, z));
    });
    for nu in [-0.5, -0.3, 0.0, 0.3, 0.5, 1.0, 10.0, 24.5, 391.0, 2e5] {
        for z in [1e-160, 1e-140, 1e-100, 1e-30, 1e10, 1e12] {
            let mut values = all(nu, z);
            // R' ~ -2 nu/z^2 may leave the range of f64.
            values[4] = values[4].max(-f64::MAX);
            assert!(values.iter().all(|v| v.is_finite()), "nu = {nu}, z = {z}: {values:?}");
        }
    }
    for (nu, z) in [(f64::NAN, 1.0), (1.0, f64::NAN), (1.0, -1.0), (100.0, -1.0)] {
        assert!(all(nu, z).iter().all(|v| v.is_nan()), "nu = {nu}, z = {z}: {:?}", all(nu, z));
        assert!(inverse_gain(nu, f64::NAN).is_nan() && inverse_ratio_k(nu, f64::NAN).is_nan());
    }
}

#[test]
fn ratio_k_bounds() {
    scan(100_000, |nu, z| {
        let ratio = ratio_k(nu, z);
        let (low, high) = (algebraic(nu, nu, z), algebraic(nu + 0.5, nu + 0.5, z));
        assert!(ratio >= low * (1.0 - 4.0 * ULP), "nu = {nu}, z = {z}: {ratio} < {low}");
        assert!(ratio <= high * (1.0 + 4.0 * ULP), "nu = {nu}, z = {z}: {ratio} > {high}");
    });
}

#[test]
fn ratio_i_bounds() {
    scan(100_000, |nu, z| {
        if nu < 0.0 {
            return;
        }
        let ratio = ratio_i(nu, z);
        let low = 1.0 / algebraic(nu + 0.5, nu + 1.5, z);
        let high = 1.0 / algebraic(nu + 0.5, nu + 0.5, z);
        assert!(ratio >= low * (1.0 - 4.0 * ULP), "nu = {nu}, z = {z}: {ratio} < {low}");
        assert!(ratio <= high * (1.0 + 4.0 * ULP), "nu = {nu}, z = {z}: {ratio} > {high}");
    });
}

#[test]
fn recurrences() {
    scan(20_000, |nu, z| {
        // K_{nu+2} = K_nu + 2 (nu + 1)/z K_{nu+1}
        let (here, above) = (ratio_k(nu, z), ratio_k(nu + 1.0, z));
        let expected = 2.0 * (nu + 1.0) / z + 1.0 / here;
        assert!((above / expected - 1.0).abs() < 4e-15, "K: nu = {nu}, z = {z}: {above}, {expected}");
        // I_nu = I_{nu+2} + 2 (nu + 1)/z I_{nu+1}
        let (here, above) = (ratio_i(nu, z), ratio_i(nu + 1.0, z));
        let expected = 1.0 / (2.0 * (nu + 1.0) / z + above);
        assert!((here / expected - 1.0).abs() < 5e-15, "I: nu = {nu}, z = {z}: {here}, {expected}");
        // Orders below -1/2 by reflection.
        if nu + 1.0 - 1.0 != nu {
            return;
        }
        assert!((log_k(-nu - 1.0, z) - log_k(nu + 1.0, z)).abs() <= 1e-14 * log_k(nu + 1.0, z).abs());
        assert!((ratio_k(-nu - 1.0, z) * ratio_k(nu, z) - 1.0).abs() <= 2.0 * ULP);
    });
}

/// I_nu K_{nu+1} + I_{nu+1} K_nu = 1/z (DLMF 10.28.2).
#[test]
fn wronskian() {
    scan(20_000, |nu, z| {
        let (log_k, ratio) = log_k_and_ratio(nu, z);
        let log_i = log_i(nu, z);
        let sum = log_i + log_k + (z * (ratio + ratio_i(nu, z))).ln();
        let scale = 1.0 + log_i.abs() + log_k.abs() + (nu * z.ln()).abs();
        assert!(sum.abs() <= 8.0 * ULP * scale, "nu = {nu}, z = {z}: {sum:e}");
    });
}

#[test]
fn shared_forms_agree() {
    scan(20_000, |nu, z| {
        let (log, ratio) = log_zk_and_ratio(nu, z);
        let scale = log_k(nu, z).abs() + (nu * z.ln()).abs() + 1.0;
        assert!((log - log_k(nu, z) - nu * z.ln()).abs() <= 1e-14 * scale, "nu = {nu}, z = {z}");
        assert_eq!(log, log_zk(nu, z));
        assert!((ratio / ratio_k(nu, z) - 1.0).abs() <= 2e-15);
        let excess = ratio_k_excess(nu, z);
        assert!((1.0 + excess / z - ratio).abs() <= 4e-15 * ratio, "nu = {nu}, z = {z}: {excess}");
    });
}

/// z (R - 1) against its expansion nu + 1/2 + (4 nu^2 - 1)/(8 z) - (4 nu^2 - 1)/(8 z^2) + ... (DLMF 10.40.2).
#[test]
fn excess_at_large_argument() {
    for nu in [-0.4, 0.0, 0.5, 1.0, 2.7, 8.5, 9.5] {
        for z in [1e6, 1e8, 1e10, 1e12] {
            let m = (4.0 * nu * nu - 1.0) / (8.0 * z);
            let expected = nu + 0.5 + m - m / z;
            let excess = ratio_k_excess(nu, z);
            assert!((excess / expected - 1.0).abs() < 1e-14, "nu = {nu}, z = {z}: {excess}, {expected}");
        }
    }
}

/// The derivative against the Riccati equation R' = R^2 - (2 nu + 1) R/z - 1 where that keeps its digits,
/// and against central differences.
#[test]
fn derivative() {
    scan(20_000, |nu, z| {
        let (ratio, derivative) = (ratio_k(nu, z), ratio_k_derivative(nu, z));
        let terms = [ratio * ratio, -(2.0 * nu + 1.0) / z * ratio, -1.0];
        let largest = terms.iter().fold(0.0, |m: f64, t| m.max(t.abs()));
        let riccati: f64 = terms.iter().sum();
        assert!(
            (derivative - riccati).abs() <= 8.0 * ULP * largest,
            "nu = {nu}, z = {z}: {derivative}, {riccati}"
        );
        assert!(derivative <= 0.0 && (nu <= -0.5 || derivative < 0.0), "nu = {nu}, z = {z}: {derivative}");
        let h = 1e-4 * z;
        let difference =
            (ratio_k_excess(nu, z + h) / (z + h) - ratio_k_excess(nu, z - h) / (z - h)) / (2.0 * h);
        assert!(
            (difference - derivative).abs() <= 1e-6 * derivative.abs(),
            "nu = {nu}, z = {z}: {derivative}, {difference}"
        );
    });
}

/// The stated relative error of R - 1.
fn excess_error(z: f64, ratio: f64) -> f64 {
    if z <= 1.5 { 5e-15 * ratio / (ratio - 1.0) } else { 5e-15 }
}

#[test]
fn inverses_round_trip() {
    scan(20_000, |nu, z| {
        // R has relative error 5e-15 at most; log(R/z) has slope between -2 and -1 on log axes.
        let found = inverse_gain(nu, ratio_k(nu, z) / z);
        assert!((found / z - 1.0).abs() <= 5e-15, "gain: nu = {nu}, z = {z}: {found}");
        let ratio = ratio_k(nu, z);
        if nu == -0.5 || ratio <= 1.0 {
            return;
        }
        let found = inverse_ratio_k(nu, ratio);
        let excess = ratio_k_excess(nu, z);
        let slope = (z * z * ratio_k_derivative(nu, z) / excess).abs();
        // The rounding of y = R and the error of R - 1, over the slope of log(R - 1), which is small for nu near -1/2.
        let tolerance = (2.0 * ULP * ratio * z / excess + excess_error(z, ratio)) / slope;
        assert!((found / z - 1.0).abs() <= tolerance, "ratio: nu = {nu}, z = {z}: {found}, {tolerance:e}");
    });
}

#[test]
fn inverses_at_the_edges() {
    // y - 1 is exact here, and so must be the digits of z.
    for nu in [-0.4, 0.0, 0.5, 1.0, 7.0, 30.2, 1e4] {
        for k in 0..50 {
            let gap = 0.5f64.powi(k);
            let z = inverse_ratio_k(nu, 1.0 + gap);
            let back = ratio_k_excess(nu, z) / z / gap;
            assert!((back - 1.0).abs() < excess_error(z, 1.0 + gap), "nu = {nu}, y - 1 = {gap}: {z}, {back}");
        }
    }
    assert_eq!(inverse_ratio_k(1.0, 1.0), f64::INFINITY);
    assert_eq!(inverse_ratio_k(1.0, 0.5), f64::INFINITY);
    assert_eq!(inverse_ratio_k(1.0, f64::INFINITY), 0.0);
    assert_eq!(inverse_ratio_k(-0.5, 2.0), 0.0);
    assert_eq!(inverse_gain(1.0, 0.0), f64::INFINITY);
    assert_eq!(inverse_gain(1.0, f64::INFINITY), 0.0);
    for nu in [-0.5, -0.3, 0.0, 0.2, 0.5, 1.0, 100.0, 2e5] {
        for w in [1e-300, 1e-100, 1e-12, 1e12, 1e100, 1e300] {
            let z = inverse_gain(nu, w);
            assert!(z > 0.0 && z.is_finite(), "nu = {nu}, w = {w}: {z}");
            let back = ratio_k(nu, z) / z / w;
            assert!((back - 1.0).abs() < 1e-14, "nu = {nu}, w = {w}: {z}, {back}");
        }
    }
}

#[test]
fn closed_forms() {
    scan(2_000, |_, z| {
        assert_eq!(ratio_k(-0.5, z), 1.0);
        assert!((ratio_k(0.5, z) / (1.0 + 1.0 / z) - 1.0).abs() <= 4.0 * ULP);
        let log = 0.5 * (std::f64::consts::FRAC_PI_2 / z).ln() - z;
        assert!((log_k(0.5, z) - log).abs() <= 1e-14 * log.abs().max(1.0));
        assert!((ratio_i(-0.5, z) - z.tanh()).abs() <= 4e-15 * z.tanh());
    });
    // log(z^nu K_nu) tends to log(2^{nu-1} Gamma(nu)): 2 and 48 at nu = 2 and 4.
    assert!((log_zk(2.0, 0.0) - 2f64.ln()).abs() < 1e-14 && (log_zk(4.0, 1e-150) - 48f64.ln()).abs() < 1e-14);
}

proptest! {
    /// R increases with the order and decreases with the argument, across every border between methods.
    #[test]
    fn ratio_is_monotone(nu in -0.499..60.0f64, z in 1e-3..60.0f64) {
        prop_assert!(ratio_k(nu + 1e-3, z) > ratio_k(nu, z));
        prop_assert!(ratio_k(nu, z * 1.001) < ratio_k(nu, z));
        prop_assert!(ratio_i(nu, z * 1.001) > ratio_i(nu, z));
        prop_assert!(log_k(nu, z * 1.001) < log_k(nu, z));
    }

    /// log K is convex in the order (Cauchy-Schwarz on its integral).
    #[test]
    fn log_k_is_convex_in_the_order(nu in 0.0..1e3f64, z in 1e-3..1e3f64) {
        let second = log_k(nu + 2.0, z) - 2.0 * log_k(nu + 1.0, z) + log_k(nu, z);
        prop_assert!(second > -1e-12 * (1.0 + log_k(nu + 2.0, z).abs()));
    }
}
