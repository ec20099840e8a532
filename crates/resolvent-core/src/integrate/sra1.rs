//! Strong order 1.5 for additive noise.

use super::{Increments, Integrator, Scratch};
use crate::diffusion::Diffusion;

/// The stochastic Runge-Kutta method SRA1 for a σ(t) that does not depend on x (Rößler 2010, SIAM J. Numer. Anal.
/// 48:922, 6.3):
///
/// H = x + ¾ b(t, x) dt + (3/2) σ(t + dt) ΔZ/dt,
/// x += dt (b(t, x) + 2 b(t + ¾ dt, H))/3 + σ(t + dt) ΔW + (σ(t) - σ(t + dt)) ΔZ/dt.
///
/// Strong order 1.5, order 2 without noise. Where σ depends on x it converges to the Itô solution, but no faster than
/// Euler-Maruyama.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sra1;

impl Integrator for Sra1 {
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
        for (k, x) in points.chunks_exact_mut(dim).enumerate() {
            let at = k * dim..(k + 1) * dim;
            let (dw, dz, b) = (&increments.dw[at.clone()], &increments.dz[at.clone()], &first[at.clone()]);
            // ΔZ/dt, for σ(t) and for σ(t + dt); the place of the second slope is free so far.
            let (early, late) = (&mut second[at.clone()], &mut stages[at]);
            early.iter_mut().zip(dz).for_each(|(e, z)| *e = z / dt);
            late.copy_from_slice(early);
            noise.copy_from_slice(dw);
            diffusion.dispersion(t, x, dispersion);
            dispersion.apply(early, row);
            diffusion.dispersion(t + dt, x, dispersion);
            dispersion.apply(late, row);
            dispersion.apply(noise, row);
            for (i, x) in x.iter_mut().enumerate() {
                let area = late[i];
                late[i] = *x + 0.75 * dt * b[i] + 1.5 * area;
                *x += dt * b[i] / 3.0 + noise[i] + early[i] - area;
            }
        }
        diffusion.drifts(t + 0.75 * dt, dim, stages, second);
        points.iter_mut().zip(&*second).for_each(|(x, b)| *x += 2.0 / 3.0 * dt * b);
    }

    fn evaluations(&self) -> usize {
        2
    }

    fn needs_area(&self) -> bool {
        true
    }
}
