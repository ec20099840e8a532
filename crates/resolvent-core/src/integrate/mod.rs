//! One-step schemes for dX = b dt + σ dW in the sense of Itô, one per file. They know nothing of reversal: the reverse
//! SDE is a diffusion too, and so is the probability flow, without noise.
//!
//! | scheme | evaluations | noise | strong order | weak order |
//! |---|---|---|---|---|
//! | [`EulerMaruyama`] | 1 | any | 1/2 (σ(t): 1) | 1 |
//! | [`Milstein`] | 1 | commuting | 1 | 1 |
//! | [`Heun`] | 2 | any | 1/2 (σ(t): 1) | 1 (σ(t): 2) |
//! | [`Sra1`] | 2 | σ(t) | 1.5 | |
//! | [`RungeKutta4`] | 4 | none | 4 | |

mod commuting;
mod euler_maruyama;
mod heun;
mod milstein;
mod runge_kutta4;
mod sra1;

pub use euler_maruyama::EulerMaruyama;
pub use heun::Heun;
pub use milstein::Milstein;
pub use runge_kutta4::RungeKutta4;
pub use sra1::Sra1;

pub(crate) use commuting::commuting;
pub(crate) use milstein::{correct, has_correction};

use crate::diffusion::{Diffusion, Dispersion};

/// The Brownian increments of n particles over one step of length dt (n rows of d each).
#[derive(Debug, Clone, Copy)]
pub struct Increments<'a> {
    /// ΔW = W(t + dt) - W(t), of variance dt.
    pub dw: &'a [f64],
    /// ΔZ = ∫ (W(s) - W(t)) ds over the step, of variance dt³/3 and covariance dt²/2 with ΔW; empty for a scheme that
    /// does not [need](Integrator::needs_area) it.
    pub dz: &'a [f64],
}

/// Scratch for a batch of points.
#[derive(Debug, Clone, Default)]
pub struct Scratch {
    pub(crate) first: Vec<f64>,
    pub(crate) second: Vec<f64>,
    pub(crate) third: Vec<f64>,
    pub(crate) row: Vec<f64>,
    pub(crate) noise: Vec<f64>,
    pub(crate) dispersion: Dispersion,
}

impl Scratch {
    /// Scratch for `values` = n d coordinates in R^`dim`.
    pub(crate) fn resize(&mut self, values: usize, dim: usize) {
        for batch in [&mut self.first, &mut self.second, &mut self.third] {
            batch.resize(values, 0.0);
        }
        self.row.resize(dim, 0.0);
        self.noise.resize(dim, 0.0);
    }
}

/// A one-step scheme for an SDE.
pub trait Integrator: Sync {
    /// Moves `points` (n rows of `dim`) from t to t + dt.
    #[expect(clippy::too_many_arguments, reason = "one per quantity")]
    fn step(
        &self,
        diffusion: &dyn Diffusion,
        t: f64,
        dt: f64,
        dim: usize,
        increments: Increments<'_>,
        points: &mut [f64],
        scratch: &mut Scratch,
    );

    /// Drift evaluations a step makes at each particle.
    fn evaluations(&self) -> usize {
        1
    }

    /// Does the scheme use ΔZ?
    fn needs_area(&self) -> bool {
        false
    }
}
