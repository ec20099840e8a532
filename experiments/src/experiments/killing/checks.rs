//! What the theory promises, with its bounds.

use anyhow::Result;

use super::Report;
use super::calibration::Scatter;
use super::deaths::{ALPHA, DEEP, Deaths};
use super::rules::Rule;
use crate::outcome::Check;

/// The normal quantiles beyond which lies 1e-3 on one side, and on both.
const ONE_SIDED: f64 = 3.090;
const TWO_SIDED: f64 = 3.291;
/// What Euler-Maruyama at η = 0.1 and the mean bridge may add to an error of a law.
const SAMPLER: f64 = 0.05;
/// Scores of two quadratures, relative to the score.
const QUADRATURE: f64 = 0.01;
/// A rule stops at δ to within its tolerance of five percent on either side of the crossing.
const AT_DELTA: f64 = 0.1;
/// The score tells the distance less well: curvature and a density that varies along the support.
const BY_SCORE: f64 = 0.15;
/// Steps near the boundary have a standard deviation of at most half the gap, so that one in 44 at most lands beyond it by
/// chance; five percent leave room for several such steps per particle.
const TOO_DEEP: f64 = 0.05;

pub(super) fn checks(reports: &[Report], scatter: &Scatter, particles: usize) -> Result<Vec<Check>> {
    let mut checks = Vec::new();
    for report in reports {
        quadrature(report, &mut checks);
    }
    for report in reports {
        exact(report, 2 * reports.len(), &mut checks);
    }
    for report in reports {
        thresholds(report, &mut checks)?;
    }
    for rule in [Rule::Sup, Rule::Support] {
        let lost: usize = reports.iter().map(|report| report.of(rule)).map(|d| d.capped + d.diverged).sum();
        let name = format!("{}: particles never killed or diverged, all supports", rule.name());
        checks.push(Check::at_most(
            name,
            lost as f64,
            0.0,
            "codimension ≥ 2: the support is hit at the lifetime",
        ));
    }
    for report in reports {
        end_laws(report, &mut checks);
    }
    for report in reports {
        controls(report, &mut checks);
    }
    let bound = AT_DELTA + TWO_SIDED / (2.0 * particles as f64).sqrt();
    checks.push(Check::at_most(
        "L² norm from distance 1 of an atom in R³²: |s.d. of log distance / √(2L/(c−2)) − 1|",
        (scatter.deviation / scatter.expected - 1.0).abs(),
        bound,
        "R14; 10 % + Monte Carlo at 1e-3",
    ));
    Ok(checks)
}

impl Report {
    /// The deaths under `rule`, which exists on every support.
    pub(super) fn of(&self, rule: Rule) -> &Deaths {
        self.deaths.iter().find(|deaths| deaths.rule == rule).expect("a rule for every support")
    }
}

fn quadrature(report: &Report, checks: &mut Vec<Check>) {
    if let Some(error) = report.quadrature_error {
        let name =
            format!("{}: score of the quadrature at δ against four times the points", report.target.name);
        checks.push(Check::at_most(name, error, QUADRATURE, "far below the tolerance of the rules"));
    }
}

/// The posterior bridge has the law of the backward process.
fn exact(report: &Report, tests: usize, checks: &mut Vec<Check>) {
    let (name, deaths) = (report.target.name, report.of(Rule::Exact));
    let bound = ALPHA / tests as f64;
    let source = format!("R1: reversal from the lifetime; 1e-3 over {tests} tests");
    checks.push(Check::at_least(
        format!("{name}: exact, p-value of the end law"),
        deaths.end_p,
        bound,
        &source,
    ));
    checks.push(Check::at_least(
        format!("{name}: exact, p-value of lifetimes ~ Exp(r)"),
        deaths.lifetime_p,
        bound,
        source,
    ));
}

fn thresholds(report: &Report, checks: &mut Vec<Check>) -> Result<()> {
    let name = report.target.name;
    let (sup, support) = (report.of(Rule::Sup), report.of(Rule::Support));
    let [_, level, _] = report.sup_level;
    let median = sup.distance(0.5)?;
    checks.push(Check::at_most(
        format!("{name}: distance to support, |median / δ − 1|"),
        (support.distance(0.5)? - 1.0).abs(),
        AT_DELTA,
        "5 % on either side of the crossing",
    ));
    checks.push(Check::at_most(
        format!("{name}: sup, |median / level set of the score − 1|"),
        (median / level - 1.0).abs(),
        BY_SCORE,
        "as the distance rule, and curvature",
    ));
    if report.target.support.codimension() >= 3 {
        checks.push(Check::at_most(
            format!("{name}: sup, |median / δ − 1|"),
            (median - 1.0).abs(),
            BY_SCORE,
            "R14 with the codimension",
        ));
    }
    for deaths in [sup, support] {
        checks.push(Check::at_most(
            format!("{name}: {}, share that ends within {DEEP} of its mark", deaths.rule.name()),
            deaths.share(deaths.deep),
            TOO_DEEP,
            "steps of half the gap",
        ));
    }
    Ok(())
}

fn end_laws(report: &Report, checks: &mut Vec<Check>) {
    for rule in [Rule::Sup, Rule::Support, Rule::Lifetime] {
        let deaths = report.of(rule);
        checks.push(Check::at_most(
            format!(
                "{}: {}, {} of the end law",
                report.target.name,
                rule.name(),
                report.target.end_law.measure()
            ),
            deaths.end.value,
            deaths.end.critical + SAMPLER,
            "critical value at 1e-3 + 0.05 for the step",
        ));
    }
}

/// A clock that rings before the lifetime finds the particle away from the support. Both are Exp(r) over all starts, so the
/// chance is 1/2 for an independent one and 1/e for the fixed time 1/r; the time spent within 2δ is of the order rδ².
fn controls(report: &Report, checks: &mut Vec<Check>) {
    for (rule, chance, formula) in [(Rule::Clock, 0.5, "1/2"), (Rule::Time, f64::exp(-1.0), "1/e")] {
        let deaths = report.of(rule);
        let error = ONE_SIDED * (chance * (1.0 - chance) / deaths.n as f64).sqrt();
        checks.push(Check::at_least(
            format!("{}: {}, share killed further than 2δ from the support", report.target.name, rule.name()),
            deaths.share(deaths.premature),
            chance - SAMPLER - error,
            format!("lifetime ~ Exp(r): {formula}, less 0.05 for the step and Monte Carlo"),
        ));
    }
}
