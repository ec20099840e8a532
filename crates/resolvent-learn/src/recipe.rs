//! A whole training in one description: model, examples, loss, optimiser.

use crate::engine::Engine;
use crate::error::{Error, Result, usable};
use crate::examples::places::{Places, WeightedPlace};
use crate::examples::{Deaths, Field, Noised, Proposal, Source, Weighting};
use crate::model::{Conditioning, Embedding, GaussianFit, Model, ModelSettings, SavedModel};
use crate::objective::{Objective, Regression};
use crate::train::{Observer, Outcome, State, Trainer, TrainingSettings};
use nalgebra::DMatrix;
use resolvent_core::killed::KilledBrownianMotion;
use resolvent_core::{EmpiricalMeasure, EmpiricalScore};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What a training file says, apart from the data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// The model.
    pub model: ModelSettings,
    /// Leading directions of the Gaussian fit to the data; all where there are fewer. None is kept where the data are predicted
    /// directly, which asks for their mean and variance alone.
    #[serde(default = "directions")]
    pub directions: usize,
    /// Where the examples come from.
    pub examples: ExampleSettings,
    /// The loss of a blind model; without a part in that of a told one.
    #[serde(default)]
    pub objective: Objective,
    /// Examples to validate on.
    #[serde(default = "validation")]
    pub validation: usize,
    /// The optimiser.
    #[serde(default)]
    pub training: TrainingSettings,
}

/// Where the examples come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum ExampleSettings {
    /// The killed process from the data to its death, [`Deaths`]; for blind models.
    Deaths {
        /// The law of the noise level σ.
        proposal: Proposal,
        /// Deaths as close to their start as this do not count (δ of R15, a length). 0 for told models, whose D it would move
        /// everywhere.
        #[serde(default)]
        closest: f64,
    },
    /// Data under noise of a known level, [`Noised`]; for told models.
    Noised {
        /// The law of the noise level σ.
        proposal: Proposal,
        /// The weight of a level.
        weighting: Weighting,
    },
    /// The exact score of the data at points of any law, [`Field`]; for blind models.
    Field {
        /// The laws of the points.
        places: Vec<WeightedPlace>,
        /// Points as close to the data as this do not count (a length, positive).
        closest: f64,
    },
}

fn directions() -> usize {
    1024
}

fn validation() -> usize {
    1024
}

/// How a training ended, and what came of it.
#[derive(Debug)]
pub struct Trained {
    /// How it ended.
    pub outcome: Outcome,
    /// The averaged parameters as they are now; after a divergence the last good ones.
    pub saved: Option<SavedModel>,
}

impl Recipe {
    /// The model, around a Gaussian fit to `data` (d x n).
    ///
    /// # Errors
    /// If the settings are impossible, or do not fit the data.
    pub fn model(&self, data: &DMatrix<f64>) -> Result<Model> {
        let directions = if self.model.preconditioning.needs_level() { self.directions } else { 0 };
        Model::new(self.model.clone(), GaussianFit::new(data, directions)?)
    }

    /// Refuses settings that would have no meaning.
    fn validate(&self) -> Result<()> {
        const MOST: usize = 1 << 24;
        self.training.validate()?;
        if self.validation > MOST {
            return Err(Error::TooLarge { name: "validation", most: MOST, value: self.validation });
        }
        let told = self.model.conditioning == Conditioning::Told;
        let meaningless = |what: &str| Err(Error::Settings { what: what.to_owned() });
        if told && self.objective != Objective::default() {
            return meaningless("objective: a model that is told the level has none to choose");
        }
        let timeless = matches!(self.examples, ExampleSettings::Noised { .. });
        if timeless && self.model.rate != ModelSettings::DEFAULT_RATE {
            return meaningless("model.rate: data under noise of a told level do not die");
        }
        if !told && !self.model.preconditioning.needs_level() && self.model.embedding != Embedding::default()
        {
            return meaningless(
                "model.embedding: a blind model that predicts the data directly embeds no level",
            );
        }
        Ok(())
    }

    /// What a checkpoint says of the training: everything that has a part in the result.
    fn description(&self, data: &Value) -> Value {
        let training = TrainingSettings { seconds: None, checkpoint_every: 0, ..self.training.clone() };
        json!({ "data": data, "recipe": Self { training, ..self.clone() } })
    }

