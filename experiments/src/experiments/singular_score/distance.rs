//! How far samples lie from the curve, with and without the denoising step at the end.

use anyhow::Result;
use resolvent::core::horizon::{Multistep, dpm_solver_pp_2m};
use resolvent::core::schedule::{Edm, diffuse, prior};
use resolvent::core::{Denoiser, GaussianMixture, HorizonSampler, Schedule};
use resolvent::data::{Law, Support};
use resolvent::metrics::{Estimate, KsResult, ks_critical, ks_one_sample, ks_two_sample, mean};

use super::rice::denoised_distance;
use super::{RADIUS, SIGNIFICANCE, Settings, circle, critical, denoiser, karras_to};
use crate::experiment::Context;
use crate::outcome::{Check, Figure, Outcome, Table, cells};
use crate::plot::{Axis, Chart, Series};

/// From here on down the law of the distance is compared with χ: the curvature moves the radius by σ/2 deviations.
const FLAT: f64 = 0.01;
/// From here on down the leading order of the bias of the denoising step is compared with the exact one.
const LEADING: f64 = 0.1;

struct Row {
    dim: usize,
    end: f64,
    /// Distance to the circle without denoising.
    noisy: Estimate,
    /// Against χ with d - 1 degrees of freedom, and against draws from p_σ.
    chi: KsResult,
    drawn: KsResult,
    /// Distance after the denoising step.
    denoised: Estimate,
}

pub(super) fn run(settings: &Settings, context: &Context, outcome: &mut Outcome) -> Result<()> {
    let mut rows = Vec::new();
    for &dim in &settings.dims {
        for &end in &settings.ends {
            context.proceed()?;
            rows.push(row(dim, end, settings, context)?);
        }
    }
    checks(&rows, settings, outcome)?;
    outcome.tables.push(table(&rows, settings));
    outcome.figures.push(figure(&rows, settings)?);
    Ok(())
}

fn row(dim: usize, end: f64, settings: &Settings, context: &Context) -> Result<Row> {
    let (edm, law, denoiser) = (Edm::default(), circle(dim)?, denoiser(dim)?);
    let grid = karras_to(&edm, settings.levels, edm.horizon(), end)?;
    let scheme = dpm_solver_pp_2m(&grid, Multistep::default())?;
    let starts = prior(&edm, dim, settings.samples, context.seed);
    let points = HorizonSampler::new(&scheme.with(&denoiser)).run(&starts, context.seed)?.points;
    let distances = |points: &nalgebra::DMatrix<f64>| -> Vec<f64> {
        points.column_iter().map(|x| law.distance(x.as_slice())).collect()
    };
    let level = edm.level(end);
    let noisy = distances(&points);
    let drawn = diffuse(&level, &law.sample(settings.samples, !context.seed), !context.seed);
    let mut denoised = points.clone();
    denoiser.denoise(&level, points.as_slice(), denoised.as_mut_slice());
    let scaled: Vec<f64> = noisy.iter().map(|distance| distance / end).collect();
    Ok(Row {
        dim,
        end,
        chi: ks_one_sample(&scaled, chi_cdf(dim - 1)?)?,
        drawn: ks_two_sample(&noisy, &distances(&drawn))?,
        noisy: mean(&noisy)?,
        denoised: mean(&distances(&denoised))?,
    })
}

/// The distribution function of the length of a standard normal point in R^`degrees`, `degrees` odd: by partial integration
/// F_k(x) = F_{k-2}(x) - (x²/2)^{k/2-1} e^{-x²/2}/Γ(k/2), from F_1 = 2Φ - 1.
fn chi_cdf(degrees: usize) -> Result<impl Fn(f64) -> f64 + Sync> {
    let normal = GaussianMixture::one_dimensional(&[1.0], &[0.0], &[1.0])?;
    let level = resolvent::core::schedule::Level::CLEAN;
    Ok(move |x: f64| {
        let half = 0.5 * x * x;
        let mut value = 2.0 * normal.cdf(&level, x) - 1.0;
        // Γ(3/2) = √π/2.
        let mut term = 2.0 * (half / std::f64::consts::PI).sqrt() * (-half).exp();
        for k in (3..=degrees).step_by(2) {
            value -= term;
            term *= half / (0.5 * k as f64);
        }
        value.clamp(0.0, 1.0)
    })
}

