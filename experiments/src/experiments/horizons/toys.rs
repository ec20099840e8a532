//! The laws with exact scores.

use std::time::Instant;

use anyhow::Result;
use nalgebra::DMatrix;
use resolvent::metrics::Order;

use super::sets::{Set, Target};
use super::{CAP, Method, Place, Run, Settings, Use, eta, seed};
use crate::experiment::Context;
use crate::experiments::horizon_methods::{Cost, Deterministic, matched};
use crate::experiments::quality::Quality;

pub(super) fn measure(
    set: Set,
    method: Option<Method>,
    k: usize,
    settings: &Settings,
    context: &Context,
) -> Result<Vec<Run>> {
    let target = set.target(settings, context.seed)?;
    let n = set.samples(settings);
    let Some(method) = method else {
        return (0..settings.floors)
            .map(|k| {
                context.proceed()?;
                let points = target.sample(n, seed(context, Use::Floor, k));
                let draws = target.sample(n, seed(context, Use::FloorAgain, k));
                let directions = seed(context, Use::FloorDirections, k);
                let quality = judge(&target, &points, &draws, settings, directions)?;
                Ok(Run { budget: None, eta: None, cost: None, quality, seconds: None, accuracy: None })
            })
            .collect();
    };
    let draws = target.sample(n, seed(context, Use::Draws, k));
    let directions = seed(context, Use::Directions, k);
    let run_seed = seed(context, Use::Run, k);
    let mut runs = Vec::new();
    for &budget in &settings.evaluations {
        context.proceed()?;
        let found = match method {
            Method::Deterministic(method) => {
                let denoiser = if method == Deterministic::Pfgm { &target.student } else { &target.denoiser };
                let starts = method.starts(target.dim(), n, run_seed)?;
                let clock = Instant::now();
                let ensemble = method.run(denoiser.as_ref(), budget, &starts, None, run_seed)?;
                Some((None, ensemble, clock.elapsed().as_secs_f64()))
            }
            Method::Random(method) => target.backward(settings, |backward| {
                // The law at death of a particle from the mean of the data, which is the origin.
                let starts = |n: usize, seed| {
                    let mean = DMatrix::zeros(target.dim(), n);
                    Ok::<_, anyhow::Error>(backward.process.deaths(&mean, seed)?.0)
                };
                let cap = CAP * budget;
                let Some(eta) = eta(Place::Exact(set), method, budget, settings, context, || {
                    let pilot = seed(context, Use::Pilot, 0);
                    let starts = starts(settings.pilot, pilot)?;
                    matched(budget, method.guess(budget), |eta| {
                        context.proceed()?;
                        backward.run(method, eta, &starts, cap, pilot)
                    })
                })?
                else {
                    return Ok(None);
                };
                let starts = starts(n, run_seed)?;
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
            quality: judge(&target, &ensemble.points, &draws, settings, directions)?,
            seconds: settings.timing.then_some(seconds),
            accuracy: None,
        });
    }
    Ok(runs)
}

fn judge(
    target: &Target,
    points: &DMatrix<f64>,
    draws: &DMatrix<f64>,
    settings: &Settings,
    directions: u64,
) -> Result<Quality> {
    let mut quality = Quality::of(points, draws, settings.projections, Order::One, directions)?
        .discrepancy(points, draws)?;
    if let Some(landmarks) = target.landmarks(draws) {
        quality = quality.neighbourhoods(points, &landmarks)?;
    }
    Ok(Quality { distance: target.distance(points), ..quality })
}
