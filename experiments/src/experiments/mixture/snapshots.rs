//! What a run looks like at given times on its way.

use std::ops::ControlFlow;
use std::sync::Mutex;

use anyhow::Result;
use nalgebra::DMatrix;
use resolvent::core::horizon::{HorizonSampler, Method, Observation};
use resolvent::core::{Exit, Path};

use crate::experiment::Context;

/// A run on the line, with the places of all particles at some of its times.
pub(super) struct Run {
    /// Places at the wanted times, one sample each.
    pub(super) places: Vec<Vec<f64>>,
    /// Paths of the first particles.
    pub(super) paths: Vec<Path>,
    /// Particles whose place ceased to be a number.
    pub(super) diverged: usize,
}

/// Runs `method` on the line from `starts`; `steps` holds the numbers of steps after which the places are wanted,
/// at most all of them.
pub(super) fn run(
    method: &dyn Method,
    starts: &DMatrix<f64>,
    seed: u64,
    steps: &[usize],
    paths: usize,
    context: &Context,
) -> Result<Run> {
    let n = starts.ncols();
    let places: Vec<Mutex<Vec<f64>>> = steps.iter().map(|_| Mutex::new(vec![f64::NAN; n])).collect();
    let observer = |seen: &Observation<'_>| {
        for (wanted, places) in steps.iter().zip(&places) {
            if *wanted == seen.step {
                let mut places = places.lock().expect("no thread panics with the lock");
                let places = &mut places[seen.particles.clone()];
                // Of the evaluations of a step the first is made where it begins.
                if places[0].is_nan() {
                    places.copy_from_slice(seen.points);
                }
            }
        }
        if context.interrupted() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let ensemble = HorizonSampler::new(method).paths(paths).run_observed(starts, seed, &observer)?;
    let end = ensemble.points.as_slice();
    let places = places
        .into_iter()
        .map(|places| {
            let places = places.into_inner().expect("no thread panics with the lock");
            if places[0].is_nan() { end.to_vec() } else { places }
        })
        .collect();
    let diverged = ensemble.exits.iter().filter(|exit| !matches!(exit, Exit::Horizon)).count();
    Ok(Run { places, paths: ensemble.paths, diverged })
}
