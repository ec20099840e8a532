//! Training within an experiment.

use anyhow::{Result, bail};
use nalgebra::DMatrix;
use resolvent::learn::engine::Native;
use resolvent::learn::model::SavedModel;
use resolvent::learn::train::{Observer, Outcome, Record};
use resolvent::learn::{Recipe, Trained};

use crate::experiment::Context;
use crate::interrupt;
use crate::plot::{Axis, Chart, Series};
use crate::progress::Progress;

/// What came of a training.
pub(super) struct Training {
    pub(super) saved: SavedModel,
    /// The records, from the first step to the last.
    pub(super) records: Vec<Record>,
}

/// Advances a progress bar, and keeps the records.
pub(super) struct Watch {
    progress: Progress,
    records: Vec<Record>,
}

impl Watch {
    pub(super) fn new(context: &Context, steps: u64, name: &str) -> Self {
        Self { progress: context.progress(steps, name), records: Vec::new() }
    }

    /// What the last validation found under that name.
    pub(super) fn last(&self, name: &str) -> Option<f64> {
        self.records.iter().rev().find_map(|record| record.validation.get(name)?.as_f64())
    }
}

impl Observer for Watch {
    fn record(&mut self, record: &Record) -> resolvent::learn::Result<()> {
        let before = self.records.last().map_or(0, |record| record.step);
        self.progress.inc(record.step - before);
        self.records.push(record.clone());
        Ok(())
    }

    fn stop(&mut self) -> bool {
        interrupt::requested()
    }
}

/// Trains on `data`, validating on `held_out` (both d x n); `name` is shown while it runs.
pub(super) fn train(
    context: &Context,
    name: &str,
    recipe: &Recipe,
    data: &DMatrix<f64>,
    held_out: &DMatrix<f64>,
) -> Result<Training> {
    let mut watch = Watch::new(context, recipe.training.steps, name);
    let Trained { outcome, saved } = recipe.train(&name.into(), data, held_out, &Native, None, &mut watch)?;
    match (outcome, saved) {
        (Outcome::Finished, Some(saved)) => Ok(Training { saved, records: watch.records }),
        (Outcome::Stopped, _) => bail!("interrupted"),
        (outcome, _) => bail!("training {name}: {outcome:?}"),
    }
}

/// The smoothed loss and the validation loss of each training against the step.
pub(super) fn loss_chart(trainings: &[(&str, &Training)]) -> Result<String> {
    let mut chart = Chart::new(Axis::linear("step"), Axis::log("loss"));
    for (index, (name, training)) in trainings.iter().enumerate() {
        let points = |value: fn(&Record) -> Option<f64>| {
            training.records.iter().filter_map(|r| Some((r.step as f64, value(r)?))).collect::<Vec<_>>()
        };
        chart = chart
            .series(Series::line(format!("{name}, training"), points(|r| r.smoothed_loss)).colour(2 * index))
            .series(
                Series::marked(
                    format!("{name}, validation"),
                    points(|r| r.validation.get("loss").and_then(serde_json::Value::as_f64)),
                )
                .colour(2 * index + 1),
            );
    }
    chart.svg()
}
