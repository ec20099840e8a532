//! Orders below the Debye regime: two values at the bottom, then the upward recurrence, which is stable for K.

use super::start::Start;
use super::{steed, temme};
use crate::debye;

/// K_{mu+n}: K_nu = e^scale z^{-n} k0, z K_{nu+1} = e^scale z^{-n} k1.
#[derive(Clone, Copy)]
pub(super) struct Ladder {
    start: Start,
    mu: f64,
    steps: u32,
    k0: f64,
    k1: f64,
    z: f64,
}

/// Half-integer orders up to this one climb at any z below HALF_INTEGER_Z_MAX, where z^{nu + 3/2} is far from overflow:
/// exact and cheaper than the expansion.
const HALF_INTEGER_MAX: f64 = 8.5;
const HALF_INTEGER_Z_MAX: f64 = 1e25;

/// Whether the ladder is the method for nu >= -1/2, z > 0, s = sqrt(nu^2 + z^2).
#[inline]
pub(super) fn serves(nu: f64, z: f64, s: f64) -> bool {
    let half_integer = || (nu + 0.5).floor() == nu + 0.5;
    s < debye::S_MIN || (nu <= HALF_INTEGER_MAX && z < HALF_INTEGER_Z_MAX && half_integer())
}

impl Ladder {
    /// For nu >= -1/2, with its scale.
    #[inline]
    pub(super) fn climb(nu: f64, z: f64) -> Self {
        let steps = (nu + 0.5).floor();
        let mu = nu - steps;
        let start = if small(mu, z) { temme::start(mu, z) } else { steed::start(mu, z) };
        Self::from_start(start, mu, steps as u32, z)
    }

    /// The same without the scale, for ratios alone.
    #[inline]
    pub(super) fn climb_ratio(nu: f64, z: f64) -> Self {
        let steps = (nu + 0.5).floor();
        let mu = nu - steps;
        let start = if small(mu, z) { temme::start(mu, z) } else { steed::ratio_start(mu, z) };
        Self::from_start(start, mu, steps as u32, z)
    }

    /// Runs k_{j+1} = 2 (mu + j) k_j + z^2 k_{j-1}: at half-integer orders these are the reverse Bessel polynomials.
    #[inline]
    fn from_start(start: Start, mu: f64, steps: u32, z: f64) -> Self {
        let (mut k0, mut k1) = (start.k0, start.k1);
        let z2 = z * z;
        let mut twice = 2.0 * mu;
        for _ in 0..steps {
            twice += 2.0;
            (k0, k1) = (k1, twice * k1 + z2 * k0);
        }
        Self { start, mu, steps, k0, k1, z }
    }

    /// z K_{nu+1}/K_nu.
    #[inline]
    pub(super) fn scaled_ratio(&self) -> f64 {
        self.k1 / self.k0
    }

    /// log K_nu.
    #[inline]
    pub(super) fn log(&self) -> f64 {
        let log = self.start.scale + self.k0.ln();
        if self.steps == 0 { log } else { log - f64::from(self.steps) * self.z.ln() }
    }

    /// log(z^nu K_nu).
    #[inline]
    pub(super) fn log_scaled(&self) -> f64 {
        let log = self.start.scale + self.k0.ln();
        if self.mu == 0.0 { log } else { log + self.mu * self.z.ln() }
    }

    /// z (R_nu - 1) by E <- 2 (nu + 1) - z E/(z + E), which keeps its digits when z is large.
    pub(super) fn excess(&self) -> f64 {
        let mut excess = self.start.excess;
        for j in 1..=self.steps {
            excess = 2.0 * (self.mu + f64::from(j)) - self.z * excess / (self.z + excess);
        }
        excess
    }
}

/// Whether the power series serves; half-integer orders have their exact start elsewhere.
fn small(mu: f64, z: f64) -> bool {
    z <= temme::Z_MAX && mu != -0.5
}
