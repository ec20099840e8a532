//! `classify`: the class of a noisy image by the occupation densities of the classes, against k nearest neighbours.

mod figures;
mod neighbours;
mod scores;
mod tables;
mod validation;

use anyhow::{Result, ensure};
use nalgebra::DMatrix;
use rand::RngExt;
use rand_distr::StandardNormal;
use resolvent::core::occupation::{ClassPosterior, Occupation, squared_distances};
use resolvent::core::random::{Purpose, stream};
use resolvent::core::{EmpiricalMeasure, KilledBrownianMotion};
use resolvent::metrics;
use serde::{Deserialize, Serialize};

use self::neighbours::{Rule, Weighting};
use self::scores::Scores;
use self::validation::{Validation, predictions};
use super::labelled_images::LabelledImages;
use crate::experiment::{Context, Experiment};
use crate::outcome::{Check, Figure, Outcome};

/// P(class | x) = α_k u_k(x)/u(x) on images under noise.
pub(crate) struct Classify;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// Images that are the data.
    n_data: usize,
    /// Images held out as inputs.
    n_held_out: usize,
    /// Standard deviation of the noise on every pixel (the pixels lie in [-1, 1]).
    noise: f64,
    /// Draws of the noise on the inputs.
    noise_seeds: usize,
    /// Folds of the cross-validation.
    folds: usize,
    /// Killing rate r, σ = 1.
    rate: f64,
    /// Bandwidths h to choose from, ascending.
    bandwidths: Vec<f64>,
    /// Numbers k of neighbours to choose from, ascending.
    neighbours: Vec<usize>,
    /// What is added to every class's votes, to choose from.
    added_votes: Vec<f64>,
    /// Bins of the reliability diagram.
    bins: usize,
}

/// How many predictors there are; their numbers in figures and tables follow.
const PREDICTORS: usize = 5;
const BARE: usize = 0;
const ACCURATE: usize = 1;
const CALIBRATED: usize = 2;
const ACCURATE_NEIGHBOURS: usize = 3;
const CALIBRATED_NEIGHBOURS: usize = 4;

impl Experiment for Classify {
    type Settings = Settings;

