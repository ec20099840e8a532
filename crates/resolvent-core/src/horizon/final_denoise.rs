//! A denoising step after a method that has none of its own.

use std::ops::ControlFlow;

use super::{Method, Observation, Observer, Particles};
use crate::marginal::Denoiser;
use crate::schedule::Level;

/// A method, and then x ← D(x) at the level where it ends: one more evaluation, no time. Linear schemes and the
/// predictor-corrector have this step of their own
/// ([`LinearScheme::final_denoise`](super::LinearScheme::final_denoise)).
#[derive(Clone, Copy)]
pub struct FinalDenoise<'a> {
    method: &'a dyn Method,
    denoiser: &'a dyn Denoiser,
    level: Level,
}

impl<'a> FinalDenoise<'a> {
    /// `method` ends at `level`, where `denoiser` takes over.
    pub fn new(method: &'a dyn Method, denoiser: &'a dyn Denoiser, level: Level) -> Self {
        Self { method, denoiser, level }
    }
}

impl Method for FinalDenoise<'_> {
    fn dim(&self) -> usize {
        self.method.dim()
    }

    fn carry(&self, particles: &mut Particles<'_, '_>, observer: Observer<'_>) -> ControlFlow<()> {
        self.method.carry(particles, observer)?;
        let step = particles.steps();
        let mut denoised = vec![0.0; particles.points().len()];
        self.denoiser.denoise(&self.level, particles.points(), &mut denoised);
        particles.evaluated(1);
        observer(&Observation {
            particles: particles.indices(),
            step,
            time: self.level.time,
            sigma: self.level.sigma,
            points: particles.points(),
            denoised: &denoised,
        })?;
        particles.place(step, &denoised);
        for j in 0..particles.len() {
            particles.record_one(j, particles.time(j));
        }
        ControlFlow::Continue(())
    }
}
