//! The energy of the score: σ² E|s|² tends to the codimension.

use anyhow::Result;
use nalgebra::DMatrix;
use resolvent::core::schedule::{Edm, Level, diffuse};
use resolvent::core::{Denoiser, EmpiricalMeasure, Schedule};
use resolvent::data::{Atoms, Law};
use resolvent::metrics::{Estimate, mean};

use super::rice::apparent_dimension;
use super::{Settings, circle, critical, denoiser, equidistant};
use crate::experiment::Context;
use crate::outcome::{Check, Figure, Outcome, Table, cells};
use crate::plot::{Axis, Chart, Series};

/// At one gap the sum over the data is the integral along the curve but for factors e^{-2π² σ²/gap²} = 3e-9 (Poisson
/// summation); at a twentieth of one another datum is the nearest with probability P(|Z| > 10) = 2e-23.
const BLIND: f64 = 1.0;
const SHARP: f64 = 0.05;
/// The square of that factor times what the derivative and large |x| bring with them.
const SUMMATION: f64 = 1e-12;
/// What rounding leaves at a twentieth of a gap.
const ROUNDING: f64 = 1e-6;

/// One noise level.
struct Row {
    sigma: f64,
    /// The circle, data at equal distances, data drawn from it.
    laws: [Energy; 3],
}

struct Energy {
    /// σ² E|s|².
    whole: Estimate,
    /// d - σ² E|s|² = E[|ε|² - σ²|s|²]: the part of the noise along the curve, free of the scatter of the rest.
    along: Estimate,
}

/// The three laws of one dimension.
struct Energies {
    dim: usize,
    rows: Vec<Row>,
    /// σ² E|s - s_n|² at one gap.
    difference: f64,
    /// d - σ² E|s_n|² at a twentieth of a gap.
    sharp: f64,
}

pub(super) fn run(settings: &Settings, context: &Context, outcome: &mut Outcome) -> Result<()> {
    let all =
        settings.dims.iter().map(|&dim| energies(dim, settings, context)).collect::<Result<Vec<_>>>()?;
    checks(&all, settings, outcome)?;
    for energies in &all {
        outcome.tables.push(table(energies, settings));
    }
    // Every dimension beyond the plane adds as much to d as to the energy.
    if let Some(energies) = all.first() {
        outcome.figures.push(figure(energies, settings)?);
    }
    Ok(())
}

fn level(sigma: f64) -> Level {
    Edm::default().level(sigma)
}

/// The energy over `data` (d x n) carried to `level`.
fn energy(denoiser: &dyn Denoiser, data: &DMatrix<f64>, level: &Level, seed: u64) -> Result<Energy> {
    let points = diffuse(level, data, seed);
    let scores = scores(denoiser, &points, level);
    let noise = (points - data) / level.sigma;
    let whole: Vec<f64> =
        scores.column_iter().map(|score| level.sigma.powi(2) * score.norm_squared()).collect();
    let along: Vec<f64> =
        noise.column_iter().zip(&whole).map(|(noise, whole)| noise.norm_squared() - whole).collect();
    Ok(Energy { whole: mean(&whole)?, along: mean(&along)? })
}

fn scores(denoiser: &dyn Denoiser, points: &DMatrix<f64>, level: &Level) -> DMatrix<f64> {
    let mut scores = DMatrix::zeros(points.nrows(), points.ncols());
    denoiser.scores(level, points.as_slice(), scores.as_mut_slice());
    scores
}

fn energies(dim: usize, settings: &Settings, context: &Context) -> Result<Energies> {
    // Other draws in every dimension.
    let seed = context.seed.wrapping_mul(1_000_003).wrapping_add(dim as u64);
    let (law, exact) = (circle(dim)?, denoiser(dim)?);
    let (ordered, drawn) = (equidistant(dim, settings.data), law.sample(settings.data, !seed));
    let laws: [(Box<dyn Law>, Box<dyn Denoiser>); 3] = [
        (Box::new(law), Box::new(exact.clone())),
        (Box::new(Atoms::uniform(ordered.clone())?), Box::new(EmpiricalMeasure::new(ordered.clone())?)),
        (Box::new(Atoms::uniform(drawn.clone())?), Box::new(EmpiricalMeasure::new(drawn)?)),
    ];
    let draw = |law: &dyn Law| law.sample(settings.draws, seed);
    let mut rows = Vec::new();
    for k in 0..=settings.thirds {
        context.proceed()?;
        let level = level(10f64.powf(-(k as f64) / 3.0));
        let of = |k: usize| {
            let (law, denoiser) = &laws[k];
            energy(denoiser.as_ref(), &draw(law.as_ref()), &level, seed)
        };
        rows.push(Row { sigma: level.sigma, laws: [of(0)?, of(1)?, of(2)?] });
    }
    let gap = (ordered.column(1) - ordered.column(0)).norm();
    let (law, empirical) = &laws[1];
    let blind = level(BLIND * gap);
    let points = diffuse(&blind, &draw(law.as_ref()), seed);
    let difference = scores(empirical.as_ref(), &points, &blind) - scores(&exact, &points, &blind);
    let sharp = level(SHARP * gap);
    Ok(Energies {
        dim,
        rows,
        difference: blind.sigma.powi(2) * difference.norm_squared() / settings.draws as f64,
        sharp: energy(empirical.as_ref(), &draw(law.as_ref()), &sharp, seed)?.along.value,
    })
}

