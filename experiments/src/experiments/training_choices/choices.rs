//! Proposals, weights, forms, scales and preconditionings on the circle in R⁸.

use anyhow::Result;
use nalgebra::DMatrix;
use resolvent::core::KilledBrownianMotion;
use resolvent::core::score::CircleScore;
use resolvent::data::{Circle, Law};
use resolvent::learn::examples::Proposal;
use resolvent::learn::model::Preconditioning;
use resolvent::learn::objective::{Form, Objective, Scale};
use resolvent::learn::score::LearnedScore;
use resolvent::learn::{ExampleSettings, Recipe};
use resolvent::metrics::{Estimate, mean};
use serde_json::Value;

use super::{Settings, Use};
use crate::experiment::Context;
use crate::experiments::score_error::{noisy, point_errors, relative_error};
use crate::experiments::training::train;
use crate::outcome::{Check, Figure, Outcome, Table, cells, largest};
use crate::plot::{Axis, Chart, Series};

/// Dimension of the circle's space.
const DIM: usize = 8;
/// Mean and standard deviation of log σ.
const LOG_NORMAL: (f64, f64) = (-1.2, 1.5);
/// Least and largest σ.
const LOG_UNIFORM: (f64, f64) = (0.01, 4.0);

/// Everything chosen in one training.
#[derive(Clone, Copy, PartialEq)]
struct Choice {
    proposal: Proposal,
    matched: bool,
    form: Form,
    scale: Scale,
    preconditioning: Preconditioning,
}

/// One choice over all seeds.
struct Tried {
    choice: Choice,
    /// The error at each level.
    errors: Vec<Estimate>,
    /// The geometric mean over the levels.
    overall: Estimate,
}

/// What is trained on and judged by.
struct Task {
    data: DMatrix<f64>,
    held_out: DMatrix<f64>,
    exact: CircleScore,
    /// The points at each level.
    points: Vec<DMatrix<f64>>,
}

impl Choice {
    fn usual() -> Self {
        Self {
            proposal: Proposal::LogNormal { mean: LOG_NORMAL.0, deviation: LOG_NORMAL.1 },
            matched: true,
            form: Form::Parts,
            scale: Scale::Distance,
            preconditioning: Preconditioning::Direct,
        }
    }

    /// Every proposal with every weight, form and scale. Under the clock itself the importance weight is 1, and there is nothing
    /// for λ to match.
    fn all(rate: f64) -> Vec<Self> {
        let usual = Self::usual();
        let (least, most) = LOG_UNIFORM;
        let proposals =
            [usual.proposal, Proposal::LogUniform { least, most }, Proposal::Exponential { rate }];
        let mut all = Vec::new();
        for proposal in proposals {
            for matched in [true, false] {
                if matches!(proposal, Proposal::Exponential { .. }) && matched {
                    continue;
                }
                for form in [Form::Parts, Form::Ratio] {
                    for scale in [Scale::Distance, Scale::Output] {
                        all.push(Self { proposal, matched, form, scale, ..usual });
                    }
                }
            }
        }
        all
    }

    /// The default choices, and each of them changed alone, with a name.
    fn changed_alone(rate: f64) -> [(&'static str, Self); 6] {
        let (usual, (least, most)) = (Self::usual(), LOG_UNIFORM);
        [
            ("default: log-normal, matched, parts, distance", usual),
            ("log-uniform", Self { proposal: Proposal::LogUniform { least, most }, ..usual }),
            ("Exp(r)", Self { proposal: Proposal::Exponential { rate }, matched: false, ..usual }),
            ("λ = 1", Self { matched: false, ..usual }),
            ("ratio", Self { form: Form::Ratio, ..usual }),
            ("scale of the output", Self { scale: Scale::Output, ..usual }),
        ]
    }

    fn preconditioned() -> Vec<Self> {
        use Preconditioning::{Direct, Eigenbasis, Noise, Skip};
        [Direct, Noise, Skip, Eigenbasis]
            .map(|preconditioning| Self { preconditioning, ..Self::usual() })
            .to_vec()
    }

    fn names(self) -> [&'static str; 4] {
        [
            match self.proposal {
                Proposal::Exponential { .. } => "Exp(r)",
                Proposal::LogNormal { .. } => "log-normal",
                Proposal::LogUniform { .. } => "log-uniform",
            },
            match (self.proposal, self.matched) {
                (Proposal::Exponential { .. }, _) => "1, nothing to match",
                (_, true) => "matched",
                (_, false) => "1",
            },
            match self.form {
                Form::Parts => "parts",
                Form::Ratio => "ratio",
            },
            match self.scale {
                Scale::Distance => "distance",
                Scale::Output => "output",
            },
        ]
    }

    fn recipe(self, settings: &Settings, seed: u64) -> Recipe {
        Recipe {
            model: settings.model(settings.architecture(), self.preconditioning),
            directions: DIM,
            examples: ExampleSettings::Deaths { proposal: self.proposal, closest: 0.0 },
            objective: Objective {
                form: self.form,
                scale: self.scale,
                matched: self.matched,
                ..Objective::default()
            },
            validation: 64,
            training: settings.training(settings.steps, settings.batch, seed),
        }
    }
}

impl Task {
    fn new(settings: &Settings, seed: u64) -> Result<Self> {
        let law = Circle::new(1.0, DIM)?;
        let process = KilledBrownianMotion::new(DIM, 1.0, settings.rate)?;
        let points = settings.levels.iter().enumerate().map(|(k, level)| {
            let seed = Use::Points.seed(seed, k);
            noisy(&law.sample(settings.points, seed), *level, seed)
        });
        Ok(Self {
            data: law.sample(settings.data, Use::Data.seed(seed, 0)),
            held_out: law.sample(settings.data, Use::HeldOut.seed(seed, 0)),
            exact: CircleScore::new(&process, 1.0, |_| 1.0)?,
            points: points.collect(),
        })
    }

