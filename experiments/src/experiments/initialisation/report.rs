//! What all pieces together show.

use anyhow::{Context as _, Result};
use resolvent::metrics::{self, Estimate, mean};

use super::model::Model;
use super::predicted::Predicted;
use super::runs::Counts;
use super::{Measured, OFFSET, Settings, Unit, WEIGHTS};
use crate::outcome::{Check, Figure, Outcome, Table, cells};
use crate::plot::{Axis, Chart, Series};

/// Significance of every test of fit.
const SIGNIFICANCE: f64 = 1e-4;
/// The next term of the bias is smaller by the inverse of the noise at the start or more, which changes a power fitted to
/// the last doubling by less.
const POWER: f64 = 0.1;

/// The bias on the line.
struct Curve<'a> {
    model: Model,
    centred: &'a [f64],
    beside: &'a [f64],
}

/// All runs of one model at one level.
struct Cell<'a> {
    model: Model,
    level: usize,
    predicted: Option<&'a Predicted>,
    wrong: Vec<&'a Counts>,
    right: Vec<&'a Counts>,
}

/// Particles at each atom, all seeds together.
fn pooled(runs: &[&Counts]) -> Vec<u64> {
    (0..WEIGHTS.len()).map(|i| runs.iter().map(|run| run.atoms[i]).sum()).collect()
}

/// Total variation of all particles together from the data, and its deviation over seeds taken one by one.
fn distance(runs: &[&Counts]) -> Result<Estimate> {
    let counts = pooled(runs);
    let total: u64 = counts.iter().sum();
    let sign: Vec<f64> =
        counts.iter().zip(WEIGHTS).map(|(c, w)| (*c as f64 / total as f64 - w).signum()).collect();
    let one = |run: &&Counts| {
        let n: u64 = run.atoms.iter().sum();
        let parts = run.atoms.iter().zip(WEIGHTS).zip(&sign);
        0.5 * parts.map(|((c, w), s)| s * (*c as f64 / n as f64 - w)).sum::<f64>()
    };
    Ok(mean(&runs.iter().map(one).collect::<Vec<_>>())?)
}

impl Cell<'_> {
    fn evaluations(&self) -> Result<Estimate> {
        Ok(mean(&self.wrong.iter().map(|run| run.evaluations).collect::<Vec<_>>())?)
    }

    fn particles(&self) -> u64 {
        pooled(&self.wrong).iter().sum()
    }
}

pub(super) fn outcome(settings: &Settings, measured: &[(Unit, Measured)]) -> Result<Outcome> {
    let (curves, cells) = sorted(measured)?;
    Ok(Outcome {
        checks: checks(settings, &curves, &cells)?,
        tables: vec![
            run_table(settings, &cells)?,
            line_table(settings, &curves),
            power_table(settings, &curves),
        ],
        figures: vec![
            run_figure(settings, &cells)?,
            cost_figure(settings, &cells)?,
            line_figure(
                settings,
                &curves,
                "beside",
                &format!("whose mean lies {OFFSET} from the origin"),
                |c| c.beside,
            )?,
            line_figure(settings, &curves, "centred", "whose mean is the origin", |c| c.centred)?,
        ],
        notes: notes(settings, &cells)?,
    })
}

fn sorted(measured: &[(Unit, Measured)]) -> Result<(Vec<Curve<'_>>, Vec<Cell<'_>>)> {
    let (mut curves, mut cells): (Vec<Curve<'_>>, Vec<Cell<'_>>) = (Vec::new(), Vec::new());
    for (unit, measured) in measured {
        let (model, level) = match unit {
            Unit::Line(model) => (*model, None),
            Unit::Predicted(model, level) | Unit::Runs(model, level, _) => (*model, Some(*level)),
        };
        if let Measured::Line { centred, beside } = measured {
            curves.push(Curve { model, centred, beside });
            continue;
        }
        let level = level.context("a run without its level")?;
        let at = cells.iter().position(|cell| cell.model == model && cell.level == level);
        let at = at.unwrap_or_else(|| {
            cells.push(Cell { model, level, predicted: None, wrong: Vec::new(), right: Vec::new() });
            cells.len() - 1
        });
        match measured {
            Measured::Predicted(predicted) => cells[at].predicted = Some(predicted),
            Measured::Runs { wrong, right } => {
                cells[at].wrong.push(wrong);
                cells[at].right.extend(right);
            }
            Measured::Line { .. } => {}
        }
    }
    Ok((curves, cells))
}

