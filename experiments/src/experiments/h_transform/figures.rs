//! The pictures of `h-transform`.

use std::f64::consts::TAU;

use anyhow::Result;
use nalgebra::DMatrix;
use resolvent::core::htransform::{Atoms, ExponentialClock, HTransform, Sphere, deaths};
use resolvent::core::random::{Purpose, stream};
use resolvent::core::{EmpiricalMeasure, KilledBrownianMotion, Oracle};

use super::atoms::Compared;
use super::last_exit::LastExits;
use super::tilt::{Exit, Tilt};
use super::{Settings, atoms_in};
use crate::experiment::Context;
use crate::outcome::Figure;
use crate::plot::{Axis, Chart, Raster, Series, bar_chart, histogram_with_density};

/// Half the sides of the pictures of the plane.
const SIDES: (f64, f64) = (3.68, 2.4);
/// Paths in each, one colour each.
const PATHS: usize = 6;
/// Cells of the shades along the sides.
const CELLS: (usize, usize) = (230, 150);
/// h is shown up to its value at this distance from an atom.
const CLIP: f64 = 0.12;

/// Paths in the plane under every representing measure.
pub(super) fn plane(settings: &Settings, context: &Context) -> Result<Vec<Figure>> {
    let process = KilledBrownianMotion::new(2, 1.0, settings.rate)?;
    let x = [-0.6, -0.3];
    let kappa = atoms_in(2, context.seed)?;
    let z = EmpiricalMeasure::new(DMatrix::from_column_slice(2, 1, &[1.6, 1.0]))?;
    let point = Atoms::point(process.clone(), z.point(0), &x)?;
    let fixed = Atoms::from_start(process.clone(), &x, &kappa)?;
    let weighted = Atoms::weighted(process.clone(), kappa.clone())?;
    let sphere = Sphere::new(&process, settings.radius)?;
    let clock = ExponentialClock::new(process.clone());
    let mut figures = Vec::new();
    for (stem, caption, transform, support) in [
        ("clock", "κ = r m, h = 1: the exponential clock alone", &clock as &dyn HTransform, Support::None),
        ("point", "κ a point: every path dies there", &point, Support::Atoms(&z)),
        (
            "from-start",
            "κ = β/g(x₀, ·), five atoms of weights .1, .15, .2, .25, .3: from the start the paths die with law β",
            &fixed,
            Support::Atoms(&kappa),
        ),
        (
            "atoms",
            "κ the same five atoms without the division by g(x₀, ·): near atoms are taken more often",
            &weighted,
            Support::Atoms(&kappa),
        ),
        (
            "sphere",
            "κ the length of a circle: death at the last exit from it",
            &sphere,
            Support::Circle(settings.radius),
        ),
    ] {
        figures.push(Figure::new(
            format!("paths-{stem}"),
            format!(
                "{caption}. Killed Brownian motion in the plane, r = {}, six paths from one start; shades: h.",
                settings.rate
            ),
            paths(&process, transform, &x, &support, context.seed)?,
        ));
    }
    Ok(figures)
}

enum Support<'a> {
    None,
    Atoms(&'a EmpiricalMeasure),
    Circle(f64),
}

/// Given its place of death and its lifetime the path is a Brownian bridge, whatever h.
fn paths(
    process: &KilledBrownianMotion,
    transform: &dyn HTransform,
    x: &[f64; 2],
    support: &Support<'_>,
    seed: u64,
) -> Result<String> {
    let starts = DMatrix::from_fn(2, PATHS, |k, _| x[k]);
    let (places, lifetimes) = deaths(transform, &starts, seed)?;
    let axis = |name: &str, side: f64| Axis::linear(name).range(-side, side);
    let mut chart = Chart::new(axis("x", SIDES.0), axis("y", SIDES.1)).equal_units();
    if !matches!(support, Support::None) {
        let cap = match support {
            Support::Atoms(atoms) => (0..atoms.len())
                .map(|i| transform.log_value(&[atoms.point(i)[0] + CLIP, atoms.point(i)[1]]))
                .fold(f64::NEG_INFINITY, f64::max),
            _ => f64::INFINITY,
        };
        let value = |a: f64, b: f64| transform.log_value(&[a, b]).min(cap).exp();
        chart = chart.raster(Raster::new((-SIDES.0, SIDES.0), (-SIDES.1, SIDES.1), CELLS, value));
    }
    for (i, &lifetime) in lifetimes.iter().enumerate() {
        let end = EmpiricalMeasure::new(places.columns(i, 1).into_owned())?;
        let times: Vec<f64> = (0..=600).map(|k| lifetime * f64::from(k) / 600.0).collect();
        let mut rng = stream(seed, Purpose::Experiment, i as u64);
        let path = Oracle::new(process.clone(), end)?.path(x, 0, lifetime, &times, &mut rng)?;
        let points = (0..times.len()).map(|k| (path.point(k)[0], path.point(k)[1])).collect();
        chart = chart.series(Series::line("", points).colour(i));
    }
    let dead = places.column_iter().map(|y| (y[0], y[1])).collect();
    chart = chart.series(Series::dots("death", dead).exact());
    chart = chart.series(Series::marked("start", vec![(x[0], x[1])]).exact());
    if let &Support::Circle(radius) = support {
        let angles = (0..=240).map(|k| TAU * f64::from(k) / 240.0);
        let circle = angles.map(|angle| (radius * angle.cos(), radius * angle.sin())).collect();
        chart = chart.series(Series::dashed("sphere", circle).exact());
    }
    chart.svg()
}

