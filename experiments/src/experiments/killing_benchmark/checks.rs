//! What the theory promises, with its bounds.

use anyhow::Result;
use resolvent::metrics::{chi_square_test, ks_p_value};

use super::analysis::Study;
use super::mixture;
use super::places::Place;
use super::quality::Quality;
use super::rules::Rule;
use super::stepping::Stepping;
use super::units::Task;
use crate::outcome::Check;

/// Significance of a family of tests.
const ALPHA: f64 = 1e-3;
/// The normal quantile beyond which it lies on one side.
const ONE_SIDED: f64 = 3.090;
/// Expected counts of a cell.
const EXPECTED: f64 = 6.0;
/// Rules that must have the exact end law if the paths are exact: the lifetime, and the entrance into a small neighbourhood.
const EXACT: [Rule; 2] = [Rule::Lifetime, Rule::Sup];
/// Rules that wait for a support.
const HITTING: [Rule; 4] = [Rule::Sup, Rule::Noise, Rule::Data, Rule::Tangent];

pub(super) fn checks(study: &Study<'_>) -> Result<Vec<Check>> {
    let mut checks = Vec::new();
    end_laws(study, &mut checks)?;
    never_killed(study, &mut checks);
    density(study, &mut checks)?;
    stability(study, &mut checks)?;
    Ok(checks)
}

/// The ends of all seeds together against the exact law on cells: paths by the posterior bridge have no error of their own, so what is
/// tested is the rule.
fn end_laws(study: &Study<'_>, checks: &mut Vec<Check>) -> Result<()> {
    let tests = EXACT.len() * Place::FULL.len();
    for place in Place::FULL {
        let target = place.target(study.settings)?;
        let probabilities =
            target.end_law.map(|end_law| end_law.probabilities(&target.law)).unwrap_or_default();
        for rule in EXACT {
            let task = Task::Rules { place, quality: Quality::Exact, stepping: Stepping::Posterior };
            let p = pooled(study, task, rule, &probabilities)?;
            checks.push(Check::at_least(
                format!("{}: {}, exact score and paths: p-value of the end law", place.name(), rule.name()),
                p,
                ALPHA / tests as f64,
                format!("R1, R18; chi-square over all seeds, 1e-3 over {tests} tests"),
            ));
        }
    }
    Ok(())
}

/// The p-value of the pooled ends of a rule on the cells of the end law; 0 where a run left no ends to count.
pub(super) fn pooled(study: &Study<'_>, task: Task, rule: Rule, probabilities: &[f64]) -> Result<f64> {
    let mut counts = vec![0; probabilities.len()];
    for cell in study.cells(task, rule, 1.0) {
        let Some(more) = &cell.counts else { return Ok(0.0) };
        counts.iter_mut().zip(more).for_each(|(count, more)| *count += more);
    }
    let (counts, probabilities) = coarsened(&counts, probabilities);
    Ok(chi_square_test(&counts, &probabilities)?.p_value)
}

/// Neighbouring cells put together until each expects enough for the chi-square law to hold.
fn coarsened(counts: &[u64], probabilities: &[f64]) -> (Vec<u64>, Vec<f64>) {
    let n: u64 = counts.iter().sum();
    let (mut merged, mut open) = (Vec::<(u64, f64)>::new(), (0, 0.0));
    for (count, probability) in counts.iter().zip(probabilities) {
        open = (open.0 + count, open.1 + probability);
        if n as f64 * open.1 >= EXPECTED {
            merged.push(std::mem::take(&mut open));
        }
    }
    match merged.last_mut() {
        Some(last) => *last = (last.0 + open.0, last.1 + open.1),
        None => merged.push(open),
    }
    merged.into_iter().unzip()
}

/// On a support of codimension two or more the process reaches every neighbourhood of it.
fn never_killed(study: &Study<'_>, checks: &mut Vec<Check>) {
    for rule in [Rule::Lifetime, Rule::Sup, Rule::Support] {
        let mut lost = 0;
        for task in Study::factorial(Quality::Exact) {
            lost +=
                study.cells(task, rule, 1.0).iter().map(|cell| cell.capped + cell.diverged).sum::<usize>();
        }
        checks.push(Check::at_most(
            format!("{}, exact scores: particles never killed or diverged", rule.name()),
            lost as f64,
            0.0,
            "codimension ≥ 2: the support is reached at the lifetime",
        ));
    }
}

fn density(study: &Study<'_>, checks: &mut Vec<Check>) -> Result<()> {
    let task = Task::Mixture { stepping: Stepping::Euler };
    let probabilities = mixture::probabilities();
    checks.push(Check::at_least(
        "mixture with a density: exact hazard, p-value of the end law",
        pooled(study, task, Rule::Hazard, &probabilities)?,
        ALPHA,
        "R13; chi-square over all seeds at 1e-3",
    ));
    for rule in HITTING {
        checks.push(Check::at_most(
            format!("mixture with a density: {}, p-value of lifetimes ~ Exp(r)", rule.name()),
            lifetimes(study, task, rule)?,
            ALPHA,
            "there is no support to wait for; Kolmogorov-Smirnov at 1e-3 over the seeds, the time they had for those never killed",
        ));
    }
    Ok(())
}

/// The p-value of the lifetimes of a rule: that of the worst seed times the number of seeds. 1 where there is nothing to test.
fn lifetimes(study: &Study<'_>, task: Task, rule: Rule) -> Result<f64> {
    let cells = study.cells(task, rule, 1.0);
    let mut least: f64 = 1.0;
    for cell in &cells {
        if let Some(statistic) = cell.lifetime {
            least = least.min(ks_p_value(statistic, cell.killed + cell.capped)?);
        }
    }
    Ok((least * cells.len() as f64).min(1.0))
}

fn stability(study: &Study<'_>, checks: &mut Vec<Check>) -> Result<()> {
    let ranking = study.ranking();
    let taus = Study::stability(&ranking)?;
    let (n, pairs) = (ranking.len() as f64, taus.len() as f64);
    // Rankings by chance are pairwise uncorrelated, so the variances of their tau add up.
    let deviation = (2.0 * (2.0 * n + 5.0) / (9.0 * n * (n - 1.0))).sqrt();
    checks.push(Check::at_least(
        "mean of Kendall's tau between the rankings of two seeds",
        taus.iter().sum::<f64>() / pairs,
        ONE_SIDED * deviation / pairs.sqrt(),
        "above what rankings by chance reach at 1e-3",
    ));
    Ok(())
}
