//! Field lines of -J in the plane.

use std::f64::consts::TAU;

use anyhow::Result;
use nalgebra::DMatrix;
use resolvent::core::killing::ResidualNoise;
use resolvent::core::score::CircleScore;
use resolvent::core::step::Flux;
use resolvent::core::{Contraction, EmpiricalScore, KilledBrownianMotion, Path, Sampler, Score};

use super::Settings;
use super::problem::{atoms, circle_density};
use crate::outcome::Figure;
use crate::plot::{Axis, Chart, Raster, Series};

/// Steps, in the logarithm of the distance: short ones, so that lines look smooth.
const ETA: f64 = 0.05;
/// Half the width and the height of a picture, in the length that holds the data.
const VIEW: (f64, f64) = (3.4, 2.2);
/// Cells of the background.
const CELLS: (usize, usize) = (170, 110);
/// Lines from far away and distance of their starts, in the same length.
const OUTER: usize = 60;
const FAR: f64 = 6.0;
/// Distance of the starts within the circle from the place where the pulls balance.
const INNER: f64 = 0.3;
/// Sectors in which lines to the circle are told apart.
const SECTORS: usize = 6;

/// Five atoms in the plane, and the plane of a circle in R^3.
pub(super) fn figures(settings: &Settings, seed: u64) -> Result<Vec<Figure>> {
    Ok(vec![five_atoms(settings, seed)?, circle(settings)?])
}

fn five_atoms(settings: &Settings, seed: u64) -> Result<Figure> {
    let process = KilledBrownianMotion::new(2, 1.0, settings.rate)?;
    let measure = atoms(2, seed)?;
    let score = EmpiricalScore::new(&process, measure.clone())?;
    let mean = measure.points().column_mean();
    let centre = [mean[0], mean[1]];
    let size = 0.7 * measure.points().column_iter().map(|y| (y - &mean).amax()).fold(0.0, f64::max);
    let starts = outer(centre, size);
    let starts = DMatrix::from_fn(2, starts.len(), |i, j| starts[j][i]);
    let paths = follow(&process, &score, &starts, 1e-3 * measure.smallest_gap())?;
    let nearest = |x: &[f64]| {
        let squared = |k: usize| (x[0] - measure.point(k)[0]).powi(2) + (x[1] - measure.point(k)[1]).powi(2);
        (0..measure.len()).min_by(|&a, &b| squared(a).total_cmp(&squared(b))).expect("there are atoms")
    };
    let name = |k: usize| format!("to atom {}, weight {:.3}", k + 1, measure.log_weights()[k].exp());
    let chart = picture(centre, size, "x", "y", |x, y| score.log_density(&[x, y]));
    let chart = coloured(chart, &paths, nearest, name);
    let places = measure.points().column_iter().map(|y| (y[0], y[1])).collect();
    Ok(Figure::new(
        "lines-atoms",
        format!(
            "Lines of -J that end in five unequal atoms in the plane, from points around them; shades: log u. r = {}, σ = 1.",
            settings.rate
        ),
        chart.series(Series::dots("atoms", places).exact()).svg()?,
    ))
}

fn circle(settings: &Settings) -> Result<Figure> {
    let process = KilledBrownianMotion::new(3, 1.0, settings.rate)?;
    let score = CircleScore::new(&process, 1.0, circle_density)?;
    let mut starts = outer([0.0; 2], 1.0);
    // And from around the place within where the pulls balance.
    let middle = balance(&score);
    starts.extend((0..OUTER / 2).map(|k| {
        let angle = TAU * k as f64 / (OUTER / 2) as f64;
        [middle[0] + INNER * angle.cos(), middle[1] + INNER * angle.sin()]
    }));
    let starts = DMatrix::from_fn(3, starts.len(), |i, j| if i < 2 { starts[j][i] } else { 0.0 });
    let paths = follow(&process, &score, &starts, 1e-3)?;
    let sector = |x: &[f64]| ((x[1].atan2(x[0]) / TAU).rem_euclid(1.0) * SECTORS as f64) as usize % SECTORS;
    let name = |k: usize| format!("to {}° - {}°", 360 * k / SECTORS, 360 * (k + 1) / SECTORS);
    let chart = picture([0.0; 2], 0.8, "x1", "x2", |x, y| score.log_density(&[x, y, 0.0]));
    let chart = coloured(chart, &paths, sector, name);
    let round = (0..=200).map(|k| (TAU * f64::from(k) / 200.0).sin_cos()).map(|(s, c)| (c, s)).collect();
    Ok(Figure::new(
        "lines-circle",
        format!(
            "Lines of -J in the plane of a circle in R^3 with the density of the runs on it, from points around it and from around \
             the place within where the pulls balance; shades: log u. r = {}, σ = 1.",
            settings.rate
        ),
        chart.series(Series::line("circle", round).exact()).svg()?,
    ))
}

