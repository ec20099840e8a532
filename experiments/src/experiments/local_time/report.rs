//! Checks, tables and figures.

use anyhow::Result;
use resolvent::core::killing::Increment;
use resolvent::metrics;

use super::super::reverse_time::{critical_z, share_below};
use super::Settings;
use super::problem::{Data, Ends, Problem};
use super::rules::{Deaths, Rule};
use crate::outcome::{Check, Figure, Outcome, Table, cells};
use crate::plot::{Axis, Chart, Series};

/// Significance of the largest of several comparisons.
const SIGNIFICANCE: f64 = 1e-3;
/// Points of a curve.
const CURVE: usize = 150;

type Refinement<'a> = (&'a Problem, f64, Deaths);

pub(super) fn outcome(
    problems: &[Problem],
    deaths: &[(&Problem, Deaths)],
    refinement: &[Refinement<'_>],
    settings: &Settings,
) -> Result<Outcome> {
    Ok(Outcome {
        checks: checks(problems, deaths, settings)?,
        tables: vec![rules(deaths, settings)?, means(deaths), steps(refinement, settings)?],
        figures: vec![
            Figure::new(
                "lifetimes",
                format!(
                    "Distribution function of the lifetime, {}: {} particles by rule against the exact law, r = {}. \
                     The first entrance comes too early by the lifetime that is left on the data.",
                    problems[3].name, settings.particles, settings.rate
                ),
                lifetimes(&problems[3], deaths)?,
            ),
            Figure::new(
                "steps",
                format!(
                    "Kolmogorov-Smirnov distance of the lifetime to the exact law against the noise of the longest step, {} particles. \
                     Counted by Tanaka's formula for its own steps, local time leaves the error of Euler-Maruyama \
                     off the data; drawn for the bridge between two looks it misses the turn of the drift at the data.",
                    settings.particles
                ),
                refined(refinement, settings)?,
            ),
        ],
        notes: NOTES.map(String::from).to_vec(),
    })
}

const NOTES: [&str; 3] = [
    "At data of codimension 1 the score is finite and jumps; the process passes through and dies at the rate q = α_M/u per unit of local \
     time. The rule needs the signed distance and the surface density; where they are not known it is refused, and so is a support of \
     codimension 2 or more, which is polar.",
    "With u = e^{-a|x|} up to a factor, one point on the line, Euler-Maruyama killed by Tanaka's local time of its own steps, with \
     survival e^{-2a|x'|} after a crossing, has the exact law at every step size. With a bridge's local time the error is of the order of the \
     square root of the step.",
    "Where end points can be drawn from the posterior no local time is needed: the bridge to the drawn end point samples the lifetime, \
     at any step size.",
];

fn of<'a>(deaths: &'a [(&Problem, Deaths)], rule: Rule) -> impl Iterator<Item = (&'a Problem, &'a Deaths)> {
    deaths.iter().filter(move |(_, d)| d.rule == rule).map(|(p, d)| (*p, d))
}

/// What the end statistic of a right sampler exceeds with probability `alpha`.
fn critical_ends(problem: &Problem, n: usize, alpha: f64) -> Result<f64> {
    match problem.ends {
        Ends::Share(p, _) => Ok(critical_z(alpha, 1)? * f64::sqrt(p * (1.0 - p) / n as f64)),
        Ends::Angle(_) => Ok(metrics::ks_critical(n, alpha)?),
    }
}

