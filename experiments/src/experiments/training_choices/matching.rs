//! Implicit and sliced score matching beside regression, in the plane.

use anyhow::{Result, bail};
use nalgebra::DMatrix;
use resolvent::core::score::{SmoothedScore, VectorField};
use resolvent::core::{EmpiricalMeasure, GaussianMixture, KilledBrownianMotion, Score};
use resolvent::learn::checkpoint::Subject;
use resolvent::learn::engine::Native;
use resolvent::learn::examples::{Deaths, Proposal};
use resolvent::learn::model::Preconditioning;
use resolvent::learn::objective::{Divergence, Objective, Probe, RawNetwork, ScoreMatching};
use resolvent::learn::score::LearnedScore;
use resolvent::learn::train::{self, Trainer};
use resolvent::learn::{ExampleSettings, Recipe};
use resolvent::metrics::Estimate;

use super::{Settings, Use};
use crate::experiment::Context;
use crate::experiments::score_error::{noisy, point_errors, relative_error};
use crate::experiments::training::{Watch, train};
use crate::outcome::{Outcome, Table, cells};

/// Centres of the data, their weights and their deviation.
const CENTRES: [f64; 6] = [-1.2, 0.0, 0.9, 0.8, 0.5, -1.3];
const WEIGHTS: [f64; 3] = [0.5, 0.3, 0.2];
const DEVIATION: f64 = 0.3;
/// Deaths as close to their start do not count in regression (δ of R15): the gain of one point has no mean within a density.
const CLOSEST: f64 = 0.03;
/// Far away: what stands for a distance that the score does not tell.
const FARTHEST: f64 = 10.0;

/// A normal mixture in the plane: a smooth density, so that score matching has a minimiser.
struct Plane {
    process: KilledBrownianMotion,
    exact: SmoothedScore,
    data: DMatrix<f64>,
    held_out: DMatrix<f64>,
    /// Fresh places of death, and points at each level.
    places: Vec<(String, DMatrix<f64>)>,
}

impl Plane {
    fn new(settings: &Settings, seed: u64) -> Result<Self> {
        let centres = DMatrix::from_column_slice(2, WEIGHTS.len(), &CENTRES);
        let law = GaussianMixture::isotropic(&WEIGHTS, centres.clone(), &[DEVIATION; WEIGHTS.len()])?;
        let process = KilledBrownianMotion::new(2, 1.0, settings.rate)?;
        let fresh = law.sample(settings.points, Use::Matching.seed(seed, 0));
        let (deaths, _) = process.deaths(&fresh, Use::Matching.seed(seed, 0))?;
        let mut places = vec![("law r u".to_owned(), deaths)];
        for (k, level) in settings.levels.iter().enumerate() {
            places.push((format!("σ = {level}"), noisy(&fresh, *level, Use::Matching.seed(seed, k + 1))));
        }
        Ok(Self {
            exact: SmoothedScore::new(&process, EmpiricalMeasure::weighted(centres, &WEIGHTS)?, DEVIATION)?,
            process,
            data: law.sample(settings.data, Use::Data.seed(seed, 1)),
            held_out: law.sample(settings.data, Use::HeldOut.seed(seed, 1)),
            places,
        })
    }

    fn errors(&self, learned: &dyn Score) -> Vec<Estimate> {
        let of = |points| relative_error(&point_errors(&self.exact, learned, points));
        self.places.iter().map(|(_, points)| of(points)).collect()
    }

    /// By regression on deaths from `proposal` (R15).
    fn regressed(&self, proposal: Proposal, settings: &Settings, context: &Context) -> Result<Vec<Estimate>> {
        let seed = Use::Training.seed(context.seed, 0);
        let recipe = Recipe {
            model: settings.model(settings.architecture(), Preconditioning::Direct),
            directions: 2,
            examples: ExampleSettings::Deaths { proposal, closest: CLOSEST },
            objective: Objective::default(),
            validation: 64,
            training: settings.training(settings.matching_steps, settings.batch, seed),
        };
        let saved = train(context, "regression in the plane", &recipe, &self.data, &self.held_out)?.saved;
        Ok(self.errors(&LearnedScore::new(saved.model, saved.parameters)?))
    }

