//! Cross-validation on the data: the same noise on the fold left out, the same distances for all competitors.

use anyhow::{Context as _, Result};
use nalgebra::DMatrix;
use rayon::prelude::*;
use resolvent::core::occupation::squared_distances;

use super::neighbours::{Rule, Weighting, nearest};
use super::{PREDICTORS, Settings, Task, noisy};
use crate::experiment::Context;
use crate::outcome::{Table, cells};

/// Inputs whose distances to all data are held at a time.
const CHUNK: usize = 500;

/// What came of every candidate: share of errors and mean log loss (nats).
pub(super) struct Validation {
    /// One for each bandwidth.
    pub(super) bandwidths: Vec<Loss>,
    /// The bare u.
    pub(super) bare: Loss,
    /// Votes of neighbours.
    pub(super) rules: Vec<(Rule, Loss)>,
}

#[derive(Clone, Copy, Default)]
pub(super) struct Loss {
    pub(super) errors: f64,
    pub(super) log_loss: f64,
}

impl Loss {
    fn add(&mut self, logs: &[f64], label: usize) {
        let best = (0..logs.len()).max_by(|&a, &b| logs[a].total_cmp(&logs[b]));
        self.errors += f64::from(u8::from(best != Some(label)));
        self.log_loss -= logs[label];
    }

    fn plus(self, other: Self) -> Self {
        Self { errors: self.errors + other.errors, log_loss: self.log_loss + other.log_loss }
    }

    fn over(self, n: f64) -> Self {
        Self { errors: self.errors / n, log_loss: self.log_loss / n }
    }
}

/// What the cross-validation picked: bandwidths by number, and votes.
pub(super) struct Choice {
    /// With the fewest errors.
    pub(super) accurate: usize,
    /// With the least log loss.
    pub(super) calibrated: usize,
    /// With the fewest errors.
    pub(super) accurate_rule: Rule,
    /// With the least log loss.
    pub(super) calibrated_rule: Rule,
}

impl Choice {
    /// The predictors, in the order of their numbers.
    pub(super) fn names(&self, settings: &Settings) -> [String; PREDICTORS] {
        let h = |number: usize| settings.bandwidths[number];
        [
            "u, bare atoms".into(),
            format!("u, h = {}, chosen for accuracy", h(self.accurate)),
            format!("u, h = {}, chosen for log loss", h(self.calibrated)),
            format!("{} neighbours, chosen for accuracy", self.accurate_rule.k),
            format!("{} neighbours, chosen for log loss", self.calibrated_rule.k),
        ]
    }
}

/// Log-probabilities (classes x n) by `predict` from squared distances (m x n) to the data.
pub(super) fn predictions(
    squared: &DMatrix<f64>,
    predict: impl Fn(&[f64], &mut [f64]) + Sync,
    classes: usize,
) -> DMatrix<f64> {
    let mut out = DMatrix::zeros(classes, squared.ncols());
    let columns = squared.as_slice().par_chunks_exact(squared.nrows());
    out.as_mut_slice()
        .par_chunks_exact_mut(classes)
        .zip(columns)
        .for_each(|(out, squared)| predict(squared, out));
    out
}