fn checks(problems: &[Problem], deaths: &[(&Problem, Deaths)], settings: &Settings) -> Result<Vec<Check>> {
    let n = settings.particles;
    let mut checks = Vec::new();
    for rule in [Rule::LocalTime(Increment::Tanaka), Rule::Posterior] {
        let count = of(deaths, rule).count();
        let significance = SIGNIFICANCE / count as f64;
        let name = rule.name();
        let largest = of(deaths, rule).map(|(_, d)| d.lifetimes).fold(0.0, f64::max);
        checks.push(Check::at_most(
            format!("{name}: KS of the lifetime, largest of {count}"),
            largest,
            metrics::ks_critical(n, significance)?,
            "e^{-rt} p_t/u (R11 averaged over R10); 1e-3 over all",
        ));
        let mut share = 0.0;
        for (problem, d) in of(deaths, rule).filter(|(problem, _)| problem.data != Data::Point) {
            share = f64::max(share, d.ends / critical_ends(problem, n, significance)?);
        }
        checks.push(Check::at_most(
            format!("{name}: end law, distance over its critical value, largest of {}", count - 1),
            share,
            1.0,
            "R10; critical values at 1e-3 over all",
        ));
    }
    let (point, first) =
        of(deaths, Rule::Entrance).next().expect("the point on the line is the first problem");
    let decay = point.process.green().decay();
    checks.push(Check::at_most(
        "one point: mean of the first hit less (ρ - δ)/a, in standard errors",
        (first.mean.value - (point.start - settings.delta) / decay).abs() / first.mean.standard_error,
        critical_z(SIGNIFICANCE, 1)?,
        "the drift is a towards the point",
    ));
    let (_, last) = of(deaths, Rule::LocalTime(Increment::Tanaka)).next().expect("as above");
    let expected = point.start / decay + 0.5 / settings.rate;
    checks.push(Check::at_most(
        "one point: mean lifetime less ρ/a + 1/(2r), in standard errors",
        (last.mean.value - expected).abs() / last.mean.standard_error,
        critical_z(SIGNIFICANCE, 1)?,
        "R11: (ρ/a) K_{3/2}(aρ)/K_{1/2}(aρ)",
    ));
    // The distance δ itself costs a tenth of a standard error.
    let deficits = of(deaths, Rule::Entrance)
        .map(|(p, d)| (p.mean_lifetime - d.mean.value - p.left_at_entrance).abs() / d.mean.standard_error);
    checks.push(Check::at_most(
        format!(
            "first entrance: mean deficit less -d log u/dr on the data, largest of {} in standard errors",
            problems.len()
        ),
        deficits.fold(0.0, f64::max),
        critical_z(SIGNIFICANCE, problems.len())?,
        "strong Markov at the entrance, R4b",
    ));
    checks.push(Check::at_most(
        "spheres: ∫ e^{-rt} p_t dt by quadrature against u in closed form, relative",
        problems.iter().filter_map(|problem| problem.mass_error).fold(0.0, f64::max),
        1e-6,
        "R8, and the law of the sphere under noise",
    ));
    let least = of(deaths, Rule::Entrance).map(|(_, d)| d.lifetimes).fold(f64::INFINITY, f64::min);
    checks.push(Check::at_least(
        format!("first entrance: KS of the lifetime, least of {}", problems.len()),
        least,
        metrics::ks_critical(n, SIGNIFICANCE)?,
        "hitting is the wrong rule in codimension 1",
    ));
    Ok(checks)
}

fn rules(deaths: &[(&Problem, Deaths)], settings: &Settings) -> Result<Table> {
    let mut table = Table::new(
        "Rules",
        format!(
            "{} particles, r = {}, σ = 1, points at 0 (one) or -1 and 1 with the shares 0.7 and 0.3 (two), spheres of radius 1. Steps of noise at \
             most {} at the data; first entrance: within δ = {}. End law: Kolmogorov-Smirnov distance of the angle to the start, \
             error of the share for two points. The critical values are exceeded once in a thousand by one comparison.",
            settings.particles, settings.rate, settings.resolution, settings.delta
        ),
        &["data", "rule", "end law", "critical", "KS of lifetimes", "critical", "evaluations"],
    );
    for (problem, d) in deaths {
        table.push(cells![
            problem.name.clone(),
            d.rule.name(),
            d.ends,
            critical_ends(problem, settings.particles, SIGNIFICANCE)?,
            d.lifetimes,
            metrics::ks_critical(settings.particles, SIGNIFICANCE)?,
            d.evaluations,
        ]);
    }
    Ok(table)
}

