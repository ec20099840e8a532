//! The numbers.

use anyhow::Result;
use resolvent::metrics::Estimate;
use serde_json::Value;

use super::analysis::{Study, over_seeds};
use super::judge::{Cell, PREMATURE};
use super::places::Place;
use super::quality::Quality;
use super::rules::Rule;
use super::stepping::Stepping;
use super::units::{Task, elsewhere};
use crate::outcome::{Table, cells};

/// The columns of a table of cells, after those that say which cell.
const COLUMNS: [&str; 15] = [
    "end-law error",
    "±",
    "on the support",
    "±",
    "distance/δ",
    "±",
    "projection",
    "±",
    "KS of lifetimes",
    "±",
    "premature",
    "never killed",
    "diverged",
    "evaluations",
    "±",
];

pub(super) fn tables(study: &Study<'_>) -> Result<Vec<Table>> {
    let mut tables = vec![ranking(study), stability(study)?, supports(study)?, by_score_error(study)];
    for place in Place::FULL {
        tables.push(full(study, place));
    }
    tables.push(thresholds(study));
    tables.push(sensitivity(study));
    tables.push(one_factor(study));
    tables.push(others(study));
    Ok(tables)
}

fn pair(estimate: Option<Estimate>) -> [Value; 2] {
    [Value::from(estimate.map(|e| e.value)), Value::from(estimate.map(|e| e.standard_error))]
}

/// What [`COLUMNS`] name, over seeds.
fn numbers(cells: &[&Cell]) -> Vec<Value> {
    let over = |number: &dyn Fn(&Cell) -> Option<f64>| {
        pair(over_seeds(cells.iter().map(|cell| number(cell)).collect()))
    };
    let share = |count: &dyn Fn(&Cell) -> Option<usize>| -> Value {
        let (mut sum, mut particles) = (0, 0);
        for cell in cells {
            let Some(count) = count(cell) else { return Value::Null };
            sum += count;
            particles += cell.particles;
        }
        Value::from(sum as f64 / particles as f64)
    };
    let mut row = Vec::new();
    row.extend(over(&|cell| cell.end));
    row.extend(over(&|cell| cell.foot));
    row.extend(over(&|cell| cell.distance));
    row.extend(over(&|cell| cell.projection));
    row.extend(over(&|cell| cell.lifetime));
    row.push(share(&|cell| cell.premature));
    row.push(share(&|cell| Some(cell.capped)));
    row.push(share(&|cell| Some(cell.diverged)));
    row.extend(over(&|cell| Some(cell.evaluations)));
    row
}

fn columns(first: &[&'static str]) -> Vec<&'static str> {
    [first, &COLUMNS].concat()
}

/// What the columns of a table of cells are.
fn legend() -> String {
    format!(
        "End-law error: energy distance of the ends from exact draws over the mean distance of two data, 0 on average for an exact \
         sampler; on the support: the same for the projections of the ends to it. Projection: mean distance from the end to the \
         projection of the start. KS of lifetimes: against Exp(r), the law of exact ones. Premature: killed further away than \
         {PREMATURE} thresholds. All ± are standard errors over seeds."
    )
}

fn ranking(study: &Study<'_>) -> Table {
    let caption = "All rules on the three supports of the factorial part, with all scores and the four steps that need nothing else. In each \
                   setting the rules that exist there are ranked by their loss from 0 (best) to 1 (worst); the rank is the mean over \
                   settings, ± its standard error over seeds. The loss is the end-law error (as in the tables below) plus the share of \
                   particles that were never killed, which have no end. Beside the rank the same with the exact score, the mean loss \
                   and evaluations, and what the rule has to know beside the score.";
    let columns = [
        "place",
        "rule",
        "knows",
        "rank",
        "±",
        "rank, exact score",
        "±",
        "loss",
        "±",
        "evaluations",
        "±",
        "settings",
    ];
    let mut table = Table::new("Ranking", caption, &columns);
    let all: Vec<Task> = Quality::ALL.into_iter().flat_map(Study::factorial).collect();
    for (index, ranked) in study.ranking().into_iter().enumerate() {
        let mut row = cells![index + 1, ranked.rule.name(), ranked.rule.needs().name()];
        row.extend(pair(Some(ranked.rank)));
        row.extend(pair(ranked.exact));
        row.extend(pair(study.mean_loss(&all, ranked.rule)));
        row.extend(pair(study.mean_of(&all, ranked.rule, |cell| Some(cell.evaluations))));
        row.push(ranked.settings.into());
        table.push(row);
    }
    table
}

fn stability(study: &Study<'_>) -> Result<Table> {
    let ranking = study.ranking();
    let taus = Study::stability(&ranking)?;
    let (low, high) =
        taus.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), t| (l.min(*t), h.max(*t)));
    let tau = over_seeds(taus.iter().map(|tau| Some(*tau)).collect());
    let caption = format!(
        "The place of each rule in the ranking of each seed alone. Kendall's tau between two seeds is {:.3} on average over {} pairs, \
         from {low:.3} to {high:.3}.",
        tau.map_or(f64::NAN, |tau| tau.value),
        taus.len()
    );
    let seeds = ranking.first().map_or(0, |first| first.by_seed.len());
    let names: Vec<String> = (0..seeds).map(|seed| format!("seed {seed}")).collect();
    let mut columns = vec!["rule"];
    columns.extend(names.iter().map(String::as_str));
    let mut table = Table::new("Stability of the ranking", caption, &columns);
    for ranked in &ranking {
        let mut row = cells![ranked.rule.name()];
        for seed in 0..seeds {
            let before = ranking.iter().filter(|other| other.by_seed[seed] < ranked.by_seed[seed]).count();
            row.push((before + 1).into());
        }
        table.push(row);
    }
    Ok(table)
}

