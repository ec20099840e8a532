//! A fixed number of Euler-Maruyama steps, uniform in time and on a Karras grid.

use anyhow::Result;
use resolvent::core::horizon::euler_maruyama;
use resolvent::core::schedule::{Grid, VpLinear, prior};
use resolvent::core::{HorizonSampler, Schedule};
use resolvent::metrics::{Estimate, mean};

use super::{Settings, critical, denoiser, karras_to};
use crate::experiment::Context;
use crate::outcome::{Check, Figure, Outcome, Table, cells};
use crate::plot::{Axis, Chart, Series};

const GRIDS: [&str; 2] = ["uniform in time", "Karras"];
/// Points of a curve between two ends.
const FINE: usize = 12;

struct Row {
    grid: usize,
    end: f64,
    /// Mean square across the circle, a coordinate.
    square: Estimate,
    exact: f64,
}

pub(super) fn run(settings: &Settings, context: &Context, outcome: &mut Outcome) -> Result<()> {
    let Some(dim) = settings.dims.iter().copied().max().filter(|dim| *dim > 2) else {
        return Ok(());
    };
    let (vp, law) = (VpLinear::default(), denoiser(dim)?);
    let starts = prior(&vp, dim, settings.samples, context.seed);
    let mut rows = Vec::new();
    for index in 0..GRIDS.len() {
        for &end in &settings.ends {
            context.proceed()?;
            let grid = grid(&vp, index, end, settings.steps)?;
            let scheme = euler_maruyama(&vp, &grid)?;
            let points = HorizonSampler::new(&scheme.with(&law)).run(&starts, context.seed)?.points;
            let across = dim - 2;
            let squares: Vec<f64> =
                points.column_iter().map(|x| x.rows(2, across).norm_squared() / across as f64).collect();
            rows.push(Row { grid: index, end, square: mean(&squares)?, exact: variance(&vp, &grid) });
        }
    }
    let largest = rows
        .iter()
        .map(|row| (row.square.value - row.exact).abs() / row.square.standard_error)
        .fold(0.0, f64::max);
    outcome.checks.push(Check::at_most(
        format!(
            "variance across the circle against its recursion, largest of {} in standard errors",
            rows.len()
        ),
        largest,
        critical(rows.len())?,
        "v' = (1 - f dt - g² dt/σ²)² v + g² dt; 1e-3 over all",
    ));
    outcome.tables.push(table(&rows, dim, settings));
    outcome.figures.push(figure(&rows, &vp, dim, settings)?);
    Ok(())
}

/// From the prior to the level with σ/α = `end`.
fn grid(vp: &VpLinear, index: usize, end: f64, steps: usize) -> Result<Grid> {
    if index == 0 {
        return Ok(Grid::uniform_time(vp, steps, vp.time_of_ratio(end))?);
    }
    karras_to(vp, steps + 1, vp.level(vp.horizon()).ratio(), end)
}

/// The variance of a coordinate in which the data are 0 after Euler-Maruyama for the reverse SDE: the score is -x/σ², so a step
/// multiplies by 1 - f dt - g² dt/σ² and adds noise of variance g² dt.
fn variance(vp: &VpLinear, grid: &Grid) -> f64 {
    grid.levels().windows(2).fold(vp.prior_deviation().powi(2), |variance, pair| {
        let (rates, dt) = (vp.rates(pair[0].time), pair[0].time - pair[1].time);
        let factor = 1.0 - rates.drift * dt - rates.noise * dt / pair[0].sigma.powi(2);
        factor * factor * variance + rates.noise * dt
    })
}

fn table(rows: &[Row], dim: usize, settings: &Settings) -> Table {
    let mut table = Table::new(
        "Euler-Maruyama across the circle",
        format!(
            "Root mean square of the {} coordinates of R^{dim} in which the circle is a point, over {} samples of {} Euler-Maruyama steps \
             under VP: exactly σ under p_t, by its recursion and by Monte Carlo.",
            dim - 2,
            settings.samples,
            settings.steps
        ),
        &["grid", "end, σ/α", "recursion", "Monte Carlo", "error", "over σ"],
    );
    for row in rows {
        let root = row.square.value.sqrt();
        // σ at σ/α = ρ under VP.
        let sigma = row.end / row.end.hypot(1.0);
        table.push(cells![
            GRIDS[row.grid],
            row.end,
            row.exact.sqrt(),
            root,
            0.5 * row.square.standard_error / root,
            row.exact.sqrt() / sigma
        ]);
    }
    table
}

fn figure(rows: &[Row], vp: &VpLinear, dim: usize, settings: &Settings) -> Result<Figure> {
    let mut chart =
        Chart::new(Axis::log("end of the grid, σ/α"), Axis::log("root mean square across the circle"));
    let bounds = settings
        .ends
        .iter()
        .fold((f64::INFINITY, 0.0_f64), |(low, high), end| (low.min(*end), high.max(*end)));
    let at = |k: usize| bounds.0 * (bounds.1 / bounds.0).powf(k as f64 / (5 * FINE) as f64);
    let ends: Vec<f64> = (0..=5 * FINE).map(at).collect();
    let ideal = ends.iter().map(|end| (*end, end / end.hypot(1.0))).collect();
    chart = chart.series(Series::dashed("p_t: σ", ideal).exact());
    for (index, name) in GRIDS.iter().enumerate() {
        let exact = ends
            .iter()
            .map(|end| Ok((*end, variance(vp, &grid(vp, index, *end, settings.steps)?).sqrt())))
            .collect::<Result<_>>()?;
        let measured = rows.iter().filter(|row| row.grid == index);
        chart = chart.series(Series::line(format!("{name}, recursion"), exact).colour(index)).series(
            Series::dots(
                format!("{name}, samples"),
                measured.map(|row| (row.end, row.square.value.sqrt())).collect(),
            )
            .colour(index),
        );
    }
    let caption = format!(
        "Noise left across the circle in R^{dim} by {} Euler-Maruyama steps of the reverse SDE under VP (β from 0.1 to 20), without a \
         denoising step. Steps of equal length in time leave the noise of the last one, √(β dt), however early the grid ends; on a \
         Karras grid (ρ = 7) the noise follows σ.",
        settings.steps
    );
    Ok(Figure::new("steps", caption, chart.svg()?))
}
