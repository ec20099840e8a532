//! What all runs together show.

use anyhow::{Context as _, Result};
use resolvent::metrics::{Estimate, mean};
use serde_json::Value;

use super::drive::Drive;
use super::{Run, Settings, Task, Unit};
use crate::experiments::horizon_methods::{Deterministic, Random};
use crate::experiments::judge::Judge;
use crate::experiments::labelled_images::grey;
use crate::experiments::three_sigma::three_sigma;
use crate::outcome::{Check, Figure, Outcome, Table, cells, largest};
use crate::plot::{Axis, Chart, ImagePanel, Series, image_panels};

/// What the mean cost may exceed the budget by: the pilot that finds the step is a random sample.
const SLACK: f64 = 0.02;
/// Relative scatter of the noise level that a spatial network finds, the target that its training has (learned-glyphs).
const LEVEL_SCATTER: f64 = 0.05;

/// One sampler at one task and budget, over all seeds.
struct Row<'a> {
    drive: Drive,
    task: Task,
    budget: usize,
    runs: Vec<&'a Run>,
}

impl Row<'_> {
    /// Mean and standard error over the seeds, of what every run has.
    fn estimate(&self, of: impl Fn(&Run) -> Option<f64>) -> Option<Estimate> {
        let values: Vec<f64> = self.runs.iter().filter_map(|run| of(run)).collect();
        if values.len() == self.runs.len() { mean(&values).ok() } else { None }
    }

    fn error(&self) -> Result<Estimate> {
        self.estimate(|run| run.quality.features).context("a run without features")
    }

    fn cost(&self) -> Result<Estimate> {
        self.estimate(|run| run.cost.map(|cost| cost.mean)).context("a run without its cost")
    }

    fn lost(&self) -> usize {
        self.runs.iter().filter_map(|run| run.cost).map(|cost| cost.lost).sum()
    }
}

/// Everything measured.
struct All<'a> {
    exact: &'a [Run],
    rows: Vec<Row<'a>>,
}

impl<'a> All<'a> {
    fn new(settings: &Settings, measured: &'a [(Unit, Vec<Run>)]) -> Result<Self> {
        let mut all = Self { exact: &[], rows: Vec::new() };
        for (unit, runs) in measured {
            let Some(drive) = unit.drive else {
                all.exact = runs;
                continue;
            };
            for run in runs {
                let (task, budget) = (unit.task, run.budget.context("a run without its budget")?);
                let same = |row: &Row<'_>| row.drive == drive && row.task == task && row.budget == budget;
                let at = all.rows.iter().position(same).unwrap_or_else(|| {
                    all.rows.push(Row { drive, task, budget, runs: Vec::new() });
                    all.rows.len() - 1
                });
                all.rows[at].runs.push(run);
            }
        }
        all.repeat(settings);
        Ok(all)
    }

    /// Puts rows where the same runs belong once more: right noise among the wrong, and the killed sampler, which has no schedule, at every
    /// level of one.
    fn repeat(&mut self, settings: &Settings) {
        let mut more = Vec::new();
        for Row { drive, task, budget, runs } in &self.rows {
            let tasks = (0..settings.factors.len()).filter_map(|k| match task {
                Task::Right if settings.is_right(k) && *budget == settings.wrong_evaluations => {
                    Some(Task::WrongNoise(k))
                }
                Task::WrongLevel(first) if k != *first && matches!(drive, Drive::Killed(_)) => {
                    Some(Task::WrongLevel(k))
                }
                _ => None,
            });
            more.extend(tasks.map(|task| Row { drive: *drive, task, budget: *budget, runs: runs.clone() }));
        }
        self.rows.append(&mut more);
        let order = |row: &Row<'_>| {
            let (kind, k) = match row.task {
                Task::Right => (0, 0),
                Task::WrongNoise(k) => (1, k),
                Task::WrongLevel(k) => (2, k),
            };
            (Drive::ALL.iter().position(|drive| *drive == row.drive), kind, k, row.budget)
        };
        self.rows.sort_by_key(order);
    }

    fn floor(&self) -> Result<Estimate> {
        let values: Vec<f64> = self.exact.iter().filter_map(|run| run.quality.features).collect();
        Ok(mean(&values)?)
    }

    fn row(&self, drive: Drive, task: Task, budget: usize) -> Result<&Row<'a>> {
        let same = |row: &&Row<'_>| row.drive == drive && row.task == task && row.budget == budget;
        self.rows.iter().find(same).context("a sampler without its runs")
    }

    fn at(&self, drive: Drive, task: impl Fn(Task) -> bool) -> impl Iterator<Item = &Row<'a>> {
        self.rows.iter().filter(move |row| row.drive == drive && task(row.task))
    }
}

