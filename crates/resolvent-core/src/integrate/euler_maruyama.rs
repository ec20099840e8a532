//! Euler-Maruyama.

use super::{Increments, Integrator, Scratch};
use crate::diffusion::Diffusion;

/// x += b dt + σ ΔW (Maruyama 1955). Strong order 1/2, 1 where σ does not depend on x; weak order 1 (Kloeden and Platen
/// 1992, 10.2 and 14.1).
#[derive(Debug, Clone, Copy, Default)]
pub struct EulerMaruyama;

impl Integrator for EulerMaruyama {
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
        let Scratch { first: drifts, noise, row, dispersion, .. } = scratch;
        diffusion.drifts(t, dim, points, drifts);
        let rows = points.chunks_exact_mut(dim).zip(drifts.chunks_exact(dim));
        for ((x, b), dw) in rows.zip(increments.dw.chunks_exact(dim)) {
            diffusion.dispersion(t, x, dispersion);
            noise.copy_from_slice(dw);
            dispersion.apply(noise, row);
            for ((x, b), n) in x.iter_mut().zip(b).zip(&*noise) {
                *x += b * dt + n;
            }
        }
    }
}
