//! The Ornstein-Uhlenbeck process killed by an independent exponential clock.

mod green;
mod lifetime;
mod quadrature;

use std::f64::consts::TAU;

use nalgebra::DMatrix;
use rand::{Rng, RngExt};
use rand_distr::{Exp, StandardNormal};

pub use green::OrnsteinUhlenbeckGreen;

use super::brownian::representable;
use super::{ExactDeath, KilledBrownianMotion, KilledDiffusion, LocallyBrownian, Resolvent, draw_deaths};
use crate::diffusion::{Diffusion, Dispersion};
use crate::error::{Result, positive};

/// dX = -θ X dt + σ dW on R^d, killed at an independent time ζ ~ Exp(r). Its stationary law m = N(0, σ²/(2θ) I) is the
/// measure with respect to which it is symmetric.
///
/// ```
/// use resolvent_core::killed::{KilledOrnsteinUhlenbeck, Resolvent};
/// let process = KilledOrnsteinUhlenbeck::new(3, 1.0, 2f64.sqrt(), 0.1)?;
/// let (x, y) = ([1.0, 0.0, 0.5], [0.0, -2.0, 1.0]);
/// let (mut at_x, mut at_y) = ([0.0; 3], [0.0; 3]);
/// let forth = process.log_kernel_and_gradient(&x, &y, &mut at_x);
/// let back = process.log_kernel_and_gradient(&y, &x, &mut at_y);
/// assert!((forth - back).abs() < 1e-12);
/// # Ok::<(), resolvent_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct KilledOrnsteinUhlenbeck {
    theta: f64,
    clock: Exp<f64>,
    brownian: KilledBrownianMotion,
    green: OrnsteinUhlenbeckGreen,
}

impl KilledOrnsteinUhlenbeck {
    /// In dimension `dim` >= 1 with the rate of reversion `theta` (per unit time), diffusion `sigma` (length per square root
    /// of time) and killing rate `rate` (per unit time), all three from 1e-30 to 1e30.
    ///
    /// # Errors
    /// If `dim` is 0, or one of the others is not positive and finite, or out of range.
    pub fn new(dim: usize, theta: f64, sigma: f64, rate: f64) -> Result<Self> {
        let brownian = KilledBrownianMotion::new(dim, sigma, rate)?;
        // Brownian motion alone can do without a clock.
        positive("rate", rate)?;
        let theta = representable("theta", theta)?;
        let clock = Exp::new(rate).expect("a positive rate");
        Ok(Self { theta, clock, brownian, green: OrnsteinUhlenbeckGreen::new(dim, theta, sigma, rate) })
    }

    /// Dimension d.
    pub fn dim(&self) -> usize {
        self.brownian.dim()
    }

    /// Rate of reversion θ.
    pub fn theta(&self) -> f64 {
        self.theta
    }

    /// Diffusion σ.
    pub fn sigma(&self) -> f64 {
        self.brownian.sigma()
    }

    /// Killing rate r.
    pub fn rate(&self) -> f64 {
        self.brownian.rate()
    }

    /// The Green kernel g_r (r-resolvent kernel) with respect to the stationary law.
    pub fn green(&self) -> &OrnsteinUhlenbeckGreen {
        &self.green
    }

    /// σ²/(2θ), the variance of a coordinate under the stationary law.
    pub fn stationary_variance(&self) -> f64 {
        self.sigma() * (self.sigma() / (2.0 * self.theta))
    }

    /// The place after time `time` >= 0 from `x` into `out` (both d), exactly: N(x e^{-θt}, σ²(1 - e^{-2θt})/(2θ) I)
    /// (Uhlenbeck and Ornstein 1930).
    pub fn transition_into<R: Rng + ?Sized>(&self, x: &[f64], time: f64, rng: &mut R, out: &mut [f64]) {
        let shrink = f64::exp(-self.theta * time);
        let scale = f64::sqrt(-self.stationary_variance() * f64::exp_m1(-2.0 * self.theta * time));
        for (out, x) in out.iter_mut().zip(x) {
            *out = x * shrink + scale * rng.sample::<f64, _>(StandardNormal);
        }
    }

    /// The places of death (d x n) and lifetimes (n) of particles started in the columns of `starts` (d x n); particle
    /// i draws from stream i of `seed`.
    ///
    /// # Errors
    /// If `starts` has not d rows or is not finite.
    pub fn deaths(&self, starts: &DMatrix<f64>, seed: u64) -> Result<(DMatrix<f64>, Vec<f64>)> {
        let deaths = draw_deaths(self, starts, seed)?;
        Ok((deaths.points, deaths.lifetimes))
    }
}

impl Diffusion for KilledOrnsteinUhlenbeck {
    fn drift(&self, _t: f64, x: &[f64], out: &mut [f64]) {
        for (out, x) in out.iter_mut().zip(x) {
            *out = -self.theta * x;
        }
    }

    fn dispersion(&self, _t: f64, _x: &[f64], out: &mut Dispersion) {
        *out = Dispersion::Scalar(self.sigma());
    }
}

impl KilledDiffusion for KilledOrnsteinUhlenbeck {
    fn dim(&self) -> usize {
        self.brownian.dim()
    }

    fn rate(&self, _x: &[f64]) -> f64 {
        self.brownian.rate()
    }
}

impl ExactDeath for KilledOrnsteinUhlenbeck {
    fn death_into(&self, x: &[f64], mut rng: &mut dyn Rng, out: &mut [f64]) -> f64 {
        let lifetime = rng.sample(self.clock);
        self.transition_into(x, lifetime, &mut rng, out);
        lifetime
    }
}

impl LocallyBrownian for KilledOrnsteinUhlenbeck {
    fn brownian(&self) -> &KilledBrownianMotion {
        &self.brownian
    }
}

/// m is the stationary law.
impl Resolvent for KilledOrnsteinUhlenbeck {
    fn log_kernel_and_gradient(&self, x: &[f64], y: &[f64], gradient: &mut [f64]) -> f64 {
        self.green.log_value_and_gradient(x, y, gradient)
    }

    fn log_measure_and_gradient(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
        let precision = 1.0 / self.stationary_variance();
        for (g, x) in gradient.iter_mut().zip(x) {
            *g = -precision * x;
        }
        let square = sum_of_squares(x.iter().copied());
        0.5 * (self.dim() as f64 * (precision / TAU).ln() - precision * square)
    }

    fn lifetime_between(&self, x: &[f64], y: &[f64], rng: &mut dyn Rng) -> f64 {
        self.green.lifetime(x, y, rng)
    }
}

/// Σ v², in eight running sums so that rounding grows with an eighth of their number.
fn sum_of_squares(values: impl Iterator<Item = f64>) -> f64 {
    let mut sums = [0.0; 8];
    for (k, value) in values.enumerate() {
        sums[k % 8] += value * value;
    }
    sums.iter().sum()
}
