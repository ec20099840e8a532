//! Brownian motion killed by an independent exponential clock.

use nalgebra::DMatrix;
use rand::{Rng, RngExt};
use rand_distr::{Exp, StandardNormal};
use rayon::prelude::*;

use super::{GreenKernel, Path};
use crate::diffusion::{Diffusion, Dispersion};
use crate::error::{Error, Result, at_least, finite, positive};
use crate::random::{Purpose, stream};

/// dX = σ dW on R^d, killed at an independent time ζ ~ Exp(r).
#[derive(Debug, Clone, PartialEq)]
pub struct KilledBrownianMotion {
    sigma: f64,
    rate: f64,
    green: GreenKernel,
    clock: Exp<f64>,
}

impl KilledBrownianMotion {
    /// In dimension `dim` >= 1 with diffusion `sigma` (length per square root of time) and killing rate `rate` (per unit
    /// time), both from 1e-30 to 1e30, so that no square of them is lost.
    ///
    /// # Errors
    /// If `dim` is 0, or `sigma` or `rate` is not positive and finite, or out of range.
    pub fn new(dim: usize, sigma: f64, rate: f64) -> Result<Self> {
        let dim = at_least("dim", 1, dim)?;
        let sigma = representable("sigma", sigma)?;
        let rate = representable("rate", rate)?;
        let clock = Exp::new(rate).expect("a positive rate");
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
    /// and Podgórski 2001, chapter 5).
    pub fn death_into<R: Rng + ?Sized>(&self, x: &[f64], rng: &mut R, out: &mut [f64]) -> f64 {
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
    /// If `starts` has not d rows or is not finite.
    pub fn deaths(&self, starts: &DMatrix<f64>, seed: u64) -> Result<(DMatrix<f64>, Vec<f64>)> {
        crate::error::dimension("starts", self.dim(), starts.nrows())?;
        finite("starts", starts)?;
        let mut places = DMatrix::zeros(self.dim(), starts.ncols());
        let lifetimes = places
            .as_mut_slice()
            .par_chunks_mut(self.dim())
            .zip(starts.as_slice().par_chunks(self.dim()))
            .enumerate()
            .map(|(i, (out, x))| self.death_into(x, &mut stream(seed, Purpose::Forward, i as u64), out))
            .collect();
        Ok((places, lifetimes))
    }

    /// One path from `x` on the grid 0, dt, 2 dt, ... until death: exact at every time, its last entry the time and
    /// place of death.
    ///
    /// # Errors
    /// If `dt` is not positive and finite, or `x` has not length d.
    pub fn path<R: Rng + ?Sized>(&self, x: &[f64], dt: f64, rng: &mut R) -> Result<Path> {
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
}

/// A positive number whose square and that of its inverse are far from the ends of the range.
fn representable(name: &'static str, value: f64) -> Result<f64> {
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
