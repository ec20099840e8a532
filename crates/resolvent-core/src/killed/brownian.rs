//! Brownian motion killed by an independent exponential clock.

use nalgebra::DMatrix;
use rand::{Rng, RngExt};
use rand_distr::{Distribution, Exp, StandardNormal};

use super::{
    ExactDeath, GreenKernel, KilledDiffusion, LocallyBrownian, Path, Resolvent, distance_squared, draw_deaths,
};
use crate::diffusion::{Diffusion, Dispersion};
use crate::error::{Error, Result, at_least, positive};

/// dX = σ dW on R^d, killed at an independent time ζ ~ Exp(r). At r = 0, which needs d >= 3, nothing kills it: it wanders
/// off to infinity, but has a Green kernel (the Newtonian), and its h-transforms die.
#[derive(Debug, Clone, PartialEq)]
pub struct KilledBrownianMotion {
    sigma: f64,
    rate: f64,
    green: GreenKernel,
    clock: Exp<f64>,
}

impl KilledBrownianMotion {
    /// In dimension `dim` >= 1 with diffusion `sigma` (length per square root of time) and killing rate `rate` (per unit
    /// time), both from 1e-30 to 1e30, so that no square of them is lost; or `rate` = 0 in dimension 3 and above.
    ///
    /// # Errors
    /// If `dim` is 0, `sigma` or `rate` is not positive and finite or out of range, or `rate` is 0 where Brownian motion is
    /// recurrent, in dimensions 1 and 2.
    pub fn new(dim: usize, sigma: f64, rate: f64) -> Result<Self> {
        let dim = at_least("dim", 1, dim)?;
        let sigma = representable("sigma", sigma)?;
        let rate = match rate {
            0.0 if dim < 3 => return Err(Error::Recurrent { dim }),
            // Not -0, which is no rate of an exponential law.
            0.0 => 0.0,
            _ => representable("rate", rate)?,
        };
        let clock = Exp::new(rate).expect("a rate that is not negative");
        Ok(Self { sigma, rate, green: GreenKernel::new(dim, sigma, rate), clock })
    }

    /// Dimension d.
    pub fn dim(&self) -> usize {
        self.green.dim()
    }

    /// Diffusion σ.
    pub fn sigma(&self) -> f64 {
        self.sigma
    }

    /// Killing rate r.
    pub fn rate(&self) -> f64 {
        self.rate
    }

    /// The Green kernel (r-resolvent kernel) of the process.
    pub fn green(&self) -> &GreenKernel {
        &self.green
    }

    /// Draws the place of death from the start `x` into `out` and returns the lifetime: x + σ √ζ N with
    /// ζ ~ Exp(r), whose density is r G_r(x, ·) (R5; multivariate Laplace of covariance σ² I / r, Kotz, Kozubowski
    /// and Podgórski 2001, chapter 5). At r = 0 the lifetime is infinite and there is no place: `out` is NaN.
    pub fn death_into<R: Rng + ?Sized>(&self, x: &[f64], rng: &mut R, out: &mut [f64]) -> f64 {
        if self.rate == 0.0 {
            out.fill(f64::NAN);
            return f64::INFINITY;
        }
        let lifetime = rng.sample(self.clock);
        let scale = self.sigma * f64::sqrt(lifetime);
        for (out, x) in out.iter_mut().zip(x) {
            *out = x + scale * rng.sample::<f64, _>(StandardNormal);
        }
        lifetime
    }

    /// The places of death (d x n) and lifetimes (n) of particles started in the columns of `starts` (d x n); particle
    /// i draws from stream i of `seed`.
    ///
    /// # Errors
    /// If `starts` has not d rows or is not finite, or r = 0, so that nothing dies.
    pub fn deaths(&self, starts: &DMatrix<f64>, seed: u64) -> Result<(DMatrix<f64>, Vec<f64>)> {
        self.mortal()?;
        let deaths = draw_deaths(self, starts, seed)?;
        Ok((deaths.points, deaths.lifetimes))
    }

    /// One path from `x` on the grid 0, dt, 2 dt, ... until death: exact at every time, its last entry the time and
    /// place of death.
    ///
    /// # Errors
    /// If `dt` is not positive and finite, `x` has not length d, or r = 0, so that the path has no end.
    pub fn path<R: Rng + ?Sized>(&self, x: &[f64], dt: f64, rng: &mut R) -> Result<Path> {
        self.mortal()?;
        positive("dt", dt)?;
        crate::error::dimension("x", self.dim(), x.len())?;
        let lifetime = rng.sample(self.clock);
        let mut path = Path::start(x);
        let (mut now, mut place) = (0.0, x.to_vec());
        while now < lifetime {
            let next = (path.times.len() as f64 * dt).min(lifetime);
            let scale = self.sigma * f64::sqrt(next - now);
            for p in &mut place {
                *p += scale * rng.sample::<f64, _>(StandardNormal);
            }
            now = next;
            path.push(now, &place);
        }
        Ok(path)
    }

    /// There is a clock to die by.
    fn mortal(&self) -> Result<()> {
        if self.rate > 0.0 { Ok(()) } else { Err(Error::Immortal) }
    }
}

/// A positive number whose square and that of its inverse are far from the ends of the range.
pub(super) fn representable(name: &'static str, value: f64) -> Result<f64> {
    let value = positive(name, value)?;
    if (1e-30..=1e30).contains(&value) { Ok(value) } else { Err(Error::OutOfRange { name, value }) }
}

impl Diffusion for KilledBrownianMotion {
    fn drift(&self, _t: f64, _x: &[f64], out: &mut [f64]) {
        out.fill(0.0);
    }

    fn dispersion(&self, _t: f64, _x: &[f64], out: &mut Dispersion) {
        *out = Dispersion::Scalar(self.sigma);
    }
}

impl KilledDiffusion for KilledBrownianMotion {
    fn dim(&self) -> usize {
        self.green.dim()
    }

    fn rate(&self, _x: &[f64]) -> f64 {
        self.rate
    }
}

impl ExactDeath for KilledBrownianMotion {
    fn death_into(&self, x: &[f64], mut rng: &mut dyn Rng, out: &mut [f64]) -> f64 {
        Self::death_into(self, x, &mut rng, out)
    }
}

impl LocallyBrownian for KilledBrownianMotion {
    fn brownian(&self) -> &KilledBrownianMotion {
        self
    }
}

/// m is Lebesgue measure.
impl Resolvent for KilledBrownianMotion {
    fn log_kernel_and_gradient(&self, x: &[f64], y: &[f64], gradient: &mut [f64]) -> f64 {
        let (log_value, gain) = self.green.log_value_and_gain(distance_squared(x, y).sqrt());
        for (g, (x, y)) in gradient.iter_mut().zip(x.iter().zip(y)) {
            *g = gain * (y - x);
        }
        log_value
    }

    fn log_measure_and_gradient(&self, _x: &[f64], gradient: &mut [f64]) -> f64 {
        gradient.fill(0.0);
        0.0
    }

    fn lifetime_between(&self, x: &[f64], y: &[f64], mut rng: &mut dyn Rng) -> f64 {
        self.green.lifetime(distance_squared(x, y).sqrt()).sample(&mut rng)
    }
}
