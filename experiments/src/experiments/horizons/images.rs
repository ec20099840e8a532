//! Images: a spatial score that is told nothing for the random horizon, its twin that is told the level for the deterministic one.

use std::time::Instant;

use anyhow::Result;
use resolvent::learn::score::LearnedDenoiser;

use super::{CAP, Method, Place, Run, Settings, Use, eta, seed};
use crate::experiment::Context;
use crate::experiments::horizon_methods::{Cost, Deterministic, Random, matched};
use crate::experiments::image_bench::{ImageBench, RANGE, TILE, backward};
use crate::experiments::networks::Networks;

/// The methods of either kind.
pub(super) const RANDOM: [Random; 2] = [Random::Bridge, Random::Multistep];
pub(super) const DETERMINISTIC: [Deterministic; 5] = [
    Deterministic::VpDdim,
    Deterministic::VpMultistep,
    Deterministic::VeAncestral,
    Deterministic::EdmHeun,
    Deterministic::EdmChurned,
];

pub(super) fn measure(
    method: Option<Method>,
    k: usize,
    settings: &Settings,
    context: &Context,
) -> Result<Vec<Run>> {
    let bench = ImageBench::load(settings.n_data, settings.n_held_out, settings.classifier_steps, context)?;
    let n = settings.images;
    let Some(method) = method else {
        return (0..settings.floors)
            .map(|k| {
                let directions = seed(context, Use::FloorDirections, k);
                let quality = bench.quality(&bench.draws(n, k), settings.projections, directions)?;
                let accuracy = Some(bench.accuracy());
                Ok(Run { budget: None, eta: None, cost: None, quality, seconds: None, accuracy })
            })
            .collect();
    };
    let networks = Networks::load(&settings.networks, 0, &bench.images, context)?;
    let run_seed = seed(context, Use::Run, k);
    let mut runs = Vec::new();
    for &budget in &settings.evaluations {
        context.proceed()?;
        let found = match method {
            Method::Deterministic(method) => {
                let denoiser: LearnedDenoiser = networks.told.denoiser()?.clip(RANGE.0, RANGE.1)?;
                let starts = method.starts(networks.told.model.dim(), n, run_seed)?;
                let clock = Instant::now();
                let ensemble = method.run(&denoiser, budget, &starts, Some(TILE), run_seed)?;
                Some((None, ensemble, clock.elapsed().as_secs_f64()))
            }
            Method::Random(method) => backward(&networks, settings.network_floor, |backward| {
                let cap = CAP * budget;
                let Some(eta) = eta(Place::Learned, method, budget, settings, context, || {
                    let pilot = seed(context, Use::Pilot, 0);
                    let starts = bench.starts(settings.start_level, settings.image_pilot, pilot);
                    matched(budget, method.guess(budget), |eta| {
                        context.proceed()?;
                        backward.run(method, eta, &starts, cap, pilot)
                    })
                })?
                else {
                    return Ok(None);
                };
                let starts = bench.starts(settings.start_level, n, run_seed);
                let clock = Instant::now();
                let ensemble = backward.run(method, eta, &starts, cap, run_seed)?;
                Ok(Some((Some(eta), ensemble, clock.elapsed().as_secs_f64())))
            })?,
        };
        // What no step affords is left out by all seeds alike, and the report says so.
        let Some((eta, ensemble, seconds)) = found else { continue };
        runs.push(Run {
            budget: Some(budget),
            eta,
            cost: Some(Cost::of(&ensemble)?),
            quality: bench.quality(
                &ensemble.points,
                settings.projections,
                seed(context, Use::Directions, k),
            )?,
            seconds: settings.timing.then_some(seconds),
            accuracy: None,
        });
    }
    Ok(runs)
}