impl Validation {
    pub(super) fn run(task: &Task, settings: &Settings, context: &Context) -> Result<Self> {
        let data = task.measure.points();
        let inputs = noisy(data, settings.noise, context.seed, 0);
        let most = settings.neighbours.last().copied().context("no number of neighbours")?;
        let rules: Vec<Rule> = settings
            .neighbours
            .iter()
            .flat_map(|&k| Weighting::ALL.map(|weighting| Rule { k, weighting, added: 1.0 }))
            .flat_map(|rule| settings.added_votes.iter().map(move |&added| Rule { added, ..rule }))
            .collect();
        let empty = || vec![Loss::default(); 1 + task.smoothed.len() + rules.len()];
        let mut total = empty();
        let progress = context.progress(inputs.ncols() as u64, "classify: cross-validation");
        for first in (0..inputs.ncols()).step_by(CHUNK) {
            context.proceed()?;
            let count = CHUNK.min(inputs.ncols() - first);
            let mut squared = squared_distances(&task.measure, &inputs.columns(first, count).into_owned())?;
            let m = squared.nrows();
            let losses: Vec<Vec<Loss>> = squared
                .as_mut_slice()
                .par_chunks_exact_mut(m)
                .enumerate()
                .map(|(j, squared)| {
                    let fold = (first + j) % settings.folds;
                    squared.iter_mut().skip(fold).step_by(settings.folds).for_each(|s| *s = f64::INFINITY);
                    let label = task.labels[first + j];
                    let mut logs = vec![0.0; task.classes];
                    let mut losses = empty();
                    for (posterior, loss) in
                        std::iter::once(&task.bare).chain(&task.smoothed).zip(&mut losses)
                    {
                        posterior.log_probabilities_at(squared, &mut logs);
                        loss.add(&logs, label);
                    }
                    let neighbours = nearest(squared, most);
                    let losses_of_rules = &mut losses[1 + task.smoothed.len()..];
                    let same_votes = settings.added_votes.len();
                    for (rules, losses) in
                        rules.chunks(same_votes).zip(losses_of_rules.chunks_mut(same_votes))
                    {
                        let votes = rules[0].votes(&neighbours, &task.labels, task.classes);
                        for (rule, loss) in rules.iter().zip(losses) {
                            rule.log_probabilities_of(&votes, &mut logs);
                            loss.add(&logs, label);
                        }
                    }
                    losses
                })
                .collect();
            for losses in losses {
                total.iter_mut().zip(losses).for_each(|(t, l)| *t = t.plus(l));
            }
            progress.inc(count as u64);
        }
        let mut means = total.into_iter().map(|loss| loss.over(inputs.ncols() as f64));
        let bare = means.next().context("no predictor")?;
        let bandwidths = means.by_ref().take(task.smoothed.len()).collect();
        Ok(Self { bandwidths, bare, rules: rules.into_iter().zip(means).collect() })
    }

    /// The best of each kind; of equals the first, which has fewer neighbours.
    pub(super) fn choice(&self) -> Result<Choice> {
        let bandwidth = |of: fn(&Loss) -> f64| {
            let numbers = 0..self.bandwidths.len();
            let best = numbers.min_by(|&a, &b| of(&self.bandwidths[a]).total_cmp(&of(&self.bandwidths[b])));
            best.context("no bandwidth")
        };
        let rule = |of: fn(&Loss) -> f64| {
            let best = self.rules.iter().min_by(|a, b| of(&a.1).total_cmp(&of(&b.1)));
            best.map(|(rule, _)| *rule).context("no rule")
        };
        Ok(Choice {
            accurate: bandwidth(|l| l.errors)?,
            calibrated: bandwidth(|l| l.log_loss)?,
            accurate_rule: rule(|l| l.errors)?,
            calibrated_rule: rule(|l| l.log_loss)?,
        })
    }

    pub(super) fn bandwidth_table(&self, settings: &Settings) -> Table {
        let mut table = Table::new(
            "cross-validation of the bandwidth",
            format!(
                "{} folds of the data, noise {} on the fold left out. The first row, h = 0, is the bare u.",
                settings.folds, settings.noise
            ),
            &["h", "share of errors", "log loss (nats)"],
        );
        let rows = std::iter::once((0.0, &self.bare))
            .chain(settings.bandwidths.iter().copied().zip(&self.bandwidths));
        for (h, loss) in rows {
            table.push(cells![h, loss.errors, loss.log_loss]);
        }
        table
    }

    pub(super) fn neighbour_table(&self, settings: &Settings) -> Table {
        let mut table = Table::new(
            "cross-validation of the neighbours",
            "The same folds, noise and distances. For each k and kind of vote the number added to every class that has the \
             least log loss.",
            &["k", "votes", "added", "share of errors", "log loss (nats)"],
        );
        for rules in self.rules.chunks(settings.added_votes.len()) {
            if let Some((rule, loss)) = rules.iter().min_by(|a, b| a.1.log_loss.total_cmp(&b.1.log_loss)) {
                let votes = match rule.weighting {
                    Weighting::Majority => "equal",
                    Weighting::Distance => "inverse distance",
                };
                table.push(cells![rule.k, votes, rule.added, loss.errors, loss.log_loss]);
            }
        }
        table
    }
}