    fn name(&self) -> &'static str {
        "classify"
    }

    fn summary(&self) -> &'static str {
        "the class of a noisy image from the occupation densities of the classes, against k nearest neighbours"
    }

    fn seconds(&self) -> u32 {
        60
    }

    fn full(&self) -> Settings {
        Settings {
            n_data: 8000,
            n_held_out: 2000,
            noise: 0.5,
            noise_seeds: 5,
            folds: 10,
            rate: 0.01,
            bandwidths: vec![0.5, 1.0, 1.25, 1.5, 1.75, 2.0, 2.1, 2.2, 2.3, 2.4, 2.5, 2.75, 3.25],
            neighbours: vec![1, 2, 3, 4, 5, 7, 10, 15, 20, 30, 50],
            added_votes: vec![0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0],
            bins: 10,
        }
    }

    fn quick(&self) -> Settings {
        Settings { n_data: 1000, n_held_out: 400, noise_seeds: 2, folds: 5, ..self.full() }
    }

    fn run(&self, settings: &Settings, context: &Context) -> Result<Outcome> {
        settings.validate()?;
        let images = LabelledImages::load(settings.n_data, settings.n_held_out, context)?;
        let task = Task::new(&images, settings)?;
        let validation = Validation::run(&task, settings, context)?;
        let choice = validation.choice()?;

        let mut runs = Vec::new();
        let progress = context.progress(settings.noise_seeds as u64, "classify: inputs");
        for draw in 0..settings.noise_seeds {
            context.proceed()?;
            // The noise on the data, in the validation, has number 0.
            let inputs = noisy(&images.held_out, settings.noise, context.seed, draw as u64 + 1);
            let squared = squared_distances(&task.measure, &inputs)?;
            let bare = predictions(
                &squared,
                |squared, out| task.bare.log_probabilities_at(squared, out),
                task.classes,
            );
            let smoothed = |bandwidth: usize| {
                let posterior = &task.smoothed[bandwidth];
                predictions(
                    &squared,
                    |squared, out| posterior.log_probabilities_at(squared, out),
                    task.classes,
                )
            };
            let votes = |rule: &Rule| {
                predictions(
                    &squared,
                    |squared, out| rule.log_probabilities(squared, &task.labels, out),
                    task.classes,
                )
            };
            let all = [
                bare,
                smoothed(choice.accurate),
                smoothed(choice.calibrated),
                votes(&choice.accurate_rule),
                votes(&choice.calibrated_rule),
            ];
            runs.push(all.map(|logs| Scores::new(&logs, &task.held_out_labels)));
            progress.inc(1);
        }

        let accuracy = paired(&runs, (ACCURATE, ACCURATE_NEIGHBOURS), |s, i| f64::from(s.correct[i]))?;
        let loss = paired(&runs, (CALIBRATED, CALIBRATED_NEIGHBOURS), |s, i| s.log_loss[i])?;
        let checks = vec![
            Check::at_least(
                "accuracy less that of k nearest neighbours",
                accuracy.value,
                -2.0 * accuracy.standard_error,
                "the posterior of u is no worse a classifier; minus two paired standard errors",
            ),
            Check::at_most(
                "log loss less that of k nearest neighbours (nats)",
                loss.value,
                0.0,
                "u gives probabilities, not votes: both calibrated by the same cross-validation",
            ),
            Check::at_least(
                "bare atoms: inputs whose class is that of the nearest datum",
                agreement(&task, &images, settings, context)?,
                least_agreement(&task, &images, settings, context)?,
                "u lies between the kernel of the nearest datum over m and the kernel, so the class can differ only where \
                 another class is nearer than m^(1/(d-2)) times the nearest distance (R10)",
            ),
        ];
        let names = choice.names(settings);
        Ok(Outcome {
            checks,
            tables: vec![
                tables::summary(&runs, &names, settings)?,
                tables::by_seed(&runs, &names),
                validation.bandwidth_table(settings),
                validation.neighbour_table(settings),
                tables::confusion(&runs, &task),
            ],
            figures: vec![
                Figure::new(
                    "validation",
                    format!(
                        "Cross-validation on the data, noise {} on the fold left out: log loss and share of errors \
                         against the bandwidth h, and the best that votes of k nearest neighbours reach in either.",
                        settings.noise
                    ),
                    figures::validation(&validation, settings)?,
                ),
                Figure::new(
                    "reliability",
                    format!(
                        "How often the likeliest class is right, against the probability it is given: {} inputs under {} draws \
                         of noise {}; bars of two standard errors. Bins with fewer \
                         than five inputs a draw are left out. The diagonal is perfect calibration.",
                        task.held_out_labels.len(),
                        settings.noise_seeds,
                        settings.noise
                    ),
                    figures::reliability_diagram(&runs, &names, settings)?,
                ),
                Figure::new(
                    "inputs",
                    "Inputs and what the smoothed u makes of them: the likeliest classes with their probabilities, and the \
                     right class on the left.",
                    figures::inputs(&task, &images, &choice, settings, context)?,
                ),
            ],
            notes: vec![
                format!(
                    "Data: {}; {} more held out as inputs. The class of an input x is the class of the datum in which the \
                     backward process from x ends: no classifier is trained.",
                    images.source,
                    task.held_out_labels.len()
                ),
                format!(
                    "In R^784 the bare u falls like the distance to the power 2 - d, so that one datum has all the weight: it is \
                     the nearest neighbour, and sure of itself. Smoothing the data by N(0, h² I) with h = {} gives the weights \
                     a scale. The killing rate hardly matters: within the distances met e^(-rt) is flat.",
                    settings.bandwidths[choice.calibrated]
                ),
                format!(
                    "Cross-validation picks for either side one setting for accuracy and one for log loss: h = {} and h = {} for u; \
                     for the neighbours {}, and {}.",
                    settings.bandwidths[choice.accurate],
                    settings.bandwidths[choice.calibrated],
                    choice.accurate_rule.name(),
                    choice.calibrated_rule.name()
                ),
            ],
        })
    }
}

impl Settings {
    fn validate(&self) -> Result<()> {
        ensure!(self.noise > 0.0, "setting `noise` = {}: positive", self.noise);
        ensure!(self.noise_seeds >= 1, "setting `noise_seeds` = 0");
        ensure!(self.bins >= 2, "setting `bins` = {}: at least 2", self.bins);
        ensure!(
            self.n_held_out >= 30,
            "setting `n_held_out` = {}: at least 30 for a standard error",
            self.n_held_out
        );
        ensure!(
            self.folds >= 2 && self.folds <= self.n_data,
            "setting `folds` = {}: 2 to `n_data`",
            self.folds
        );
        ensure!(!self.bandwidths.is_empty(), "setting `bandwidths` is empty");
        ensure!(
            !self.neighbours.is_empty() && self.neighbours[0] >= 1 && self.neighbours.is_sorted(),
            "setting `neighbours`: ascending numbers from 1 on"
        );
        // After the fold is left out and equal images are dropped there must be so many.
        let most = self.neighbours.last().copied().unwrap_or(0);
        ensure!(
            4 * most <= self.n_data,
            "setting `neighbours`: {most} is more than a quarter of the {} data",
            self.n_data
        );
        ensure!(
            !self.added_votes.is_empty() && self.added_votes.iter().all(|&v| v > 0.0),
            "setting `added_votes`: positive numbers"
        );
        Ok(())
    }
}