    /// Trains with every seed and compares with the exact score.
    fn judge(&self, choice: Choice, settings: &Settings, context: &Context) -> Result<Tried> {
        let mut runs: Vec<Vec<f64>> = vec![Vec::new(); self.points.len()];
        let mut overall = Vec::new();
        for k in 0..settings.seeds {
            context.proceed()?;
            let recipe = choice.recipe(settings, Use::Training.seed(context.seed, k));
            let name = choice.names().join(", ");
            let saved = train(context, &name, &recipe, &self.data, &self.held_out)?.saved;
            let learned = LearnedScore::new(saved.model, saved.parameters)?;
            let mut logs = 0.0;
            for (points, values) in self.points.iter().zip(&mut runs) {
                let error = relative_error(&point_errors(&self.exact, &learned, points)).value;
                values.push(error);
                logs += error.ln();
            }
            overall.push((logs / self.points.len() as f64).exp());
        }
        let errors = runs.iter().map(|values| over_seeds(values)).collect::<Result<_>>()?;
        Ok(Tried { choice, errors, overall: over_seeds(&overall)? })
    }
}

/// The mean and its standard error; of one seed the error is not known, and 0 stands for it.
fn over_seeds(values: &[f64]) -> Result<Estimate> {
    match *values {
        [value] => Ok(Estimate { value, standard_error: 0.0 }),
        _ => Ok(mean(values)?),
    }
}

pub(super) fn run(settings: &Settings, context: &Context, outcome: &mut Outcome) -> Result<()> {
    let task = Task::new(settings, context.seed)?;
    let judge = |choices: Vec<Choice>| -> Result<Vec<Tried>> {
        choices.into_iter().map(|choice| task.judge(choice, settings, context)).collect()
    };
    let tried = judge(if settings.all_combinations {
        Choice::all(settings.rate)
    } else {
        Choice::changed_alone(settings.rate).map(|(_, choice)| choice).to_vec()
    })?;
    outcome.checks.push(check(&tried, settings));
    outcome.figures.push(figure(&tried, settings)?);
    outcome.tables.push(choice_table(&tried, settings));
    let preconditioned = judge(Choice::preconditioned())?;
    outcome.tables.push(preconditioning_table(&preconditioned, settings));
    outcome.notes.push(note(&tried, &preconditioned));
    Ok(())
}

/// What the tables say to choose.
fn note(tried: &[Tried], preconditioned: &[Tried]) -> String {
    let (best, first) = (best(tried), best(preconditioned));
    let [proposal, lambda, form, scale] = best.choice.names();
    format!(
        "At this budget the smallest error over all levels is that of the proposal {proposal} with λ = {lambda}, the form {form} and the \
         scale {scale}, and of the preconditionings that of {}, all else being the default. All of them have the same minimiser; what \
         differs is the variance of the gradient and what the network finds easy.",
        preconditioning(first.choice)
    )
}

fn best(tried: &[Tried]) -> &Tried {
    tried.iter().min_by(|a, b| a.overall.value.total_cmp(&b.overall.value)).expect("some were tried")
}

fn check(tried: &[Tried], settings: &Settings) -> Check {
    let usual = tried.iter().find(|tried| tried.choice == Choice::usual()).expect("it is among them");
    let errors = settings.levels.iter().zip(&usual.errors);
    let bounded = errors.filter(|(level, _)| **level >= settings.bound_from);
    Check::at_most(
        format!("default choices: relative score error at σ ≥ {}, the largest", settings.bound_from),
        largest(bounded.map(|(_, error)| error.value)),
        settings.bound,
        "target set before training",
    )
}

fn level_columns(settings: &Settings) -> Vec<String> {
    settings.levels.iter().flat_map(|level| [format!("σ = {level}"), format!("± at {level}")]).collect()
}

/// The errors at the levels, then over all.
fn numbers(tried: &Tried) -> Vec<Value> {
    let all = tried.errors.iter().chain(std::iter::once(&tried.overall));
    all.flat_map(|error| cells![error.value, error.standard_error]).collect()
}

/// "best" for the smallest overall error, "not told apart" for those within two standard errors of the difference.
fn marks(tried: &[Tried]) -> Vec<&'static str> {
    let best =
        tried.iter().min_by(|a, b| a.overall.value.total_cmp(&b.overall.value)).expect("some were tried");
    tried
        .iter()
        .map(|other| {
            let error = other.overall.standard_error.hypot(best.overall.standard_error);
            match other.overall.value - best.overall.value {
                difference if difference <= 0.0 => "best",
                difference if difference <= 2.0 * error => "not told apart",
                _ => "",
            }
        })
        .collect()
}

