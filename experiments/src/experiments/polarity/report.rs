//! Checks, tables and figures.

use anyhow::Result;
use resolvent::metrics;

use super::super::reverse_time::critical_z;
use super::{Settings, atom, ends};
use crate::outcome::{Check, Figure, Outcome, Table, cells};
use crate::plot::{Axis, Chart, Series};

/// Significance of the largest of several comparisons.
const SIGNIFICANCE: f64 = 1e-3;
/// Euler's constant.
const EULER_GAMMA: f64 = 0.577_215_664_901_532_9;

pub(super) fn outcome(atoms: &[atom::Row], ends: &[ends::Row], settings: &Settings) -> Result<Outcome> {
    let mut checks = lifetime_checks(atoms, settings)?;
    checks.extend(end_checks(ends, settings)?);
    let caption = |what: &str| {
        format!(
            "{what} against the distance δ at which the rule kills, {} particles from ρ₀ = {} (dots) and the exact values (lines), r = {}.",
            settings.particles,
            atom::START,
            settings.rate
        )
    };
    Ok(Outcome {
        checks,
        tables: vec![lifetimes(atoms, settings), end_table(ends, settings)],
        figures: vec![
            Figure::new(
                "deficit",
                caption("Mean lifetime that is left when the distance rule kills, one atom in R^c,")
                    + " It vanishes like δ^{min(c-2, 2)} from c = 3 on, like 1/log(1/δ) for c = 2, and stays at 1/(2r) for c = 1.",
                deficit(atoms, settings)?,
            ),
            Figure::new(
                "lifetime",
                caption(
                    "Kolmogorov-Smirnov distance of the rule's time to the law of the lifetime (R11), one atom in R^c,",
                ),
                distance(atoms, settings)?,
            ),
            Figure::new(
                "ends",
                format!(
                    "Probability of being killed at the first of two atoms less its share in R10, against δ: {} particles (dots, two standard \
                     errors) and theory (lines; c = 1 exact, above to leading order). Atoms at -1 and 1 with the shares {} and {}, start at {}, r = {}.",
                    settings.particles,
                    ends::SHARES[0],
                    ends::SHARES[1],
                    ends::START,
                    settings.rate
                ),
                end_figure(ends, settings)?,
            ),
        ],
        notes: NOTES.map(String::from).to_vec(),
    })
}

const NOTES: [&str; 3] = [
    "The time T at which the backward process of one atom comes within δ has the Laplace transform \
     [G_{r+q}(ρ₀)/G_{r+q}(δ)] / [G_r(ρ₀)/G_r(δ)]. So a distance rule lacks m(δ) in the mean, whatever the start, \
     with m the mean lifetime (R11).",
    "Codimension 2 is polar, and still a distance rule is never near the truth: m(δ) is 1/(2r log(1/δ)) to leading order, and one halving of the \
     error takes the square of δ.",
    "Between two atoms the rule also kills at the wrong one. On the line hitting prefers the nearer one; in the plane the preference dies \
     out like 1/log(1/δ), above like δ^{c-2}.",
];

fn lifetime_checks(rows: &[atom::Row], settings: &Settings) -> Result<Vec<Check>> {
    let (n, count) = (settings.particles, rows.len());
    let z = critical_z(SIGNIFICANCE, count)?;
    let largest = |value: &dyn Fn(&atom::Row) -> f64| rows.iter().map(value).fold(0.0, f64::max);
    let critical = metrics::ks_critical(n, SIGNIFICANCE / count as f64)?;
    let last: Vec<_> =
        rows.iter().filter(|row| row.delta == settings.deltas[settings.deltas.len() - 1]).collect();
    let mut checks = vec![
        Check::at_most(
            format!(
                "T and the mean lifetime left there against m(ρ₀), largest of {count} in standard errors"
            ),
            largest(&|row| (row.total.value - row.mean_lifetime).abs() / row.total.standard_error),
            z,
            "strong Markov at T, R11; 1e-3 over all",
        ),
        Check::at_most(
            format!("mean deficit of the rule against m(δ), over its allowance, largest of {count}"),
            largest(&|row| {
                (row.left.value - row.exact_left).abs() / (z * row.left.standard_error + row.left_tolerance)
            }),
            1.0,
            "E T = m(ρ₀) - m(δ); allowed: 5 % of δ, by which the rule may miss, and the error at 1e-3 over all",
        ),
        Check::at_most(
            format!("KS of T to its own law over its allowance, largest of {count}"),
            largest(&|row| row.ks_own / (critical + row.ks_tolerance)),
            1.0,
            "Laplace transform as a ratio of kernels; allowed: 5 % of δ and the critical value at 1e-3 over all",
        ),
        Check::at_most(
            "inversion of the Laplace transform against the inverse Gaussian law, c = 1 and 3",
            rows.iter().filter_map(|row| row.inversion).fold(0.0, f64::max),
            1e-3,
            "G_r is e^{-aρ} up to a factor without r there",
        ),
    ];
    for row in &last {
        let (name, delta) = (format!("c = {}, δ = {}", row.codimension, row.delta), row.delta);
        let decay = f64::sqrt(2.0 * settings.rate);
        match row.codimension {
            1 => checks.push(Check::at_least(
                format!("{name}: KS of the rule's time to the lifetime"),
                row.ks_lifetime,
                row.ks_exact - critical,
                "the line: hitting is the wrong rule at any δ; exact distance less the critical value",
            )),
            2 => {
                let leading = 0.5 / (settings.rate * (f64::ln(2.0 / (decay * delta)) - EULER_GAMMA));
                checks.push(Check::at_most(
                    format!("{name}: mean deficit against 1/(2r (log(2/(aδ)) - γ)), over its allowance"),
                    (row.left.value - leading).abs() / (z * row.left.standard_error + row.left_tolerance),
                    1.0,
                    "the plane: K_0(z) = log(2/z) - γ, logarithmically slow",
                ));
            }
            _ => checks.push(Check::at_most(
                format!("{name}: KS of the rule's time to the lifetime"),
                row.ks_lifetime,
                critical + row.ks_exact + row.ks_tolerance,
                "hitting is the right rule; critical value and the exact distance at this δ",
            )),
        }
    }
    Ok(checks)
}

