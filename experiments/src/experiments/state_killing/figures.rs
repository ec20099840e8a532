//! Figures of the experiment.

use anyhow::Result;
use resolvent::core::schedule::Level;
use resolvent::core::{GaussianMixture, KilledDiffusion, Path};
use resolvent::metrics;

use super::plane::{Plane, Refined, Wrong, along, projected};
use super::trial::Lives;
use super::{SIGNIFICANCE, Settings};
use crate::outcome::Figure;
use crate::plot::{Axis, Chart, Raster, Series, histogram_with_density};

/// Points of a cloud that are shown.
const SHOWN: usize = 1_200;
/// The part of the plane that is shown, in the proportion of a chart.
const WINDOW: [(f64, f64); 2] = [(-6.0, 7.0), (-4.2, 4.3)];
/// Cells of a raster along the axes.
const CELLS: (usize, usize) = (260, 170);

fn cloud(points: &nalgebra::DMatrix<f64>) -> Vec<(f64, f64)> {
    points.column_iter().take(SHOWN).map(|x| (x[0], x[1])).collect()
}

fn map(value: impl Fn(f64, f64) -> f64) -> Chart {
    let [x, y] = WINDOW;
    Chart::new(Axis::linear("x").range(x.0, x.1), Axis::linear("y").range(y.0, y.1))
        .equal_units()
        .raster(Raster::new(x, y, CELLS, value))
}

/// The figures of the plane.
pub(super) fn plane(
    plane: &Plane,
    settings: &Settings,
    forward: &Lives,
    backward: &Lives,
    refinement: &[Refined],
    wrong: &[Wrong],
) -> Result<Vec<Figure>> {
    let Plane { process, data, occupation, lifetime } = plane;
    let density = |x: f64, y: f64| data.log_density(&[x, y]).exp();
    let death = |x: f64, y: f64| process.rate(&[x, y]) * occupation.log_density(&[x, y]).exp();
    let mut figures = vec![
        Figure::new(
            "plane-deaths",
            format!(
                "Shades: the law r u of the place of death, by quadrature. Dots: {SHOWN} deaths of the forward simulation. The rate \
                 grows away from (0.5, -0.3)."
            ),
            map(death).series(Series::dots("deaths, forward", cloud(&forward.deaths)).colour(1)).svg()?,
        ),
        Figure::new(
            "plane-ends",
            format!(
                "Shades: the law α of the data. Dots: {SHOWN} ends of the backward process, run from places of death by R1 and killed \
                 at the rate α/u."
            ),
            map(density).series(Series::dots("ends, backward", cloud(&backward.data)).colour(1)).svg()?,
        ),
    ];
    let mut paths = map(|x, y| occupation.log_density(&[x, y]).exp());
    for (k, path) in backward.paths.iter().enumerate() {
        let points: Vec<(f64, f64)> =
            (0..path.times.len()).map(|i| (path.point(i)[0], path.point(i)[1])).collect();
        paths = paths.series(Series::line(format!("path {}", k + 1), points).colour(k + 1));
    }
    let at = |path: &Path, k: usize| (path.point(k)[0], path.point(k)[1]);
    let starts = backward.paths.iter().map(|path| at(path, 0)).collect();
    let ends = backward.paths.iter().map(|path| at(path, path.times.len() - 1)).collect();
    figures.push(Figure::new(
        "plane-paths",
        "Shades: the occupation density u. Paths of the backward process, from the place of death into the data.",
        paths
            .series(Series::dots("start (place of death)", starts).exact())
            .series(Series::dots("end (in the data)", ends).colour(4))
            .svg()?,
    ));
    let mut sorted = backward.lifetimes.clone();
    sorted.sort_by(f64::total_cmp);
    let longest = metrics::quantile(&sorted, 0.995)?;
    let h = 1e-3 * longest;
    let slope = |t: f64| (lifetime.at(t + h) - lifetime.at((t - h).max(0.0))) / (h + h.min(t));
    figures.push(Figure::new(
        "plane-lifetimes",
        format!(
            "Lifetime of the backward process, {} particles, and the exact law of the forward one.",
            settings.particles
        ),
        histogram_with_density(
            "lifetime",
            ("backward", &backward.lifetimes),
            ("forward, exact", slope),
            (0.0, longest),
            60,
        )?,
    ));
    let column = |of: fn(&Refined) -> f64| refinement.iter().map(|row| (row.0, of(row))).collect::<Vec<_>>();
    figures.push(Figure::new(
        "plane-refinement",
        format!(
            "Distances against the length of the backward step, {} particles. Dashed: first order through the coarsest.",
            settings.refined_particles
        ),
        Chart::new(Axis::log("step dt"), Axis::log("KS distance"))
            .series(Series::marked("end law to α, largest of four lines", column(|row| row.1)))
            .series(Series::marked("lifetime to its exact law", column(|row| row.2)))
            .series(
                Series::dashed(
                    "first order",
                    refinement.iter().map(|row| (row.0, refinement[0].1 * row.0 / refinement[0].0)).collect(),
                )
                .exact(),
            )
            .reference(metrics::ks_critical(settings.refined_particles, SIGNIFICANCE)?, "critical value at 1e-4")
            .svg()?,
    ));
    let direction = [1.0, 0.0];
    let law = projected(data, direction)?;
    let difference = |lives: &Lives| {
        let mut sorted = along(&lives.data, direction);
        sorted.sort_by(f64::total_cmp);
        let below = |x: f64| sorted.partition_point(|v| *v <= x) as f64 / sorted.len() as f64;
        (0..=300)
            .map(|k| -4.0 + 8.5 * f64::from(k) / 300.0)
            .map(|x| (x, below(x) - law.cdf(&Level::CLEAN, x)))
            .collect::<Vec<_>>()
    };
    let mut chart = Chart::new(Axis::linear("x"), Axis::linear("F of the end law - F under α"))
        .series(Series::line("R1", difference(backward)).exact());
    for Wrong { name, lives } in wrong {
        chart = chart.series(Series::line(*name, difference(lives)));
    }
    figures.push(Figure::new(
        "plane-wrong",
        "What the reverse drift must be: distribution function of x at the end of the backward process less that of the data.",
        chart.svg()?,
    ));
    Ok(figures)
}

