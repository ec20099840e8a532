//! Field regression on images: trained on points of one law, judged on points of another.

use anyhow::{Result, ensure};
use nalgebra::DMatrix;
use resolvent::core::random::{Purpose, stream};
use resolvent::core::{EmpiricalMeasure, EmpiricalScore, KilledBrownianMotion};
use resolvent::learn::examples::Proposal;
use resolvent::learn::examples::places::{Fill, Part, Place, PlaceSettings, Places, WeightedPlace};
use resolvent::learn::model::Preconditioning;
use resolvent::learn::network::{Architecture, ResidualMlp};
use resolvent::learn::objective::Objective;
use resolvent::learn::score::LearnedScore;
use resolvent::learn::{ExampleSettings, Recipe};
use resolvent::metrics::{Estimate, mean, quantile};
use serde_json::Value;

use super::{Settings, Use};
use crate::experiment::Context;
use crate::experiments::labelled_images::LabelledImages;
use crate::experiments::score_error::{PointError, point_errors};
use crate::experiments::training::train;
use crate::outcome::{Figure, Outcome, Table, cells};
use crate::plot::{Axis, bar_chart};

/// Noise on images.
const NOISE: Proposal = Proposal::LogNormal { mean: -0.6, deviation: 1.2 };
/// A little noise on top of what was changed otherwise.
const LITTLE: Proposal = Proposal::LogUniform { least: 0.02, most: 0.2 };
/// Points as close to a datum do not count.
const CLOSEST: f64 = 1e-3;

