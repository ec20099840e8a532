//! What all units together show.

use anyhow::Result;
use resolvent::metrics::{Estimate, mean};

use super::manifolds::Kind;
use super::runs::{Ball, Case, Errors};
use super::theory::{exponent, limit_median, student_median};
use super::{Settings, Unit};
use crate::experiments::three_sigma::three_sigma;
use crate::outcome::{Check, Figure, Outcome, Table, cells, largest};
use crate::plot::{Axis, Chart, Series};

/// From this codimension on the limit law must hold, and the averages have their bound.
const LARGE: usize = 30;
/// From this codimension on medians are compared with the Student law and the exponent is fitted.
const MODERATE: usize = 10;
/// What the must-show figures allow beside the Monte-Carlo error.
const TOLERANCE: f64 = 0.1;
/// What the exponent of the Student law itself may differ from -1/2 by over finite codimensions.
const FINITE: f64 = 0.02;

/// One kind of start beside one support in one dimension, over the seeds.
struct Row {
    kind: Kind,
    codimension: usize,
    starts: String,
    displaced: bool,
    cases: Vec<Case>,
}

impl Row {
    /// Whether runs have a point of the support to end near to.
    fn has_errors(&self) -> bool {
        self.kind != Kind::Pair
    }

    fn over_seeds(&self, value: impl Fn(&Errors) -> f64) -> Result<Estimate> {
        let errors = self.cases.iter().filter_map(|case| case.errors.as_ref());
        Ok(mean(&errors.map(value).collect::<Vec<_>>())?)
    }

    /// The Student law and its limit, where both have a meaning.
    fn theory(&self) -> Result<Option<(f64, f64)>> {
        let (k, c) = (self.kind.intrinsic(), self.codimension);
        if k == 0 || c <= 2 { Ok(None) } else { Ok(Some((student_median(k, c)?, limit_median(k, c)?))) }
    }

    /// Share, bounds and number of runs of ball `index` over the seeds.
    fn ball(&self, index: usize) -> (&Ball, [f64; 4], usize) {
        let balls = || self.cases.iter().map(|case| &case.balls[index]);
        let over = |value: fn(&Ball) -> f64| balls().map(value).sum::<f64>() / self.cases.len() as f64;
        let means = [over(|b| b.outside), over(|b| b.sharp), over(|b| b.odds), over(|b| b.simple)];
        (&self.cases[0].balls[index], means, balls().map(|b| b.runs).sum())
    }
}

/// How far `share` lies above `bound` in standard errors of the share, at least those of one in all runs.
fn excess(share: f64, bound: f64, runs: usize) -> f64 {
    let n = runs as f64;
    (share - bound) / (share * (1.0 - share) / n).max(1.0 / (n * n)).sqrt()
}

fn rows(measured: Vec<(Unit, Vec<Case>)>) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for (unit, cases) in measured {
        for (part, case) in cases.into_iter().enumerate() {
            let same = |row: &&mut Row| {
                row.kind == unit.kind && row.codimension == unit.codimension && row.starts == case.starts
            };
            match rows.iter_mut().find(same) {
                Some(row) => row.cases.push(case),
                None => rows.push(Row {
                    kind: unit.kind,
                    codimension: unit.codimension,
                    starts: case.starts.clone(),
                    displaced: Kind::SMOOTH.contains(&unit.kind) && part == 0,
                    cases: vec![case],
                }),
            }
        }
    }
    rows
}

pub(super) fn conclude(settings: &Settings, measured: Vec<(Unit, Vec<Case>)>) -> Result<Outcome> {
    let rows = rows(measured);
    let mut outcome = Outcome::default();
    errors(&rows, settings, &mut outcome)?;
    fits(&rows, settings, &mut outcome)?;
    balls(&rows, &mut outcome)?;
    let lost: usize = rows.iter().flat_map(|row| &row.cases).map(|case| case.lost).sum();
    outcome.checks.push(Check::at_most(
        "runs that did not end",
        lost as f64,
        0.0,
        "the support is polar and is hit: every run dies",
    ));
    outcome.notes.push(
        "Where the law of the end comes from: given the start x the end point has the density G_r(|x - y|) along the support \
         (R10), and for small r and a flat support of dimension k that is (ρ² + t²)^(-(d-2)/2) at the distance t from the point \
         nearest to x, a Student law. So t²/ρ² is distributed as χ²_k/χ²_(c-2), c the codimension; χ²_k/(c - 2) is its limit \
         for large c, and the exact median is shown beside it."
            .into(),
    );
    outcome.notes.push(
        "The glyphs are atoms, of dimension 0: a run that ends at the nearest image has no error, and the medians say whether \
         most runs do."
            .into(),
    );
    Ok(outcome)
}

