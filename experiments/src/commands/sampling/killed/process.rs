//! The forward process, with a rate that suits the data where none is given, and its law at death.

use anyhow::{Context as _, Result};
use nalgebra::DMatrix;
use rayon::prelude::*;
use resolvent::core::KilledBrownianMotion;
use resolvent::core::random::{Purpose, stream};

use super::super::data::Data;

/// The process, and in words where its rate comes from.
pub(super) fn build(rate: Option<f64>, sigma: f64, data: &Data) -> Result<(KilledBrownianMotion, String)> {
    let (rate, origin) = match rate {
        Some(rate) => (rate, "given"),
        None => default_rate(sigma, data.variance()),
    };
    let d = data.measure.dim();
    let process = KilledBrownianMotion::new(d, sigma, rate).with_context(|| format!("rate {origin}"))?;
    Ok((process, format!("killed, d = {d}, sigma = {sigma}, rate = {rate} ({origin})")))
}

/// σ² over the mean squared distance of the data to their mean. A start that lived the mean time 1/r has noise of that
/// size in every coordinate, so the log-odds between two data are about one there; Song and Ermon (2020, Technique 1)
/// choose the largest noise level by the same reasoning.
fn default_rate(sigma: f64, variance: f64) -> (f64, &'static str) {
    if variance > 0.0 {
        (sigma * sigma / variance, "sigma^2 over the mean squared distance of the data to their mean")
    } else {
        (1.0, "all data are equal")
    }
}

/// `n` draws (d x n) from the backward start law r u: a datum by its weight, and the exact place of death from there.
/// Particle i draws from stream i of `seed`.
pub(super) fn law(process: &KilledBrownianMotion, data: &Data, n: usize, seed: u64) -> DMatrix<f64> {
    let draw = data.draw();
    let mut points = DMatrix::zeros(process.dim(), n);
    points.as_mut_slice().par_chunks_mut(process.dim()).enumerate().for_each(|(i, x)| {
        let mut rng = stream(seed, Purpose::Start, i as u64);
        let datum = draw.datum(&mut rng);
        process.death_into(data.measure.point(datum), &mut rng, x);
    });
    points
}