fn checks(all: &[Energies], settings: &Settings, outcome: &mut Outcome) -> Result<()> {
    let deviation =
        |estimate: &Estimate, truth: f64| (estimate.value - truth).abs() / estimate.standard_error;
    let comparisons = all.len() * (settings.thirds + 1);
    let largest = all
        .iter()
        .flat_map(|energies| &energies.rows)
        .map(|row| deviation(&row.laws[0].along, apparent_dimension(row.sigma)))
        .fold(0.0, f64::max);
    outcome.checks.push(Check::at_most(
        format!("σ² E|s|² against quadrature, largest of {comparisons} deviations in standard errors"),
        largest,
        critical(comparisons)?,
        "E|x - D|² over Rice's law; 1e-3 over all",
    ));
    for energies in all {
        let Row { sigma, laws: [circle, ..] } = energies.rows.last().expect("there are levels");
        let (dim, codimension) = (energies.dim, energies.dim - 1);
        outcome.checks.push(Check::at_most(
            format!("R^{dim}: |σ² E|s|² - {codimension}| at σ = {sigma:.0e}"),
            (circle.whole.value - codimension as f64).abs(),
            critical(all.len())? * circle.whole.standard_error + sigma * sigma,
            "codimension + O(σ²); Monte Carlo at 1e-3",
        ));
        outcome.checks.push(Check::at_most(
            format!("R^{dim}: σ² E|s_n - s|² of {} data at equal gaps, σ = gap", settings.data),
            energies.difference,
            SUMMATION,
            "Poisson summation: the score of the data is that of the curve",
        ));
        outcome.checks.push(Check::at_most(
            format!("R^{dim}: |σ² E|s_n|² - {dim}| of the same, σ = gap/20"),
            energies.sharp.abs(),
            ROUNDING,
            "atoms have codimension d: the nearest datum is the only one",
        ));
    }
    Ok(())
}

fn table(energies: &Energies, settings: &Settings) -> Table {
    let mut table = Table::new(
        format!("Energy of the score in R^{}", energies.dim),
        format!(
            "σ² E|s|² over {} draws from the law at σ, and then d − σ² E|s|², the dimension of the data as the score sees it: for the \
             circle, by quadrature and by Monte Carlo (as E[|ε|² − σ²|s|²]), and for {} data on it.",
            settings.draws, settings.data
        ),
        &[
            "σ / R",
            "σ² E|s|², circle",
            "error",
            "quadrature",
            "circle",
            "error",
            "data at equal gaps",
            "error",
            "data drawn",
            "error",
        ],
    );
    for Row { sigma, laws: [circle, ordered, drawn] } in &energies.rows {
        table.push(cells![
            *sigma,
            circle.whole.value,
            circle.whole.standard_error,
            apparent_dimension(*sigma),
            circle.along.value,
            circle.along.standard_error,
            ordered.along.value,
            ordered.along.standard_error,
            drawn.along.value,
            drawn.along.standard_error
        ]);
    }
    table
}

fn figure(energies: &Energies, settings: &Settings) -> Result<Figure> {
    let (dim, data) = (energies.dim, settings.data);
    let gap = 2.0 * std::f64::consts::PI / data as f64;
    let curve = (0..=120)
        .map(|k| 10f64.powf(-(settings.thirds as f64) / 3.0 * f64::from(k) / 120.0))
        .map(|sigma| (sigma, apparent_dimension(sigma)))
        .collect();
    let measured = |index: usize| -> Vec<(f64, f64)> {
        energies.rows.iter().map(|row| (row.sigma, row.laws[index].along.value)).collect()
    };
    let errors =
        |index: usize| energies.rows.iter().map(|row| row.laws[index].along.standard_error).collect();
    let mut chart =
        Chart::new(Axis::log("noise level σ in units of the radius"), Axis::linear("d − σ² E|s|²"))
            .series(Series::line("circle, exactly", curve).exact());
    for (index, name) in
        ["circle".to_owned(), format!("{data} data at equal gaps"), format!("{data} data drawn")]
            .into_iter()
            .enumerate()
    {
        let points = measured(index);
        let series = if index == 0 { Series::dots(name, points) } else { Series::marked(name, points) };
        chart = chart.series(series.errors(errors(index)).colour([0, 1, 2][index]));
    }
    let caption = format!(
        "Circle in R^{dim}: dimension of the data as the exact score at noise level σ sees it, d less σ² times the mean square of the \
         score over {} draws from the law at σ, with standard errors. 1 is a curve, 0 are points: the score of {data} data sees a curve \
         above the gap {gap:.3} between them, and the data themselves below. Any other dimension gives the same.",
        settings.draws
    );
    Ok(Figure::new("energy", caption, chart.svg()?))
}