/// Shares of the atoms, lifetimes, last exits, and the exit law as the sphere grows.
pub(super) fn laws(
    compared: &[Compared],
    exits: &[LastExits],
    growing: (&Exit, &[Tilt]),
    settings: &Settings,
) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    if let Some(shown) = compared.iter().find(|c| c.law.len() > 1) {
        let n = shown.particles as f64;
        let names: Vec<String> = (1..=shown.law.len()).map(|i| format!("atom {i}")).collect();
        let share = |counts: &[u64]| counts.iter().map(|&count| count as f64 / n).collect::<Vec<f64>>();
        figures.push(Figure::new(
            "places",
            format!(
                "Where {} die under {}: {} paths of the drift b + Σ ∇ log h by Euler-Maruyama, as many exact draws, and R7.",
                "the paths", shown.name, shown.particles
            ),
            bar_chart(
                "",
                Axis::linear("share"),
                &names,
                &[
                    ("simulated".into(), share(&shown.simulated)),
                    ("exact draws".into(), share(&shown.drawn)),
                    ("g κ/h".into(), shown.law.clone()),
                ],
                &[],
            )?,
        ));
    }
    if let Some(shown) = compared.first() {
        let distribution = |sample: &[f64]| -> Vec<(f64, f64)> {
            let mut sorted = sample.to_vec();
            sorted.sort_by(f64::total_cmp);
            (1..200).map(|k| (sorted[k * sorted.len() / 200], k as f64 / 200.0)).collect()
        };
        figures.push(Figure::new(
            "lifetimes",
            format!("Lifetimes of {} paths under {}, {}.", shown.particles, shown.name, shown.process),
            Chart::new(Axis::log("lifetime"), Axis::linear("distribution function"))
                .series(Series::line("exact draws", distribution(&shown.drawn_lifetimes)).exact())
                .series(Series::dashed("simulated", distribution(&shown.simulated_lifetimes)).colour(1))
                .svg()?,
        ));
    }
    for exit in exits.iter().filter(|exit| exit.dim == 3) {
        let process = KilledBrownianMotion::new(3, 1.0, settings.rate)?;
        // In dimension 3 cos θ is uniform under the surface measure, so the law relative to it has density f/2.
        let law = Exit { process, s: exit.start }.relative_density(Some(settings.radius), 2_000);
        let density = |c: f64| {
            let place = c.acos() / std::f64::consts::PI * 2_000.0;
            0.5 * law[(place.round() as usize).min(2_000)].1
        };
        figures.push(Figure::new(
            format!("last-exit-{}", if exit.start < settings.radius { "inside" } else { "outside" }),
            format!(
                "Last exit from the sphere of radius {} in R³, from distance {} of the centre, r = {}: {} simulated paths that \
                 met it, and G(x, ·).",
                settings.radius, exit.start, settings.rate, exit.particles
            ),
            histogram_with_density(
                "cos of the angle between start and place of death",
                ("simulated", &exit.simulated_cosines),
                ("exact", density),
                (-1.0, 1.0),
                50,
            )?,
        ));
    }
    let (exit, tilts) = growing;
    let mut chart = Chart::new(
        Axis::linear("angle between start and place of death"),
        Axis::linear("density relative to uniform"),
    );
    for tilt in tilts.iter().filter(|tilt| tilt.radius <= 50.0 * exit.s) {
        let name = format!("R = {}|x|", tilt.radius / exit.s);
        chart = chart.series(Series::line(name, exit.relative_density(Some(tilt.radius), 200)));
    }
    let caption = format!("d = {}, r = {}, |x| = {}", exit.process.dim(), exit.process.rate(), exit.s);
    figures.push(Figure::new(
        "tilt",
        format!("Last exit from spheres that grow, {caption}: the limit is von Mises-Fisher, not uniform."),
        chart
            .series(Series::dashed("von Mises-Fisher, a|x|", exit.relative_density(None, 200)).exact())
            .reference(1.0, "uniform")
            .svg()?,
    ));
    let line = |value: fn(&Tilt) -> f64| tilts.iter().map(|t| (t.radius, value(t))).collect::<Vec<_>>();
    figures.push(Figure::new(
        "tilt-distance",
        format!("Total variation of the exit law from both against the radius of the sphere, {caption}."),
        Chart::new(Axis::log("radius R"), Axis::log("total variation"))
            .series(Series::marked("from von Mises-Fisher", line(|t| t.from_fisher)))
            .series(Series::marked("from uniform", line(|t| t.from_uniform)))
            .svg()?,
    ));
    Ok(figures)
}