fn errors(rows: &[Row], settings: &Settings, outcome: &mut Outcome) -> Result<()> {
    let mut table = Table::new(
        "Projection error",
        format!(
            "|end - nearest point of the support| over the distance of the start to the support: medians over {} starts with {} \
             runs each, mean over {} seeds with its standard error. Beside them the median of √(χ²_k/χ²_(c-2)) and its limit for \
             large c. Averaged: of the mean of the {} runs from a start. Off: the largest distance of an end to the support over \
             that of its start.",
            settings.starts, settings.runs, settings.seeds, settings.runs
        ),
        &[
            "support",
            "k",
            "c",
            "start",
            "distance",
            "median of runs",
            "±",
            "Student law",
            "limit",
            "averaged",
            "±",
            "flux flow",
            "±",
            "evaluations",
            "flux evaluations",
            "off",
        ],
    );
    for row in rows.iter().filter(|row| row.has_errors()) {
        let (single, averaged) = (row.over_seeds(|c| c.single)?, row.over_seeds(|c| c.averaged)?);
        let (flux, theory) = (row.over_seeds(|c| c.flux)?, row.theory()?);
        table.push(cells![
            row.kind.name(),
            row.kind.intrinsic(),
            row.codimension,
            row.starts.clone(),
            row.over_seeds(|c| c.distance)?.value,
            single.value,
            single.standard_error,
            theory.map(|t| t.0),
            theory.map(|t| t.1),
            averaged.value,
            averaged.standard_error,
            flux.value,
            flux.standard_error,
            row.over_seeds(|c| c.evaluations)?.value,
            row.over_seeds(|c| c.flux_evaluations)?.value,
            largest(row.cases.iter().filter_map(|case| Some(case.errors.as_ref()?.off)))
        ]);
    }
    outcome.tables.push(table);

    let sigmas = three_sigma(settings.seeds)?;
    for kind in Kind::SMOOTH {
        let of = |from: usize| rows.iter().filter(move |row| row.kind == kind && row.codimension >= from);
        let (mut to_limit, mut to_law) = (Vec::new(), Vec::new());
        for row in of(MODERATE) {
            let Some((law, limit)) = row.theory()? else { continue };
            let single = row.over_seeds(|case| case.single)?;
            let beyond = |exact: f64| ((single.value - exact).abs() - sigmas * single.standard_error) / exact;
            to_law.push(beyond(law).max(0.0));
            if row.codimension >= LARGE {
                to_limit.push(beyond(limit).max(0.0));
            }
        }
        let name = |what: &str| format!("{}: {what}", kind.name());
        for (what, values, source) in [
            (
                format!("relative distance of the median to √(median of χ²_k/(c - 2)), c >= {LARGE}"),
                to_limit,
                "large-c limit of the Student law along the support (R10); 10 % for curvature, density, rate and steps, set \
                 before the run",
            ),
            (
                format!("relative distance of the median to that of √(χ²_k/χ²_(c-2)), c >= {MODERATE}"),
                to_law,
                "Student law along the support (R10); 10 % for curvature, density, rate and steps, set before the run",
            ),
        ] {
            if !values.is_empty() {
                let what = format!("{}, beyond {sigmas:.1} standard errors", name(&what));
                outcome.checks.push(Check::at_most(what, largest(values), TOLERANCE, source));
            }
        }
        if of(LARGE).next().is_some() {
            let averaged = of(LARGE).map(|row| row.over_seeds(|case| case.averaged).map(|e| e.value));
            let flux = of(LARGE).map(|row| row.over_seeds(|case| case.flux).map(|e| e.value));
            let expected =
                format!("the Student law over √{} and 10 % in all, set before the run", settings.runs);
            for (what, values, source) in [
                (
                    format!("error of the mean of {} runs, c >= {LARGE}, largest", settings.runs),
                    averaged.collect::<Result<Vec<_>>>()?,
                    expected.as_str(),
                ),
                (
                    format!("error of the flux flow, c >= {LARGE}, largest"),
                    flux.collect::<Result<Vec<_>>>()?,
                    "R17: the score points to the metric projection for large d; 10 % set before the run",
                ),
            ] {
                outcome.checks.push(Check::at_most(name(&what), largest(values), TOLERANCE, source));
            }
        }
    }
    figures(rows, settings, outcome)
}

