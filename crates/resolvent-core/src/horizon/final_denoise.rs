//! A denoising step after a method that has none of its own.

use std::ops::ControlFlow;

use super::{Method, Observation, Observer, Particles};
use crate::error::{Result, dimension};
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
    ///
    /// # Errors
    /// If their dimensions differ.
    pub fn new(method: &'a dyn Method, denoiser: &'a dyn Denoiser, level: Level) -> Result<Self> {
        dimension("denoiser", method.dim(), denoiser.dim())?;
        Ok(Self { method, denoiser, level })
    }
}

impl Method for FinalDenoise<'_> {
    fn dim(&self) -> usize {
        self.method.dim()
    }

    fn carry(&self, particles: &mut Particles<'_, '_>, observer: Observer<'_>) -> ControlFlow<()> {
        self.method.carry(particles, observer)?;
        let d = self.dim();
        let mut denoised = vec![0.0; particles.points().len()];
        self.denoiser.denoise(&self.level, particles.points(), &mut denoised);
        particles.evaluated(1);
        for (j, denoised) in denoised.chunks_exact(d).enumerate() {
            if particles.is_lost(j) {
                continue;
            }
            let (step, index) = (particles.steps(j), particles.indices().start + j);
            observer(&Observation {
                particles: index..index + 1,
                step,
                time: self.level.time,
                sigma: self.level.sigma,
                points: &particles.points()[j * d..(j + 1) * d],
                denoised,
            })?;
            particles.place_one(j, step, denoised);
            particles.record_one(j, particles.time(j));
        }
        ControlFlow::Continue(())
    }
}
