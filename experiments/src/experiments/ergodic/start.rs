//! The start law r u and the stationary law as r falls.

use anyhow::Result;
use nalgebra::DMatrix;
use rand::RngExt;
use rand_distr::StandardNormal;
use rayon::prelude::*;
use resolvent::core::random::{Purpose, stream};
use resolvent::core::score::KernelScore;
use resolvent::metrics::{self, Estimate};

use super::Settings;
use super::process::{Problem, standard};
use crate::experiment::Context;
use crate::outcome::{Check, Table, cells, largest};
use crate::progress::Progress;

/// How far the logarithmic slope between the two smallest rates may be from 1: at r = 0.01 θ the next order in r is 1 %, and the
/// poles of the kernel leave some Monte-Carlo error, though the draws are the same at both rates.
const SLOPE: f64 = 0.05;

/// One rate.
pub(super) struct Start {
    pub(super) rate: f64,
    /// TV between r u and m.
    pub(super) distance: Estimate,
    /// TV between α and the end law of the exact reversal that starts in m, and a bound of its standard error.
    pub(super) bias: Estimate,
}

/// The rates in one dimension.
pub(super) struct Starts {
    pub(super) dim: usize,
    pub(super) rates: Vec<Start>,
}

/// TV(r u, m) = E(1 - r h̃(X))⁺ for X from the stationary law, h̃ = u/m; and the end law E w(X) of a start there.
pub(super) fn measure(
    problem: &Problem,
    settings: &Settings,
    context: &Context,
    progress: &Progress,
) -> Result<Starts> {
    let (dim, weights) = (problem.dim(), problem.weights());
    let mut rng = stream(context.seed, Purpose::Experiment, dim as u64);
    let draws = DMatrix::from_fn(dim, settings.draws, |_, _| rng.sample::<f64, _>(StandardNormal));
    let mut rates = Vec::new();
    for &rate in &settings.rates {
        context.proceed()?;
        let process = standard(dim, rate)?;
        let score = KernelScore::new(&process, problem.measure.clone())?;
        let seen: Vec<(f64, Vec<f64>)> = (0..settings.draws)
            .into_par_iter()
            .map(|i| {
                let column = draws.column(i);
                let x = column.as_slice();
                let square: f64 = x.iter().map(|x| x * x).sum();
                let log_measure = -0.5 * (square + dim as f64 * std::f64::consts::TAU.ln());
                let ratio = rate * f64::exp(score.log_density(x) - log_measure);
                ((1.0 - ratio).max(0.0), score.posterior(x))
            })
            .collect();
        let distances: Vec<f64> = seen.iter().map(|(d, _)| *d).collect();
        let mut bias = Estimate { value: 0.0, standard_error: 0.0 };
        for (k, weight) in weights.iter().enumerate() {
            let mean = metrics::mean(&seen.iter().map(|(_, w)| w[k]).collect::<Vec<_>>())?;
            bias.value += 0.5 * (mean.value - weight).abs();
            bias.standard_error += 0.5 * mean.standard_error;
        }
        rates.push(Start { rate, distance: metrics::mean(&distances)?, bias });
        progress.inc(1);
    }
    Ok(Starts { dim, rates })
}

pub(super) fn checks(starts: &[Starts], settings: &Settings, checks: &mut Vec<Check>) {
    let source = "r u - m is of the first order in r (the spectrum of the generator begins at θ)";
    let slope = |s: &Starts| {
        let [.., a, b] = &s.rates[..] else { return f64::NAN };
        (a.distance.value / b.distance.value).ln() / (a.rate / b.rate).ln()
    };
    let off = largest(starts.iter().map(|s| (slope(s) - 1.0).abs()));
    checks.push(Check::at_most(
        format!(
            "order in r of TV(r u, m) between the two smallest of {:?}, largest distance from 1",
            settings.rates
        ),
        off,
        SLOPE,
        source,
    ));
}

pub(super) fn table(starts: &[Starts], settings: &Settings) -> Table {
    let mut table = Table::new(
        "start law and stationary law",
        format!(
            "Total variation between the law at death r u, where the backward process starts, and the stationary law m, from {} \
             draws of m, the same at all rates; and the total variation between α and the end law of a backward process \
             that starts in m instead, which cannot be larger but for Monte-Carlo error.",
            settings.draws
        ),
        &["d", "rate r", "TV(r u, m)", "standard error", "bias of the end law", "standard error, at most"],
    );
    for s in starts {
        for start in &s.rates {
            table.push(cells![
                s.dim,
                start.rate,
                start.distance.value,
                start.distance.standard_error,
                start.bias.value,
                start.bias.standard_error
            ]);
        }
    }
    table
}
