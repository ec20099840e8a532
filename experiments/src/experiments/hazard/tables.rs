//! The numbers.

use anyhow::Result;
use resolvent::metrics::{expected_ks, ks_critical, mean};

use super::plane::DIRECTIONS;
use super::runs::Deaths;
use super::{Report, Settings};
use crate::outcome::{Table, cells};

pub(super) fn tables(report: &Report, settings: &Settings) -> Result<Vec<Table>> {
    Ok(vec![rules(report, settings)?, learned(report, settings), plane(report, settings)?])
}

fn rules(report: &Report, settings: &Settings) -> Result<Table> {
    let n = settings.particles;
    let entrance = &report.entrance_law;
    let mut table = Table::new(
        "Rules on the line",
        format!(
            "{n} particles each, r = {}, σ = {}. Kolmogorov-Smirnov distance of the end law from the data law, and of the lifetime from \
             Exp(r) (from the point: from its own law). A right sampler has {:.5} on average and exceeds {:.5} once in a thousand runs. \
             By quadrature the first entrance into the middle 95 % of a component has the distance {:.5}, and a share of {:.5} dies at \
             its start.",
            settings.rate,
            settings.sigma,
            expected_ks(n)?,
            ks_critical(n, 1e-3)?,
            entrance.distance(&report.line),
            entrance.at_once(&report.line),
        ),
        &[
            "rule",
            "step",
            "KS end law",
            "p",
            "KS lifetime",
            "p",
            "mean lifetime × r",
            "standard error",
            "dead at the start",
            "evaluations",
            "unfinished",
        ],
    );
    let Report { exact, coarser, learned_deaths, entrance, near_data, clock, pointed, .. } = report;
    let first = std::iter::once(exact).chain(coarser).chain(learned_deaths);
    for deaths in first.chain([entrance, near_data, clock, pointed]) {
        let Deaths { rule, dt, place, lifetime, lifetimes, evaluations, unfinished, .. } = deaths;
        let life = mean(&lifetimes.iter().map(|t| t * settings.rate).collect::<Vec<_>>())?;
        let at_once = lifetimes.iter().filter(|t| **t == 0.0).count() as f64 / n as f64;
        table.push(cells![
            rule.as_str(),
            *dt,
            place.statistic,
            place.p_value,
            lifetime.statistic,
            lifetime.p_value,
            life.value,
            life.standard_error,
            at_once,
            *evaluations,
            *unfinished
        ]);
    }
    Ok(table)
}

fn learned(report: &Report, settings: &Settings) -> Table {
    let mut table = Table::new(
        "Learned rates",
        format!(
            "Logistic regression between {} data and as many killed samples; the ridge is chosen by cross-validation in five parts. \
             The loss is the mean on the parts held out (guessing loses log 2 = 0.6931); the candidate with the smallest is the one \
             that is checked. Error: root mean square of log(learned rate / exact rate) over data; total variation: between α and r u times the estimate of \
             α/(ru), which is the mean of |error of the rate|/(2r) over killed samples.",
            settings.samples
        ),
        &[
            "features",
            "number",
            "ridge",
            "held-out loss",
            "Newton steps",
            "gradient",
            "largest log α/(ru)",
            "error over data",
            "total variation",
            "KS end law",
            "KS lifetime",
            "checked",
        ],
    );
    for (k, (fit, deaths)) in report.learned.iter().zip(&report.learned_deaths).enumerate() {
        table.push(cells![
            fit.name.as_str(),
            fit.features,
            fit.ridge,
            fit.loss,
            fit.convergence.iterations,
            fit.convergence.gradient,
            fit.ceiling,
            fit.log_error,
            fit.variation,
            deaths.place.statistic,
            deaths.lifetime.statistic,
            if k == report.best { "yes" } else { "" }
        ]);
    }
    table
}

fn plane(report: &Report, settings: &Settings) -> Result<Table> {
    let n = settings.plane_particles;
    let plane = &report.plane;
    let mut table = Table::new(
        "In the plane",
        format!(
            "Two correlated Gaussians, {n} particles, r = {}, σ = {}, steps of {}: end points projected on lines through the origin at \
             multiples of 180°/{DIRECTIONS}, and the lifetime against Exp(r). A right sampler has {:.5} on average and exceeds {:.5} once \
             in a thousand runs. {:.1} evaluations per particle.",
            settings.plane_rate,
            settings.sigma,
            settings.plane_dt,
            expected_ks(n)?,
            ks_critical(n, 1e-3)?,
            plane.evaluations
        ),
        &["what", "KS", "p"],
    );
    for (i, ks) in plane.projections.iter().enumerate() {
        let angle = 180.0 * i as f64 / DIRECTIONS as f64;
        table.push(cells![format!("end law at {angle}°"), ks.statistic, ks.p_value]);
    }
    table.push(cells!["lifetime", plane.lifetime.statistic, plane.lifetime.p_value]);
    Ok(table)
}
