//! κ = surface measure of a sphere: the last exit of simulated paths.

use anyhow::{Result, ensure};
use nalgebra::DMatrix;
use rand::{Rng, RngExt};
use rand_distr::{Exp1, StandardNormal};
use rayon::prelude::*;
use resolvent::core::KilledBrownianMotion;
use resolvent::core::htransform::{HTransform, Sphere, deaths};
use resolvent::core::random::{Purpose, stream};
use resolvent::metrics;

use super::Settings;

/// Far from the sphere a step has this share of the distance as its standard deviation.
const SHARE: f64 = 0.2;
/// Paths are simulated in blocks of this many.
const BLOCK: u64 = 4096;

/// Simulated last exits against exact draws.
pub(super) struct LastExits {
    pub(super) dim: usize,
    pub(super) start: f64,
    pub(super) particles: usize,
    /// cos of the angle between start and place of death.
    pub(super) places: metrics::KsResult,
    pub(super) lifetimes: metrics::KsResult,
    /// Share of all paths that met the sphere, and its exact value h(x)/h(R).
    pub(super) met: metrics::Estimate,
    pub(super) meeting: f64,
    pub(super) simulated_cosines: Vec<f64>,
}

/// Brownian motion from (s, 0, ..) on a grid until its clock rings; the paths that meet the sphere, killed where they left it
/// for the last time, are Z^h.
pub(super) fn compare(
    process: &KilledBrownianMotion,
    radius: f64,
    start: f64,
    settings: &Settings,
    seed: u64,
) -> Result<LastExits> {
    let (d, n) = (process.dim(), settings.particles);
    let sphere = Sphere::new(process, radius)?;
    let mut x = vec![0.0; d];
    x[0] = start;
    let (mut cosines, mut lifetimes, mut met) = (Vec::new(), Vec::new(), Vec::new());
    let most = 40 * n as u64 / BLOCK + 40;
    for block in 0..most {
        let exits: Vec<Option<(f64, f64)>> = (block * BLOCK..(block + 1) * BLOCK)
            .into_par_iter()
            .map(|i| {
                let mut rng = stream(seed, Purpose::Experiment, i);
                last_exit(process, radius, &x, settings.sphere_step, &mut rng)
            })
            .collect();
        for exit in exits {
            met.push(exit.is_some());
            if let Some((cosine, time)) = exit {
                cosines.push(cosine);
                lifetimes.push(time);
            }
        }
        if cosines.len() >= n {
            break;
        }
    }
    ensure!(cosines.len() >= n, "of {} paths only {} met the sphere", met.len(), cosines.len());
    cosines.truncate(n);
    lifetimes.truncate(n);
    let (places, drawn) = deaths(&sphere, &DMatrix::from_fn(d, n, |k, _| x[k]), seed)?;
    let drawn_cosines: Vec<f64> = places.column_iter().map(|y| y[0] / radius).collect();
    let on_sphere: Vec<f64> = (0..d).map(|k| if k == 0 { radius } else { 0.0 }).collect();
    Ok(LastExits {
        dim: d,
        start,
        particles: n,
        places: metrics::ks_two_sample(&cosines, &drawn_cosines)?,
        lifetimes: metrics::ks_two_sample(&lifetimes, &drawn)?,
        met: metrics::proportion(met.iter().filter(|m| **m).count() as u64, met.len() as u64)?,
        // h is the probability to meet the sphere but for a factor: it is r-harmonic off the sphere and constant on it.
        meeting: f64::exp(sphere.log_value(&x) - sphere.log_value(&on_sphere)),
        simulated_cosines: cosines,
    })
}

/// cos of the angle with `x` and time of the last visit of the sphere before the clock rings, if there was one.
fn last_exit(
    process: &KilledBrownianMotion,
    radius: f64,
    x: &[f64],
    shortest: f64,
    rng: &mut impl Rng,
) -> Option<(f64, f64)> {
    let lifetime = rng.sample::<f64, _>(Exp1) / process.rate();
    let sigma = process.sigma();
    let norm = |x: &[f64]| x.iter().map(|x| x * x).sum::<f64>().sqrt();
    let (mut place, mut next) = (x.to_vec(), x.to_vec());
    let (mut time, mut gap, mut last) = (0.0, norm(x) - radius, None);
    while time < lifetime {
        let dt = f64::max(shortest, (SHARE * gap / sigma).powi(2)).min(lifetime - time);
        for (next, place) in next.iter_mut().zip(&place) {
            *next = place + sigma * dt.sqrt() * rng.sample::<f64, _>(StandardNormal);
        }
        let next_gap = norm(&next) - radius;
        // Between two looks on the same side the path has met the sphere, flat at this distance, by the reflection principle.
        let product = gap * next_gap / (sigma * sigma * dt);
        if product <= 0.0 || (product < 20.0 && rng.random::<f64>() < f64::exp(-2.0 * product)) {
            let share = gap.abs() / (gap.abs() + next_gap.abs());
            let between: Vec<f64> = place.iter().zip(&next).map(|(a, b)| a + share * (b - a)).collect();
            last = Some((between[0] / norm(&between), time + share * dt));
        }
        std::mem::swap(&mut place, &mut next);
        (time, gap) = (time + dt, next_gap);
    }
    last
}