fn checks(rows: &[Row], settings: &Settings, outcome: &mut Outcome) -> Result<()> {
    let count = rows.len();
    let least = rows.iter().map(|row| row.drawn.p_value).fold(1.0, f64::min);
    outcome.checks.push(Check::at_least(
        format!("distance of samples to the circle against draws from p_σ, least of {count} p-values"),
        least,
        SIGNIFICANCE / count as f64,
        "probability flow from the prior; 1e-3 over all",
    ));
    let flat: Vec<&Row> = rows.iter().filter(|row| row.end <= FLAT).collect();
    let largest = flat.iter().map(|row| row.chi.statistic - row.end).fold(f64::NEG_INFINITY, f64::max);
    outcome.checks.push(Check::at_most(
        format!("KS of distance/σ_min against χ less σ_min, σ_min ≤ {FLAT}, largest of {}", flat.len()),
        largest,
        ks_critical(settings.samples, SIGNIFICANCE / flat.len().max(1) as f64)?,
        "σ_min χ with d - 1 degrees of freedom; σ_min for the curvature; 1e-3 over all",
    ));
    let deviations = rows
        .iter()
        .map(|row| (row.denoised.value - denoised_distance(row.end)).abs() / row.denoised.standard_error);
    outcome.checks.push(Check::at_most(
        format!("distance after denoising against quadrature, largest of {count} in standard errors"),
        deviations.fold(0.0, f64::max),
        critical(count)?,
        "E[R - R A(κ)] over Rice's law; 1e-3 over all",
    ));
    let relative = settings.ends.iter().filter(|end| **end <= LEADING).map(|end| {
        let leading = end * end / (2.0 * RADIUS);
        (denoised_distance(*end) / leading - 1.0).abs() / (end * end)
    });
    outcome.checks.push(Check::at_most(
        format!("bias of denoising against σ²/(2R), relative, in units of σ², σ_min ≤ {LEADING}"),
        relative.fold(0.0, f64::max),
        1.0,
        "A(κ) = 1 - 1/(2κ) - 1/(8κ²) and E[R/r] = 1 + σ²/2: 3/4 to this order",
    ));
    Ok(())
}

fn table(rows: &[Row], settings: &Settings) -> Table {
    let mut table = Table::new(
        "Distance to the circle",
        format!(
            "{} samples by DPM-Solver++ 2M on a Karras grid of {} levels from 80 to σ_min: distance to the circle where the grid ends, \
             its Kolmogorov-Smirnov distances to σ_min χ with d − 1 degrees of freedom and to draws from p_σ, and the distance after \
             the denoising step, against E[R − R A(κ)].",
            settings.samples, settings.levels
        ),
        &[
            "d",
            "σ_min / R",
            "distance",
            "error",
            "KS to χ",
            "KS to draws",
            "p-value",
            "after denoising",
            "error",
            "quadrature",
        ],
    );
    for row in rows {
        table.push(cells![
            row.dim,
            row.end,
            row.noisy.value,
            row.noisy.standard_error,
            row.chi.statistic,
            row.drawn.statistic,
            row.drawn.p_value,
            row.denoised.value,
            row.denoised.standard_error,
            denoised_distance(row.end)
        ]);
    }
    table
}

fn figure(rows: &[Row], settings: &Settings) -> Result<Figure> {
    let mut chart = Chart::new(
        Axis::log("last noise level σ_min in units of the radius"),
        Axis::log("mean distance to the circle"),
    );
    let mut ends = settings.ends.clone();
    ends.sort_by(f64::total_cmp);
    let exact = ends.iter().map(|end| (*end, denoised_distance(*end))).collect();
    chart = chart.series(Series::line("denoised, exactly: about σ²/(2R)", exact).exact());
    for &dim in &settings.dims {
        let of = |value: fn(&Row) -> f64| -> Vec<(f64, f64)> {
            rows.iter().filter(|row| row.dim == dim).map(|row| (row.end, value(row))).collect()
        };
        chart = chart
            .series(Series::marked(format!("R^{dim}, as it ends"), of(|row| row.noisy.value)))
            .series(Series::dots(format!("R^{dim}, denoised"), of(|row| row.denoised.value)));
    }
    let caption = format!(
        "Mean distance of {} samples to the circle. Where sampling ends at σ_min without a denoising step it is that of the noise, \
         proportional to σ_min; the step leaves the curvature's part, second order in σ_min and the same in every dimension.",
        settings.samples
    );
    Ok(Figure::new("distance", caption, chart.svg()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Medians of χ from tables of χ²: 0.4549 (1), 2.3660 (3), 18.3377 (19 degrees).
    #[test]
    fn chi_is_that_of_the_tables() {
        for (degrees, median) in [(1, 0.454_936), (3, 2.365_974), (19, 18.337_653)] {
            let value = chi_cdf(degrees).unwrap()(f64::sqrt(median));
            assert!((value - 0.5).abs() < 1e-6, "{degrees}: {value}");
        }
    }
}
