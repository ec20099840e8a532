//! Heun's method, with noise in the sense of Itô.

use super::{Increments, Integrator, Scratch};
use crate::diffusion::Diffusion;

/// The trapezoidal drift with an Euler-Maruyama predictor:
///
/// H = x + b(t, x) dt + n, x += ½ dt (b(t, x) + b(t + dt, H)) + n with n = σ(t + ½ dt, x) ΔW.
///
/// Order 2 without noise (Heun 1900); for a σ that does not depend on x weak order 2 (Kloeden and Platen 1992, 15.1) and
/// strong order 1. Where σ depends on x it is an Itô scheme of strong order 1/2 and weak order 1, for σ is taken at the
/// start of the step: not the stochastic Heun method that converges to the Stratonovich solution.
#[derive(Debug, Clone, Copy, Default)]
pub struct Heun;

impl Integrator for Heun {
    fn step(
        &self,
        diffusion: &dyn Diffusion,
        t: f64,
        dt: f64,
        dim: usize,
        increments: Increments<'_>,
        points: &mut [f64],
        scratch: &mut Scratch,
    ) {
        scratch.resize(points.len(), dim);
        let Scratch { first, second, third: stages, row, noise, dispersion } = scratch;
        diffusion.drifts(t, dim, points, first);
        let rows = points.chunks_exact_mut(dim).zip(first.chunks_exact(dim));
        for ((x, b), (dw, stage)) in
            rows.zip(increments.dw.chunks_exact(dim).zip(stages.chunks_exact_mut(dim)))
        {
            diffusion.dispersion(t + 0.5 * dt, x, dispersion);
            noise.copy_from_slice(dw);
            dispersion.apply(noise, row);
            for ((h, x), (b, n)) in stage.iter_mut().zip(x).zip(b.iter().zip(&*noise)) {
                *x += 0.5 * dt * b + n;
                *h = *x + 0.5 * dt * b;
            }
        }
        diffusion.drifts(t + dt, dim, stages, second);
        points.iter_mut().zip(&*second).for_each(|(x, b)| *x += 0.5 * dt * b);
    }

    fn evaluations(&self) -> usize {
        2
    }
}
