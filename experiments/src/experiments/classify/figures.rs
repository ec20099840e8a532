//! The figures of `classify`.

use anyhow::Result;

use super::scores::{Scores, reliability};
use super::validation::{Choice, Validation};
use super::{BARE, CALIBRATED, CALIBRATED_NEIGHBOURS, PREDICTORS, Settings, Task, noisy};
use crate::experiment::Context;
use crate::experiments::labelled_images::{LabelledImages, grey, pixels};
use crate::plot::{Axis, BarRow, Chart, Series, image_bars};

/// Inputs shown.
const SHOWN: usize = 6;
/// Classes named for each.
const NAMED: usize = 3;

/// Log loss and errors against the bandwidth.
pub(super) fn validation(validation: &Validation, settings: &Settings) -> Result<String> {
    let curve = |of: fn(&super::validation::Loss) -> f64| {
        settings.bandwidths.iter().copied().zip(validation.bandwidths.iter().map(of)).collect::<Vec<_>>()
    };
    let best = |of: fn(&super::validation::Loss) -> f64| {
        validation.rules.iter().map(|(_, loss)| of(loss)).fold(f64::INFINITY, f64::min)
    };
    Chart::new(Axis::log("bandwidth h"), Axis::log("in the cross-validation"))
        .series(Series::marked("u: log loss (nats)", curve(|l| l.log_loss)))
        .series(Series::marked("u: share of errors", curve(|l| l.errors)))
        .reference(best(|l| l.log_loss), "neighbours, best log loss")
        .reference(best(|l| l.errors), "neighbours, fewest errors")
        .svg()
}

/// The share of right answers against confidence; bins with fewer than five inputs say nothing and are left out.
pub(super) fn reliability_diagram(
    runs: &[[Scores; PREDICTORS]],
    names: &[String; PREDICTORS],
    settings: &Settings,
) -> Result<String> {
    let mut chart = Chart::new(
        Axis::linear("probability given to the likeliest class").range(0.0, 1.02),
        Axis::linear("share of right answers").range(0.0, 1.05),
    )
    .series(Series::line("perfect calibration", vec![(0.0, 0.0), (1.0, 1.0)]).exact());
    for k in [BARE, CALIBRATED, CALIBRATED_NEIGHBOURS] {
        let bins = reliability(runs.iter().map(|run| &run[k]), settings.bins);
        let filled: Vec<_> = bins.into_iter().filter(|bin| bin.count >= 5 * runs.len()).collect();
        let point = |bin: &super::scores::Bin| {
            (bin.confidence / bin.count as f64, bin.correct as f64 / bin.count as f64)
        };
        // An input counts once, whatever the number of draws of the noise.
        let error = |bin: &super::scores::Bin| {
            let (n, p) = (bin.count as f64 / runs.len() as f64, bin.correct as f64 / bin.count as f64);
            2.0 * (p * (1.0 - p) / n.max(1.0)).sqrt()
        };
        chart = chart.series(
            Series::marked(names[k].as_str(), filled.iter().map(point).collect())
                .errors(filled.iter().map(error).collect())
                .colour(k),
        );
    }
    chart.svg()
}

/// Inputs of different classes with the probabilities of their likeliest classes.
pub(super) fn inputs(
    task: &Task,
    images: &LabelledImages,
    choice: &Choice,
    settings: &Settings,
    context: &Context,
) -> Result<String> {
    let noisy = noisy(&images.held_out, settings.noise, context.seed, 1);
    let logs = task.smoothed[choice.calibrated].log_probabilities(&noisy)?;
    // Those with the least probability of the likeliest class, of different right classes.
    let mut order: Vec<usize> = (0..noisy.ncols()).collect();
    order.sort_by(|&a, &b| logs.column(a).max().total_cmp(&logs.column(b).max()));
    let mut shown: Vec<usize> = Vec::new();
    for j in order {
        if shown.iter().all(|&s| task.held_out_labels[s] != task.held_out_labels[j]) {
            shown.push(j);
        }
    }
    shown.truncate(SHOWN);
    let likeliest: Vec<Vec<usize>> = shown
        .iter()
        .map(|&j| {
            let mut classes: Vec<usize> = (0..task.classes).collect();
            classes.sort_by(|&a, &b| logs[(b, j)].total_cmp(&logs[(a, j)]));
            classes.truncate(NAMED);
            classes
        })
        .collect();
    // A class is shown by its datum that is nearest to the input.
    let rows: Vec<BarRow<'_>> = shown
        .iter()
        .zip(&likeliest)
        .map(|(&j, classes)| BarRow {
            label: format!("class {}", task.held_out_labels[j]),
            lead: vec![grey(pixels(&images.held_out, j)), grey(pixels(&noisy, j))],
            bars: classes
                .iter()
                .map(|&class| {
                    let squared = |i: &usize| {
                        let pairs = pixels(&noisy, j).iter().zip(pixels(&images.data, *i));
                        pairs.map(|(x, y)| (x - y).powi(2)).sum::<f64>()
                    };
                    let members = (0..task.labels.len()).filter(|&i| task.labels[i] == class);
                    let nearest = members.min_by(|a, b| squared(a).total_cmp(&squared(b))).unwrap_or(0);
                    (grey(pixels(&images.data, nearest)), vec![logs[(class, j)].exp()])
                })
                .collect(),
        })
        .collect();
    image_bars(&rows, &["image", "input"], &["probability of its class"])
}