    /// The training on `data`, validated on `held_out` (both d x n), ready to run. `name` says what the data are.
    ///
    /// # Errors
    /// If a setting is impossible or does not fit the data.
    pub fn prepare<'a>(
        &'a self,
        name: &Value,
        data: &'a DMatrix<f64>,
        held_out: &'a DMatrix<f64>,
    ) -> Result<Training<'a>> {
        self.validate()?;
        usable("data", data)?;
        usable("held-out data", held_out)?;
        if held_out.nrows() != data.nrows() {
            let (expected, found) = (data.nrows(), held_out.nrows());
            return Err(Error::Dimension { name: "held-out data", expected, found });
        }
        let description = self.description(name);
        Ok(Training { recipe: self, description, data, held_out, model: self.model(data)? })
    }

    /// Trains on `data`, validating on `held_out` (both d x n), from the start or from `state`. `name` says what the data are.
    ///
    /// # Errors
    /// If a setting is impossible or does not fit the data, `state` is of another training, or the observer fails.
    pub fn train(
        &self,
        name: &Value,
        data: &DMatrix<f64>,
        held_out: &DMatrix<f64>,
        engine: &dyn Engine,
        state: Option<State>,
        observer: &mut impl Observer,
    ) -> Result<Trained> {
        self.prepare(name, data, held_out)?.train(engine, state, observer)
    }
}

/// A training with its data and its model, ready to run.
#[derive(Debug)]
pub struct Training<'a> {
    recipe: &'a Recipe,
    description: Value,
    data: &'a DMatrix<f64>,
    held_out: &'a DMatrix<f64>,
    model: Model,
}

impl Training<'_> {
    /// The model.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// Trains from the start or from `state`.
    ///
    /// # Errors
    /// If a setting is impossible or does not fit the data, `state` is of another training, or the observer fails.
    pub fn train(
        &self,
        engine: &dyn Engine,
        mut state: Option<State>,
        observer: &mut impl Observer,
    ) -> Result<Trained> {
        let Self { recipe, description, data, held_out, model } = self;
        let Recipe { training, objective, validation, .. } = recipe;
        let mut run = |source: &dyn Source, judge: &dyn Source| -> Result<Trained> {
            let task = Regression::new(model, engine, source, judge, *objective, training.seed, *validation)?;
            let subject = model.subject(description.clone());
            let mut trainer = match state.take() {
                None => Trainer::new(&task, subject, training.clone())?,
                Some(state) => Trainer::resume(&task, &subject, state)?,
            };
            // What has no part in the result may differ from when the training began.
            trainer.limit_seconds(training.seconds)?;
            trainer.checkpoint_every(training.checkpoint_every);
            let outcome = trainer.run(observer)?;
            let file = match outcome {
                Outcome::Diverged { .. } => trainer.state().last_good(),
                _ => Some(trainer.state().model()),
            };
            Ok(Trained { outcome, saved: file.map(SavedModel::from_file).transpose()? })
        };
        let rate = recipe.model.rate;
        match &recipe.examples {
            ExampleSettings::Deaths { proposal, closest } => {
                if recipe.model.conditioning == Conditioning::Told && *closest > 0.0 {
                    let (name, allowed) = ("closest", "0 for a model that is told the level");
                    return Err(Error::Number { name, allowed, value: *closest });
                }
                let of = |data| Deaths::new(data, rate, *proposal, *closest);
                run(&of(data)?, &of(held_out)?)
            }
            ExampleSettings::Noised { proposal, weighting } => {
                let of = |data| Noised::new(data, *proposal, *weighting, model.fit().variance());
                run(&of(data)?, &of(held_out)?)
            }
            ExampleSettings::Field { places, closest } => {
                let process = KilledBrownianMotion::new(data.nrows(), 1.0, rate)?;
                let score = EmpiricalScore::new(&process, EmpiricalMeasure::new((*data).clone())?)?;
                let (here, there) = (Places::new(data, places)?, Places::new(held_out, places)?);
                run(&Field::new(&score, &here, rate, *closest)?, &Field::new(&score, &there, rate, *closest)?)
            }
        }
    }
}