pub(super) fn outcome(settings: &Settings, measured: &[(Unit, Vec<Run>)]) -> Result<Outcome> {
    let all = All::new(settings, measured)?;
    Ok(Outcome {
        checks: checks(&all, settings)?,
        tables: vec![
            table(&all, settings, "images from noise", &right_caption(&all, settings)?, |task| {
                task == Task::Right
            })?,
            table(
                &all,
                settings,
                "wrong noise at the start",
                &format!(
                    "The same with noise at the start that is the factor times what the schedule says, {} evaluations granted at the factor 1; \
                     the killed sampler keeps the step of that and spends what it needs.",
                    settings.wrong_evaluations
                ),
                |task| matches!(task, Task::WrongNoise(_)),
            )?,
            table(
                &all,
                settings,
                "wrong level of the schedule",
                &format!(
                    "Held-out images with noise {} carried on by a schedule that begins at the factor times that level, {} evaluations; the killed \
                     sampler has no schedule, so it does the same at every factor. rmse: of a pixel, from the clean image.",
                    settings.noise, settings.noise_evaluations
                ),
                |task| matches!(task, Task::WrongLevel(_)),
            )?,
        ],
        figures: figures(&all, settings)?,
        notes: notes(&all, settings)?,
    })
}

fn right_caption(all: &All<'_>, settings: &Settings) -> Result<String> {
    let floor = all.floor()?;
    Ok(format!(
        "{} images a run, means and standard errors over {} seeds. Feature distance: squared Fréchet distance of the log-odds of a classifier trained in \
         this run (accuracy {:.3}) to those of the held-out images; that of images of the data: {:.4} ± {:.4}. Sliced \
         Wasserstein: of the pixels, W₂. The killed samplers start at noise {} around a Gaussian fit to the data, the others at 80 on the grid \
         of EDM.",
        settings.images,
        settings.seeds,
        all.exact.first().and_then(|run| run.accuracy).unwrap_or(f64::NAN),
        floor.value,
        floor.standard_error,
        settings.start_level
    ))
}

fn checks(all: &All<'_>, settings: &Settings) -> Result<Vec<Check>> {
    let mut over = Vec::new();
    for row in all.rows.iter().filter(|row| row.task == Task::Right) {
        over.push((row.cost()?.value / row.budget as f64 - 1.0).max(0.0));
    }
    let mut checks = vec![
        Check::at_most(
            "mean evaluations above the budget, as a share of it, the largest of all samplers",
            largest(over),
            SLACK,
            "equal cost; the step of the killed sampler comes from a pilot, whose mean scatters",
        ),
        Check::at_most(
            "images that did not come to an end, all runs",
            all.rows.iter().map(Row::lost).sum::<usize>() as f64,
            0.0,
            "every particle ends",
        ),
        Check::at_least(
            "accuracy of the judging classifier",
            all.exact.first().and_then(|run| run.accuracy).unwrap_or(f64::NAN),
            Judge::least(settings.classifier_steps),
            "target set before training",
        ),
    ];
    let last = settings.factors.len() - 1;
    let drive = Drive::Killed(Random::Multistep);
    let row = |k| all.row(drive, Task::WrongNoise(k), settings.wrong_evaluations);
    let (small, large) = (row(0)?, row(last)?);
    let eta = small.runs.first().and_then(|run| run.eta).context("a killed sampler without its step")?;
    let logarithm = (settings.factors[last] / settings.factors[0]).ln();
    let more = large.cost()?.value - small.cost()?.value;
    checks.push(Check::at_most(
        format!(
            "flux: evaluations that noise {} times as large costs more, times η over the logarithm, less 1",
            settings.factors[last] / settings.factors[0]
        ),
        (more * eta / logarithm - 1.0).abs(),
        (eta + 2.0 * LEVEL_SCATTER) / logarithm,
        "a step leaves e^-η of the distance; rounding to whole steps, and the scatter of the estimated level at either start",
    ));
    Ok(checks)
}

fn factor(settings: &Settings, task: Task) -> f64 {
    match task {
        Task::Right => 1.0,
        Task::WrongNoise(k) | Task::WrongLevel(k) => settings.factors[k],
    }
}

