//! The lifetime over all starts is that of the forward process, Exp(r); given the start it is not.

use anyhow::Result;
use nalgebra::DMatrix;
use resolvent::core::step::Bridge;
use resolvent::core::{Sampler, ScoreAdaptive};
use resolvent::metrics::{self, Estimate};

use super::super::reverse_time::derived_seed;
use super::fixed_start::mean_lifetime;
use super::{Atom, SIGNIFICANCE, Settings, observer};
use crate::experiment::Context;
use crate::outcome::{Check, Figure, Outcome, Table, cells};
use crate::plot::{Axis, Chart, Series};
use crate::progress::Progress;

/// Groups of equal size, by the distance of the start.
const GROUPS: usize = 10;

struct Row {
    dim: usize,
    rate: f64,
    /// Kolmogorov-Smirnov distances to Exp(r) over all starts, and over the nearer and the farther half of them.
    whole: f64,
    near: f64,
    far: f64,
    /// Mean distance of the starts of a group, and their lifetimes.
    groups: Vec<(f64, Estimate)>,
}

pub(super) fn run(
    settings: &Settings,
    context: &Context,
    progress: &Progress,
    outcome: &mut Outcome,
) -> Result<()> {
    let mut rows = Vec::new();
    for (&dim, &rate) in settings.dims.iter().zip(&settings.rates) {
        rows.push(row(dim, rate, settings, context, progress)?);
    }
    let (n, count) = (settings.particles, rows.len());
    outcome.checks.push(Check::at_most(
        format!("starts of density r u: KS of the lifetime to Exp(r), largest of {count}"),
        rows.iter().map(|row| row.whole).fold(0.0, f64::max),
        metrics::ks_critical(n, SIGNIFICANCE / count as f64)?,
        "the backward process lives as long as the forward one; 1e-3 over all",
    ));
    outcome.checks.push(Check::at_least(
        format!(
            "the nearer or farther half of them alone: KS of the lifetime to Exp(r), least of {}",
            2 * count
        ),
        rows.iter().map(|row| row.near.min(row.far)).fold(f64::INFINITY, f64::min),
        metrics::ks_critical(n / 2, SIGNIFICANCE)?,
        "given the start the lifetime is not exponential; critical value at 1e-3",
    ));
    outcome.tables.push(table(&rows, settings)?);
    outcome.figures.push(Figure::new(
        "whole",
        format!(
            "Mean lifetime given the distance of the start from the atom, for {} starts drawn by the forward process in {GROUPS} groups (dots, two \
             standard errors) and (ρ/a) K_{{ν-1}}(aρ)/K_ν(aρ) (lines). The mean over all starts is 1/r.",
            settings.particles
        ),
        figure(&rows)?,
    ));
    Ok(())
}

fn row(dim: usize, rate: f64, settings: &Settings, context: &Context, progress: &Progress) -> Result<Row> {
    let atom = Atom::new(dim, rate)?;
    let seed = derived_seed(context.seed, 10 * dim as u64 + 5);
    let (starts, _) = atom.process.deaths(&DMatrix::zeros(dim, settings.particles), seed)?;
    let (step, control) =
        (Bridge::new(&atom.score), ScoreAdaptive::new(settings.bridge_eta, settings.floor)?);
    let sampler = Sampler::new(&atom.process, &step, &control);
    let ensemble = sampler.run_observed(&starts, seed, &observer(context, progress))?;
    let mut pairs: Vec<(f64, f64)> =
        starts.column_iter().map(|x| x.norm()).zip(ensemble.lifetimes.iter().copied()).collect();
    pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
    let ks = |pairs: &[(f64, f64)]| -> Result<f64> {
        let lifetimes: Vec<f64> = pairs.iter().map(|pair| pair.1).collect();
        Ok(metrics::ks_one_sample(&lifetimes, |t| -f64::exp_m1(-rate * t))?.statistic)
    };
    let (near, far) = pairs.split_at(pairs.len() / 2);
    let groups = pairs.chunks(pairs.len().div_ceil(GROUPS)).map(|group| {
        let distance = group.iter().map(|pair| pair.0).sum::<f64>() / group.len() as f64;
        let lifetimes: Vec<f64> = group.iter().map(|pair| pair.1).collect();
        Ok((distance, metrics::mean(&lifetimes)?))
    });
    let groups = groups.collect::<Result<Vec<_>>>()?;
    Ok(Row { dim, rate, whole: ks(&pairs)?, near: ks(near)?, far: ks(far)?, groups })
}

fn table(rows: &[Row], settings: &Settings) -> Result<Table> {
    let mut table = Table::new(
        "Lifetime over all starts",
        format!(
            "{} starts where the forward process from the atom died: Kolmogorov-Smirnov distance of the backward lifetime to Exp(r), for all of \
             them and for the nearer and the farther half alone.",
            settings.particles
        ),
        &["d", "r", "all", "critical", "nearer half", "farther half"],
    );
    let critical = metrics::ks_critical(settings.particles, SIGNIFICANCE)?;
    for row in rows {
        table.push(cells![row.dim, row.rate, row.whole, critical, row.near, row.far]);
    }
    Ok(table)
}

fn figure(rows: &[Row]) -> Result<String> {
    let mut chart = Chart::new(
        Axis::log("distance of the start from the atom"),
        Axis::log("mean lifetime in units of 1/r"),
    );
    for (colour, Row { dim, rate, groups, .. }) in rows.iter().enumerate() {
        let (first, last) = (groups[0].0, groups[groups.len() - 1].0);
        let at = |k: i32| first * (last / first).powf(f64::from(k) / 60.0);
        let line = (0..=60).map(|k| (at(k), rate * mean_lifetime(*dim, *rate, at(k)))).collect();
        let dots = groups.iter().map(|(distance, mean)| (*distance, rate * mean.value)).collect();
        let errors = groups.iter().map(|(_, mean)| 2.0 * rate * mean.standard_error).collect();
        chart = chart
            .series(Series::line(format!("d = {dim}"), line).colour(colour))
            .series(Series::dots("", dots).errors(errors).colour(colour));
    }
    chart.svg()
}