/// The power of the noise at the start by which the bias falls over the last doubling of the settings.
fn power(levels: &[f64], bias: &[f64]) -> f64 {
    let [.., a, b] = levels else { return f64::NAN };
    let [.., x, y] = bias else { return f64::NAN };
    (y / x).ln() / (b / a).ln()
}

fn checks(settings: &Settings, curves: &[Curve<'_>], cells: &[Cell<'_>]) -> Result<Vec<Check>> {
    let mut checks = Vec::new();
    for curve in curves {
        let (centred, beside) = curve.model.powers();
        for (what, bias, exact) in
            [("beside the origin", curve.beside, beside), ("around the origin", curve.centred, centred)]
        {
            checks.push(Check::at_most(
                format!("power of the bias on the line, {}, data {what}, less {exact}", curve.model.name()),
                (power(&settings.line_levels, bias) - exact).abs(),
                POWER,
                "expansion in the inverse of the noise at the start; the next term is smaller by that or more",
            ));
        }
    }
    for cell in cells.iter().filter(|cell| cell.model.is_exact()) {
        let law = &cell.predicted.context("a run without its law")?.law;
        let level = settings.levels[cell.level];
        let name = cell.model.name();
        checks.push(Check::at_least(
            format!("p of the end points against their computed law: {name}, noise {level}"),
            metrics::chi_square_test(&pooled(&cell.wrong), law)?.p_value,
            SIGNIFICANCE,
            "R10 averaged over the start law; from a point R9b: no bias; Pearson's test",
        ));
        if !cell.right.is_empty() {
            checks.push(Check::at_least(
                format!("p of the end points from the right start against the data: {name}, noise {level}"),
                metrics::chi_square_test(&pooled(&cell.right), &WEIGHTS)?.p_value,
                SIGNIFICANCE,
                "started in its own law r u the backward process ends with the law of the data; Pearson's test",
            ));
        }
    }
    let lost = |cell: &Cell<'_>| cell.wrong.iter().chain(&cell.right).map(|run| run.lost).sum::<usize>();
    checks.push(Check::at_most(
        "particles neither killed nor at the horizon, all runs",
        cells.iter().map(lost).sum::<usize>() as f64,
        0.0,
        "every particle ends",
    ));
    Ok(checks)
}

