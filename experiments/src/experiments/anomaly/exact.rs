//! Where the expected lifetime is a theorem: few data in low dimension, backward and forward.

use anyhow::{Result, ensure};
use nalgebra::DMatrix;
use rand::RngExt;
use rand_distr::StandardNormal;
use resolvent::core::occupation::Occupation;
use resolvent::core::random::{Purpose, stream};
use resolvent::core::step::PosteriorBridge;
use resolvent::core::{EmpiricalMeasure, EmpiricalScore, Exit, KilledBrownianMotion, Sampler, ScoreAdaptive};
use resolvent::metrics;

use super::{SIGNIFICANCE, Settings};
use crate::experiment::Context;
use crate::experiments::reverse_time::critical_z;
use crate::outcome::{Check, Table, cells, largest};
use crate::plot::{Axis, Chart, Raster, Series};

/// Data and their weights.
const WEIGHTS: [f64; 7] = [0.3, 0.05, 0.2, 0.1, 0.05, 0.2, 0.1];
/// Groups of places of death by their expected lifetime.
const GROUPS: usize = 10;
/// Cells of the picture along x and y, and half its height; a cell is a square.
const CELLS: (usize, usize) = (230, 150);
const HALF_HEIGHT: f64 = 3.5;

/// The data in dimension `dim`.
fn measure(dim: usize, seed: u64) -> Result<EmpiricalMeasure> {
    let mut rng = stream(seed, Purpose::Data, dim as u64);
    let points = DMatrix::from_fn(dim, WEIGHTS.len(), |_, _| rng.sample(StandardNormal));
    Ok(EmpiricalMeasure::weighted(points, &WEIGHTS)?)
}

/// R4b in every dimension of the settings.
pub(super) fn run(settings: &Settings, context: &Context) -> Result<(Vec<Check>, Vec<Table>)> {
    let mut checks = Vec::new();
    let mut back = Table::new(
        "expected lifetimes, backward",
        format!(
            "{} backward particles from each start, r = {}: their mean lifetime against -d/dr log u at the start.",
            settings.particles, settings.exact_rate
        ),
        &["d", "start", "-d/dr log u", "mean lifetime", "standard error", "deviation in standard errors"],
    );
    let mut forth = Table::new(
        "expected lifetimes, forward",
        format!(
            "{} forward particles from the data (h = 0) and from the data smoothed by N(0, h² I), in {GROUPS} groups by \
             -d/dr log u at the place of death: the mean lifetime of each group against it.",
            settings.forward_particles
        ),
        &[
            "d",
            "h",
            "group",
            "-d/dr log u",
            "mean lifetime",
            "standard error",
            "deviation in standard errors",
        ],
    );
    let dims = &settings.exact_dims;
    let critical = critical_z(SIGNIFICANCE, dims.len() * (settings.starts + 2 * GROUPS))?;
    for &dim in dims {
        context.proceed()?;
        let process = KilledBrownianMotion::new(dim, 1.0, settings.exact_rate)?;
        let measure = measure(dim, context.seed)?;
        let mut worst = 0.0_f64;
        for row in backward(&process, &measure, settings, context.seed)? {
            worst = largest([worst, row.deviation()]);
            back.push(cells![
                dim,
                row.label,
                row.expected,
                row.mean.value,
                row.mean.standard_error,
                row.deviation()
            ]);
        }
        checks.push(Check::at_most(
            format!("d = {dim}: mean backward lifetime less -d/dr log u, in standard errors"),
            worst,
            critical,
            "R4b; normal quantile at 1e-3 for all comparisons of this experiment",
        ));
        for bandwidth in [0.0, settings.exact_bandwidth] {
            let mut worst = 0.0_f64;
            for row in forward(&process, &measure, bandwidth, settings, context.seed)? {
                worst = largest([worst, row.deviation()]);
                forth.push(cells![
                    dim,
                    bandwidth,
                    row.label,
                    row.expected,
                    row.mean.value,
                    row.mean.standard_error,
                    row.deviation()
                ]);
            }
            checks.push(Check::at_most(
                format!(
                    "d = {dim}, h = {bandwidth}: mean forward lifetime by place of death, in standard errors"
                ),
                worst,
                critical,
                "R4b: reversed in time the lifetime is the same; normal quantile as above",
            ));
        }
    }
    Ok((checks, vec![back, forth]))
}

/// A mean lifetime beside what it should be.
struct Row {
    label: usize,
    expected: f64,
    mean: metrics::Estimate,
}

impl Row {
    fn deviation(&self) -> f64 {
        (self.mean.value - self.expected).abs() / self.mean.standard_error
    }
}

