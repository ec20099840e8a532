//! What all runs together show.

use anyhow::{Context as _, Result};
use resolvent::metrics::Estimate;
use serde_json::Value;

use super::panel::{Comparison, Panel, Row, panels};
use super::sets::Set;
use super::{Method, Place, Run, Settings, Unit};
use crate::experiments::horizon_methods::{AUGMENTED, Deterministic};
use crate::experiments::judge::Judge;
use crate::experiments::quality::NEIGHBOURS;
use crate::experiments::three_sigma::three_sigma;
use crate::outcome::{Check, Figure, Outcome, Table, cells, largest};
use crate::plot::{Axis, Chart, Series};

/// Standard errors that a difference of right samplers exceeds once in 740 comparisons.
const ERRORS: f64 = 3.0;
/// What the mean cost may exceed the budget by: the pilot that finds the step is a random sample.
const SLACK: f64 = 0.02;

pub(super) fn outcome(settings: &Settings, measured: &[(Unit, Vec<Run>)]) -> Result<Outcome> {
    let panels = panels(settings, measured)?;
    let mut tables = vec![summary(&panels, settings)?];
    let mut figures = vec![overview(&panels, settings)?];
    for panel in &panels {
        tables.push(table(panel, settings)?);
        tables.push(neighbourhoods(panel)?);
        figures.push(curves(panel, settings)?);
    }
    Ok(Outcome { checks: checks(&panels, settings)?, tables, figures, notes: notes(&panels, settings)? })
}