/// The laws of the points.
fn laws() -> [(&'static str, WeightedPlace); 5] {
    let law = |place, noise| WeightedPlace { weight: 1.0, place, noise };
    [
        ("noise", law(PlaceSettings::Noise { level: NOISE }, None)),
        (
            "noise on some pixels",
            law(PlaceSettings::PartialNoise { level: NOISE, share: None }, Some(LITTLE)),
        ),
        (
            "lower half grey",
            law(PlaceSettings::Masked { part: Part::LowerHalf, fill: Fill::Constant(0.0) }, Some(LITTLE)),
        ),
        ("blurred", law(PlaceSettings::Blurred { least: 0.5, most: 3.0 }, Some(LITTLE))),
        ("combination of two", law(PlaceSettings::Combination { of: 2 }, Some(LITTLE))),
    ]
}

/// The name of the mixture of all laws.
pub(super) const ALL: &str = "all of them";

/// The laws that can be trained on, by name.
pub(super) fn names() -> Vec<String> {
    laws().iter().map(|(name, _)| *name).chain([ALL]).map(str::to_owned).collect()
}

/// The mixture of the laws with that name.
fn named(name: &str) -> Result<Vec<WeightedPlace>> {
    let laws = laws().into_iter().filter(|(law, _)| *law == name || name == ALL);
    let laws: Vec<WeightedPlace> = laws.map(|(_, law)| law).collect();
    ensure!(!laws.is_empty(), "setting `image_laws`: `{name}` is none of {:?}", names());
    Ok(laws)
}

/// The errors of one training on each law.
struct Row {
    trained_on: String,
    /// √(E |s - s*|²/|s*|²): every point counts alike.
    errors: Vec<Estimate>,
    /// The median of g/g*.
    gains: Vec<f64>,
}

pub(super) fn run(settings: &Settings, context: &Context, outcome: &mut Outcome) -> Result<()> {
    let images = LabelledImages::load(settings.n_data, settings.n_held_out, context)?;
    let process = KilledBrownianMotion::new(images.data.nrows(), 1.0, settings.rate)?;
    let exact = EmpiricalScore::new(&process, EmpiricalMeasure::new(images.data.clone())?)?;
    let laws = laws();
    let points: Vec<DMatrix<f64>> = laws
        .iter()
        .enumerate()
        .map(|(k, (_, law))| {
            let places = Places::new(&images.data, &[*law])?;
            Ok(draws(&places, settings.image_points, Use::Images.seed(context.seed, k)))
        })
        .collect::<Result<_>>()?;
    let mut rows = Vec::new();
    for name in &settings.image_laws {
        let places = named(name)?;
        context.proceed()?;
        let recipe = recipe(places, settings, Use::Training.seed(context.seed, 0));
        let saved = train(context, name, &recipe, &images.data, &images.held_out)?.saved;
        let learned = LearnedScore::new(saved.model, saved.parameters)?;
        let errors: Vec<Vec<PointError>> =
            points.iter().map(|points| point_errors(&exact, &learned, points)).collect();
        rows.push(Row {
            trained_on: name.clone(),
            errors: errors.iter().map(|errors| relative(errors)).collect::<Result<_>>()?,
            gains: errors.iter().map(|errors| median_gain(errors)).collect::<Result<_>>()?,
        });
    }
    let laws: Vec<&str> = laws.iter().map(|(name, _)| *name).collect();
    outcome.tables.push(table(&rows, &laws, &images.source, settings));
    outcome.tables.push(gain_table(&rows, &laws));
    outcome.figures.push(figure(&rows, &laws, settings)?);
    outcome.notes.push(NOTE.to_owned());
    Ok(())
}

const NOTE: &str = "Field regression learns the exact score of the reference images, at points of any law: train on the kind of \
                    inputs that will be projected, or on a mixture of all when that is not known. A network that has seen noise alone \
                    has no reason to be right about an image with a grey half or a blurred one.";

fn recipe(places: Vec<WeightedPlace>, settings: &Settings, seed: u64) -> Recipe {
    let architecture = Architecture::Mlp(ResidualMlp { width: settings.image_width, depth: 2 });
    let mut training = settings.training(settings.image_steps, settings.image_batch, seed);
    training.learning_rate = 1e-3;
    training.average_decay = 0.98;
    Recipe {
        model: settings.model(architecture, Preconditioning::Eigenbasis),
        directions: 1024,
        examples: ExampleSettings::Field { places, closest: CLOSEST },
        objective: Objective::default(),
        validation: 64,
        training,
    }
}

fn draws(places: &dyn Place, n: usize, seed: u64) -> DMatrix<f64> {
    let mut points = DMatrix::zeros(places.dim(), n);
    for (i, mut point) in points.column_iter_mut().enumerate() {
        places.draw(&mut stream(seed, Purpose::Experiment, i as u64), point.as_mut_slice());
    }
    points
}

fn relative(errors: &[PointError]) -> Result<Estimate> {
    let squares: Vec<f64> = errors.iter().map(|error| error.score.0 / error.score.1).collect();
    let square = mean(&squares)?;
    let value = square.value.sqrt();
    Ok(Estimate { value, standard_error: 0.5 * square.standard_error / value })
}

fn median_gain(errors: &[PointError]) -> Result<f64> {
    let mut logs: Vec<f64> = errors.iter().map(|error| error.log_gain).collect();
    logs.sort_unstable_by(f64::total_cmp);
    Ok(quantile(&logs, 0.5)?.exp())
}

fn table(rows: &[Row], laws: &[&str], source: &str, settings: &Settings) -> Table {
    let errors: Vec<String> = laws.iter().map(|law| format!("± on {law}")).collect();
    let columns: Vec<&str> = ["trained on"]
        .into_iter()
        .chain(laws.iter().copied())
        .chain(errors.iter().map(String::as_str))
        .collect();
    let mut table = Table::new(
        "laws of the points",
        format!(
            "Root mean square of |s − s*|/|s*| at {} fresh points of each law (columns), after training on points of one law (rows), both made from the \
             reference; s* the exact score of the reference, {source}, r = {}. The score 0 has the error 1. Noise \
             has a log-normal level (mean −0.6 and deviation 1.2 of log σ); the other laws have a little noise on top, \
             log-uniform from 0.02 to 0.2. Residual MLP of width {} and depth 2, {} steps of {} examples.",
            settings.image_points,
            settings.rate,
            settings.image_width,
            settings.image_steps,
            settings.image_batch
        ),
        &columns,
    );
    for row in rows {
        let values = row.errors.iter().map(|error| Value::from(error.value));
        let bars = row.errors.iter().map(|error| Value::from(error.standard_error));
        table.push(cells![row.trained_on.as_str()].into_iter().chain(values).chain(bars).collect());
    }
    table
}

fn gain_table(rows: &[Row], laws: &[&str]) -> Table {
    let columns: Vec<&str> = ["trained on"].into_iter().chain(laws.iter().copied()).collect();
    let mut table = Table::new(
        "gain off the law",
        "The median of g/g* in the same trainings: above 1 the network takes the points for nearer the data than they are.",
        &columns,
    );
    for row in rows {
        let values = row.gains.iter().map(|gain| Value::from(*gain));
        table.push(cells![row.trained_on.as_str()].into_iter().chain(values).collect());
    }
    table
}

fn figure(rows: &[Row], laws: &[&str], settings: &Settings) -> Result<Figure> {
    let categories: Vec<String> = laws.iter().map(|law| (*law).to_owned()).collect();
    let groups: Vec<(String, Vec<f64>)> = rows
        .iter()
        .map(|row| {
            (format!("trained on: {}", row.trained_on), row.errors.iter().map(|error| error.value).collect())
        })
        .collect();
    let y = Axis::log("relative error of the score");
    let svg = bar_chart("judged on", y, &categories, &groups, &[(1.0, "the score 0")])?;
    Ok(Figure::new(
        "laws",
        format!(
            "Field regression on images: root mean square of |s − s*|/|s*| on points of each law, by the law of the training points; {} \
             steps of {} examples each.",
            settings.image_steps, settings.image_batch
        ),
        svg,
    ))
}
