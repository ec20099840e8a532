//! What a sampler tells while it runs.

use std::ops::{ControlFlow, Range};

/// A chunk of particles at one evaluation: x, i, t, σ and the denoised points, the same for every method.
#[derive(Debug, Clone)]
pub struct Observation<'a> {
    /// The indices of the particles of the chunk.
    pub particles: Range<usize>,
    /// i, the step in which the evaluation falls, from 0.
    pub step: usize,
    /// t, the time of the evaluation (forward time of the schedule; the own time of a simulated diffusion).
    pub time: f64,
    /// σ(t); NaN for a diffusion that has no schedule.
    pub sigma: f64,
    /// x (n rows of d), where the evaluation is made.
    pub points: &'a [f64],
    /// D(x) (n rows of d), clipped if the method clips; empty for a method that has no denoiser.
    pub denoised: &'a [f64],
}

/// Is told of every evaluation, from any thread, and can stop the run; by a [`Simulation`](super::Simulation) only of
/// that which begins a step.
pub type Observer<'a> = &'a (dyn Fn(&Observation<'_>) -> ControlFlow<()> + Sync);
