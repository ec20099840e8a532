//! What all units show together: means over seeds, ranks, and how stable they are.

use std::collections::BTreeMap;

use anyhow::Result;
use resolvent::metrics::{Estimate, kendall_tau, mean};

use super::Settings;
use super::judge::Cell;
use super::places::Place;
use super::quality::Quality;
use super::rules::Rule;
use super::stepping::Stepping;
use super::units::{Task, Unit, elsewhere};

/// Everything measured.
pub(super) struct Study<'a> {
    pub(super) settings: &'a Settings,
    pub(super) measured: Vec<(Unit, Vec<Cell>)>,
}

/// The rank of one rule, from 0 (best) to 1 (worst) among those that met it, over all settings of the factorial part.
pub(super) struct Ranked {
    pub(super) rule: Rule,
    /// Settings in which it took part.
    pub(super) settings: usize,
    /// Mean over settings, with its standard error over seeds.
    pub(super) rank: Estimate,
    /// The same with the exact score alone.
    pub(super) exact: Option<Estimate>,
    /// By seed.
    pub(super) by_seed: Vec<f64>,
}

/// Mean over seeds and its standard error; the error is not a number with one seed, and there is no mean where a seed lacks its
/// number.
pub(super) fn over_seeds(values: Vec<Option<f64>>) -> Option<Estimate> {
    let values: Vec<f64> = values.into_iter().collect::<Option<_>>()?;
    match values[..] {
        [] => None,
        [value] => Some(Estimate { value, standard_error: f64::NAN }),
        _ => mean(&values).ok(),
    }
}

impl<'a> Study<'a> {
    pub(super) fn new(settings: &'a Settings, measured: Vec<(Unit, Vec<Cell>)>) -> Self {
        Self { settings, measured }
    }

    /// The cells of a rule at a threshold in a task, one per seed.
    pub(super) fn cells(&self, task: Task, rule: Rule, factor: f64) -> Vec<&Cell> {
        let of =
            |cells: &'_ Vec<Cell>| cells.iter().position(|cell| cell.rule == rule && cell.factor == factor);
        self.measured
            .iter()
            .filter(|(unit, _)| unit.task == task)
            .filter_map(|(_, cells)| Some(&cells[of(cells)?]))
            .collect()
    }

    /// A number of the cells of a rule at δ, over seeds.
    pub(super) fn number(
        &self,
        task: Task,
        rule: Rule,
        number: impl Fn(&Cell) -> Option<f64>,
    ) -> Option<Estimate> {
        over_seeds(self.cells(task, rule, 1.0).into_iter().map(number).collect())
    }

    /// The tasks of the factorial part with this quality of the score.
    pub(super) fn factorial(quality: Quality) -> Vec<Task> {
        let mut tasks = Vec::new();
        for place in Place::FULL {
            for stepping in Stepping::BY_SCORE {
                tasks.push(Task::Rules { place, quality, stepping });
            }
        }
        tasks
    }

    /// The tasks in which one factor is changed.
    pub(super) fn elsewhere(&self) -> Vec<Task> {
        let steppings = [Stepping::Euler, Stepping::Bridge];
        let places = elsewhere(self.settings);
        let task = |place, stepping| Task::Rules { place, quality: Quality::Exact, stepping };
        places.into_iter().flat_map(|place| steppings.map(|stepping| task(place, stepping))).collect()
    }

    /// The loss of a rule over some tasks: the mean over those in which it took part, then over seeds.
    pub(super) fn mean_loss(&self, tasks: &[Task], rule: Rule) -> Option<Estimate> {
        self.mean_of(tasks, rule, Cell::loss)
    }

    /// The mean of a number over the tasks in which the rule took part, then over seeds.
    pub(super) fn mean_of(
        &self,
        tasks: &[Task],
        rule: Rule,
        number: impl Fn(&Cell) -> Option<f64>,
    ) -> Option<Estimate> {
        let mut by_seed: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
        for (unit, cells) in &self.measured {
            let cell = cells.iter().find(|cell| cell.rule == rule && cell.factor == 1.0);
            if let (true, Some(cell)) = (tasks.contains(&unit.task), cell) {
                by_seed.entry(unit.seed).or_default().push(number(cell)?);
            }
        }
        over_seeds(by_seed.into_values().map(|v| Some(v.iter().sum::<f64>() / v.len() as f64)).collect())
    }

