//! The time of the last exit from a sphere.

use std::f64::consts::TAU;

use rand::{Rng, RngExt};
use rand_distr::{Distribution, Exp1};
use resolvent_special::{log_i, ratio_i};

/// From this multiple of 1 + ν² on e^{-z} I_ν(z) is taken from its expansion for large z.
const LARGE: f64 = 100.0;
/// Its terms: the next is below 1e-12 there.
const TERMS: u32 = 6;

/// The law on t > 0 with density proportional to e^{-rt - B/(2t)} t^{-1} e^{-C/t} I_ν(C/t), d >= 2: the time at which
/// Brownian motion from |x| = s, killed at rate r, leaves the sphere of radius R for the last time, B = (R - s)²/σ²,
/// C = sR/σ². It is the integral of e^{-rt} p_t(x, y) over the sphere (DLMF 10.32.2).
///
/// X = log t is drawn by rejection: its log-density ψ is bounded by 0 between two points left and right of the mode and by
/// straight lines beyond. For d >= 3 ψ is concave. For d = 2 it is not quite: the slope of log(e^{-z} I_0(z)) in log z falls
/// to a little below its limit -1/2, and the left line heeds that.
#[derive(Debug, Clone, Copy)]
pub(super) struct LastExit {
    nu: f64,
    rate: f64,
    b: f64,
    c: f64,
    mode: f64,
    /// ψ + peak is the log-density as written.
    peak: f64,
    /// Of the flat part.
    left: f64,
    right: f64,
    left_tail: Tail,
    right_tail: Tail,
}

/// e^{drop - slope |x - end|}.
#[derive(Debug, Clone, Copy)]
struct Tail {
    drop: f64,
    slope: f64,
}

impl Tail {
    fn mass(self) -> f64 {
        self.drop.exp() / self.slope
    }
}

impl LastExit {
    /// In dimension `dim` >= 2 with killing rate `rate` >= 0, positive if d = 2, `b` >= 0 and `c` > 0.
    pub(super) fn new(dim: usize, rate: f64, b: f64, c: f64) -> Self {
        let none = Tail { drop: 0.0, slope: 1.0 };
        let nu = 0.5 * dim as f64 - 1.0;
        let mut law = Self {
            nu,
            rate,
            b,
            c,
            mode: 0.0,
            peak: 0.0,
            left: 0.0,
            right: 0.0,
            left_tail: none,
            right_tail: none,
        };
        law.mode = law.find_mode();
        law.peak = law.raw(law.mode);
        let t = law.mode.exp();
        // The curvature, but for that of the Bessel function, which is of the same order.
        let width = f64::sqrt(2.0 / (0.5 + rate * t + 0.5 * b / t));
        let (left, right) = (law.reach(-width), law.reach(width));
        (law.left, law.right) = (left, right);
        let bound = if nu < 0.5 { 0.5 } else { f64::INFINITY };
        law.left_tail = Tail { drop: law.psi(left), slope: law.slope_with(left, bound) };
        law.right_tail = Tail { drop: law.psi(right), slope: -law.slope_with(right, f64::INFINITY) };
        law
    }

    /// The log-density of X up to a constant.
    fn raw(&self, x: f64) -> f64 {
        let t = x.exp();
        -self.rate * t - 0.5 * self.b / t + log_damped_i(self.nu, self.c / t)
    }

    fn psi(&self, x: f64) -> f64 {
        self.raw(x) - self.peak
    }

    /// ψ', the part of the Bessel function at most `bound`.
    fn slope_with(&self, x: f64, bound: f64) -> f64 {
        let t = x.exp();
        -self.rate * t + 0.5 * self.b / t + f64::min(-damped_i_slope(self.nu, self.c / t), bound)
    }

    /// Where ψ' = 0: it is positive on the left and negative on the right.
    fn find_mode(&self) -> f64 {
        let slope = |x: f64| self.slope_with(x, f64::INFINITY);
        let start = f64::ln((self.b + 2.0 * self.c) / (2.0 * self.nu + 2.0));
        let (mut low, mut high, mut stride) = (start, start, 1.0);
        while slope(low) < 0.0 {
            low -= stride;
            stride *= 2.0;
        }
        stride = 1.0;
        while slope(high) > 0.0 {
            high += stride;
            stride *= 2.0;
        }
        // Illinois variant of the false position.
        let (mut at_low, mut at_high) = (slope(low), slope(high));
        for _ in 0..100 {
            if high - low < 1e-9 {
                break;
            }
            let middle = (low * at_high - high * at_low) / (at_high - at_low);
            let middle = if middle > low && middle < high { middle } else { 0.5 * (low + high) };
            let at = slope(middle);
            if at.abs() < 1e-9 {
                return middle;
            }
            if at > 0.0 {
                (low, at_low, at_high) = (middle, at, 0.5 * at_high);
            } else {
                (high, at_high, at_low) = (middle, at, 0.5 * at_low);
            }
        }
        0.5 * (low + high)
    }