fn end_checks(rows: &[ends::Row], settings: &Settings) -> Result<Vec<Check>> {
    let smallest = settings.deltas[settings.deltas.len() - 1];
    let compared: Vec<_> = rows.iter().filter(|row| row.codimension == 1 || row.delta == smallest).collect();
    let z = critical_z(SIGNIFICANCE, compared.len())?;
    let deviation = |row: &&ends::Row| {
        // For c >= 2 the formula leaves out a share of δ.
        let left_out = if row.codimension == 1 { atom::TOLERANCE * row.delta } else { row.delta };
        (row.share.value - row.expected).abs() / (z * row.share.standard_error + left_out)
    };
    Ok(vec![Check::at_most(
        format!(
            "share killed at the first of two atoms against theory, over its allowance, c = 1 and δ = {smallest}, largest of {}",
            compared.len()
        ),
        compared.iter().map(deviation).fold(0.0, f64::max),
        1.0,
        "h-transformed hitting probabilities; allowed: the error at 1e-3 over all, and δ (5 % of δ for c = 1)",
    )])
}

fn lifetimes(rows: &[atom::Row], settings: &Settings) -> Table {
    let mut table = Table::new(
        "One atom",
        format!(
            "{} particles from ρ₀ = {}, r = {}. T: when the rule kills; left: the mean lifetime at the place where it did, exactly m(δ) on the mark; \
             KS of T to its own law and to that of the lifetime (R11), and the exact distance of the two laws. Unseen: died by \
             the sampled lifetime within a step before the rule looked. Evaluations from the δ before.",
            settings.particles,
            atom::START,
            settings.rate
        ),
        &[
            "c",
            "δ",
            "mean T",
            "error",
            "left",
            "error",
            "m(δ)",
            "KS to its law",
            "KS to the lifetime",
            "exact",
            "unseen",
            "evaluations",
        ],
    );
    for row in rows {
        table.push(cells![
            row.codimension,
            row.delta,
            row.time.value,
            row.time.standard_error,
            row.left.value,
            row.left.standard_error,
            row.exact_left,
            row.ks_own,
            row.ks_lifetime,
            row.ks_exact,
            row.unseen,
            row.evaluations,
        ]);
    }
    table
}

fn end_table(rows: &[ends::Row], settings: &Settings) -> Table {
    let mut table = Table::new(
        "Two atoms",
        format!(
            "{} particles from {} between atoms at -1 and 1: share killed at the first one, with its theory and its share in R10.",
            settings.particles,
            ends::START
        ),
        &["c", "δ", "share", "error", "theory at δ", "R10"],
    );
    for row in rows {
        table.push(cells![
            row.codimension,
            row.delta,
            row.share.value,
            row.share.standard_error,
            row.expected,
            row.exact,
        ]);
    }
    table
}

/// A line for the exact values and dots for the measured ones, one colour per codimension.
fn by_codimension<R>(
    mut chart: Chart,
    rows: &[R],
    settings: &Settings,
    codimension: impl Fn(&R) -> usize,
    exact: impl Fn(&R) -> (f64, f64),
    measured: impl Fn(&R) -> (f64, f64, f64),
) -> Chart {
    for (colour, &c) in settings.codimensions.iter().enumerate() {
        let of = || rows.iter().filter(|row| codimension(row) == c);
        let line = of().map(&exact).collect();
        let dots: Vec<_> = of().map(&measured).collect();
        let errors = dots.iter().map(|(_, _, error)| 2.0 * error).collect();
        let dots = dots.into_iter().map(|(x, y, _)| (x, y)).collect();
        chart = chart
            .series(Series::line(format!("c = {c}"), line).colour(colour))
            .series(Series::dots("", dots).errors(errors).colour(colour));
    }
    chart
}

fn deficit(rows: &[atom::Row], settings: &Settings) -> Result<String> {
    let unit = 2.0 * settings.rate;
    let chart =
        Chart::new(Axis::log("δ in units of ρ₀"), Axis::log("mean lifetime left, in units of 1/(2r)"));
    by_codimension(
        chart,
        rows,
        settings,
        |row| row.codimension,
        |row| (row.delta, unit * row.exact_left),
        |row| (row.delta, unit * row.left.value, unit * row.left.standard_error),
    )
    .svg()
}

fn distance(rows: &[atom::Row], settings: &Settings) -> Result<String> {
    let chart =
        Chart::new(Axis::log("δ in units of ρ₀"), Axis::log("Kolmogorov-Smirnov distance").range(1e-3, 1.0));
    by_codimension(
        chart,
        rows,
        settings,
        |row| row.codimension,
        |row| (row.delta, row.ks_exact),
        |row| (row.delta, row.ks_lifetime, 0.0),
    )
    .reference(metrics::expected_ks(settings.particles)?, "expected of a right sampler")
    .svg()
}

fn end_figure(rows: &[ends::Row], settings: &Settings) -> Result<String> {
    let chart = Chart::new(Axis::log("δ; the atoms are 2 apart"), Axis::linear("error of the first share"));
    by_codimension(
        chart,
        rows,
        settings,
        |row| row.codimension,
        |row| (row.delta, row.expected - row.exact),
        |row| (row.delta, row.share.value - row.exact, row.share.standard_error),
    )
    .svg()
}
