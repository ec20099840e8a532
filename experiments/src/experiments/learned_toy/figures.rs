//! The pictures.

use anyhow::Result;
use nalgebra::DMatrix;

use super::samples::{Driver, Way};
use super::{Report, Settings};
use crate::experiments::training::{Training, loss_chart};
use crate::outcome::Figure;
use crate::plot::{Axis, Chart, GreyImage, ImagePanel, Series, image_panels};

/// The plane that is shown reaches so far to either side.
const HALF_WIDTH: f64 = 1.5;
/// Pixels along a side of a picture of samples.
const PIXELS: usize = 84;
/// So many samples at one pixel make it black.
const BLACK: f64 = 2.0;
/// Samples shown as dots.
const DOTS: usize = 800;
/// Sets of which the plane is shown.
const PLANAR: [&str; 2] = ["swiss-roll", "checkerboard"];

pub(super) fn figures(reports: &[Report], settings: &Settings) -> Result<Vec<Figure>> {
    let mut figures = vec![Figure::new(
        "score-error",
        format!(
            "Relative L² error of the learned score against the exact one at points y + σN, {} points a level, two standard errors; one \
             blind network a set. Dashed: the marks for circle and sphere.",
            settings.points
        ),
        errors(reports, settings)?,
    )];
    let planar: Vec<&Report> = reports.iter().filter(|report| PLANAR.contains(&report.set.stem)).collect();
    figures.push(clouds(&planar)?);
    for report in planar {
        figures.push(scatter(report)?);
    }
    let trainings: Vec<(&str, &Training)> =
        reports.iter().map(|report| (report.set.name, &report.training)).collect();
    figures.push(Figure::new(
        "loss",
        "Training: mean loss of the last steps, and validation loss of the averaged parameters on held-out data. The loss does not go \
         to zero: its targets are single data points."
            .to_owned(),
        loss_chart(&trainings)?,
    ));
    Ok(figures)
}

fn errors(reports: &[Report], settings: &Settings) -> Result<String> {
    let mut chart = Chart::new(Axis::log("noise level σ"), Axis::log("relative L² error of the score"));
    for report in reports {
        let levels = &report.errors.levels;
        let points = levels.iter().map(|at| (at.level, at.score.value)).collect();
        let bars = levels.iter().map(|at| 2.0 * at.score.standard_error).collect();
        chart = chart.series(Series::marked(report.set.name, points).errors(bars));
    }
    let mut marks: Vec<(f64, f64)> =
        settings.bound_levels.iter().copied().zip(settings.bounds.iter().copied()).collect();
    marks.sort_by(|a, b| a.0.total_cmp(&b.0));
    if marks.len() > 1 {
        chart = chart.series(Series::dashed("mark for circle and sphere", marks).exact());
    }
    chart.svg()
}

/// A row per planar set, a panel per sampler.
fn clouds(reports: &[&Report]) -> Result<Figure> {
    let labels: Vec<String> = reports.iter().map(|report| report.set.name.to_owned()).collect();
    let runs = Way::ALL.into_iter().flat_map(|way| Driver::ALL.map(|driver| (way, driver)));
    let mut columns =
        vec![("data".to_owned(), reports.iter().map(|r| darkness(&r.fresh)).collect::<Vec<_>>())];
    for (way, driver) in runs {
        let what = if way == Way::Noisy { "SDE" } else { "flux" };
        let pixels = reports.iter().map(|r| darkness(&r.samples.run(way, driver).points)).collect();
        columns.push((format!("{what}, {}", driver.name()), pixels));
    }
    let panels: Vec<ImagePanel<'_>> = columns
        .iter()
        .map(|(heading, pixels)| ImagePanel {
            heading: heading.clone(),
            rows: pixels
                .iter()
                .map(|values| vec![GreyImage { width: PIXELS, height: PIXELS, values }])
                .collect(),
        })
        .collect();
    let caption = format!(
        "Samples on [−{HALF_WIDTH}, {HALF_WIDTH}]² (the Swiss roll lies in the plane of the first two coordinates of R³) beside fresh data, \
         as many points in each; SDE: the reverse SDE, by bridges on the Swiss roll, by Euler-Maruyama killed at the rate α/u on the \
         checkerboard."
    );
    Ok(Figure::new("samples", caption, image_panels(&labels, &panels)?))
}

/// White where there is no point.
fn darkness(points: &DMatrix<f64>) -> Vec<f64> {
    let mut counts = vec![0.0; PIXELS * PIXELS];
    let place = |x: f64| ((x + HALF_WIDTH) / (2.0 * HALF_WIDTH) * PIXELS as f64).floor();
    let inside = 0.0..PIXELS as f64;
    for x in points.column_iter() {
        let (column, row) = (place(x[0]), place(-x[1]));
        if inside.contains(&column) && inside.contains(&row) {
            counts[row as usize * PIXELS + column as usize] += 1.0;
        }
    }
    counts.iter().map(|count| 1.0 - 2.0 * f64::min(count / BLACK, 1.0)).collect()
}

fn scatter(report: &Report) -> Result<Figure> {
    let dots = |points: &DMatrix<f64>| -> Vec<(f64, f64)> {
        points.column_iter().take(DOTS).map(|x| (x[0], x[1])).collect()
    };
    let axis = |name: &str| Axis::linear(name).range(-HALF_WIDTH, HALF_WIDTH);
    let mut chart = Chart::new(axis("x₁"), axis("x₂")).equal_units();
    for driver in Driver::ALL {
        let series = dots(&report.samples.run(Way::Noisy, driver).points);
        let series = Series::dots(format!("{} score", driver.name()), series);
        chart = chart.series(if driver == Driver::Exact { series.exact() } else { series.colour(1) });
    }
    Ok(Figure::new(
        format!("samples-{}", report.set.stem),
        format!(
            "{}: samples by the exact and by the learned score ({}), from the same starts and draws.",
            report.set.name,
            Way::Noisy.name(&report.set)
        ),
        chart.svg()?,
    ))
}
