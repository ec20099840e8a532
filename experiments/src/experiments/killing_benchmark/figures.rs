//! The pictures.

use anyhow::Result;
use resolvent::metrics::Estimate;

use super::analysis::{Study, over_seeds};
use super::judge::Cell;
use super::places::Place;
use super::quality::Quality;
use super::rules::Rule;
use super::stepping::Stepping;
use super::units::Task;
use crate::outcome::Figure;
use crate::plot::{Axis, Chart, Series};

/// Between the points of two groups over one category.
const SHIFT: f64 = 0.14;

pub(super) fn figures(study: &Study<'_>) -> Result<Vec<Figure>> {
    let mut figures = vec![
        Figure::new(
            "ranking",
            "Mean rank of each rule by its loss, the end-law error plus the share never killed, over all supports, scores and steps of the factorial part, and with the exact \
             score alone: 0 if it is the best everywhere, 1 if it is the worst. Bars are standard errors over seeds.",
            ranking(study)?,
        ),
        Figure::new(
            "score-errors",
            "Loss (end-law error plus the share never killed) by what is wrong with the score, mean over three supports and four steps; bars are standard errors over \
             seeds. What lies below the line, the scatter of exact draws of the same number, is drawn there.",
            score_errors(study)?,
        ),
    ];
    for place in Place::FULL {
        figures.push(Figure::new(
            format!("thresholds-{}", place.stem()),
            format!(
                "{}: loss (end-law error plus the share never killed) against evaluations as the threshold goes through two decades, from the smallest (right) to the \
                 largest (left), with the exact score. Below the line exact draws scatter; what lies there is drawn on it.",
                place.name()
            ),
            thresholds(study, place)?,
        ));
    }
    figures.push(Figure::new(
        "ends",
        "Shares of particles that were killed too early and that were never killed, with Euler-Maruyama and the exact score, all three \
         supports together.",
        ends(study)?,
    ));
    figures.push(Figure::new(
        "dimension",
        "Evaluations on the circle by the dimension of the space around it, with the exact score: the sampled lifetime with the bridge, \
         the others with Euler-Maruyama. Bars, mostly smaller than the marks, are standard errors over seeds.",
        dimension(study, Axis::log("mean evaluations"), |cell| Some(cell.evaluations))?,
    ));
    figures.push(Figure::new(
        "dimension-error",
        "The loss in the same runs: end-law error plus the share never killed. Exact draws scatter by about the size of the bars.",
        dimension(study, Axis::linear("loss"), Cell::loss)?,
    ));
    figures.push(Figure::new(
        "density",
        "Data with a density and images: loss (end-law error plus the share never killed) with Euler-Maruyama (the sampled lifetime with the bridge); bars are standard \
         errors over seeds.",
        others(study)?,
    ));
    Ok(figures)
}

/// Dots with error bars over the names of rules, one series per group, side by side.
fn by_rule(
    axis: Axis,
    rules: &[Rule],
    groups: Vec<(String, Vec<Option<Estimate>>)>,
    reference: Option<(f64, &str)>,
) -> Result<String> {
    let names = rules.iter().map(|rule| rule.name().to_owned()).collect();
    let mut chart = Chart::new(Axis::linear(""), axis).categories(names);
    let middle = (groups.len() as f64 - 1.0) / 2.0;
    for (k, (name, estimates)) in groups.into_iter().enumerate() {
        let (mut points, mut errors) = (Vec::new(), Vec::new());
        for (x, estimate) in estimates.into_iter().enumerate() {
            if let Some(Estimate { value, standard_error }) = estimate {
                points.push((x as f64 + SHIFT * (k as f64 - middle), value));
                errors.push(if standard_error.is_finite() { standard_error } else { 0.0 });
            }
        }
        chart = chart.series(Series::dots(name, points).errors(errors).colour(k));
    }
    if let Some((level, name)) = reference {
        chart = chart.reference(level, name);
    }
    chart.svg()
}

/// Raised to the floor of a logarithmic picture; the error bar still ends above where it did.
fn raised(Estimate { value, standard_error }: Estimate, floor: f64) -> Estimate {
    if value >= floor {
        return Estimate { value, standard_error };
    }
    Estimate { value: floor, standard_error: (value + standard_error - floor).max(0.0) }
}

fn ranking(study: &Study<'_>) -> Result<String> {
    let ranking = study.ranking();
    let rules: Vec<Rule> = ranking.iter().map(|ranked| ranked.rule).collect();
    let all = ranking.iter().map(|ranked| Some(ranked.rank)).collect();
    let exact = ranking.iter().map(|ranked| ranked.exact).collect();
    let groups = vec![("all scores".to_owned(), all), ("exact score".to_owned(), exact)];
    by_rule(Axis::linear("mean rank").range(0.0, 1.0), &rules, groups, None)
}