/// The data with everything that can be asked of them.
struct Task {
    measure: EmpiricalMeasure,
    labels: Vec<usize>,
    held_out_labels: Vec<usize>,
    classes: usize,
    bare: ClassPosterior,
    /// One for each bandwidth.
    smoothed: Vec<ClassPosterior>,
}

impl Task {
    fn new(images: &LabelledImages, settings: &Settings) -> Result<Self> {
        let measure = EmpiricalMeasure::new(images.data.clone())?;
        let process = KilledBrownianMotion::new(measure.dim(), 1.0, settings.rate)?;
        let numbers = |labels: &[u8]| labels.iter().map(|&label| usize::from(label)).collect::<Vec<_>>();
        let (labels, held_out_labels) = (numbers(&images.labels), numbers(&images.held_out_labels));
        let classes = labels.iter().chain(&held_out_labels).max().map_or(0, |&label| label + 1);
        let posterior = |occupation: Occupation| ClassPosterior::new(occupation, labels.clone(), classes);
        let bare = posterior(Occupation::new(&process, measure.clone())?)?;
        let smoothed = settings
            .bandwidths
            .iter()
            .map(|&h| Ok(posterior(Occupation::smoothed(&process, measure.clone(), h)?)?))
            .collect::<Result<_>>()?;
        Ok(Self { measure, labels, held_out_labels, classes, bare, smoothed })
    }
}

/// The images under draw number `draw` of the noise.
fn noisy(images: &DMatrix<f64>, noise: f64, seed: u64, draw: u64) -> DMatrix<f64> {
    let mut out = images.clone();
    for (i, mut image) in out.column_iter_mut().enumerate() {
        let mut rng = stream(seed, Purpose::Experiment, draw << 32 | i as u64);
        image.iter_mut().for_each(|value| *value += noise * rng.sample::<f64, _>(StandardNormal));
    }
    out
}

/// The mean difference of a quantity between two predictors. Its standard error counts inputs, each with its mean over the
/// draws of the noise, since the same input under two draws is no independent trial.
fn paired(
    runs: &[[Scores; PREDICTORS]],
    (a, b): (usize, usize),
    of: impl Fn(&Scores, usize) -> f64,
) -> Result<metrics::Estimate> {
    let inputs = runs[0][a].correct.len();
    let differences: Vec<f64> = (0..inputs)
        .map(|i| runs.iter().map(|run| of(&run[a], i) - of(&run[b], i)).sum::<f64>() / runs.len() as f64)
        .collect();
    Ok(metrics::mean(&differences)?)
}

/// Under the first draw of the noise: the share of inputs for which the bare u says the class of the nearest datum.
fn agreement(task: &Task, images: &LabelledImages, settings: &Settings, context: &Context) -> Result<f64> {
    let inputs = noisy(&images.held_out, settings.noise, context.seed, 1);
    let nearest = metrics::nearest(&inputs, &images.data)?;
    let logs = task.bare.log_probabilities(&inputs)?;
    let same = (0..inputs.ncols()).filter(|&j| logs.column(j).imax() == task.labels[nearest.indices[j]]);
    Ok(same.count() as f64 / inputs.ncols() as f64)
}

/// The share of inputs for which that is certain.
fn least_agreement(
    task: &Task,
    images: &LabelledImages,
    settings: &Settings,
    context: &Context,
) -> Result<f64> {
    let inputs = noisy(&images.held_out, settings.noise, context.seed, 1);
    let squared = squared_distances(&task.measure, &inputs)?;
    let (m, d) = (task.measure.len() as f64, task.measure.dim() as f64);
    let factor = m.powf(2.0 / (d - 2.0));
    let sure = squared.column_iter().filter(|column| {
        let nearest = column.imin();
        let rival = column
            .iter()
            .zip(&task.labels)
            .filter(|(_, label)| **label != task.labels[nearest])
            .fold(f64::INFINITY, |a, (squared, _)| a.min(*squared));
        rival > factor * column[nearest]
    });
    Ok(sure.count() as f64 / inputs.ncols() as f64)
}

impl Rule {
    fn name(&self) -> String {
        let weighting = match self.weighting {
            Weighting::Majority => "equal votes",
            Weighting::Distance => "votes by inverse distance",
        };
        format!("k = {}, {weighting}, {} added to every class", self.k, self.added)
    }
}