/// From several places of death of the forward process, by the exact step.
fn backward(
    process: &KilledBrownianMotion,
    measure: &EmpiricalMeasure,
    settings: &Settings,
    seed: u64,
) -> Result<Vec<Row>> {
    let (n, dim) = (settings.particles, process.dim());
    let (places, _) = process.deaths(&starts(measure, settings.starts, 0.0, seed), seed)?;
    let expected = Occupation::new(process, measure.clone())?.readings(&places)?;
    let score = EmpiricalScore::new(process, measure.clone())?;
    let step = PosteriorBridge::new(&score);
    let control = ScoreAdaptive::new(0.5, 1e-2 * measure.smallest_gap())?.ignoring_spread();
    let all = DMatrix::from_fn(dim, n * settings.starts, |k, i| places[(k, i / n)]);
    let ensemble = Sampler::new(process, &step, &control).run(&all, seed.wrapping_add(dim as u64))?;
    ensure!(
        ensemble.exits.iter().all(|exit| matches!(exit, Exit::Killed { .. })),
        "a backward particle in dimension {dim} was not killed"
    );
    let rows = ensemble.lifetimes.chunks_exact(n).zip(&expected).enumerate();
    rows.map(|(label, (lifetimes, expected))| {
        Ok(Row { label: label + 1, expected: expected.expected_lifetime, mean: metrics::mean(lifetimes)? })
    })
    .collect()
}

/// Forward particles by the expected lifetime at their place of death.
fn forward(
    process: &KilledBrownianMotion,
    measure: &EmpiricalMeasure,
    bandwidth: f64,
    settings: &Settings,
    seed: u64,
) -> Result<Vec<Row>> {
    let n = settings.forward_particles;
    let (places, lifetimes) = process.deaths(&starts(measure, n, bandwidth, seed), seed.wrapping_add(1))?;
    let occupation = if bandwidth > 0.0 {
        Occupation::smoothed(process, measure.clone(), bandwidth)?
    } else {
        Occupation::new(process, measure.clone())?
    };
    let readings = occupation.readings(&places)?;
    let mut pairs: Vec<(f64, f64)> =
        readings.iter().map(|reading| reading.expected_lifetime).zip(lifetimes).collect();
    pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
    pairs
        .chunks(n.div_ceil(GROUPS))
        .enumerate()
        .map(|(group, pairs)| {
            // What is promised varies within the group: the mean of the differences has the smaller error.
            let differences: Vec<f64> =
                pairs.iter().map(|(expected, lifetime)| lifetime - expected).collect();
            let expected = pairs.iter().map(|pair| pair.0).sum::<f64>() / pairs.len() as f64;
            let mut mean = metrics::mean(&differences)?;
            mean.value += expected;
            Ok(Row { label: group + 1, expected, mean })
        })
        .collect()
}

/// `n` draws from the data smoothed by `bandwidth`.
fn starts(measure: &EmpiricalMeasure, n: usize, bandwidth: f64, seed: u64) -> DMatrix<f64> {
    let mut out = DMatrix::zeros(measure.dim(), n);
    for (i, mut column) in out.column_iter_mut().enumerate() {
        let mut rng = stream(seed, Purpose::Start, i as u64);
        let mut uniform: f64 = rng.random();
        let atom = measure.log_weights().iter().position(|log_weight| {
            uniform -= log_weight.exp();
            uniform < 0.0
        });
        let point = measure.point(atom.unwrap_or(measure.len() - 1));
        for (x, y) in column.iter_mut().zip(point) {
            *x = y + bandwidth * rng.sample::<f64, _>(StandardNormal);
        }
    }
    out
}

/// The expected lifetime in the plane, and the longest there.
pub(super) fn picture(settings: &Settings, context: &Context) -> Result<(String, f64)> {
    let measure = measure(2, context.seed)?;
    let process = KilledBrownianMotion::new(2, 1.0, settings.exact_rate)?;
    let (width, height) = CELLS;
    let cell = 2.0 * HALF_HEIGHT / height as f64;
    let range = |cells: usize| (-0.5 * cell * cells as f64, 0.5 * cell * cells as f64);
    let (x, y) = (range(width), range(height));
    let grid = DMatrix::from_fn(2, width * height, |k, i| {
        let (low, place) = if k == 0 { (x.0, i % width) } else { (y.0, i / width) };
        low + cell * (place as f64 + 0.5)
    });
    let readings = Occupation::new(&process, measure.clone())?.readings(&grid)?;
    let values: Vec<f64> = readings.iter().map(|reading| reading.expected_lifetime).collect();
    let longest = values.iter().fold(0.0, |a: f64, v| a.max(*v));
    let points = (0..measure.len()).map(|i| (measure.point(i)[0], measure.point(i)[1])).collect();
    let svg = Chart::new(Axis::linear("x").range(x.0, x.1), Axis::linear("y").range(y.0, y.1))
        .raster(Raster { x, y, width, height, values })
        .series(Series::dots("data", points).exact())
        .equal_units()
        .svg()?;
    Ok((svg, longest))
}