    /// By score matching on deaths of the clock itself.
    fn matched(
        &self,
        divergence: Divergence,
        settings: &Settings,
        context: &Context,
    ) -> Result<Vec<Estimate>> {
        let seed = Use::Training.seed(context.seed, 0);
        let clock = Proposal::Exponential { rate: settings.rate };
        let sources = [&self.data, &self.held_out].map(|data| Deaths::new(data, settings.rate, clock, 0.0));
        let [source, held_out] = sources;
        let (source, held_out) = (source?, held_out?);
        let centre = self.data.column_mean();
        // The variance of a coordinate of the dead is that of the data and 1/r.
        let scale = (self.data.row_variance().mean() + 1.0 / settings.rate).sqrt();
        let network = RawNetwork::new(settings.architecture(), 2, centre.as_slice(), scale)?;
        let task = ScoreMatching::new(&network, &Native, &source, &held_out, divergence, seed, 64)?;
        let training = settings.training(settings.matching_steps, settings.batch, seed);
        let mut watch = Watch::new(context, training.steps, "score matching");
        let mut trainer = Trainer::new(&task, Subject::new("score matching".into()), training)?;
        match trainer.run(&mut watch)? {
            train::Outcome::Finished => {}
            train::Outcome::Stopped => bail!("interrupted"),
            outcome => bail!("score matching: {outcome:?}"),
        }
        let parameters = trainer.state().average();
        let field = |x: &[f64], out: &mut [f64]| out.copy_from_slice(&task.scores(parameters, x));
        Ok(self.errors(&VectorField::new(self.process.green().clone(), FARTHEST, field)?))
    }
}

const NOTE: &str = "Within a smooth density the gain g of regression is large and the score small, so that D must be learned to a small \
                    part of itself; score matching learns the score as a vector and suits such data. On polar data it is the other way \
                    round, and there score matching has no minimiser.";

pub(super) fn run(settings: &Settings, context: &Context, outcome: &mut Outcome) -> Result<()> {
    let plane = Plane::new(settings, context.seed)?;
    let clock = Proposal::Exponential { rate: settings.rate };
    let log_normal = Proposal::LogNormal { mean: -1.2, deviation: 1.5 };
    let sliced = |law| Divergence::Sliced { probes: 1, law };
    let rows = [
        ("regression (R15), Exp(r)", 0, plane.regressed(clock, settings, context)?),
        ("regression (R15), log-normal, matched", 0, plane.regressed(log_normal, settings, context)?),
        ("implicit score matching", 2, plane.matched(Divergence::Exact, settings, context)?),
        ("sliced, one sign vector", 1, plane.matched(sliced(Probe::Rademacher), settings, context)?),
        ("sliced, one normal vector", 1, plane.matched(sliced(Probe::Gaussian), settings, context)?),
    ];
    let columns: Vec<String> =
        plane.places.iter().flat_map(|(name, _)| [name.clone(), format!("± at {name}")]).collect();
    let columns: Vec<&str> =
        ["loss", "derivatives per example"].into_iter().chain(columns.iter().map(String::as_str)).collect();
    let mut table = Table::new(
        "score matching",
        format!(
            "Normal mixture in the plane, three centres, deviation {DEVIATION}: relative L² error of the score at places of death and at y + \
             σN, standard errors over {} points, one training each of {} steps of {} examples. Score matching sees deaths of \
             the clock itself. It asks for a smooth density: on polar data its loss has no minimiser (E|∇ log u|² is infinite).",
            settings.points, settings.matching_steps, settings.batch
        ),
        &columns,
    );
    for (name, derivatives, errors) in rows {
        let numbers = errors.iter().flat_map(|error| cells![error.value, error.standard_error]);
        table.push(cells![name, derivatives].into_iter().chain(numbers).collect());
    }
    outcome.tables.push(table);
    outcome.notes.push(NOTE.to_owned());
    Ok(())
}