    /// A point on the side that `width` points to where ψ is about -1.
    fn reach(&self, mut width: f64) -> f64 {
        for _ in 0..200 {
            match self.psi(self.mode + width) {
                psi if psi > -0.6 => width *= 1.4,
                psi if psi < -2.0 => width *= 0.7,
                _ => break,
            }
        }
        self.mode + width
    }

    /// The bound on ψ.
    fn envelope(&self, x: f64) -> f64 {
        if x < self.left {
            self.left_tail.drop - self.left_tail.slope * (self.left - x)
        } else if x > self.right {
            self.right_tail.drop - self.right_tail.slope * (x - self.right)
        } else {
            0.0
        }
    }
}

impl Distribution<f64> for LastExit {
    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        let (middle, left, right) = (self.right - self.left, self.left_tail.mass(), self.right_tail.mass());
        loop {
            let u = rng.random::<f64>() * (middle + left + right);
            let x = if u < middle {
                self.left + u
            } else {
                let far: f64 = rng.sample(Exp1);
                if u < middle + left {
                    self.left - far / self.left_tail.slope
                } else {
                    self.right + far / self.right_tail.slope
                }
            };
            let level: f64 = rng.sample(Exp1);
            if self.psi(x) >= self.envelope(x) - level {
                return x.exp();
            }
        }
    }
}

/// log(e^{-z} I_ν(z)), without the cancellation for large z.
fn log_damped_i(nu: f64, z: f64) -> f64 {
    if z > LARGE * (1.0 + nu * nu) {
        let (sum, _) = expansion(nu, z);
        sum.ln() - 0.5 * (TAU * z).ln()
    } else {
        log_i(nu, z) - z
    }
}

/// Its derivative by log z.
fn damped_i_slope(nu: f64, z: f64) -> f64 {
    if z > LARGE * (1.0 + nu * nu) {
        let (sum, slope) = expansion(nu, z);
        slope / sum - 0.5
    } else {
        nu + z * (ratio_i(nu, z) - 1.0)
    }
}

/// √(2πz) e^{-z} I_ν(z) and its derivative by log z, z large (DLMF 10.40.1).
fn expansion(nu: f64, z: f64) -> (f64, f64) {
    let (mut term, mut sum, mut slope) = (1.0, 1.0, 0.0);
    for k in 1..=TERMS {
        let k = f64::from(k);
        term *= -(4.0 * nu * nu - (2.0 * k - 1.0).powi(2)) / (8.0 * k * z);
        sum += term;
        slope -= k * term;
    }
    (sum, slope)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_envelope_lies_above_the_density_and_close_to_it() {
        for dim in [2, 3, 4, 8, 32, 784] {
            for rate in [0.0, 1e-6, 1e-2, 0.5, 50.0] {
                if dim == 2 && rate == 0.0 {
                    continue;
                }
                for s in [1e-12, 1e-3, 0.3, 0.999, 1.0, 1.0 + 1e-9, 1.7, 40.0] {
                    let law = LastExit::new(dim, rate, (1.0 - s) * (1.0 - s), s);
                    let (low, high) = (law.left - 40.0, law.right + 40.0);
                    let n = 20_000;
                    let step = (high - low) / f64::from(n);
                    let (mut above, mut below) = (0.0, 0.0);
                    for i in 0..n {
                        let x = low + (f64::from(i) + 0.5) * step;
                        let (psi, envelope) = (law.psi(x), law.envelope(x));
                        // Errors of log I, at most 1e-13 of it.
                        let slack = 1e-9 + 1e-12 * law.c / x.exp();
                        assert!(psi <= envelope + slack, "{dim} {rate} {s}, x = {x}: {psi} above {envelope}");
                        below += psi.exp() * step;
                        above += envelope.exp() * step;
                    }
                    assert!(below > 0.5 * above, "{dim} {rate} {s}: {} accepted", below / above);
                }
            }
        }
    }

    #[test]
    fn both_forms_of_the_damped_bessel_function_agree() {
        for nu in [0.0, 0.5, 1.0, 3.0, 15.0] {
            let z = LARGE * (1.0 + nu * nu);
            let (below, above) = (z * (1.0 - 1e-9), z * (1.0 + 1e-9));
            assert!((log_damped_i(nu, below) - log_damped_i(nu, above)).abs() < 1e-8, "{nu}");
            assert!((damped_i_slope(nu, below) - damped_i_slope(nu, above)).abs() < 1e-8, "{nu}");
        }
    }
}