/// The figures of the line.
pub(super) fn line(
    data: &GaussianMixture,
    death_density: impl Fn(f64) -> f64,
    forward: &Lives,
    backward: &Lives,
) -> Result<Vec<Figure>> {
    let range = (-6.0, 5.0);
    let alive = |lives: &Lives| {
        let mut sorted = lives.lifetimes.clone();
        sorted.sort_by(f64::total_cmp);
        let n = sorted.len();
        // Two hundred places of the sample, down to ten survivors.
        (0..200)
            .map(|k| (n - 10).min(k * n / 200))
            .map(|i| (sorted[i], (n - i) as f64 / n as f64))
            .collect::<Vec<_>>()
    };
    Ok(vec![
        Figure::new(
            "line-deaths",
            "Place of death of the forward process on the line and r u from the numerical resolvent.",
            histogram_with_density(
                "x",
                ("forward", forward.deaths.as_slice()),
                ("r u", death_density),
                range,
                80,
            )?,
        ),
        Figure::new(
            "line-ends",
            "End of the backward process on the line and the law of the data.",
            histogram_with_density(
                "x",
                ("backward", backward.data.as_slice()),
                ("α", |x| data.log_density(&[x]).exp()),
                range,
                80,
            )?,
        ),
        Figure::new(
            "line-lifetimes",
            "Share that is alive after a time, forward and backward, on the line.",
            Chart::new(Axis::linear("time"), Axis::log("share alive"))
                .series(Series::line("forward", alive(forward)))
                .series(Series::dashed("backward", alive(backward)))
                .svg()?,
        ),
    ])
}
