//! Temme's continued fraction CF2 for K_{mu+1}/K_mu with its normalising sum, |mu| <= 1/2, z not small
//! (N. M. Temme (1975), J. Comput. Phys. 19:324), summed backward.
//!
//! With y_n the minimal solution of y_{n-1} = 2 (n + z) y_n - ((n + 1/2)^2 - mu^2) y_{n+1},
//!
//! ```text
//! z K_{mu+1}/K_mu = z + mu + 1/2 - (1/4 - mu^2) y_1/y_0,     sqrt(pi/(2z)) e^{-z}/K_mu = sum_n C_n y_n / y_0,
//! C_0 = 1,  C_{n+1}/C_n = ((n + 1/2)^2 - mu^2)/(n + 1).
//! ```
//!
//! Every term is positive, and running backward from a known length needs no division on the critical path.

use super::start::Start;
use std::f64::consts::FRAC_PI_2;

/// Terms for full precision of the fraction at z >= 1.5: its error falls like exp(-4 sqrt(2 n z)).
fn ratio_length(z: f64) -> f64 {
    (52.0 / z).floor() + 6.0
}

/// Terms for full precision of the sum, whose tail falls like exp(-2 sqrt(2 n z)).
fn sum_length(z: f64) -> f64 {
    (136.0 / z).floor() + 8.0
}

/// Both orders with their scale.
pub(super) fn start(mu: f64, z: f64) -> Start {
    let scale = 0.5 * (FRAC_PI_2 / z).ln() - z;
    if mu == -0.5 {
        return Start { scale, k0: 1.0, k1: z, excess: 0.0 };
    }
    let (excess, sum) = backward(mu, z, sum_length(z));
    let k0 = 1.0 / sum;
    Start { scale, k0, k1: k0 * (z + excess), excess }
}

/// Both orders up to a factor, in fewer terms.
pub(super) fn ratio_start(mu: f64, z: f64) -> Start {
    let excess = if mu == -0.5 { 0.0 } else { backward(mu, z, ratio_length(z)).0 };
    Start { scale: f64::NAN, k0: 1.0, k1: z + excess, excess }
}

/// (z (K_{mu+1}/K_mu - 1), sum_n C_n y_n / y_0), the recurrence started with y_{length+1} = 0, y_length = 1.
#[inline]
fn backward(mu: f64, z: f64, length: f64) -> (f64, f64) {
    let mu2 = mu * mu;
    let (mut above, mut here, mut sum) = (0.0, 1.0, 1.0);
    let mut n = length;
    while n > 0.5 {
        let (up, down) = (n + 0.5, n - 0.5);
        let below = 2.0 * (n + z) * here - (up * up - mu2) * above;
        sum = below + (down * down - mu2) / n * sum;
        (above, here) = (here, below);
        n -= 1.0;
    }
    (mu + 0.5 - (0.25 - mu2) * above / here, sum / here)
}
