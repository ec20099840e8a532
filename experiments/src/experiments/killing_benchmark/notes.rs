//! Sentences for the page: the design, and what the numbers say.

use anyhow::Result;

use super::analysis::{Ranked, Study};
use super::places::Place;
use super::quality::Quality;
use super::rules::{Needs, Rule};
use super::stepping::Stepping;
use super::units::Task;

/// Standard errors by which two numbers must differ to be called different.
const APART: f64 = 3.0;

pub(super) fn notes(study: &Study<'_>) -> Result<Vec<String>> {
    let mut notes = vec![recommendation(study), survivors(study), design(study)];
    notes.extend(killed_by_bridges(study));
    notes.extend(FIXED.map(String::from));
    Ok(notes)
}

const FIXED: [&str; 7] = [
    "The number of fixed steps is the mean of what the known support takes in the same run, which nobody knows elsewhere. As each adaptive \
     step contracts the distance by a given factor, a number of steps is a threshold on the distance over that of the start.",
    "On atoms the tangent planes are of dimension one, the least there is. Where the sample has fewer copies of an atom than a plane has \
     neighbours, the plane goes through other atoms as well, and particles at that atom are not killed.",
    "A rule has no error of its own that a threshold could mend if it waits for a clock: it kills wherever the particle is when the clock \
     rings, and where the particle has reached the support before, the steps have become too short for the clock ever to ring. The exact \
     lifetime is such a clock. Its law is right, and it is independent of the path given the start, which the lifetime of the process is not.",
    "The clipped score keeps its displacement and loses its gain near the data, as an output of bounded size does. A rule that reads |s| \
     waits there for a value that never comes; one that reads the displacement, or where the particle is, does not.",
    "With a bridge step and a rule other than the lifetime the step has no floor, so that the rule alone kills but for a lifetime drawn \
     within a step, which is counted.",
    "The flux flow has no lifetime, so rules that count the time of the diffusion do not exist with it, nor does the L² norm along its path.",
    "At thresholds below the spacing of the points that stand for a law, the score is that of single points, whose codimension is d: the sup \
     rule, calibrated for the support, then stops at a distance that is larger by (d − 2)/(c − 2).",
];

/// The best rule that can be had, by what has to be known for it.
fn recommendation(study: &Study<'_>) -> String {
    let ranking = study.ranking();
    let allowed =
        |ranked: &&Ranked| matches!(ranked.rule.needs(), Needs::Nothing | Needs::Codimension | Needs::Data);
    let Some(best) = ranking.iter().find(allowed) else { return "No rule took part.".into() };
    let level: Vec<&str> = ranking
        .iter()
        .filter(allowed)
        .filter(|other| other.rule != best.rule && !apart(other, best))
        .map(|other| other.rule.name())
        .collect();
    let all: Vec<Task> = Quality::ALL.into_iter().flat_map(Study::factorial).collect();
    let evaluations = study.mean_of(&all, best.rule, |cell| Some(cell.evaluations));
    let ties = if level.is_empty() {
        format!("no other is within {APART} standard errors of its rank")
    } else {
        format!("within {APART} standard errors of its rank are: {}", level.join("; "))
    };
    let exact = exact_ends(study).join("; ");
    format!(
        "Recommendation: of the rules that need not know the truth, {} has the best mean rank over all scores and steps ({:.2} ± {:.2}, {:.0} \
         evaluations on average); {ties}. With the exact score the mean loss is within {APART} standard errors of 0, what exact draws have, for: {exact}.",
        best.rule.name(),
        best.rank.value,
        best.rank.standard_error,
        evaluations.map_or(f64::NAN, |e| e.value)
    )
}

fn apart(a: &Ranked, b: &Ranked) -> bool {
    (a.rank.value - b.rank.value).abs() > APART * a.rank.standard_error.hypot(b.rank.standard_error)
}

/// The rules to be had whose ends cannot be told from exact draws with the exact score.
fn exact_ends(study: &Study<'_>) -> Vec<&'static str> {
    let tasks = Study::factorial(Quality::Exact);
    let like_exact = |rule: &Rule| {
        study.mean_loss(&tasks, *rule).is_some_and(|error| error.value.abs() <= APART * error.standard_error)
    };
    available().filter(like_exact).map(Rule::name).collect()
}

/// Rules that need not know the truth and do not ignore the data.
fn available() -> impl Iterator<Item = Rule> {
    Rule::ALL
        .into_iter()
        .filter(|rule| matches!(rule.needs(), Needs::Nothing | Needs::Codimension | Needs::Data))
}

/// For each error of the score the rules least and most hurt.
fn survivors(study: &Study<'_>) -> String {
    let exact = Study::factorial(Quality::Exact);
    let parts: Vec<String> = Quality::ALL[1..]
        .iter()
        .filter_map(|quality| {
            let tasks = Study::factorial(*quality);
            let mut growth: Vec<(Rule, f64)> = available()
                .filter_map(|rule| {
                    let (with, without) = (study.mean_loss(&tasks, rule)?, study.mean_loss(&exact, rule)?);
                    Some((rule, with.value - without.value))
                })
                .collect();
            growth.sort_by(|a, b| a.1.total_cmp(&b.1));
            let (first, last) = (growth.first()?, growth.last()?);
            Some(format!(
                "{}: least hurt {} ({:+.4}), most {} ({:+.4})",
                quality.name(),
                first.0.name(),
                first.1,
                last.0.name(),
                last.1
            ))
        })
        .collect();
    format!(
        "What an error of the score adds to the mean loss of a rule, among rules that need not know the truth: {}.",
        parts.join("; ")
    )
}

fn design(study: &Study<'_>) -> String {
    let settings = study.settings;
    let runs: usize = study.measured.iter().map(|(_, cells)| cells.len()).sum();
    let places: Vec<String> = Place::FULL.into_iter().map(Place::name).collect();
    let others: Vec<String> = study
        .elsewhere()
        .into_iter()
        .filter_map(|task| match task {
            Task::Rules { place, stepping: Stepping::Euler, .. } => Some(place.name()),
            _ => None,
        })
        .collect();
    format!(
        "Design: on {} every rule meets every step and every score, with {} particles and {} seeds each, and every threshold with the exact \
         score; on {} one factor is changed at a time, with the exact score and two steps; so are the mixture with a density and the images ({} \
         particles, {} seeds). {runs} runs in all. Within a seed all rules have the same starts and noise, and are compared with the same draws.",
        places.join(", "),
        settings.particles,
        settings.seeds,
        others.join(", "),
        settings.image_particles,
        settings.image_seeds
    )
}

/// How often a bridge killed by its lifetime before the rule did.
fn killed_by_bridges(study: &Study<'_>) -> Option<String> {
    let bridged = study
        .measured
        .iter()
        .filter(|(unit, _)| matches!(unit.task, Task::Rules { stepping, .. } if stepping.samples_lifetime()));
    let cells = bridged.flat_map(|(_, cells)| cells);
    let others = cells.filter(|cell| !matches!(cell.rule, Rule::Lifetime | Rule::Oracle));
    let (by_lifetime, killed) = others.fold((0, 0), |(a, b), cell| (a + cell.by_lifetime, b + cell.killed));
    (killed > 0).then(|| {
        format!(
            "Of {killed} particles killed on bridges under other rules, {by_lifetime} died by a lifetime drawn within a step."
        )
    })
}