    /// The standard deviation over seeds of the error of exact draws in a task: what the Monte Carlo of one run does.
    pub(super) fn noise(&self, task: Task) -> f64 {
        let cells = self.cells(task, Rule::Oracle, 1.0);
        let ends: Vec<f64> = cells.iter().filter_map(|cell| cell.end).collect();
        // The mean is known: the energy distance is unbiased.
        (ends.iter().map(|end| end * end).sum::<f64>() / ends.len() as f64).sqrt()
    }

    /// All rules by mean rank, the best first.
    pub(super) fn ranking(&self) -> Vec<Ranked> {
        let all: Vec<Task> = Quality::ALL.into_iter().flat_map(Self::factorial).collect();
        let (overall, exact) = (self.ranks(&all), self.ranks(&Self::factorial(Quality::Exact)));
        let mut ranking: Vec<Ranked> = overall
            .into_iter()
            .filter_map(|(rule, (settings, by_seed))| {
                let estimate = |v: &[f64]| over_seeds(v.iter().map(|v| Some(*v)).collect());
                let rank = estimate(&by_seed)?;
                let exact = exact.get(&rule).and_then(|(_, by_seed)| estimate(by_seed));
                Some(Ranked { rule, settings, rank, exact, by_seed })
            })
            .collect();
        ranking.sort_by(|a, b| a.rank.value.total_cmp(&b.rank.value));
        ranking
    }

    /// For each rule the number of tasks with it, and its mean rank in them by seed.
    fn ranks(&self, tasks: &[Task]) -> BTreeMap<Rule, (usize, Vec<f64>)> {
        let mut sums: BTreeMap<Rule, Vec<(usize, f64)>> = BTreeMap::new();
        for (unit, cells) in self.measured.iter().filter(|(unit, _)| tasks.contains(&unit.task)) {
            let contest: Vec<(Rule, f64)> = cells
                .iter()
                .filter(|cell| cell.rule != Rule::Oracle)
                // Nothing to judge is worse than anything judged.
                .map(|cell| (cell.rule, cell.loss().unwrap_or(f64::INFINITY)))
                .collect();
            for (rule, end) in &contest {
                let better = contest.iter().filter(|(_, other)| other < end).count() as f64;
                let level = contest.iter().filter(|(_, other)| other == end).count() as f64;
                let rank = (better + 0.5 * (level - 1.0)) / (contest.len() as f64 - 1.0);
                let by_seed = sums.entry(*rule).or_insert_with(|| vec![(0, 0.0); self.settings.seeds]);
                by_seed[unit.seed].0 += 1;
                by_seed[unit.seed].1 += rank;
            }
        }
        let means = |by_seed: Vec<(usize, f64)>| {
            let count = by_seed.iter().map(|(count, _)| *count).max().unwrap_or(0);
            (count, by_seed.into_iter().map(|(count, sum)| sum / count as f64).collect())
        };
        sums.into_iter().map(|(rule, by_seed)| (rule, means(by_seed))).collect()
    }

    /// Kendall's tau between the rankings of every two seeds.
    pub(super) fn stability(ranking: &[Ranked]) -> Result<Vec<f64>> {
        let seeds = ranking.first().map_or(0, |first| first.by_seed.len());
        let column = |seed: usize| -> Vec<f64> { ranking.iter().map(|r| r.by_seed[seed]).collect() };
        let mut taus = Vec::new();
        for b in 1..seeds {
            for a in 0..b {
                taus.push(kendall_tau(&column(a), &column(b))?);
            }
        }
        Ok(taus)
    }

    /// The slope of the loss per decade of the threshold, by least squares over the thresholds, then over seeds.
    pub(super) fn sensitivity(&self, place: Place, rule: Rule) -> Option<Estimate> {
        let factors = &self.settings.factors;
        let middle = factors.iter().map(|f| f.log10()).sum::<f64>() / factors.len() as f64;
        let square: f64 = factors.iter().map(|f| (f.log10() - middle).powi(2)).sum();
        let curves: Vec<Vec<&Cell>> =
            factors.iter().map(|factor| self.cells(Task::Thresholds { place }, rule, *factor)).collect();
        let seeds = curves.first()?.len();
        let slope = |seed: usize| -> Option<f64> {
            let products = curves
                .iter()
                .zip(factors)
                .map(|(cells, factor)| Some((factor.log10() - middle) * cells.get(seed)?.loss()?));
            Some(products.sum::<Option<f64>>()? / square)
        };
        over_seeds((0..seeds).map(slope).collect())
    }
}
