//! The runs, put together by place, method and budget.

use anyhow::{Context as _, Result};
use resolvent::metrics::{Estimate, mean};

use super::{Method, Place, Run, Settings, Unit};

/// A method at one budget, over all seeds.
pub(super) struct Row<'a> {
    pub(super) method: Method,
    pub(super) budget: usize,
    pub(super) runs: Vec<&'a Run>,
}

/// Everything measured in one place.
pub(super) struct Panel<'a> {
    pub(super) place: Place,
    pub(super) exact: &'a [Run],
    pub(super) rows: Vec<Row<'a>>,
    /// Methods that no step brings down to a budget.
    pub(super) unaffordable: Vec<(Method, usize)>,
}

/// One method beside another, on the same seeds.
pub(super) struct Comparison<'a> {
    pub(super) random: &'a Row<'a>,
    pub(super) deterministic: &'a Row<'a>,
    /// The error of the random horizon less that of the other.
    pub(super) difference: Estimate,
}

impl Row<'_> {
    pub(super) fn values(&self, of: impl Fn(&Run) -> Option<f64>) -> Vec<f64> {
        self.runs.iter().filter_map(|run| of(run)).collect()
    }

    /// Mean and standard error over the seeds, of what every run has.
    pub(super) fn estimate(&self, of: impl Fn(&Run) -> Option<f64>) -> Option<Estimate> {
        let values = self.values(of);
        if values.len() == self.runs.len() { mean(&values).ok() } else { None }
    }
}

impl<'a> Panel<'a> {
    /// The number by which methods are ranked there.
    pub(super) fn error(&self, run: &Run) -> Option<f64> {
        match self.place {
            Place::Exact(_) => Some(run.quality.sliced),
            Place::Learned => run.quality.features,
        }
    }

    pub(super) fn error_name(&self) -> &'static str {
        match self.place {
            Place::Exact(_) => "sliced Wasserstein distance",
            Place::Learned => "Fréchet distance of features",
        }
    }

    pub(super) fn estimate(&self, row: &Row<'_>) -> Result<Estimate> {
        row.estimate(|run| self.error(run)).context("a run without its error")
    }

    /// The error of exact samples, and the deviation of a single one.
    pub(super) fn floor(&self) -> Result<(Estimate, f64)> {
        let values: Vec<f64> = self.exact.iter().filter_map(|run| self.error(run)).collect();
        let floor = mean(&values)?;
        Ok((floor, floor.standard_error * (values.len() as f64).sqrt()))
    }

    /// The error of `row` less the floor, in standard errors of that difference for exact samples.
    pub(super) fn excess(&self, row: &Row<'_>) -> Result<f64> {
        let (floor, deviation) = self.floor()?;
        let counts = 1.0 / row.runs.len() as f64 + 1.0 / self.exact.len() as f64;
        Ok((self.estimate(row)?.value - floor.value) / (deviation * counts.sqrt()))
    }

    /// The method of a kind with the least error, where one of them affords the budget.
    pub(super) fn best(&self, random: bool, budget: usize) -> Result<Option<&Row<'a>>> {
        let mut best: Option<(&Row<'a>, f64)> = None;
        for row in self.rows.iter().filter(|row| row.method.is_random() == random && row.budget == budget) {
            let error = self.estimate(row)?.value;
            if best.is_none_or(|(_, least)| error < least) {
                best = Some((row, error));
            }
        }
        Ok(best.map(|(row, _)| row))
    }

    pub(super) fn comparison(&self, budget: usize) -> Result<Option<Comparison<'_>>> {
        let (Some(random), Some(deterministic)) = (self.best(true, budget)?, self.best(false, budget)?)
        else {
            return Ok(None);
        };
        let errors = |row: &Row<'_>| row.values(|run| self.error(run));
        let pairs = errors(random).into_iter().zip(errors(deterministic));
        let difference = mean(&pairs.map(|(a, b)| a - b).collect::<Vec<_>>())?;
        Ok(Some(Comparison { random, deterministic, difference }))
    }
}

/// What was measured, place by place.
pub(super) fn panels<'a>(settings: &Settings, measured: &'a [(Unit, Vec<Run>)]) -> Result<Vec<Panel<'a>>> {
    let mut panels: Vec<Panel<'a>> = Vec::new();
    for (unit, runs) in measured {
        let Some(method) = unit.method else {
            panels.push(Panel { place: unit.place, exact: runs, rows: Vec::new(), unaffordable: Vec::new() });
            continue;
        };
        let panel = panels.iter_mut().find(|panel| panel.place == unit.place);
        let panel = panel.context("a method before the exact samples")?;
        if unit.seed == 0 {
            let row = |&budget: &usize| Row { method, budget, runs: Vec::new() };
            panel.rows.extend(settings.evaluations.iter().map(row));
        }
        for run in runs {
            let mut rows = panel.rows.iter_mut();
            let row = rows.find(|row| row.method == method && Some(row.budget) == run.budget);
            row.context("a run without its budget")?.runs.push(run);
        }
    }
    for panel in &mut panels {
        let empty = panel.rows.iter().filter(|row| row.runs.is_empty());
        panel.unaffordable = empty.map(|row| (row.method, row.budget)).collect();
        panel.rows.retain(|row| !row.runs.is_empty());
    }
    Ok(panels)
}
