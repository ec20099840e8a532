//! Euler-Maruyama.

use super::{Increments, Integrator, Scratch};
use crate::diffusion::{Diffusion, Dispersion};

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
        euler(diffusion, t, dt, dim, increments.dw, points, scratch, |_, _, _, _, _| {});
    }
}

/// x += b dt + n at every point, n = σ ΔW as `correct` leaves it: it is handed σ, x, ΔW, n and a row of scratch.
#[expect(clippy::too_many_arguments, reason = "a step and what is put into it")]
pub(super) fn euler(
    diffusion: &dyn Diffusion,
    t: f64,
    dt: f64,
    dim: usize,
    dw: &[f64],
    points: &mut [f64],
    scratch: &mut Scratch,
    correct: impl Fn(&Dispersion, &[f64], &[f64], &mut [f64], &mut [f64]),
) {
    scratch.resize(points.len(), dim);
    let Scratch { first: drifts, noise, row, dispersion, .. } = scratch;
    diffusion.drifts(t, dim, points, drifts);
    let rows = points.chunks_exact_mut(dim).zip(drifts.chunks_exact(dim));
    for ((x, b), dw) in rows.zip(dw.chunks_exact(dim)) {
        diffusion.dispersion(t, x, dispersion);
        noise.copy_from_slice(dw);
        dispersion.apply(noise, row);
        correct(dispersion, x, dw, noise, row);
        for ((x, b), n) in x.iter_mut().zip(b).zip(&*noise) {
            *x += b * dt + n;
        }
    }
}