fn means(deaths: &[(&Problem, Deaths)]) -> Table {
    let mut table = Table::new(
        "Mean lifetimes",
        "The exact mean lifetime, and the deficit of the first entrance: -d log u/dr on the data (1/(2r) for one point). For two points the \
         entrance also ends at the wrong one: the probability of hitting the first one first stands beside its share in R10.",
        &[
            "data",
            "exact mean",
            "local time",
            "error",
            "first entrance",
            "error",
            "deficit",
            "exact deficit",
            "first point, R10",
            "hit first",
        ],
    );
    for (problem, entrance) in of(deaths, Rule::Entrance) {
        let mut local = deaths
            .iter()
            .filter(|(p, d)| std::ptr::eq(*p, problem) && d.rule == Rule::LocalTime(Increment::Tanaka));
        let (_, local) = local.next().expect("every problem has every rule");
        let (share, first) = match problem.ends {
            Ends::Share(share, first) => (Some(share), Some(first)),
            Ends::Angle(_) => (None, None),
        };
        table.push(cells![
            problem.name.clone(),
            problem.mean_lifetime,
            local.mean.value,
            local.mean.standard_error,
            entrance.mean.value,
            entrance.mean.standard_error,
            problem.mean_lifetime - entrance.mean.value,
            problem.left_at_entrance,
            share,
            first,
        ]);
    }
    table
}

fn steps(refinement: &[Refinement<'_>], settings: &Settings) -> Result<Table> {
    let mut table = Table::new(
        "Refinement",
        format!(
            "Steps of time ℓ², or shorter near the data but not shorter than that; {} particles.",
            settings.particles
        ),
        &[
            "data",
            "local time of",
            "ℓ",
            "end law",
            "KS of lifetimes",
            "expected of a right sampler",
            "evaluations",
        ],
    );
    for (problem, resolution, d) in refinement {
        table.push(cells![
            problem.name.clone(),
            of_steps(d.rule),
            *resolution,
            d.ends,
            d.lifetimes,
            metrics::expected_ks(settings.particles)?,
            d.evaluations,
        ]);
    }
    Ok(table)
}

fn of_steps(rule: Rule) -> &'static str {
    if rule == Rule::LocalTime(Increment::Tanaka) { "the steps" } else { "the bridge" }
}

fn lifetimes(problem: &Problem, deaths: &[(&Problem, Deaths)]) -> Result<String> {
    let last = 4.0 * problem.mean_lifetime;
    let times = || (0..=CURVE).map(|k| last * k as f64 / CURVE as f64);
    let mut chart = Chart::new(
        Axis::linear("lifetime").range(0.0, last),
        Axis::linear("distribution function").range(0.0, 1.0),
    );
    for (_, d) in deaths.iter().filter(|(p, _)| std::ptr::eq(*p, problem)) {
        let curve = times().map(|t| (t, share_below(&d.sample, t))).collect();
        chart = chart.series(Series::line(d.rule.name(), curve));
    }
    let exact = times().map(|t| (t, problem.lifetime_cdf(t))).collect();
    chart.series(Series::dashed("exact", exact).exact()).svg()
}

fn refined(refinement: &[Refinement<'_>], settings: &Settings) -> Result<String> {
    let mut chart = Chart::new(
        Axis::log("noise ℓ of the longest step next to the data"),
        Axis::log("KS distance of the lifetime"),
    );
    for group in refinement.chunk_by(|a, b| std::ptr::eq(a.0, b.0) && a.2.rule == b.2.rule) {
        let (problem, _, d) = &group[0];
        let mut points: Vec<_> = group.iter().map(|(_, ell, d)| (*ell, d.lifetimes)).collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        chart = chart.series(Series::marked(format!("{}, {}", problem.name, of_steps(d.rule)), points));
    }
    chart.reference(metrics::expected_ks(settings.particles)?, "expected of a right sampler").svg()
}
