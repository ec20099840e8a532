//! Where a training stands.

use super::adamw::Numbers;
use super::settings::TrainingSettings;
use crate::checkpoint::{Contents, ModelFile, Subject, Tensor, write};
use crate::error::Result;
use crate::network::Layout;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::Path;

const KIND: &str = "training state";
const CONSTANTS: &str = "constants.";

/// The average parameters when validation last found them good, that is, finite.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Good {
    pub(super) step: u64,
    pub(super) validation: Map<String, Value>,
    pub(super) average: Vec<f32>,
}

/// Everything a training is to be continued from.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    pub(super) subject: Subject,
    pub(super) settings: TrainingSettings,
    /// Names and shapes of the parameters, in their order.
    pub(super) shapes: Vec<(String, Vec<usize>)>,
    pub(super) step: u64,
    pub(super) seconds: f64,
    pub(super) smoothed_loss: Option<f64>,
    pub(super) numbers: Numbers,
    pub(super) good: Option<Good>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    subject: Value,
    training: TrainingSettings,
    parameters: Vec<(String, Vec<usize>)>,
    step: u64,
    seconds: f64,
    smoothed_loss: Option<f64>,
    good: Option<GoodHeader>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct GoodHeader {
    step: u64,
    validation: Map<String, Value>,
}

impl State {
    pub(super) fn new(
        subject: Subject,
        settings: TrainingSettings,
        layout: &Layout,
        parameters: Vec<f32>,
    ) -> Self {
        let (numbers, shapes) = (Numbers::new(parameters), shapes(layout));
        Self { subject, settings, shapes, step: 0, seconds: 0.0, smoothed_loss: None, numbers, good: None }
    }

    /// What is trained.
    pub fn subject(&self) -> &Subject {
        &self.subject
    }

    /// The settings.
    pub fn settings(&self) -> &TrainingSettings {
        &self.settings
    }

    /// Steps taken.
    pub fn step(&self) -> u64 {
        self.step
    }

    /// Seconds spent, over all runs.
    pub fn seconds(&self) -> f64 {
        self.seconds
    }

    /// The parameters.
    pub fn parameters(&self) -> &[f32] {
        &self.numbers.parameters
    }

    /// The moving average of the parameters, which is what a training is made for.
    pub fn average(&self) -> &[f32] {
        &self.numbers.average
    }

    /// The model with the averaged parameters.
    pub fn model(&self) -> ModelFile {
        let validation = self.good.as_ref().map_or_else(Map::new, |good| good.validation.clone());
        self.model_of(self.step, validation, &self.numbers.average)
    }

    /// The model with the averaged parameters of the last validation whose loss was finite, if there was any.
    pub fn last_good(&self) -> Option<ModelFile> {
        self.good.as_ref().map(|good| self.model_of(good.step, good.validation.clone(), &good.average))
    }

    fn model_of(&self, step: u64, validation: Map<String, Value>, parameters: &[f32]) -> ModelFile {
        let mut model = ModelFile::from_shapes(self.subject.clone(), &self.shapes, parameters);
        model.training = Some(self.settings.clone());
        (model.step, model.validation) = (step, validation);
        model
    }

    /// Writes the state, whole or not at all.
    ///
    /// # Errors
    /// If a number is not finite, or the file cannot be written.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<()> {
        let good = self.good.as_ref();
        let header = Header {
            subject: self.subject.settings.clone(),
            training: self.settings.clone(),
            parameters: self.shapes.clone(),
            step: self.step,
            seconds: self.seconds,
            smoothed_loss: self.smoothed_loss,
            good: good.map(|good| GoodHeader { step: good.step, validation: good.validation.clone() }),
        };
        let Numbers { parameters, average, first, second } = &self.numbers;
        let mut lists = vec![
            ("parameters", parameters),
            ("average", average),
            ("first_moment", first),
            ("second_moment", second),
        ];
        lists.extend(good.map(|good| ("good", &good.average)));
        let mut tensors: BTreeMap<_, _> = lists
            .into_iter()
            .map(|(name, list)| (name.to_owned(), Tensor::f32(&[list.len()], list)))
            .collect();
        tensors.extend(self.subject.constants.iter().map(|(n, t)| (format!("{CONSTANTS}{n}"), t.clone())));
        write(path, KIND, &header, &tensors)
    }

    /// Reads a state.
    ///
    /// # Errors
    /// If the file cannot be read, is damaged, of another kind or version, or holds numbers that are not finite.
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        let mut contents = Contents::read(path, KIND)?;
        let header: Header = contents.header()?;
        header.training.validate().map_err(|reason| contents.error(reason.to_string()))?;
        let size = |shape: &[usize]| shape.iter().try_fold(1_usize, |size, extent| size.checked_mul(*extent));
        let len = header.parameters.iter().try_fold(0_usize, |sum, (_, shape)| sum.checked_add(size(shape)?));
        let len = len.ok_or_else(|| contents.error("header: more parameters than can be counted"))?;
        let mut list = |name| contents.take_f32(name, &[len]);
        let numbers = Numbers {
            parameters: list("parameters")?,
            average: list("average")?,
            first: list("first_moment")?,
            second: list("second_moment")?,
        };
        let good = match header.good {
            Some(GoodHeader { step, validation }) => Some(Good { step, validation, average: list("good")? }),
            None => None,
        };
        let subject = Subject { settings: header.subject, constants: contents.take_all(CONSTANTS) };
        contents.finish()?;
        Ok(Self {
            subject,
            settings: header.training,
            shapes: header.parameters,
            step: header.step,
            seconds: header.seconds,
            smoothed_loss: header.smoothed_loss,
            numbers,
            good,
        })
    }
}

/// Names and shapes of the parameters, in their order.
pub(super) fn shapes(layout: &Layout) -> Vec<(String, Vec<usize>)> {
    layout.entries().iter().map(|entry| (entry.name.clone(), entry.shape.clone())).collect()
}