fn supports(study: &Study<'_>) -> Result<Table> {
    let mut table = Table::new(
        "Supports",
        "and the killed process on each. The law on circle and sphere is the harmonic measure of a point within, and that on torus and \
         roll is tilted too: a law with the symmetry of its support would come out right whatever kills. The law is that of so many \
         weighted points, whose score, posterior and lifetimes are exact.",
        &["support", "dimension d", "codimension", "points", "rate r", "δ", "mean distance of data"],
    );
    for place in Place::FULL.into_iter().chain(elsewhere(study.settings)) {
        let target = place.target(study.settings)?;
        table.push(cells![
            place.name(),
            target.process.dim(),
            target.support.codimension(),
            target.law.points().ncols(),
            target.process.rate(),
            target.delta,
            target.scale
        ]);
    }
    Ok(table)
}

fn by_score_error(study: &Study<'_>) -> Table {
    let words: Vec<String> = Quality::ALL
        .into_iter()
        .map(|quality| format!("{}: {}", quality.name(), quality.description(study.settings)))
        .collect();
    let caption = format!(
        "The loss of each rule (end-law error and share never killed) by what is wrong with the score, mean over the three supports and four steps. {}.",
        words.join("; ")
    );
    let mut columns = vec!["rule"];
    for quality in Quality::ALL {
        columns.extend([quality.name(), "±"]);
    }
    let mut table = Table::new("Which rule survives which error", caption, &columns);
    for rule in Rule::ALL {
        let errors: Vec<_> = Quality::ALL
            .into_iter()
            .map(|quality| study.mean_loss(&Study::factorial(quality), rule))
            .collect();
        if errors.iter().any(Option::is_some) {
            let mut row = cells![rule.name()];
            row.extend(errors.into_iter().flat_map(pair));
            table.push(row);
        }
    }
    table
}

fn full(study: &Study<'_>, place: Place) -> Table {
    let mut table = Table::new(
        place.name(),
        format!("every rule, score and step. {}", legend()),
        &columns(&["score", "step", "rule"]),
    );
    for quality in Quality::ALL {
        for stepping in Stepping::BY_SCORE.into_iter().chain([Stepping::Posterior]) {
            let task = Task::Rules { place, quality, stepping };
            rows(study, task, [quality.name(), stepping.name()], &mut table);
        }
    }
    table
}

/// A row for each rule of a task, led by `lead` and the name of the rule.
fn rows(study: &Study<'_>, task: Task, lead: [&str; 2], table: &mut Table) {
    for rule in Rule::ALL {
        let found = study.cells(task, rule, 1.0);
        if !found.is_empty() {
            let mut row = cells![lead[0], lead[1], rule.name()];
            row.extend(numbers(&found));
            table.push(row);
        }
    }
}

fn thresholds(study: &Study<'_>) -> Table {
    let caption = format!(
        "every rule that has a threshold, over two decades of it, with the exact score: the sampled lifetime with the bridge, the others \
         with Euler-Maruyama. {}",
        legend()
    );
    let mut table = Table::new("Thresholds", caption, &columns(&["support", "rule", "threshold/δ"]));
    for place in Place::FULL {
        for rule in Rule::ALL {
            for &factor in &study.settings.factors {
                let found = study.cells(Task::Thresholds { place }, rule, factor);
                if rule.has_threshold() && !found.is_empty() {
                    let mut row = cells![place.name(), rule.name(), factor];
                    row.extend(numbers(&found));
                    table.push(row);
                }
            }
        }
    }
    table
}

fn sensitivity(study: &Study<'_>) -> Table {
    let caption = "Change of the loss per decade of the threshold: slope of a line by least squares over all thresholds, with its \
                   standard error over seeds. 0 for a rule whose threshold does not matter.";
    let names: Vec<String> = Place::FULL.into_iter().map(Place::name).collect();
    let mut columns = vec!["rule"];
    names.iter().for_each(|name| columns.extend([name.as_str(), "±"]));
    let mut table = Table::new("Sensitivity to the threshold", caption, &columns);
    for rule in Rule::ALL.into_iter().filter(|rule| rule.has_threshold()) {
        let mut row = cells![rule.name()];
        row.extend(Place::FULL.into_iter().flat_map(|place| pair(study.sensitivity(place, rule))));
        table.push(row);
    }
    table
}

fn one_factor(study: &Study<'_>) -> Table {
    let caption = format!("with the exact score, one factor changed at a time. {}", legend());
    let mut table = Table::new("Other supports", caption, &columns(&["support", "step", "rule"]));
    for task in study.elsewhere() {
        if let Task::Rules { place, stepping, .. } = task {
            rows(study, task, [&place.name(), stepping.name()], &mut table);
        }
    }
    table
}

fn others(study: &Study<'_>) -> Table {
    let caption = format!(
        "A mixture of two Gaussians in R³, which has a density, so that no rule that waits for a support can be right; and images, glyphs or those of the data set given, with \
         the exact score of {} of them and with the score that a network learned from others, whose support is not known. {}",
        study.settings.images,
        legend()
    );
    let mut table = Table::new("Density and images", caption, &columns(&["data", "step", "rule"]));
    for stepping in [Stepping::Euler, Stepping::Bridge] {
        rows(study, Task::Mixture { stepping }, ["mixture", stepping.name()], &mut table);
    }
    for learned in [false, true] {
        let name = if learned { "images, learned score" } else { "images, exact score" };
        for stepping in [Stepping::Euler, Stepping::Bridge] {
            rows(study, Task::Images { learned, stepping }, [name, stepping.name()], &mut table);
        }
    }
    table
}