fn table(name: &str, caption: String, choices: &[&str], settings: &Settings) -> Table {
    let levels = level_columns(settings);
    let levels = levels.iter().map(String::as_str);
    let columns: Vec<&str> =
        choices.iter().copied().chain(levels).chain(["over all", "± over all", "mark"]).collect();
    Table::new(name, caption, &columns)
}

fn budget(settings: &Settings) -> String {
    format!(
        "{} steps of {} examples, residual MLP of width {} and depth {}; mean and standard error over {} seeds, {} points a level. Over \
         all: geometric mean over the levels.",
        settings.steps, settings.batch, settings.width, settings.depth, settings.seeds, settings.points
    )
}

fn choice_table(tried: &[Tried], settings: &Settings) -> Table {
    let caption = format!(
        "Circle in R⁸: √(E|s − s*|²/E|s*|²) at y + σN, r = {}; best first. Log-normal: mean {} and deviation {} of log σ; log-uniform: \
         from {} to {}. {}",
        settings.rate,
        LOG_NORMAL.0,
        LOG_NORMAL.1,
        LOG_UNIFORM.0,
        LOG_UNIFORM.1,
        budget(settings)
    );
    let mut table =
        table("proposal, weight, form, scale", caption, &["proposal", "λ", "form", "scale"], settings);
    let mut rows: Vec<(&Tried, &str)> = tried.iter().zip(marks(tried)).collect();
    rows.sort_by(|a, b| a.0.overall.value.total_cmp(&b.0.overall.value));
    for (tried, mark) in rows {
        let names = tried.choice.names().map(Value::from);
        table.push(names.into_iter().chain(numbers(tried)).chain(cells![mark]).collect());
    }
    table
}

fn preconditioning_table(tried: &[Tried], settings: &Settings) -> Table {
    let caption = format!("As above, with the default choices for all else. {}", budget(settings));
    let mut table = table("preconditioning", caption, &["preconditioning"], settings);
    for (tried, mark) in tried.iter().zip(marks(tried)) {
        let name = preconditioning(tried.choice);
        table.push(cells![name].into_iter().chain(numbers(tried)).chain(cells![mark]).collect());
    }
    table
}

fn preconditioning(choice: Choice) -> &'static str {
    match choice.preconditioning {
        Preconditioning::Direct => "direct",
        Preconditioning::Noise => "noise",
        Preconditioning::Score => "score",
        Preconditioning::Velocity => "velocity",
        Preconditioning::Skip => "skip",
        Preconditioning::Eigenbasis => "eigenbasis",
    }
}

/// The default choices, and each of them changed alone.
fn figure(tried: &[Tried], settings: &Settings) -> Result<Figure> {
    let mut chart = Chart::new(Axis::log("noise level σ"), Axis::log("relative L² error of the score"));
    for (name, choice) in Choice::changed_alone(settings.rate) {
        let tried = tried.iter().find(|tried| tried.choice == choice).expect("all were tried");
        let points = settings.levels.iter().copied().zip(tried.errors.iter().map(|e| e.value)).collect();
        let bars = tried.errors.iter().map(|e| e.standard_error).collect();
        chart = chart.series(Series::marked(name, points).errors(bars));
    }
    Ok(Figure::new(
        "choices",
        format!("Circle in R⁸: the default choices, and one of them changed at a time. {}", budget(settings)),
        chart.svg()?,
    ))
}
