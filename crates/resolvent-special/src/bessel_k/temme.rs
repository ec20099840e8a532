//! Temme's power series for K_mu and K_{mu+1}, |mu| <= 1/2, small z (N. M. Temme (1975), J. Comput. Phys. 19:324).

use super::start::Start;
use std::f64::consts::PI;

/// Largest argument: above it the leading terms cancel.
pub(super) const Z_MAX: f64 = 1.5;

/// Taylor coefficients of 1/Gamma(1 + x) (DLMF 5.7.1), even powers.
const EVEN: [f64; 10] = [
    1.0,
    -0.655_878_071_520_253_9,
    0.166_538_611_382_291_48,
    -0.009_621_971_527_876_973,
    -0.001_165_167_591_859_065_2,
    0.000_128_050_282_388_116_2,
    -1.250_493_482_142_670_6e-6,
    -2.056_338_416_977_607e-7,
    5.002_007_644_469_223e-9,
    1.043_426_711_691_100_5e-10,
];

/// The same, odd powers.
const ODD: [f64; 10] = [
    0.577_215_664_901_532_9,
    -0.042_002_635_034_095_24,
    -0.042_197_734_555_544_33,
    0.007_218_943_246_663_1,
    -0.000_215_241_674_114_950_98,
    -2.013_485_478_078_824e-5,
    1.133_027_231_981_696e-6,
    6.116_095_104_481_416e-9,
    -1.181_274_570_487_02e-9,
    7.782_263_439_905_071e-12,
];

fn polynomial(coefficients: &[f64], x: f64) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, c| sum * x + c)
}

pub(super) fn start(mu: f64, z: f64) -> Start {
    let mu2 = mu * mu;
    let gamma2 = polynomial(&EVEN, mu2);
    let gamma1 = -polynomial(&ODD, mu2);
    let log = (2.0 / z).ln();
    let sigma = mu * log;
    let power = sigma.exp();
    let cosh = 0.5 * (power + 1.0 / power);
    let sinhc = if sigma.abs() < 0.5 { sinhc_near_zero(sigma) } else { 0.5 * (power - 1.0 / power) / sigma };
    let reflection = if mu == 0.0 { 1.0 } else { PI * mu / (PI * mu).sin() };
    let mut f = reflection * (gamma1 * cosh + gamma2 * sinhc * log);
    let mut p = 0.5 * power / (gamma2 - mu * gamma1);
    let mut q = 0.5 / (power * (gamma2 + mu * gamma1));
    let quarter = 0.25 * z * z;
    let (mut k0, mut k1, mut c) = (f, p, 1.0);
    let mut k = 1.0;
    loop {
        f = (k * f + p + q) / (k * k - mu2);
        p /= k - mu;
        q /= k + mu;
        c *= quarter / k;
        let (term0, term1) = (c * f, c * (p - k * f));
        k0 += term0;
        k1 += term1;
        if term0.abs() <= 1e-17 * k0 && term1.abs() <= 1e-17 * k1 {
            break;
        }
        k += 1.0;
    }
    k1 *= 2.0;
    Start { scale: 0.0, k0, k1, excess: k1 / k0 - z }
}

/// sinh(x)/x for |x| < 1/2.
fn sinhc_near_zero(x: f64) -> f64 {
    /// (2k)(2k + 1), last term first.
    const STEPS: [f64; 6] = [156.0, 110.0, 72.0, 42.0, 20.0, 6.0];
    let x2 = x * x;
    STEPS.iter().fold(1.0, |sum, step| 1.0 + x2 / step * sum)
}