fn checks(panels: &[Panel<'_>], settings: &Settings) -> Result<Vec<Check>> {
    let mut checks = Vec::new();
    let (mut over, mut lost) = (Vec::new(), 0);
    for row in panels.iter().flat_map(|panel| &panel.rows) {
        let cost = row.estimate(|run| run.cost.map(|cost| cost.mean)).context("a run without its cost")?;
        over.push((cost.value / row.budget as f64 - 1.0).max(0.0));
        lost += row.runs.iter().filter_map(|run| run.cost).map(|cost| cost.lost).sum::<usize>();
    }
    checks.push(Check::at_most(
        "mean evaluations above the budget, as a share of it, the largest of all methods",
        largest(over),
        SLACK,
        "equal cost; the step of the random horizon comes from a pilot, whose mean scatters",
    ));
    checks.push(Check::at_most(
        "particles neither killed nor at the horizon, all runs",
        lost as f64,
        0.0,
        "every particle ends: exact scores and networks are finite, and the backward process dies almost surely",
    ));
    let budget = settings.evaluations.last().copied().unwrap_or_default();
    for panel in panels {
        if let Place::Exact(set) = panel.place
            && set.is_hit_fast()
            && let Some(best) = panel.best(true, budget)?
        {
            checks.push(Check::at_most(
                format!("{}: error of the best random horizon at {budget} evaluations above the floor, in standard errors", set.name()),
                panel.excess(best)?,
                ERRORS,
                "the backward process of a polar support ends with the law of the data (R10); Monte-Carlo error of exact samples",
            ));
        }
        for run in panel.exact.iter().take(1) {
            if let Some(accuracy) = run.accuracy {
                checks.push(Check::at_least(
                    "accuracy of the judging classifier",
                    accuracy,
                    Judge::least(settings.classifier_steps),
                    "target set before training",
                ));
            }
        }
    }
    Ok(checks)
}

/// Who is better where.
fn summary(panels: &[Panel<'_>], settings: &Settings) -> Result<Table> {
    let mut table = Table::new(
        "who is better where",
        format!(
            "The best method of either kind by its mean error over {} seeds, and the difference over the same seeds with its standard \
             error: negative where the random horizon is better. Both are chosen by the runs that they are judged by, from more \
             deterministic methods than random ones, which favours the former. Errors: sliced Wasserstein distance to draws of the law; for the \
             images the squared Fréchet distance of the classifier's log-odds. Floor: the same for exact samples.",
            settings.seeds
        ),
        &[
            "law",
            "evaluations",
            "random horizon",
            "error",
            "±",
            "deterministic horizon",
            "error",
            "±",
            "difference",
            "±",
            "floor",
            "±",
        ],
    );
    for panel in panels {
        let (floor, _) = panel.floor()?;
        for &budget in &settings.evaluations {
            let Some(Comparison { random, deterministic, difference }) = panel.comparison(budget)? else {
                continue;
            };
            let (a, b) = (panel.estimate(random)?, panel.estimate(deterministic)?);
            table.push(cells![
                panel.place.name(),
                budget,
                random.method.name(),
                a.value,
                a.standard_error,
                deterministic.method.name(),
                b.value,
                b.standard_error,
                difference.value,
                difference.standard_error,
                floor.value,
                floor.standard_error,
            ]);
        }
    }
    Ok(table)
}

fn pair(estimate: Option<Estimate>) -> [Value; 2] {
    [
        Value::from(estimate.map(|estimate| estimate.value)),
        Value::from(estimate.map(|estimate| estimate.standard_error)),
    ]
}

fn table(panel: &Panel<'_>, settings: &Settings) -> Result<Table> {
    let (floor, deviation) = panel.floor()?;
    let (samples, what) = match panel.place {
        Place::Exact(set) => (set.samples(settings), "distance: mean distance to the support"),
        Place::Learned => (settings.images, "sliced Wasserstein: that of the pixels, W₂"),
    };
    let mut columns = vec![
        "method",
        "granted",
        "η",
        "evaluations",
        "±",
        "deviation",
        "most",
        "error",
        "±",
        "above the floor",
        "MMD²",
        "±",
    ];
    columns.extend(match panel.place {
        Place::Exact(_) => ["distance", "±"],
        Place::Learned => ["sliced Wasserstein", "±"],
    });
    columns.extend(["lost", "ms a sample", "±"]);
    let mut table = Table::new(
        panel.place.name(),
        format!(
            "{samples} samples of a run, means and standard errors over {} seeds. Error: {}; floor, that of exact samples: {:.6} ± {:.6}, \
             deviation {deviation:.6}; above the floor: in standard errors that the difference has for exact samples. Evaluations of a \
             particle: mean, its standard error over seeds, deviation and largest over particles; η: the step that the pilot found. {what}. Wall time is \
             measured beside other units on the same cores.",
            settings.seeds,
            panel.error_name(),
            floor.value,
            floor.standard_error
        ),
        &columns,
    );
    for row in &panel.rows {
        let cost = |of: fn(&crate::experiments::horizon_methods::Cost) -> f64| {
            row.estimate(|run| run.cost.as_ref().map(of))
        };
        let last = match panel.place {
            Place::Exact(_) => row.estimate(|run| run.quality.distance),
            Place::Learned => row.estimate(|run| Some(run.quality.sliced)),
        };
        let mut cells = cells![row.method.name(), row.budget, row.runs.first().and_then(|run| run.eta)];
        cells.extend(pair(cost(|cost| cost.mean)));
        cells.push(Value::from(cost(|cost| cost.deviation).map(|estimate| estimate.value)));
        cells.push(Value::from(row.runs.iter().filter_map(|run| run.cost).map(|cost| cost.most).max()));
        cells.extend(pair(Some(panel.estimate(row)?)));
        cells.push(Value::from(panel.excess(row)?));
        cells.extend(pair(row.estimate(|run| run.quality.mmd)));
        cells.extend(pair(last));
        cells.push(Value::from(
            row.runs.iter().filter_map(|run| run.cost).map(|cost| cost.lost).sum::<usize>(),
        ));
        cells.extend(pair(row.estimate(|run| Some(1e3 * run.seconds? / samples as f64))));
        table.push(cells);
    }
    Ok(table)
}

fn neighbourhoods(panel: &Panel<'_>) -> Result<Table> {
    let against = match panel.place {
        Place::Exact(Set::Atoms) => "a few atoms have no neighbourhoods",
        Place::Exact(_) => "in the space of the data",
        Place::Learned => "in the space of the classifier's log-odds, against the held-out images",
    };
    let mut table = Table::new(
        format!("{}: precision, recall, density, coverage", panel.place.name()),
        format!(
            "By neighbourhoods to the {NEIGHBOURS}th neighbour, {against}; means and standard errors over the seeds. The first row is \
             that of exact samples."
        ),
        &["method", "granted", "precision", "±", "recall", "±", "density", "±", "coverage", "±"],
    );
    let exact = Row {
        method: Method::Deterministic(Deterministic::EdmHeun),
        budget: 0,
        runs: panel.exact.iter().collect(),
    };
    let mut push = |name: &str, budget: Option<usize>, row: &Row<'_>| {
        let mut cells = cells![name, budget];
        cells.extend(pair(row.estimate(|run| run.quality.precision)));
        cells.extend(pair(row.estimate(|run| run.quality.recall)));
        cells.extend(pair(row.estimate(|run| run.quality.density)));
        cells.extend(pair(row.estimate(|run| run.quality.coverage)));
        table.push(cells);
    };
    push("exact samples", None, &exact);
    for row in &panel.rows {
        push(row.method.name(), Some(row.budget), row);
    }
    Ok(table)
}

/// As many curves as there are colours; the table has the others.
fn is_shown(place: Place, method: Method) -> bool {
    match method {
        Method::Random(_) => true,
        Method::Deterministic(method) => match place {
            Place::Exact(_) => {
                matches!(method, Deterministic::VpMultistep | Deterministic::EdmHeun | Deterministic::Pfgm)
            }
            Place::Learned => method != Deterministic::EdmChurned,
        },
    }
}

fn curves(panel: &Panel<'_>, settings: &Settings) -> Result<Figure> {
    let mut chart = Chart::new(Axis::log("mean evaluations of a particle"), Axis::log(panel.error_name()));
    let mut methods: Vec<Method> = panel.rows.iter().map(|row| row.method).collect();
    methods.dedup();
    for method in methods.into_iter().filter(|method| is_shown(panel.place, *method)) {
        let (mut points, mut errors) = (Vec::new(), Vec::new());
        for row in panel.rows.iter().filter(|row| row.method == method) {
            let cost =
                row.estimate(|run| run.cost.map(|cost| cost.mean)).context("a run without its cost")?;
            let error = panel.estimate(row)?;
            points.push((cost.value, error.value));
            errors.push(error.standard_error);
        }
        chart = chart.series(Series::marked(method.name(), points).errors(errors));
    }
    let (floor, _) = panel.floor()?;
    Ok(Figure::new(
        format!("error-{}", panel.place.stem()),
        format!(
            "{}: {} against evaluations, means and standard errors over {} seeds. The floor is that of exact samples.",
            panel.place.name(),
            panel.error_name(),
            settings.seeds
        ),
        chart.reference(floor.value, "floor: exact samples").svg()?,
    ))
}

/// The best of either kind on every law, over the floor.
fn overview(panels: &[Panel<'_>], settings: &Settings) -> Result<Figure> {
    let names = panels.iter().map(|panel| panel.place.stem().to_owned()).collect();
    let mut chart =
        Chart::new(Axis::linear("law of the data"), Axis::log("error over that of exact samples"))
            .categories(names);
    let mut budgets = vec![settings.evaluations[0]];
    budgets.extend(settings.evaluations.last().filter(|last| **last != budgets[0]));
    let columns = 2 * budgets.len();
    for (k, &budget) in budgets.iter().enumerate() {
        for (j, random) in [true, false].into_iter().enumerate() {
            let (mut points, mut errors) = (Vec::new(), Vec::new());
            for (i, panel) in panels.iter().enumerate() {
                let (floor, _) = panel.floor()?;
                let Some(best) = panel.best(random, budget)? else { continue };
                let error = panel.estimate(best)?;
                let shift = 0.6 * ((2 * k + j) as f64 / (columns - 1) as f64 - 0.5);
                points.push((i as f64 + shift, error.value / floor.value));
                errors.push(error.standard_error / floor.value);
            }
            let kind = if random { "random" } else { "deterministic" };
            let name = format!("{kind}, {budget} evaluations");
            chart = chart.series(Series::dots(name, points).errors(errors));
        }
    }
    Ok(Figure::new(
        "overview",
        "The best method of either kind on every law, by its error over that of as many exact samples, with standard errors over the \
         seeds. Sliced Wasserstein distance; for the images the Fréchet distance of features.",
        chart.reference(1.0, "exact samples").svg()?,
    ))
}

fn notes(panels: &[Panel<'_>], settings: &Settings) -> Result<Vec<String>> {
    let mut notes = vec![
        format!(
            "Setting. The random horizon reverses Brownian motion killed at the rate r = {}; it starts in the law at death of a particle from the mean of the \
             data, with noise of about 1/√r = {:.0} per coordinate, and resolves noise of {} per coordinate, the last level of EDM. \
             The deterministic horizon has VP (β from 0.1 to 20), VE (0.01 to 50), EDM (80 to 0.002, ρ = 7) and PFGM++ (D = {AUGMENTED}, the grid of EDM), each from its own \
             prior. The images have starts and a resolution of their own: the random horizon starts from a Gaussian fit to the data with noise of {} per pixel, \
             which tells it more of the data than the priors tell the others, and resolves what the network can tell, {} per pixel.",
            settings.rate,
            1.0 / settings.rate.sqrt(),
            settings.floor,
            settings.start_level,
            settings.network_floor
        ),
        "Cost. A particle of the random horizon needs a random number of evaluations, so its step η is set for each law, method and budget by a pilot on \
         other particles, such that mean and two standard errors are within the budget: on average it spends somewhat less than it is granted. The others spend the \
         same on every particle. The hazard of a density is computed from the same sums as the score and is not counted."
            .into(),
    ];
    let sigmas = three_sigma(settings.seeds as u64)?;
    for panel in panels {
        let mut sentences = Vec::new();
        let (mut lost, mut won) = (0, 0);
        for &budget in &settings.evaluations {
            let Some(Comparison { random, deterministic, difference }) = panel.comparison(budget)? else {
                sentences
                    .push(format!("at {budget} evaluations no step of the random horizon is long enough"));
                continue;
            };
            let (a, b) = (panel.estimate(random)?, panel.estimate(deterministic)?);
            let Estimate { value, standard_error } = difference;
            let verdict = if value > sigmas * standard_error {
                lost += 1;
                "loses"
            } else if value < -sigmas * standard_error {
                won += 1;
                "wins"
            } else {
                "is level"
            };
            sentences.push(format!(
                "at {budget} evaluations the random horizon {verdict} ({}: {:.4} ± {:.4}; {}: {:.4} ± {:.4}; difference {value:.4} ± \
                 {standard_error:.4})",
                random.method.name(),
                a.value,
                a.standard_error,
                deterministic.method.name(),
                b.value,
                b.standard_error
            ));
        }
        let (floor, _) = panel.floor()?;
        let mut note = format!(
            "{}, best methods by {}, floor {:.4}: {}.",
            panel.place.name(),
            panel.error_name(),
            floor.value,
            sentences.join("; ")
        );
        if lost > 0 {
            let reason = match panel.place {
                Place::Exact(set) => set.hardship(),
                Place::Learned => {
                    "The spatial network must find the noise level by itself, and its errors add up along a path; it ends where it can no \
                     longer tell noise, at a level above the last one of a grid."
                }
            };
            note.push_str(" What may be the reason: ");
            note.push_str(reason);
        }
        for (method, budget) in &panel.unaffordable {
            note.push_str(&format!(" No step of {} costs {budget} evaluations or fewer.", method.name()));
        }
        if lost == 0 && won == 0 {
            note.push_str(&format!(" No difference beyond {sigmas:.1} standard errors."));
        }
        notes.push(note);
    }
    Ok(notes)
}