fn score_errors(study: &Study<'_>) -> Result<String> {
    let rules: Vec<Rule> = study.ranking().iter().map(|ranked| ranked.rule).collect();
    let floor = study
        .mean_loss(&Study::factorial(Quality::Exact), Rule::Oracle)
        .map_or(1e-4, |exact| exact.standard_error.max(1e-4));
    let groups = Quality::ALL
        .into_iter()
        .map(|quality| {
            let tasks = Study::factorial(quality);
            let errors = rules
                .iter()
                .map(|rule| study.mean_loss(&tasks, *rule).map(|loss| raised(loss, floor)))
                .collect();
            (quality.name().to_owned(), errors)
        })
        .collect();
    by_rule(Axis::log("loss"), &rules, groups, Some((floor, "scatter of exact draws")))
}

fn thresholds(study: &Study<'_>, place: Place) -> Result<String> {
    let task = Task::Thresholds { place };
    let floor = study.noise(task) / (study.settings.seeds as f64).sqrt();
    let mut chart = Chart::new(Axis::log("mean evaluations"), Axis::log("loss"));
    for (k, rule) in Rule::ALL.into_iter().filter(|rule| rule.has_threshold()).enumerate() {
        let (mut points, mut errors) = (Vec::new(), Vec::new());
        for &factor in &study.settings.factors {
            let cells = study.cells(task, rule, factor);
            let evaluations = over_seeds(cells.iter().map(|cell| Some(cell.evaluations)).collect());
            let end = over_seeds(cells.iter().map(|cell| cell.loss()).collect());
            if let (Some(evaluations), Some(end)) = (evaluations, end) {
                let end = raised(end, floor);
                points.push((evaluations.value, end.value));
                errors.push(end.standard_error);
            }
        }
        if !points.is_empty() {
            chart = chart.series(Series::marked(rule.name(), points).errors(errors).colour(k));
        }
    }
    chart.reference(floor, "scatter of exact draws").svg()
}

fn ends(study: &Study<'_>) -> Result<String> {
    let rules: Vec<Rule> = Rule::ALL
        .into_iter()
        .filter(|rule| rule.goes_with(Stepping::Euler) && *rule != Rule::Oracle)
        .filter(|rule| !matches!(rule, Rule::Hazard | Rule::LearnedHazard))
        .collect();
    let tasks =
        Place::FULL.map(|place| Task::Rules { place, quality: Quality::Exact, stepping: Stepping::Euler });
    let share = |count: &dyn Fn(&Cell) -> usize| -> Vec<Option<Estimate>> {
        let of = |rule: &Rule| {
            study.mean_of(&tasks, *rule, |cell| Some(count(cell) as f64 / cell.particles as f64))
        };
        rules.iter().map(of).collect()
    };
    let groups = vec![
        ("killed too early".to_owned(), share(&|cell| cell.premature.unwrap_or(0))),
        ("never killed".to_owned(), share(&|cell| cell.capped)),
    ];
    by_rule(Axis::linear("share of particles").range(0.0, 1.0), &rules, groups, None)
}

fn dimension(study: &Study<'_>, axis: Axis, number: impl Fn(&Cell) -> Option<f64>) -> Result<String> {
    let mut dimensions = study.settings.dimensions.clone();
    dimensions.push(8);
    dimensions.sort_unstable();
    dimensions.dedup();
    let mut chart = Chart::new(Axis::log("dimension d"), axis);
    for (k, rule) in Rule::ALL.into_iter().filter(|rule| rule.has_threshold()).enumerate() {
        let stepping = if rule == Rule::Lifetime { Stepping::Bridge } else { Stepping::Euler };
        let (mut points, mut errors) = (Vec::new(), Vec::new());
        for &dim in &dimensions {
            let task = Task::Rules { place: Place::Circle(dim), quality: Quality::Exact, stepping };
            if let Some(Estimate { value, standard_error }) = study.number(task, rule, &number) {
                points.push((dim as f64, value));
                errors.push(standard_error);
            }
        }
        if !points.is_empty() {
            chart = chart.series(Series::marked(rule.name(), points).errors(errors).colour(k));
        }
    }
    chart.svg()
}

fn others(study: &Study<'_>) -> Result<String> {
    let task = |kind: usize, rule: Rule| {
        let stepping = if rule == Rule::Lifetime { Stepping::Bridge } else { Stepping::Euler };
        match kind {
            0 => Task::Mixture { stepping },
            _ => Task::Images { learned: kind == 2, stepping },
        }
    };
    let rules: Vec<Rule> = Rule::ALL.into_iter().filter(|rule| *rule != Rule::Oracle).collect();
    let groups = ["mixture with a density", "images, exact score", "images, learned score"]
        .into_iter()
        .enumerate()
        .map(|(kind, name)| {
            let errors =
                rules.iter().map(|rule| study.number(task(kind, *rule), *rule, Cell::loss)).collect();
            (name.to_owned(), errors)
        })
        .collect();
    by_rule(Axis::linear("loss"), &rules, groups, None)
}