/// Places on a large circle.
fn outer(centre: [f64; 2], size: f64) -> Vec<[f64; 2]> {
    let place = |k: usize| {
        let (sin, cos) = f64::sin_cos(TAU * (k as f64 + 0.5) / OUTER as f64);
        [centre[0] + FAR * size * cos, centre[1] + FAR * size * sin]
    };
    (0..OUTER).map(place).collect()
}

/// The place within the circle at which the score vanishes: u is smallest there along the plane. By steps against the
/// displacement, which lead away from the data.
fn balance(score: &dyn Score) -> [f64; 2] {
    let mut x = [0.0; 3];
    for _ in 0..400 {
        let (mut gain, mut v) = ([0.0], [0.0; 3]);
        score.evaluate(&x, &mut gain, &mut v);
        x = [x[0] - 0.1 * v[0], x[1] - 0.1 * v[1], 0.0];
    }
    [x[0], x[1]]
}

fn follow(
    process: &KilledBrownianMotion,
    score: &dyn Score,
    starts: &DMatrix<f64>,
    delta: f64,
) -> Result<Vec<Path>> {
    let (step, control) = (Flux::new(score), Contraction::new(ETA)?);
    let rule = ResidualNoise::new(process, delta)?;
    let sampler = Sampler::new(process, &step, &control).killing("noise", &rule).paths(starts.ncols());
    Ok(sampler.run(starts, 0)?.paths)
}

/// The axes and the background: log u above its least value.
fn picture(
    centre: [f64; 2],
    size: f64,
    x_title: &str,
    y_title: &str,
    log_density: impl Fn(f64, f64) -> f64,
) -> Chart {
    let x = (centre[0] - VIEW.0 * size, centre[0] + VIEW.0 * size);
    let y = (centre[1] - VIEW.1 * size, centre[1] + VIEW.1 * size);
    let mut raster = Raster::new(x, y, CELLS, log_density);
    let (least, most) =
        raster.values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(*v), b.max(*v)));
    // A raster shows the root of its values.
    raster.values.iter_mut().for_each(|v| *v = ((*v - least) / (most - least)).powi(2));
    Chart::new(Axis::linear(x_title).range(x.0, x.1), Axis::linear(y_title).range(y.0, y.1))
        .raster(raster)
        .equal_units()
}

/// Adds the lines, coloured by what they end in; the first of each kind is named.
fn coloured(
    mut chart: Chart,
    paths: &[Path],
    kind: impl Fn(&[f64]) -> usize,
    name: impl Fn(usize) -> String,
) -> Chart {
    let kinds: Vec<usize> = paths.iter().map(|path| kind(path.point(path.times.len() - 1))).collect();
    let most = kinds.iter().copied().max().unwrap_or(0);
    for k in 0..=most {
        let mine = paths.iter().zip(&kinds).filter(|(_, kind)| **kind == k);
        for (i, (path, _)) in mine.enumerate() {
            let points = (0..path.times.len()).map(|t| (path.point(t)[0], path.point(t)[1])).collect();
            let name = if i == 0 { name(k) } else { String::new() };
            chart = chart.series(Series::line(name, points).colour(k));
        }
    }
    chart
}
