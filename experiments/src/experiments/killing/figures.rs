//! The pictures.

use std::f64::consts::TAU;

use anyhow::Result;
use resolvent::core::Path;
use resolvent::metrics::quantile;

use super::Report;
use super::deaths::Deaths;
use super::rules::Rule;
use crate::outcome::Figure;
use crate::plot::{Axis, Chart, Series, bar_chart};

/// Distances below this many δ are drawn here.
const FLOOR: f64 = 1e-3;
/// Points of a distribution function.
const GRID: usize = 300;
/// Points of a path closer than this look like one.
const VISIBLE: f64 = 0.004;
/// Half the width of a box.
const HALF: f64 = 0.28;

pub(super) fn figures(reports: &[Report], paths: &[Path]) -> Result<Vec<Figure>> {
    let mut figures = vec![Figure::new(
        "paths",
        "Backward paths of killed Brownian motion in R³, seen along the axis of the circle that holds the data: from where \
         the forward process died until the score explodes.",
        path_chart(paths)?,
    )];
    for report in reports {
        figures.push(Figure::new(
            format!("distance-{}", report.target.stem),
            format!(
                "{}: distance to the support at death, in units of the killing distance δ. Box 25 to 75 %, line 5 to 95 %, \
                 dot median; what lies below 10⁻³ is drawn there.",
                report.target.name
            ),
            distance_chart(report)?,
        ));
    }
    // The smallest and the largest codimension.
    for report in [reports.first(), reports.last()].into_iter().flatten() {
        figures.push(Figure::new(
            format!("lifetime-{}", report.target.stem),
            format!(
                "{}: lifetimes over all starts against the exponential law. Under the independent clock a particle stops when \
                 the clock rings or stands on the support, whichever comes first.",
                report.target.name
            ),
            lifetime_chart(report)?,
        ));
    }
    figures.push(Figure::new(
        "evaluations",
        "Score evaluations per particle. Controls run into their cap wherever the support was reached before the clock rang.",
        evaluation_chart(reports)?,
    ));
    Ok(figures)
}

fn path_chart(paths: &[Path]) -> Result<String> {
    let plane = |path: &Path, k: usize| (path.point(k)[0], path.point(k)[1]);
    let circle = (0..=240).map(|k| TAU * k as f64 / 240.0).map(|t| (t.cos(), t.sin())).collect();
    let mut chart = Chart::new(Axis::linear("x₁"), Axis::linear("x₂"))
        .equal_units()
        .series(Series::line("support of the data", circle).exact());
    for (index, path) in paths.iter().enumerate() {
        let points = thinned((0..path.times.len()).map(|k| plane(path, k)));
        chart = chart.series(Series::line("", points).colour(PATH_COLOURS[index % PATH_COLOURS.len()]));
    }
    let ends = |last: bool| {
        paths.iter().map(|path| plane(path, if last { path.times.len() - 1 } else { 0 })).collect::<Vec<_>>()
    };
    chart
        .series(Series::dots("start", ends(false)).colour(1))
        .series(Series::dots("death", ends(true)).exact())
        .svg()
}

/// The points without those that a reader could not tell from the one before; the last one stays.
fn thinned(points: impl Iterator<Item = (f64, f64)>) -> Vec<(f64, f64)> {
    let mut kept: Vec<(f64, f64)> = Vec::new();
    let mut last = None;
    for point in points {
        if kept.last().is_none_or(|(x, y)| (point.0 - x).hypot(point.1 - y) > VISIBLE) {
            kept.push(point);
        }
        last = Some(point);
    }
    kept.extend(last);
    kept
}

/// Blue, green, pink, light blue, orange of the palette.
const PATH_COLOURS: [usize; 5] = [0, 2, 3, 4, 5];

fn distance_chart(report: &Report) -> Result<String> {
    let names = report.deaths.iter().map(|deaths| deaths.rule.name().to_owned()).collect();
    let mut chart = Chart::new(Axis::linear(""), Axis::log("distance at death / δ")).categories(names);
    for (k, deaths) in report.deaths.iter().enumerate() {
        let x = k as f64;
        let level = |q: f64| Ok::<_, anyhow::Error>(deaths.distance(q)?.max(FLOOR));
        let (low, high) = (level(0.25)?, level(0.75)?);
        let (left, right) = (x - HALF, x + HALF);
        let outline = vec![(left, low), (right, low), (right, high), (left, high), (left, low)];
        let colour = usize::from(deaths.rule.is_control());
        chart = chart
            .series(Series::line("", vec![(x, level(0.05)?), (x, level(0.95)?)]).colour(colour))
            .series(Series::line("", outline).colour(colour))
            .series(Series::dots("", vec![(x, level(0.5)?)]).colour(colour));
    }
    chart.reference(1.0, "killing distance δ").svg()
}

fn lifetime_chart(report: &Report) -> Result<String> {
    let time = |k: usize| 1e-3 * 1e4f64.powf(k as f64 / (GRID - 1) as f64);
    let law = (0..GRID).map(|k| (time(k), -f64::exp_m1(-time(k)))).collect();
    let mut chart = Chart::new(
        Axis::log("lifetime in units of 1/r").range(1e-3, 10.0),
        Axis::linear("share that has died").range(0.0, 1.0),
    )
    .series(Series::line("Exp(r)", law).exact());
    for (index, rule) in
        [Rule::Exact, Rule::Lifetime, Rule::Sup, Rule::Support, Rule::Clock].into_iter().enumerate()
    {
        chart = chart.series(Series::line(rule.name(), distribution(report.of(rule))?).colour(index));
    }
    chart.svg()
}

/// The empirical distribution function of the lifetimes, by its quantiles.
fn distribution(deaths: &Deaths) -> Result<Vec<(f64, f64)>> {
    (0..GRID)
        .map(|k| (k as f64 + 0.5) / GRID as f64)
        .map(|level| Ok((quantile(&deaths.lifetimes, level)?, level)))
        .collect()
}

fn evaluation_chart(reports: &[Report]) -> Result<String> {
    let names: Vec<_> = Rule::ALL.iter().map(|rule| rule.name().to_owned()).collect();
    let groups: Vec<_> = reports
        .iter()
        .map(|report| {
            let of = |rule: Rule| report.deaths.iter().find(|deaths| deaths.rule == rule);
            let mean = |rule: &Rule| of(*rule).map_or(f64::NAN, |deaths| deaths.evaluations.value);
            (report.target.name.to_owned(), Rule::ALL.iter().map(mean).collect())
        })
        .collect();
    bar_chart("", Axis::log("mean evaluations of the score"), &names, &groups, &[])
}
