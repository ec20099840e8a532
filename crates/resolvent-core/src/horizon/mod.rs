//! Runs to a deterministic horizon: forward SDEs, their reversals, probability flows, and the samplers of the field.
//!
//! A [`Method`] carries a chunk of particles all the way; the [`HorizonSampler`] hands out chunks, random streams and
//! cores, and counts how the particles ended. Particle i draws from its own stream, so what it does depends neither on
//! the chunks nor on the threads.

mod adaptive;
mod final_denoise;
mod linear;
mod observation;
mod particles;
mod predictor_corrector;
mod probability_flow;
mod schemes;
mod simulation;

pub mod likelihood;

pub use adaptive::AdaptiveSde;
pub use final_denoise::FinalDenoise;
pub use linear::{LinearScheme, Row, Scheme, Stage};
pub use observation::{Observation, Observer};
use particles::Accounts;
pub use particles::Particles;
pub use predictor_corrector::{Norms, PredictorCorrector};
pub use probability_flow::{Carried, ProbabilityFlow};
pub use schemes::*;
pub use simulation::Simulation;

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

use nalgebra::DMatrix;
use rayon::prelude::*;

use crate::error::{Error, Result, at_least, dimension, finite};
use crate::killed::Path;
use crate::sampler::{Ensemble, Exit, batch_size};

/// Particles to a chunk, if nothing else is said: as many as leave their arrays in the cache, within these limits.
const BATCH: (usize, usize) = (32, 512);
/// Coordinates to a chunk.
const CHUNK: usize = 1 << 13;

/// A way of carrying particles from one end of the horizon to the other.
pub trait Method: Sync {
    /// Dimension d.
    fn dim(&self) -> usize;

    /// Carries a chunk of particles all the way, telling `observer` on the way; stops where the observer breaks.
    fn carry(&self, particles: &mut Particles<'_, '_>, observer: Observer<'_>) -> ControlFlow<()>;
}

/// Runs a [`Method`] on a batch of particles, on all cores.
///
/// ```
/// use resolvent_core::horizon::{HorizonSampler, ddim};
/// use resolvent_core::marginal::GaussianMixture;
/// use resolvent_core::schedule::{Grid, VpLinear, prior};
///
/// let schedule = VpLinear::default();
/// let law = GaussianMixture::one_dimensional(&[0.3, 0.7], &[-2.0, 1.0], &[0.5, 0.2])?;
/// let scheme = ddim(&Grid::uniform_time(&schedule, 50, 1e-3)?, 0.0)?;
/// let ensemble = HorizonSampler::new(&scheme.with(&law)).run(&prior(&schedule, 1, 1_000, 1), 7)?;
/// let left = ensemble.points.iter().filter(|x| **x < -0.5).count();
/// assert!((left as f64 / 1_000.0 - 0.3).abs() < 0.06);
/// # Ok::<(), resolvent_core::Error>(())
/// ```
pub struct HorizonSampler<'a> {
    method: &'a dyn Method,
    batch: Option<usize>,
    paths: usize,
}

impl<'a> HorizonSampler<'a> {
    /// A sampler by `method`.
    pub fn new(method: &'a dyn Method) -> Self {
        Self { method, batch: None, paths: 0 }
    }

    /// Chunks of `batch` >= 1 particles (if not said, 32 to 512 by dimension). What a particle does is independent of it.
    #[must_use]
    pub fn batch(mut self, batch: usize) -> Self {
        self.batch = Some(batch);
        self
    }

    /// Records the paths of the first `paths` particles.
    #[must_use]
    pub fn paths(mut self, paths: usize) -> Self {
        self.paths = paths;
        self
    }

    /// Runs one particle from every column of `starts` (d x n). Particle i draws from stream i of `seed`.
    ///
    /// # Errors
    /// If `starts` has not d rows or is not finite, or the batch is zero.
    pub fn run(&self, starts: &DMatrix<f64>, seed: u64) -> Result<Ensemble> {
        self.run_observed(starts, seed, &|_| ControlFlow::Continue(()))
    }

    /// As [`run`](Self::run); `observer` is told of every evaluation (from any thread) and can stop the run.
    ///
    /// # Errors
    /// Those of [`run`](Self::run), and [`Error::Interrupted`] if the observer stopped it.
    pub fn run_observed(&self, starts: &DMatrix<f64>, seed: u64, observer: Observer<'_>) -> Result<Ensemble> {
        let (d, n) = starts.shape();
        dimension("starts", at_least("dim", 1, self.method.dim())?, d)?;
        finite("starts", starts)?;
        let batch = batch_size(self.batch, d, n, CHUNK, BATCH)?;
        let mut points = starts.clone();
        let (mut times, mut evaluations, mut exits) = (vec![0.0; n], vec![0; n], vec![Exit::Horizon; n]);
        let mut paths: Vec<Path> =
            starts.column_iter().take(self.paths).map(|x| Path::start(x.as_slice())).collect();
        // One slot per particle; those beyond the recorded paths stay empty.
        let mut slots: Vec<Option<&mut Path>> = paths.iter_mut().map(Some).collect();
        slots.resize_with(n, || None);
        let (stop, finished) = (AtomicBool::new(false), AtomicUsize::new(0));
        points
            .as_mut_slice()
            .par_chunks_mut(d * batch)
            .zip(times.par_chunks_mut(batch))
            .zip(evaluations.par_chunks_mut(batch))
            .zip(exits.par_chunks_mut(batch))
            .zip(slots.par_chunks_mut(batch))
            .enumerate()
            .for_each(|(chunk, ((((points, times), evaluations), exits), paths))| {
                if stop.load(Relaxed) {
                    return;
                }
                let mut particles = Particles::new(
                    d,
                    chunk * batch,
                    seed,
                    Accounts { points, times, evaluations, exits, paths },
                );
                if self.method.carry(&mut particles, observer).is_break() {
                    stop.store(true, Relaxed);
                } else {
                    finished.fetch_add(particles.len(), Relaxed);
                }
            });
        let finished = finished.into_inner();
        if finished < n {
            return Err(Error::Interrupted { finished, total: n });
        }
        Ok(Ensemble { points, lifetimes: times, evaluations, exits, rules: Vec::new(), paths })
    }
}
