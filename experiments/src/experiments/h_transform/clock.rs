//! κ = r m: paths killed by a clock, step by step.

use anyhow::Result;
use nalgebra::DMatrix;
use rand::RngExt;
use rand_distr::StandardNormal;
use rayon::prelude::*;
use resolvent::core::htransform::{ExponentialClock, deaths};
use resolvent::core::killed::KilledOrnsteinUhlenbeck;
use resolvent::core::random::{Purpose, stream};
use resolvent::metrics;

use super::Settings;

/// The same law drawn in two ways.
pub(super) struct Clocked {
    pub(super) particles: usize,
    /// Simulated places against exact draws, coordinate by coordinate.
    pub(super) places: Vec<metrics::KsResult>,
    /// Simulated lifetimes against Exp(r).
    pub(super) lifetimes: metrics::KsResult,
}

/// Euler-Maruyama for dX = -θX dt + σ dW, dead at the end of a step with probability 1 - e^{-r dt}; against exact draws.
pub(super) fn compare(
    process: &KilledOrnsteinUhlenbeck,
    x: &[f64],
    settings: &Settings,
    seed: u64,
) -> Result<Clocked> {
    let (d, n) = (x.len(), settings.particles);
    let dt = settings.clock_step;
    let (shrink, noise) = (1.0 - process.theta() * dt, process.sigma() * dt.sqrt());
    let survival = f64::exp(-process.rate() * dt);
    let mut places = DMatrix::zeros(d, n);
    let lifetimes: Vec<f64> = places
        .as_mut_slice()
        .par_chunks_mut(d)
        .enumerate()
        .map(|(i, place)| {
            let mut rng = stream(seed, Purpose::Experiment, i as u64);
            place.copy_from_slice(x);
            let mut time = 0.0;
            while rng.random::<f64>() < survival {
                place
                    .iter_mut()
                    .for_each(|p| *p = shrink * *p + noise * rng.sample::<f64, _>(StandardNormal));
                time += dt;
            }
            // Death falls into the step that began here.
            time + dt * rng.random::<f64>()
        })
        .collect();
    let transform = ExponentialClock::new(process.clone());
    let (drawn, _) = deaths(&transform, &DMatrix::from_fn(d, n, |k, _| x[k]), seed)?;
    let row = |batch: &DMatrix<f64>, k: usize| batch.row(k).iter().copied().collect::<Vec<f64>>();
    let places = (0..d)
        .map(|k| metrics::ks_two_sample(&row(&places, k), &row(&drawn, k)))
        .collect::<metrics::Result<Vec<_>>>()?;
    let rate = process.rate();
    Ok(Clocked {
        particles: n,
        places,
        lifetimes: metrics::ks_one_sample(&lifetimes, |t| -f64::exp_m1(-rate * t))?,
    })
}
