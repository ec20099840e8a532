//! The forward process, with a rate that suits the data where none is given.

use anyhow::{Context as _, Result};
use resolvent::core::KilledBrownianMotion;

use super::data::Data;
use super::options::{Model, Options};

/// The process, and in words where its rate comes from.
pub(super) fn build(options: &Options, data: &Data) -> Result<(KilledBrownianMotion, String)> {
    let (rate, origin) = match options.rate {
        Some(rate) => (rate, "given"),
        None => default_rate(options.sigma, data.variance()),
    };
    match options.model {
        Model::Killed => {
            let process = KilledBrownianMotion::new(data.measure.dim(), options.sigma, rate)
                .with_context(|| format!("rate {origin}"))?;
            let d = process.dim();
            let words = format!("killed, d = {d}, sigma = {}, rate = {rate} ({origin})", options.sigma);
            Ok((process, words))
        }
    }
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