fn table(
    all: &All<'_>,
    settings: &Settings,
    name: &str,
    caption: &str,
    task: impl Fn(Task) -> bool,
) -> Result<Table> {
    let mut table = Table::new(
        name,
        caption,
        &[
            "sampler",
            "factor",
            "granted",
            "η",
            "evaluations",
            "±",
            "feature distance",
            "±",
            "sliced Wasserstein",
            "±",
            "rmse",
            "±",
            "precision",
            "±",
            "recall",
            "±",
            "density",
            "±",
            "coverage",
            "±",
            "lost",
        ],
    );
    for row in all.rows.iter().filter(|row| task(row.task)) {
        let mut cells = cells![
            row.drive.name(),
            factor(settings, row.task),
            row.budget,
            row.runs.first().and_then(|run| run.eta)
        ];
        for estimate in [
            Some(row.cost()?),
            Some(row.error()?),
            row.estimate(|run| Some(run.quality.sliced)),
            row.estimate(|run| run.rmse),
            row.estimate(|run| run.quality.precision),
            row.estimate(|run| run.quality.recall),
            row.estimate(|run| run.quality.density),
            row.estimate(|run| run.quality.coverage),
        ] {
            cells.push(Value::from(estimate.map(|estimate| estimate.value)));
            cells.push(Value::from(estimate.map(|estimate| estimate.standard_error)));
        }
        cells.push(Value::from(row.lost()));
        table.push(cells);
    }
    Ok(table)
}