fn figures(rows: &[Row], settings: &Settings, outcome: &mut Outcome) -> Result<()> {
    let axis = || Axis::log("c - 2, the codimension less two");
    let error = || Axis::log("|end - nearest| / distance of the start");
    let shown =
        |kind: Kind| rows.iter().filter(move |row| row.kind == kind && row.displaced && row.codimension > 2);
    let series = |kind: Kind, value: fn(&Errors) -> f64| -> Result<Series> {
        let (mut points, mut errors) = (Vec::new(), Vec::new());
        for row in shown(kind) {
            let estimate = row.over_seeds(value)?;
            points.push((row.codimension as f64 - 2.0, estimate.value));
            errors.push(2.0 * estimate.standard_error);
        }
        Ok(Series::marked(kind.name(), points).errors(errors))
    };
    let mut chart = Chart::new(axis(), error());
    for k in [1, 2] {
        let law = settings.codimensions.iter().filter(|c| **c > 2);
        let points = law.map(|&c| Ok((c as f64 - 2.0, student_median(k, c)?))).collect::<Result<Vec<_>>>()?;
        chart = chart.series(Series::dashed(format!("Student law, k = {k}"), points).exact());
    }
    for kind in Kind::SMOOTH {
        chart = chart.series(series(kind, |case| case.single)?);
    }
    outcome.figures.push(Figure::new(
        "single",
        format!(
            "A single run of the backward process projects the better the higher the codimension, like 1/√(c - 2). Median of the \
             relative error of runs started {} beside the support, with two standard errors over {} seeds; dashed the median \
             of √(χ²_k/χ²_(c-2)).",
            settings.displacement, settings.seeds
        ),
        chart.svg()?,
    ));
    type Value = fn(&Errors) -> f64;
    let left: [(&str, Value, String); 2] = [
        (
            "averaged",
            |case| case.averaged,
            format!("The mean of {} runs from each start: what is left when their noise is averaged out", settings.runs),
        ),
        (
            "flux",
            |case| case.flux,
            "The deterministic flux flow from the same starts: what is left of the error without noise. On the uniform sphere and torus \
             it keeps the direction by symmetry, and errs by the distance that is left at its end alone"
                .into(),
        ),
    ];
    for (stem, value, what) in left {
        let mut chart = Chart::new(axis(), error());
        for kind in Kind::SMOOTH {
            chart = chart.series(series(kind, value)?);
        }
        outcome.figures.push(Figure::new(
            stem,
            format!("{what}; with two standard errors over {} seeds.", settings.seeds),
            chart.reference(TOLERANCE, "10 %").svg()?,
        ));
    }
    Ok(())
}

fn fits(rows: &[Row], settings: &Settings, outcome: &mut Outcome) -> Result<()> {
    let sigmas = three_sigma(settings.seeds)?;
    let mut table = Table::new(
        "Exponents",
        format!(
            "Slope of the logarithm of the median error of single runs against that of c - 2 for c >= {MODERATE}, by weighted least \
             squares with the standard error that follows from those over seeds, and that of the Student law at the same c."
        ),
        &["support", "start", "exponent", "±", "Student law"],
    );
    let mut kinds: Vec<(Kind, bool)> = Vec::new();
    for row in rows.iter().filter(|row| Kind::SMOOTH.contains(&row.kind)) {
        if !kinds.contains(&(row.kind, row.displaced)) {
            kinds.push((row.kind, row.displaced));
        }
    }
    for (kind, displaced) in kinds {
        let mut measured = Vec::new();
        let mut exact = Vec::new();
        let of = |row: &&Row| row.kind == kind && row.displaced == displaced && row.codimension >= MODERATE;
        let mut starts = String::new();
        for row in rows.iter().filter(of) {
            let Some((law, _)) = row.theory()? else { continue };
            let estimate = row.over_seeds(|case| case.single)?;
            let codimension = row.codimension as f64 - 2.0;
            measured.push((codimension, estimate.value, estimate.standard_error.max(1e-9)));
            exact.push((codimension, law, 1.0));
            starts.clone_from(&row.starts);
        }
        if measured.len() < 2 {
            continue;
        }
        let ((slope, error), (law, _)) = (exponent(&measured), exponent(&exact));
        outcome.checks.push(Check::at_most(
            format!("{}, {starts}: |exponent + 1/2|, beyond {sigmas:.1} standard errors", kind.name()),
            ((slope + 0.5).abs() - sigmas * error).max(0.0),
            FINITE,
            "the error falls like (c - 2)^(-1/2) (R10); the Student law at these c has an exponent up to 0.02 steeper",
        ));
        table.push(cells![kind.name(), starts, slope, error, law]);
    }
    outcome.tables.push(table);
    Ok(())
}