fn run_table(settings: &Settings, cells: &[Cell<'_>]) -> Result<Table> {
    let mut table = Table::new(
        "end laws in space",
        format!(
            "Five unequal atoms in R^{}, mean square norm about one around a mean at distance {OFFSET} from the origin: total variation between their weights \
             and the shares of the particles that end at each, over {} seeds of {} particles together, with standard errors over the \
             seeds. Computed: the same without sampling error, where it is known. Right start: draws of the law that belongs to the \
             method. Noise: deviation of the noise at the start in a coordinate, relative to the data. A method without any error measures the floor on average.",
            settings.dim, settings.seeds, settings.particles
        ),
        &[
            "start",
            "noise",
            "r, σ_max or β_max",
            "from the start law",
            "±",
            "computed",
            "±",
            "from the right law",
            "±",
            "floor",
            "evaluations",
            "±",
            "lost",
        ],
    );
    for cell in cells {
        let level = settings.levels[cell.level];
        let parameter = match cell.model {
            Model::Laplace | Model::Point => Model::rate(level),
            Model::VpSde | Model::VpFlow => Model::beta_max(level),
            Model::VeSde | Model::VeFlow | Model::Pfgm => level,
        };
        let wrong = distance(&cell.wrong)?;
        let right = if cell.right.is_empty() { None } else { Some(distance(&cell.right)?) };
        let evaluations = cell.evaluations()?;
        table.push(cells![
            cell.model.name(),
            level,
            parameter,
            wrong.value,
            wrong.standard_error,
            cell.predicted.map(|p| p.distance),
            cell.predicted.map(|p| p.error),
            right.map(|r| r.value),
            right.map(|r| r.standard_error),
            metrics::expected_total_variation(&WEIGHTS, cell.particles())?,
            evaluations.value,
            evaluations.standard_error,
            cell.wrong.iter().chain(&cell.right).map(|run| run.lost).sum::<usize>(),
        ]);
    }
    Ok(table)
}

fn line_table(settings: &Settings, curves: &[Curve<'_>]) -> Table {
    let mut table = Table::new(
        "bias on the line",
        "Five unequal atoms on the line with variance 1.2: total variation between their weights and the end law of each method from its start law, \
         computed without any sampling. It depends on the noise at the start alone: for VP on ∫ β, so that a longer T is a larger β_max.",
        &["start", "noise", "r", "β_max of VP at T = 1", "mean beside the origin", "mean at the origin"],
    );
    for curve in curves {
        for (k, &level) in settings.line_levels.iter().enumerate() {
            table.push(cells![
                curve.model.name(),
                level,
                Model::rate(level),
                Model::beta_max(level),
                curve.beside[k],
                curve.centred[k],
            ]);
        }
    }
    table
}

fn power_table(settings: &Settings, curves: &[Curve<'_>]) -> Table {
    let mut table = Table::new(
        "powers",
        "The power of the noise at the start with which the bias on the line falls, over the last two levels, and that of the theory.",
        &["start", "mean beside the origin", "theory", "mean at the origin", "theory"],
    );
    for curve in curves {
        let (centred, beside) = curve.model.powers();
        let fitted = |bias| power(&settings.line_levels, bias);
        table.push(cells![curve.model.name(), fitted(curve.beside), beside, fitted(curve.centred), centred]);
    }
    table
}

fn line_figure<'a>(
    settings: &Settings,
    curves: &[Curve<'a>],
    stem: &str,
    data: &str,
    bias: impl Fn(&Curve<'a>) -> &'a [f64],
) -> Result<Figure> {
    let mut chart = Chart::new(
        Axis::log("noise at the start, relative to the data"),
        Axis::log("total variation from the data"),
    );
    for curve in curves {
        let points = settings.line_levels.iter().copied().zip(bias(curve).iter().copied()).collect();
        chart = chart.series(Series::marked(curve.model.name(), points).colour(curve.model.colour()));
    }
    Ok(Figure::new(
        format!("line-{stem}"),
        format!(
            "What the start law alone does to the end law, exactly: atoms on the line {data}. The random horizon from a point has no bias at any noise and is not on the picture."
        ),
        chart.svg()?,
    ))
}

fn of_model<'a, 'b>(cells: &'b [Cell<'a>], model: Model) -> impl Iterator<Item = &'b Cell<'a>> {
    cells.iter().filter(move |cell| cell.model == model)
}

fn run_figure(settings: &Settings, cells: &[Cell<'_>]) -> Result<Figure> {
    let mut chart = Chart::new(
        Axis::log("noise at the start, relative to the data"),
        Axis::log("total variation from the data"),
    );
    for model in Model::ALL {
        let (mut points, mut errors) = (Vec::new(), Vec::new());
        for cell in of_model(cells, model) {
            let wrong = distance(&cell.wrong)?;
            points.push((settings.levels[cell.level], wrong.value));
            errors.push(wrong.standard_error);
        }
        chart = chart.series(Series::marked(model.name(), points).errors(errors).colour(model.colour()));
    }
    let floor = match cells.first() {
        Some(cell) => metrics::expected_total_variation(&WEIGHTS, cell.particles())?,
        None => f64::NAN,
    };
    Ok(Figure::new(
        "runs",
        format!(
            "Five unequal atoms in R^{}: distance of the measured end law to the data, from the start law of each method, with standard \
             errors over {} seeds. The floor is what as many right draws have on average.",
            settings.dim, settings.seeds
        ),
        chart.reference(floor, "floor: right draws").svg()?,
    ))
}

fn cost_figure(settings: &Settings, cells: &[Cell<'_>]) -> Result<Figure> {
    let mut chart = Chart::new(
        Axis::log("noise at the start, relative to the data"),
        Axis::linear("evaluations of a particle"),
    );
    for model in [Model::Laplace, Model::Point] {
        let (mut points, mut errors) = (Vec::new(), Vec::new());
        for cell in of_model(cells, model) {
            let evaluations = cell.evaluations()?;
            points.push((settings.levels[cell.level], evaluations.value));
            errors.push(evaluations.standard_error);
        }
        chart = chart.series(Series::marked(model.name(), points).errors(errors).colour(model.colour()));
    }
    Ok(Figure::new(
        "cost",
        "What a smaller bias costs the random horizon: mean evaluations of the exact step against the noise at the start, with standard errors over the \
         seeds. They grow with its logarithm. The deterministic horizon spends what its grid says.",
        chart.reference(settings.evaluations as f64, "deterministic horizon, as set").svg()?,
    ))
}

fn notes(settings: &Settings, cells: &[Cell<'_>]) -> Result<Vec<String>> {
    let mut notes = vec![
        "A reversal is started in a law that knows nothing of the data: a Gaussian, a Student-t or a Laplace law around the origin. Every method is put on one \
         scale, the deviation s of the noise in a coordinate at the start relative to the data: σ_max for VE, EDM and PFGM++, σ/α at T for VP \
         (∫ β = log(1 + s²)), 1/√r for the random horizon."
            .to_owned(),
        "Why the powers differ. A stochastic reversal forgets: of its start it keeps what the posterior over the data there tells, which is little \
         of the order 1/s, times what is wrong with the start, 1/s as well if the mean is wrong; of a wrong variance it keeps 1/s² of what is 1/s². A flow forgets \
         nothing: all that is wrong with the start is wrong at the end. The Laplace law is wrong near its centre, where the process dies \
         with probability of the order 1/s² (1/s on the line)."
            .to_owned(),
        "A point start, the random horizon conditioned to die at that point, has no bias at any noise: the theory says so and the runs are compared with \
         the data themselves. The experiment three-starts follows r to zero."
            .to_owned(),
    ];
    let last = settings.levels.len() - 1;
    let mut worst: Option<(&str, Estimate)> = None;
    for cell in cells.iter().filter(|cell| cell.level == last) {
        let found = distance(&cell.wrong)?;
        if worst.as_ref().is_none_or(|(_, most)| found.value > most.value) {
            worst = Some((cell.model.name(), found));
        }
    }
    if let Some((name, Estimate { value, standard_error })) = worst {
        notes.push(format!(
            "At the largest noise of the runs, {}, the largest distance from the data is {value:.4} ± {standard_error:.4} ({name}).",
            settings.levels[last]
        ));
    }
    for cell in cells.iter().filter(|cell| !cell.right.is_empty()) {
        let found = metrics::total_variation(&pooled(&cell.right), &WEIGHTS)?;
        let floor = metrics::expected_total_variation(&WEIGHTS, cell.particles())?;
        if found.value > floor + 4.0 * found.standard_error {
            notes.push(format!(
                "{} with noise {}: even from the right start the end law is {:.4} ± {:.4} from the data: steps of finite length, \
                 not the start.",
                cell.model.name(),
                settings.levels[cell.level],
                found.value,
                found.standard_error
            ));
        }
    }
    Ok(notes)
}
