//! A trained model and its file.

use super::{GaussianFit, Model, ModelSettings};
use crate::checkpoint::{ModelFile, Subject, Tensor, Values};
use crate::error::{Error, Result};
use nalgebra::DMatrix;
use serde_json::{Map, Value, json};
use std::borrow::Cow;
use std::path::Path;

/// A trained model: everything that sampling with it asks for.
#[derive(Debug, Clone)]
pub struct SavedModel {
    /// The model.
    pub model: Model,
    /// Its parameters, in the order of its layout.
    pub parameters: Vec<f32>,
    /// Steps of training behind them.
    pub step: u64,
    /// What it was trained on and how, as the training described it.
    pub description: Value,
    /// What validation found last.
    pub validation: Map<String, Value>,
}

impl Model {
    /// What a checkpoint says of this model, with a description of its training.
    pub fn subject(&self, description: Value) -> Subject {
        let fit = self.fit();
        let vector = |values: &[f32]| Tensor::f32(&[values.len()], values.to_vec());
        let shape = [fit.variances.len(), fit.dim()];
        let directions = Tensor::f32(&shape, fit.directions.as_slice().to_vec());
        let mut settings = json!({ "model": self.settings() });
        settings["description"] = description;
        let constants = [
            ("fit.mean", vector(&fit.mean)),
            ("fit.variances", vector(&fit.variances)),
            ("fit.rest", vector(&[fit.rest])),
            ("fit.directions", directions),
        ];
        Subject { settings, constants: constants.map(|(name, tensor)| (name.to_owned(), tensor)).into() }
    }
}

impl SavedModel {
    /// Reads a model file.
    ///
    /// # Errors
    /// If it cannot be read, is damaged, of another kind or version, or its settings and tensors do not make a model.
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        Self::from_file(ModelFile::read(path)?).map_err(|error| of_file(path, error))
    }

    /// The model of a file whose bytes are at hand; errors call it `path`.
    ///
    /// # Errors
    /// As [`read`](SavedModel::read).
    pub fn from_bytes(path: impl AsRef<Path>, bytes: &[u8]) -> Result<Self> {
        let path = path.as_ref();
        Self::from_file(ModelFile::from_bytes(path, bytes)?).map_err(|error| of_file(path, error))
    }

    /// Writes the file, whole or not at all.
    ///
    /// # Errors
    /// If the parameters are of another number than the model has, a number is not finite, or the file cannot be written.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<()> {
        let subject = self.model.subject(self.description.clone());
        let mut file = ModelFile::new(subject, self.model.network().layout(), &self.parameters)?;
        file.step = self.step;
        file.validation = self.validation.clone();
        file.write(path)
    }

    /// The model of a file that has been read.
    ///
    /// # Errors
    /// If its settings and tensors do not make a model.
    pub fn from_file(file: ModelFile) -> Result<Self> {
        let settings = &file.subject.settings;
        let mut keys = settings.as_object().into_iter().flat_map(Map::keys);
        if let Some(key) = keys.find(|key| !["model", "description"].contains(&key.as_str())) {
            return Err(Error::Settings {
                what: format!("holds settings `{key}`, which have no place here"),
            });
        }
        let model: ModelSettings = serde_json::from_value(settings["model"].clone())
            .map_err(|reason| Error::Settings { what: format!("no settings of a model: {reason}") })?;
        let model = Model::new(model, fit(&file.subject)?)?;
        Ok(Self {
            parameters: file.parameters(model.network().layout())?,
            model,
            step: file.step,
            description: settings["description"].clone(),
            validation: file.validation,
        })
    }
}

fn of_file(path: &Path, error: Error) -> Error {
    match error {
        error @ Error::File { .. } => error,
        other => Error::File { path: path.to_owned(), reason: other.to_string() },
    }
}

fn fit(subject: &Subject) -> Result<GaussianFit> {
    let tensor = |name: &'static str, shape: &[Option<usize>]| -> Result<(Vec<usize>, &[f32])> {
        let wrong = |what: String| Error::Settings { what: format!("constant {name} {what}") };
        let tensor = subject.constants.get(name).ok_or_else(|| wrong("is missing".to_owned()))?;
        let found = tensor.shape();
        let fits =
            found.len() == shape.len() && found.iter().zip(shape).all(|(f, s)| s.is_none_or(|s| s == *f));
        match tensor.values() {
            Values::F32(Cow::Owned(values)) if fits => Ok((found.to_vec(), values)),
            Values::F32(_) => Err(wrong(format!("has shape {found:?}"))),
            Values::F64(_) => Err(wrong("is of double precision".to_owned())),
        }
    };
    let (_, mean) = tensor("fit.mean", &[None])?;
    let (_, variances) = tensor("fit.variances", &[None])?;
    let (_, rest) = tensor("fit.rest", &[Some(1)])?;
    let (_, directions) = tensor("fit.directions", &[Some(variances.len()), Some(mean.len())])?;
    if mean.is_empty() || variances.len() > mean.len() || variances.iter().chain(rest).any(|v| *v < 0.0) {
        return Err(Error::Settings { what: "the constants are no Gaussian fit".to_owned() });
    }
    let known = ["fit.mean", "fit.variances", "fit.rest", "fit.directions"];
    if let Some(name) = subject.constants.keys().find(|name| !known.contains(&name.as_str())) {
        return Err(Error::Settings { what: format!("holds constant {name}, which has no place here") });
    }
    let fit = GaussianFit {
        mean: mean.to_vec(),
        variances: variances.to_vec(),
        directions: DMatrix::from_column_slice(mean.len(), variances.len(), directions),
        rest: rest[0],
    };
    if fit.variance() > 0.0 {
        return Ok(fit);
    }
    Err(Error::Settings { what: "the Gaussian fit has no variance".to_owned() })
}
