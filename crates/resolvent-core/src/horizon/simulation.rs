//! A diffusion run through given times by a strong scheme.

use std::ops::ControlFlow;

use super::{Method, Observation, Observer, Particles};
use crate::diffusion::{Diffusion, fits};
use crate::error::{Error, Result, at_least};
use crate::integrate::{Increments, Integrator, Scratch};

/// Runs a diffusion, a forward SDE or a [reverse one](crate::reversal::ReverseSde), through given times.
///
/// The observer is told of the evaluation that begins each step: it sees the places at every time but the last, and
/// those at the last are the points of the ensemble. Recorded paths hold both ends. A lost particle is shown at its last
/// finite place.
pub struct Simulation<'a> {
    diffusion: &'a dyn Diffusion,
    integrator: &'a dyn Integrator,
    dim: usize,
    times: Vec<f64>,
}

impl<'a> Simulation<'a> {
    /// `diffusion` in R^`dim` by `integrator` through `times`, at least two, finite, strictly ascending and within the span
    /// of the diffusion.
    ///
    /// # Errors
    /// If `dim` is zero, there are fewer than two times, they are not finite and ascending, one lies outside the span, or
    /// σ at the first has another dimension.
    pub fn new(
        diffusion: &'a dyn Diffusion,
        integrator: &'a dyn Integrator,
        dim: usize,
        times: Vec<f64>,
    ) -> Result<Self> {
        at_least("dim", 1, dim)?;
        at_least("times", 2, times.len())?;
        for (index, &value) in times.iter().enumerate() {
            if !value.is_finite() || index > 0 && value <= times[index - 1] {
                return Err(Error::NotAscending { name: "times", index, value });
            }
        }
        fits(diffusion, dim, [times[0], times[times.len() - 1]])?;
        Ok(Self { diffusion, integrator, dim, times })
    }

    /// As [`new`](Self::new) with `steps` >= 1 steps of equal length from `start` to `end` > `start`.
    ///
    /// # Errors
    /// If there is no step, and those of [`new`](Self::new).
    pub fn uniform(
        diffusion: &'a dyn Diffusion,
        integrator: &'a dyn Integrator,
        dim: usize,
        (start, end): (f64, f64),
        steps: usize,
    ) -> Result<Self> {
        at_least("steps", 1, steps)?;
        let at = |k: usize| {
            let u = k as f64 / steps as f64;
            start * (1.0 - u) + end * u
        };
        Self::new(diffusion, integrator, dim, (0..=steps).map(at).collect())
    }
}

impl Method for Simulation<'_> {
    fn dim(&self) -> usize {
        self.dim
    }

    fn carry(&self, particles: &mut Particles<'_, '_>, observer: Observer<'_>) -> ControlFlow<()> {
        let size = particles.len() * self.dim;
        let areas = if self.integrator.needs_area() { size } else { 0 };
        let mut next = particles.points().to_vec();
        let (mut dw, mut dz, mut scratch) = (vec![0.0; size], vec![0.0; areas], Scratch::default());
        for (step, pair) in self.times.windows(2).enumerate() {
            let dt = pair[1] - pair[0];
            observer(&Observation {
                particles: particles.indices(),
                step,
                time: pair[0],
                sigma: f64::NAN,
                points: &next,
                denoised: &[],
            })?;
            particles.draw(&mut dw);
            if areas > 0 {
                particles.draw(&mut dz);
            }
            scale(dt, &mut dw, &mut dz);
            let increments = Increments { dw: &dw, dz: &dz };
            self.integrator.step(self.diffusion, pair[0], dt, self.dim, increments, &mut next, &mut scratch);
            particles.evaluated(self.integrator.evaluations());
            particles.place(step, &next);
            // A lost particle stays where it was.
            next.copy_from_slice(particles.points());
            particles.record(pair[1] - self.times[0]);
        }
        ControlFlow::Continue(())
    }
}

/// Standard normal numbers (ξ, η) become ΔW = √dt ξ and ΔZ = ½ dt^{3/2} (ξ + η/√3) (Kloeden and Platen 1992, 10.4.3).
fn scale(dt: f64, dw: &mut [f64], dz: &mut [f64]) {
    let root = dt.sqrt();
    dw.iter_mut().for_each(|w| *w *= root);
    for (z, w) in dz.iter_mut().zip(&*dw) {
        *z = 0.5 * dt * (w + root * *z / 3.0_f64.sqrt());
    }
}
