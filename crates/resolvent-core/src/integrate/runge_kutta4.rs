//! The classical Runge-Kutta method.

use super::{Increments, Integrator, Scratch};
use crate::diffusion::Diffusion;

/// The classical Runge-Kutta method of order 4 (Kutta 1901) for a diffusion without noise, such as a
/// [probability flow](crate::reversal::ReverseOde). A point at which σ is not zero becomes NaN, so that its particle is
/// counted as diverged: there is no noise in this scheme, and to leave it out would be wrong.
#[derive(Debug, Clone, Copy, Default)]
pub struct RungeKutta4;

impl Integrator for RungeKutta4 {
    fn step(
        &self,
        diffusion: &dyn Diffusion,
        t: f64,
        dt: f64,
        dim: usize,
        _increments: Increments<'_>,
        points: &mut [f64],
        scratch: &mut Scratch,
    ) {
        scratch.resize(points.len(), dim);
        let Scratch { first: slopes, second: sum, third: stages, dispersion, .. } = scratch;
        for x in points.chunks_exact_mut(dim) {
            diffusion.dispersion(t, x, dispersion);
            if !dispersion.is_zero() {
                x.fill(f64::NAN);
            }
        }
        sum.fill(0.0);
        stages.copy_from_slice(points);
        // Where the slope is taken, its weight, and how far it leads to the next.
        for (at, weight, ahead) in
            [(0.0, 1.0 / 6.0, 0.5), (0.5, 1.0 / 3.0, 0.5), (0.5, 1.0 / 3.0, 1.0), (1.0, 1.0 / 6.0, 0.0)]
        {
            diffusion.drifts(t + at * dt, dim, stages, slopes);
            for ((s, h), (k, x)) in
                sum.iter_mut().zip(stages.iter_mut()).zip(slopes.iter().zip(points.iter()))
            {
                *s += weight * k;
                *h = x + ahead * dt * k;
            }
        }
        points.iter_mut().zip(&*sum).for_each(|(x, s)| *x += dt * s);
    }

    fn evaluations(&self) -> usize {
        4
    }
}
