//! The pictures.

use anyhow::Result;
use resolvent::data::Density;
use resolvent::metrics::quantile;

use super::runs::Deaths;
use super::{Report, Settings};
use crate::outcome::Figure;
use crate::plot::{Axis, Chart, Raster, Series, histogram_with_density};

/// Points of a curve.
const CURVE: u32 = 400;
/// Bars of a histogram.
const BARS: usize = 88;
/// Levels of a distribution function.
const LEVELS: usize = 300;
/// Rates below this share of r are not shown.
const FAINT: f64 = 1e-4;
/// Dots at most.
const DOTS: usize = 1_500;

pub(super) fn figures(report: &Report, settings: &Settings) -> Result<Vec<Figure>> {
    let best = &report.learned_deaths[report.best];
    let law = format!("r = {}, {} particles", settings.rate, settings.particles);
    let ends = [
        (
            &report.exact,
            "end-exact",
            format!("Killed at the exact rate α/u: end points against the data law, {law}."),
        ),
        (
            best,
            "end-learned",
            format!(
                "Killed at a rate learned from {} data ({}): end points against the data law, {law}.",
                settings.samples, best.rule
            ),
        ),
        (
            &report.entrance,
            "end-first-entrance",
            format!(
                "Killed at the first entrance into the middle 95 % of a component: end points against the data law, {law}. Most start \
                 within and die at once, the others pile up at the marks."
            ),
        ),
        (
            &report.pointed,
            "end-point",
            format!(
                "Brownian motion conditioned to die at z = {}, run backward from there and killed at the rate α/(h h~): end points against \
                 the data law, {law}.",
                settings.point
            ),
        ),
    ];
    let mut figures = Vec::new();
    for (deaths, stem, caption) in ends {
        figures.push(Figure::new(stem, caption, end_chart(report, deaths)?));
    }
    figures.push(Figure::new(
        "lifetime",
        format!("Share of the particles that is still alive at a time, against that of the forward process, e^-rt: {law}."),
        lifetime_chart(report, settings)?,
    ));
    figures.push(Figure::new(
        "rate",
        format!(
            "The rate in units of r, exact and as learned from {} data, where it is at least {FAINT} r. Dashed, on the same numbers: the \
             density of the places where particles start.",
            settings.samples
        ),
        rate_chart(report, settings)?,
    ));
    figures.push(Figure::new(
        "plane",
        format!(
            "The same in the plane, r = {}: the density of the data (shades), where {} of the backward paths start and where they die.",
            settings.plane_rate,
            report.plane.ends.ncols().min(DOTS)
        ),
        plane_chart(report)?,
    ));
    Ok(figures)
}

fn end_chart(report: &Report, deaths: &Deaths) -> Result<String> {
    let (low, high) = report.line.range(0.0);
    let shrink = 0.15 * (high - low);
    histogram_with_density(
        "x",
        ("end points", &deaths.places),
        ("density of the data", |x| report.line.density(x)),
        (low + shrink, high - shrink),
        BARS,
    )
}

fn lifetime_chart(report: &Report, settings: &Settings) -> Result<String> {
    let time = |level: f64| -level.ln();
    let levels = || (0..LEVELS).map(|k| f64::exp(-7.0 * k as f64 / (LEVELS - 1) as f64));
    let mut chart = Chart::new(
        Axis::linear("time in units of 1/r").range(0.0, 7.0),
        Axis::log("share alive").range(1e-3, 1.0),
    )
    .series(Series::line("Exp(r)", levels().map(|level| (time(level), level)).collect()).exact());
    let best = &report.learned_deaths[report.best];
    let named = [("exact rate", &report.exact), ("learned rate", best), ("first entrance", &report.entrance)];
    for (index, (name, deaths)) in named.into_iter().enumerate() {
        let mut sorted = deaths.lifetimes.clone();
        sorted.sort_by(f64::total_cmp);
        let points = levels()
            .map(|level| Ok((settings.rate * quantile(&sorted, 1.0 - level)?, level)))
            .collect::<Result<Vec<_>>>()?;
        chart = chart.series(Series::dashed(name, points).colour(index));
    }
    chart.svg()
}

fn rate_chart(report: &Report, settings: &Settings) -> Result<String> {
    let line = &report.line;
    let (low, high) = line.range(0.5);
    let curve = |f: &dyn Fn(f64) -> f64| -> Vec<(f64, f64)> {
        let places = (0..=CURVE).map(|i| low + (high - low) * f64::from(i) / f64::from(CURVE));
        places.map(|x| (x, f(x))).map(|(x, y)| (x, if y < FAINT { f64::NAN } else { y })).collect()
    };
    let exact = |x: f64| line.log_hazard(x).exp() / settings.rate;
    let mut chart = Chart::new(Axis::linear("x").range(low, high), Axis::log("rate / r").range(FAINT, 20.0))
        .series(Series::line("exact", curve(&exact)).exact());
    for (index, fit) in report.learned.iter().enumerate() {
        chart = chart
            .series(Series::line(fit.name.as_str(), curve(&|x| f64::exp((fit.ratio)(&[x])))).colour(index));
    }
    let start = |x: f64| settings.rate * line.log_occupation(x).exp();
    chart.series(Series::dashed("density of the starts", curve(&start)).colour(4)).svg()
}

fn plane_chart(report: &Report) -> Result<String> {
    let plane = &report.plane;
    let (x, y) = ((-9.0, 9.0), (-6.0, 6.0));
    let raster = Raster::new(x, y, (180, 120), |x, y| plane.law.log_density(&[x, y]).exp());
    let dots = |points: &nalgebra::DMatrix<f64>| {
        points.column_iter().take(DOTS).map(|p| (p[0], p[1])).collect::<Vec<_>>()
    };
    Chart::new(Axis::linear("x₁").range(x.0, x.1), Axis::linear("x₂").range(y.0, y.1))
        .equal_units()
        .raster(raster)
        .series(Series::dots("start", dots(&plane.starts)).colour(1))
        .series(Series::dots("death", dots(&plane.ends)).colour(2))
        .svg()
}
