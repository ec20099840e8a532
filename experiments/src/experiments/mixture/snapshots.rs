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
    // Places, and of which particles: a place that is no number was seen all the same.
    let places: Vec<Mutex<(Vec<f64>, Vec<bool>)>> =
        steps.iter().map(|_| Mutex::new((vec![0.0; n], vec![false; n]))).collect();
    let observer = |seen: &Observation<'_>| {
        for (wanted, places) in steps.iter().zip(&places) {
            if *wanted == seen.step {
                let mut places = places.lock().expect("no thread panics with the lock");
                let (places, known) = &mut *places;
                let rows = seen.particles.clone().zip(seen.points);
                // Of the evaluations of a step the first is made where it begins.
                for (particle, place) in
                    rows.filter(|(particle, _)| !std::mem::replace(&mut known[*particle], true))
                {
                    places[particle] = *place;
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
            let (places, known) = places.into_inner().expect("no thread panics with the lock");
            // After the last step nothing is evaluated.
            places
                .iter()
                .zip(known)
                .zip(end)
                .map(|((place, known), end)| if known { *place } else { *end })
                .collect()
        })
        .collect();
    let diverged = ensemble.exits.iter().filter(|exit| !matches!(exit, Exit::Horizon)).count();
    Ok(Run { places, paths: ensemble.paths, diverged })
}