/// A curve for every sampler, x and y made of a row.
fn curves(
    all: &All<'_>,
    mut chart: Chart,
    task: impl Fn(Task) -> bool + Copy,
    x: impl Fn(&Row<'_>) -> Result<f64>,
    y: impl Fn(&Row<'_>) -> Result<Estimate>,
) -> Result<Chart> {
    for drive in Drive::ALL {
        let (mut points, mut errors) = (Vec::new(), Vec::new());
        for row in all.at(drive, task) {
            let estimate = y(row)?;
            points.push((x(row)?, estimate.value));
            errors.push(estimate.standard_error);
        }
        chart = chart.series(Series::marked(drive.name(), points).errors(errors));
    }
    Ok(chart)
}

fn figures(all: &All<'_>, settings: &Settings) -> Result<Vec<Figure>> {
    let floor = all.floor()?.value;
    let distance = || Axis::log("Fréchet distance of features");
    let of_factor = |row: &Row<'_>| Ok(factor(settings, row.task));
    let error = |row: &Row<'_>| row.error();
    let chart = Chart::new(Axis::log("mean evaluations of an image"), distance());
    let quality = curves(all, chart, |task| task == Task::Right, |row| Ok(row.cost()?.value), error)?;
    let chart = Chart::new(Axis::log("noise at the start over that of the schedule"), distance());
    let noise = curves(all, chart, |task| matches!(task, Task::WrongNoise(_)), of_factor, error)?;
    let chart = Chart::new(Axis::log("first level of the schedule over that of the image"), distance());
    let level = curves(all, chart, |task| matches!(task, Task::WrongLevel(_)), of_factor, error)?;
    let chart = Chart::new(
        Axis::log("first level of the schedule over that of the image"),
        Axis::log("root mean square error of a pixel"),
    );
    let rmse = curves(
        all,
        chart,
        |task| matches!(task, Task::WrongLevel(_)),
        of_factor,
        |row| row.estimate(|run| run.rmse).context("a noisy image without its error"),
    )?;
    let reference = "images of the data";
    let seeds = settings.seeds;
    Ok(vec![
        samples(all, settings)?,
        Figure::new(
            "quality",
            format!(
                "Images from noise: distance of the features to those of held-out images against evaluations, with standard errors over {seeds} seeds."
            ),
            quality.reference(floor, reference).svg()?,
        ),
        Figure::new(
            "wrong-noise",
            format!(
                "The noise at the start is not what the schedule says: distance of the features against the factor, {} evaluations at \
                 the factor 1, standard errors over {seeds} seeds.",
                settings.wrong_evaluations
            ),
            noise.reference(floor, reference).svg()?,
        ),
        Figure::new(
            "wrong-level",
            format!(
                "Images with noise {} and a schedule that begins at another level: distance of the features, standard errors over {seeds} \
                 seeds.",
                settings.noise
            ),
            level.reference(floor, reference).svg()?,
        ),
        Figure::new(
            "wrong-level-error",
            format!(
                "The same runs: error of a pixel from the clean image, with standard errors over {seeds} seeds."
            ),
            rmse.svg()?,
        ),
    ])
}

fn samples(all: &All<'_>, settings: &Settings) -> Result<Figure> {
    let budget = settings.evaluations.last().copied().unwrap_or_default();
    let last = settings.factors.len() - 1;
    let mut labels = vec!["data".to_owned()];
    let mut values: [Vec<Vec<Vec<f64>>>; 2] = Default::default();
    let shown = |run: &Run| {
        let value = |byte: &u8| 2.0 * f64::from(*byte) / 255.0 - 1.0;
        run.shown.iter().map(|image| image.iter().map(value).collect()).collect::<Vec<Vec<f64>>>()
    };
    let exact = all.exact.first().context("no images of the data")?;
    values.iter_mut().for_each(|panel| panel.push(shown(exact)));
    for drive in Drive::ALL {
        labels.push(drive.name().to_owned());
        let rows = [
            all.row(drive, Task::Right, budget)?,
            all.row(drive, Task::WrongNoise(last), settings.wrong_evaluations)?,
        ];
        for (panel, row) in values.iter_mut().zip(rows) {
            panel.push(shown(row.runs.first().context("a sampler without its runs")?));
        }
    }
    let headings =
        [format!("{budget} evaluations"), format!("noise at the start times {}", settings.factors[last])];
    let panels: Vec<ImagePanel<'_>> = headings
        .into_iter()
        .zip(&values)
        .map(|(heading, rows)| ImagePanel {
            heading,
            rows: rows
                .iter()
                .map(|row| row.iter().take(settings.shown.div_ceil(2)).map(|image| grey(image)).collect())
                .collect(),
        })
        .collect();
    Ok(Figure::new(
        "samples",
        format!(
            "The first images of each sampler, not chosen: at {budget} evaluations, and with noise at the start that the schedule does not \
             know of, at {} evaluations.",
            settings.wrong_evaluations
        ),
        image_panels(&labels, &panels)?,
    ))
}

/// The better of two samplers of a kind, by the mean error.
fn better<'b, 'a>(all: &'b All<'a>, drives: [Drive; 2], task: Task, budget: usize) -> Result<&'b Row<'a>> {
    let (a, b) = (all.row(drives[0], task, budget)?, all.row(drives[1], task, budget)?);
    Ok(if a.error()?.value <= b.error()?.value { a } else { b })
}

const KILLED: [Drive; 2] = [Drive::Killed(Random::Bridge), Drive::Killed(Random::Multistep)];
const BLIND: [Drive; 2] = [Drive::Blind(Deterministic::EdmEuler), Drive::Blind(Deterministic::EdmHeun)];
const SIGHTED: [Drive; 2] = [Drive::Told(Deterministic::EdmEuler), Drive::Told(Deterministic::EdmHeun)];

/// "better than", "level with" or "worse than", by the differences over the same seeds.
fn verdict(a: &Row<'_>, b: &Row<'_>) -> Result<&'static str> {
    let pairs = a.runs.iter().zip(&b.runs);
    let differences: Option<Vec<f64>> =
        pairs.map(|(a, b)| Some(a.quality.features? - b.quality.features?)).collect();
    let Estimate { value, standard_error } = mean(&differences.context("a run without features")?)?;
    let sigmas = three_sigma(a.runs.len() as u64)?;
    Ok(if value > sigmas * standard_error {
        "worse than"
    } else if value < -sigmas * standard_error {
        "better than"
    } else {
        "level with"
    })
}

fn notes(all: &All<'_>, settings: &Settings) -> Result<Vec<String>> {
    let mut notes = vec![
        "One network that estimates the noise from the image drives both kinds: the killed sampler reads its denoised point and its level, chooses its steps by \
         them and stops by itself; a schedule takes the denoised point alone and goes its own way from level to level. The twin is \
         told the level of the schedule; the one that comes with the command has the same architecture and data."
            .to_owned(),
    ];
    for &budget in &settings.evaluations {
        let [killed, blind, told] =
            [KILLED, BLIND, SIGHTED].map(|drives| better(all, drives, Task::Right, budget));
        let (killed, blind, told) = (killed?, blind?, told?);
        let say = |row: &Row<'_>| -> Result<String> {
            let Estimate { value, standard_error } = row.error()?;
            Ok(format!("{} {value:.3} ± {standard_error:.3}", row.drive.name()))
        };
        notes.push(format!(
            "{budget} evaluations: {}; {}; {}. The killed sampler is {} the blind schedule and {} the told one; the blind schedule is {} \
             the told one (at the level of three standard deviations, by Student's t over the seeds).",
            say(killed)?,
            say(blind)?,
            say(told)?,
            verdict(killed, blind)?,
            verdict(killed, told)?,
            verdict(blind, told)?
        ));
    }
    let last = settings.factors.len() - 1;
    for (k, words) in [(0, "small"), (last, "large")] {
        let at = |drives| better(all, drives, Task::WrongNoise(k), settings.wrong_evaluations);
        let (killed, blind, told) = (at(KILLED)?, at(BLIND)?, at(SIGHTED)?);
        let error = |row: &Row<'_>| row.error().map(|estimate| estimate.value);
        notes.push(format!(
            "Noise at the start {} times what the schedule says, too {words}: {:.3} killed ({:.0} evaluations), {:.3} blind with the schedule, \
             {:.3} told. A step of a schedule shrinks what is not the denoised point in proportion to its levels, so that the noise stays wrong by \
             the same factor to the end; a blind network denoises it for what it is, one that is told takes it for something else.",
            settings.factors[k],
            error(killed)?,
            killed.cost()?.value,
            error(blind)?,
            error(told)?
        ));
    }
    Ok(notes)
}
