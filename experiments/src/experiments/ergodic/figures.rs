//! The pictures of `ergodic`.

use anyhow::Result;
use nalgebra::DMatrix;
use resolvent::core::killing::DistanceToData;
use resolvent::core::score::KernelScore;
use resolvent::core::step::EulerMaruyama;
use resolvent::core::{Sampler, ScoreAdaptive};

use super::Settings;
use super::process::Problem;
use super::runs::Runs;
use super::start::Starts;
use crate::experiment::Context;
use crate::outcome::Figure;
use crate::plot::{Axis, Chart, Raster, Series, histogram_with_density};

/// Where the paths in the picture of the plane start.
const STARTS: [[f64; 2]; 3] = [[-2.5, 2.0], [2.5, -1.5], [-0.5, -2.5]];
/// Densities above this are cut off in it.
const BRIGHTEST: f64 = 0.3;

pub(super) fn all(
    runs: &[Runs],
    starts: &[Starts],
    settings: &Settings,
    context: &Context,
) -> Result<Vec<Figure>> {
    let mut distance = Chart::new(Axis::log("killing rate r, θ = 1"), Axis::log("total variation"));
    for (k, s) in starts.iter().enumerate() {
        let points = s.rates.iter().map(|r| (r.rate, r.distance.value)).collect();
        let errors = s.rates.iter().map(|r| r.distance.standard_error).collect();
        let bias = s.rates.iter().map(|r| (r.rate, r.bias.value)).collect();
        let bias_errors = s.rates.iter().map(|r| r.bias.standard_error).collect();
        distance = distance
            .series(Series::marked(format!("r u and m, d = {}", s.dim), points).errors(errors).colour(k))
            .series(
                Series::dashed(format!("bias of the end law, d = {}", s.dim), bias)
                    .errors(bias_errors)
                    .colour(k),
            );
    }
    let mut figures = vec![
        plane(settings, context)?,
        Figure::new(
            "start",
            "How far the law at death r u is from the stationary law m, and how much of that a backward process that starts in m \
             passes on to its end law. The first is of the first order in r; the second is of a higher order, and at small r below its \
             Monte-Carlo error.",
            distance.svg()?,
        ),
    ];
    if let Some(r) = runs.last() {
        let rate = settings.rate;
        figures.push(Figure::new(
            "lifetimes",
            format!(
                "Lifetimes of the backward process from the law at death, d = {}, Euler-Maruyama with η = {:?} completed by \
                 the last piece: Exp({rate}).",
                r.dim,
                settings.eta.last().copied().unwrap_or(f64::NAN)
            ),
            histogram_with_density(
                "lifetime",
                ("backward", &r.lifetimes),
                ("Exp(r)", |t| rate * f64::exp(-rate * t)),
                (0.0, 6.0 / rate),
                40,
            )?,
        ));
    }
    Ok(figures)
}

/// The law at death in the plane and some paths back from it.
fn plane(settings: &Settings, context: &Context) -> Result<Figure> {
    let problem = Problem::new(2, settings, context.seed)?;
    let (process, measure) = (&problem.process, &problem.measure);
    let score = KernelScore::new(process, measure.clone())?;
    let (width, height) = ((-4.9, 4.9), (-3.2, 3.2));
    // The poles would outshine the rest.
    let density = |x: f64, y: f64| (settings.rate * score.log_density(&[x, y]).exp()).min(BRIGHTEST);
    let mut chart =
        Chart::new(Axis::linear("x").range(width.0, width.1), Axis::linear("y").range(height.0, height.1))
            .equal_units()
            .raster(Raster::new(width, height, (122, 80), density));
    let places = DMatrix::from_column_slice(2, STARTS.len(), STARTS.as_flattened());
    let rule = DistanceToData::new(process, measure.clone(), 0.05 * measure.smallest_gap())?;
    let (step, control) = (EulerMaruyama::new(&score), ScoreAdaptive::new(0.05, 0.0)?);
    let ensemble = Sampler::new(process, &step, &control)
        .killing("distance", &rule)
        .cap(2_000)
        .paths(STARTS.len())
        .run(&places, context.seed)?;
    for (k, path) in ensemble.paths.iter().enumerate() {
        let points = (0..path.times.len()).map(|i| (path.point(i)[0], path.point(i)[1])).collect();
        chart =
            chart.series(Series::line(format!("backward path {}", k + 1), points).colour([1, 2, 3][k % 3]));
    }
    let ends = |points: &DMatrix<f64>| points.column_iter().map(|x| (x[0], x[1])).collect::<Vec<_>>();
    chart = chart.series(Series::dots("atoms", ends(measure.points())).exact());
    Ok(Figure::new(
        "plane",
        format!(
            "The plane, r = {}: the law at death r u as shades (cut off near its poles), and paths of the \
             backward process from {STARTS:?} until within 0.05 of the smallest gap of an atom.",
            settings.rate
        ),
        chart.svg()?,
    ))
}