fn balls(rows: &[Row], outcome: &mut Outcome) -> Result<()> {
    let mut table = Table::new(
        "How far from the start runs end",
        "R holds a share ε of the law. The share of runs that end beyond (1 + δ) R, and the bounds on its probability: q/(1 + q) and q \
         with q = (1 - ε)/ε · G_r((1 + δ) R)/G_r(R), and (1/ε)(1 + δ)^(2 - d), cut at 1 (R16); means over starts and seeds. Excess: of \
         the share over the sharpest bound, in standard errors.",
        &[
            "support",
            "c",
            "start",
            "share ε",
            "margin δ",
            "observed",
            "q/(1 + q)",
            "q",
            "simple bound",
            "runs",
            "excess",
        ],
    );
    let (mut worst, mut settings) = (f64::NEG_INFINITY, 0);
    let mut dots: Vec<(Kind, Vec<(f64, f64)>)> = Vec::new();
    for row in rows {
        for index in 0..row.cases[0].balls.len() {
            let (ball, [outside, sharp, odds, simple], runs) = row.ball(index);
            let excess = excess(outside, sharp, runs);
            if row.has_errors() {
                worst = worst.max(excess);
                settings += 1;
            }
            if !dots.iter().any(|(kind, _)| *kind == row.kind) {
                dots.push((row.kind, Vec::new()));
            }
            let (_, points) = dots.last_mut().expect("just there");
            points.push((sharp, outside));
            table.push(cells![
                row.kind.name(),
                row.codimension,
                row.starts.clone(),
                ball.mass,
                ball.margin,
                outside,
                sharp,
                odds,
                simple,
                runs,
                excess
            ]);
        }
    }
    outcome.tables.push(table);
    let attained = rows.iter().filter(|row| row.kind == Kind::Pair).flat_map(|row| {
        (0..row.cases[0].balls.len()).map(|index| {
            let (_, [outside, sharp, ..], runs) = row.ball(index);
            (outside - sharp) / (sharp * (1.0 - sharp) / runs as f64).sqrt().max(1.0 / runs as f64)
        })
    });
    let attained: Vec<f64> = attained.map(f64::abs).collect();
    outcome.checks.push(Check::at_most(
        format!(
            "two atoms: distance of the observed share to q/(1 + q) in standard errors, largest of {}",
            attained.len()
        ),
        largest(attained.iter().copied()),
        // Of so many standard normals one exceeds it with a probability below 1e-3.
        4.3,
        "the bound is attained by an atom at R and one just beyond (1 + δ) R (R10); 1e-3 over all by the normal law",
    ));
    outcome.checks.push(Check::at_most(
        format!("R16: excess of the observed share over the sharpest bound in standard errors, largest of {settings}"),
        worst,
        3.0,
        "P(end beyond (1 + δ) R) <= q/(1 + q) (R16); three standard errors",
    ));
    let diagonal = vec![(1e-4, 1e-4), (1.0, 1.0)];
    let mut chart = Chart::new(
        Axis::log("bound q/(1 + q) on the probability").range(1e-4, 1.0),
        Axis::log("observed share of runs").range(1e-4, 1.0),
    )
    .series(Series::dashed("observed = bound", diagonal).exact());
    for (kind, points) in dots {
        chart = chart.series(Series::dots(kind.name(), points));
    }
    outcome.figures.push(Figure::new(
        "bound",
        "The share of runs that end beyond (1 + δ) R against the bound of R16, for every support, dimension, start, share and margin. \
         Two atoms attain it; along a manifold much of the law lies nearer than the bound must reckon with. No dot lies above the line but by Monte-Carlo error; settings in which no run ended beyond, and bounds below 1e-4, have no \
         dot.",
        chart.svg()?,
    ));
    Ok(())
}
