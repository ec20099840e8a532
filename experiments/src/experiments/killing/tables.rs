//! The numbers.

use anyhow::Result;

use super::Report;
use super::calibration::Scatter;
use crate::outcome::{Table, cells};

pub(super) fn tables(reports: &[Report], scatter: &Scatter) -> Result<Vec<Table>> {
    let mut tables = vec![supports(reports)?];
    for report in reports {
        tables.push(rules(report)?);
    }
    tables.push(l2(scatter));
    Ok(tables)
}

fn supports(reports: &[Report]) -> Result<Table> {
    let mut table = Table::new(
        "Supports",
        "and what is known of them without a sampler. The sup rule's mark is the distance at which the score reaches the \
         calibrated threshold (5, 50 and 95 % over the support); the quadrature error is the largest relative change of the \
         score at δ with four times the points; the remainder is the mean lifetime left at δ in units of 1/r, exactly (R4b) and \
         by R11 for a flat support of that codimension.",
        &[
            "support",
            "codimension",
            "points",
            "rate r",
            "δ",
            "spacing / δ",
            "quadrature error",
            "mean start / δ",
            "sup mark 5 % / δ",
            "median / δ",
            "95 % / δ",
            "remainder",
            "flat",
        ],
    );
    for Report { target, quadrature_error, sup_level: [low, median, high], mean_start, remainder, .. } in
        reports
    {
        table.push(cells![
            target.name,
            target.support.codimension(),
            target.law.points().ncols(),
            target.process.rate(),
            target.delta,
            target.spacing,
            *quadrature_error,
            mean_start / target.delta,
            *low,
            *median,
            *high,
            *remainder,
            target.flat_remainder()?,
        ]);
    }
    Ok(table)
}

fn rules(report: &Report) -> Result<Table> {
    let target = &report.target;
    let caption = format!(
        "by killing rule. End law: {} against the data law, and its mean for an exact sampler. Distances to the support in \
         units of δ = {}. Premature: further than 2δ. Lifetimes in units of 1/r, against Exp(1). Bias: \
         lifetime and mean remainder at death less the mean lifetime from the start (R4b), 0 but for the error of the step.",
        target.end_law.measure(),
        target.delta
    );
    let mut table = Table::new(
        target.name,
        caption,
        &[
            "rule",
            "particles",
            "end law",
            "floor",
            "median distance",
            "95 %",
            "max",
            "premature",
            "never killed",
            "diverged",
            "evaluations",
            "95 %",
            "mean lifetime",
            "bias",
            "error",
            "KS of lifetimes",
        ],
    );
    for deaths in &report.deaths {
        table.push(cells![
            deaths.rule.name(),
            deaths.n,
            deaths.end.value,
            deaths.end.floor,
            deaths.distance(0.5)?,
            deaths.distance(0.95)?,
            deaths.distance(1.0)?,
            deaths.share(deaths.premature),
            deaths.share(deaths.capped),
            deaths.share(deaths.diverged),
            deaths.evaluations.value,
            deaths.most_evaluations,
            deaths.lifetime.value,
            deaths.bias.value,
            deaths.bias.standard_error,
            deaths.lifetime_ks,
        ]);
    }
    Ok(table)
}

fn l2(scatter: &Scatter) -> Table {
    let mut table = Table::new(
        "Scatter of the L² rule",
        "from one distance ρ₀ of an atom in R³², r → 0: log(ρ₀/ρ) at death against R14.",
        &["quantity", "R14", "measured"],
    );
    table.push(cells!["mean", scatter.log_ratio, scatter.mean]);
    table.push(cells!["standard deviation", scatter.expected, scatter.deviation]);
    table
}
