//! The tables of `classify`.

use anyhow::Result;
use resolvent::metrics;

use super::scores::{Scores, calibration_error, reliability};
use super::{ACCURATE, PREDICTORS, Settings, Task};
use crate::outcome::{Table, cells};

/// Every predictor over all draws of the noise.
pub(super) fn summary(
    runs: &[[Scores; PREDICTORS]],
    names: &[String; PREDICTORS],
    settings: &Settings,
) -> Result<Table> {
    let mut table = Table::new(
        "predictors",
        format!(
            "Noise {}, {} draws of it on every input. Standard errors count inputs, each with its mean over the draws. The \
             calibration error is the mean distance between confidence and share of right answers over {} bins.",
            settings.noise,
            runs.len(),
            settings.bins
        ),
        &[
            "predictor",
            "accuracy",
            "standard error",
            "log loss (nats)",
            "standard error",
            "Brier score",
            "calibration error",
        ],
    );
    for (k, name) in names.iter().enumerate() {
        let mean = |of: &dyn Fn(&Scores, usize) -> f64| {
            let values: Vec<f64> = (0..runs[0][k].correct.len())
                .map(|i| runs.iter().map(|run| of(&run[k], i)).sum::<f64>() / runs.len() as f64)
                .collect();
            metrics::mean(&values)
        };
        let accuracy = mean(&|s, i| f64::from(s.correct[i]))?;
        let loss = mean(&|s, i| s.log_loss[i])?;
        let brier = mean(&|s, i| s.brier[i])?;
        let bins = reliability(runs.iter().map(|run| &run[k]), settings.bins);
        table.push(cells![
            name.as_str(),
            accuracy.value,
            accuracy.standard_error,
            loss.value,
            loss.standard_error,
            brier.value,
            calibration_error(&bins)
        ]);
    }
    Ok(table)
}

/// Accuracy and log loss of every draw of the noise.
pub(super) fn by_seed(runs: &[[Scores; PREDICTORS]], names: &[String; PREDICTORS]) -> Table {
    let mut table = Table::new(
        "draws of the noise",
        "The same inputs under independent draws.",
        &["draw", "predictor", "accuracy", "log loss (nats)", "Brier score"],
    );
    for (draw, run) in runs.iter().enumerate() {
        for (name, scores) in names.iter().zip(run) {
            table.push(cells![
                draw + 1,
                name.as_str(),
                scores.accuracy(),
                scores.mean_log_loss(),
                scores.mean_brier()
            ]);
        }
    }
    table
}

/// How often each class was taken for each other by the smoothed u.
pub(super) fn confusion(runs: &[[Scores; PREDICTORS]], task: &Task) -> Table {
    let k = task.classes;
    let mut counts = vec![0_usize; k * k];
    for run in runs {
        for (&predicted, &label) in run[ACCURATE].predicted.iter().zip(&task.held_out_labels) {
            counts[label * k + predicted] += 1;
        }
    }
    let names: Vec<String> =
        std::iter::once("class".into()).chain((0..k).map(|class| format!("taken for {class}"))).collect();
    let columns: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut table = Table::new(
        "confusion",
        "Counts over all draws of the noise, u with the bandwidth chosen for accuracy.",
        &columns,
    );
    for (class, row) in counts.chunks_exact(k).enumerate() {
        table.push(std::iter::once(class).chain(row.iter().copied()).map(serde_json::Value::from).collect());
    }
    table
}
