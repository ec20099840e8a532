//! The file with which one samples.

use super::file::{Contents, write};
use super::subject::Subject;
use super::tensor::{Tensor, Values};
use crate::error::{Error, Result};
use crate::network::Layout;
use crate::train::TrainingSettings;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const KIND: &str = "model";
const CONSTANTS: &str = "constants.";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    subject: Value,
    training: Option<TrainingSettings>,
    step: u64,
    validation: Map<String, Value>,
}

/// A model: what it is, how it was trained, how good it is, and its parameters under the names of their layout.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelFile {
    /// What it is.
    pub subject: Subject,
    /// How it was trained; none for one that was not trained here.
    pub training: Option<TrainingSettings>,
    /// Steps of training behind the parameters.
    pub step: u64,
    /// What validation found last.
    pub validation: Map<String, Value>,
    parameters: BTreeMap<String, Tensor<'static>>,
    origin: PathBuf,
}

impl ModelFile {
    /// The model with these parameters, in the order of the layout; trained by nobody.
    ///
    /// # Errors
    /// If there are more or fewer parameters than the layout has.
    pub fn new(subject: Subject, layout: &Layout, parameters: &[f32]) -> Result<Self> {
        if parameters.len() != layout.len() {
            let (expected, found) = (layout.len(), parameters.len());
            return Err(Error::Dimension { name: "parameters", expected, found });
        }
        let entries = layout.entries().iter();
        let shapes = entries.map(|entry| (entry.name.clone(), entry.shape.clone())).collect::<Vec<_>>();
        Ok(Self::from_shapes(subject, &shapes, parameters))
    }

    pub(crate) fn from_shapes(
        subject: Subject,
        shapes: &[(String, Vec<usize>)],
        mut parameters: &[f32],
    ) -> Self {
        let mut tensors = BTreeMap::new();
        for (name, shape) in shapes {
            let (numbers, rest) = parameters.split_at(shape.iter().product());
            tensors.insert(name.clone(), Tensor::f32(shape, numbers.to_vec()));
            parameters = rest;
        }
        let origin = PathBuf::from("model");
        Self { subject, training: None, step: 0, validation: Map::new(), parameters: tensors, origin }
    }

    /// Reads a file.
    ///
    /// # Errors
    /// If the file cannot be read, is damaged, of another kind or version, or holds numbers that are not finite.
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        Self::take(&path, Contents::read(&path, KIND)?)
    }

    /// A file whose bytes are at hand; errors call it `path`.
    ///
    /// # Errors
    /// As [`read`](ModelFile::read).
    pub fn from_bytes(path: impl AsRef<Path>, bytes: &[u8]) -> Result<Self> {
        Self::take(&path, Contents::from_bytes(&path, bytes, KIND)?)
    }

    fn take(path: impl AsRef<Path>, mut contents: Contents) -> Result<Self> {
        let Header { subject, training, step, validation } = contents.header()?;
        let constants = contents.take_all(CONSTANTS);
        let parameters = contents.take_all("");
        let subject = Subject { settings: subject, constants };
        Ok(Self { subject, training, step, validation, parameters, origin: path.as_ref().to_owned() })
    }

    /// Writes the file, whole or not at all.
    ///
    /// # Errors
    /// If a number is not finite, or the file cannot be written.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<()> {
        let header = Header {
            subject: self.subject.settings.clone(),
            training: self.training.clone(),
            step: self.step,
            validation: self.validation.clone(),
        };
        let mut tensors = self.parameters.clone();
        tensors.extend(self.subject.constants.iter().map(|(n, t)| (format!("{CONSTANTS}{n}"), t.clone())));
        write(path, KIND, &header, &tensors)
    }

    /// The parameters in the order of a layout.
    ///
    /// # Errors
    /// If names, shapes or precision are not those of the layout: the file is of another architecture.
    pub fn parameters(&self, layout: &Layout) -> Result<Vec<f32>> {
        // The file bounds the memory, whatever its settings ask for.
        let held = self.parameters.values().map(|tensor| tensor.shape().iter().product::<usize>()).sum();
        let mut parameters = Vec::with_capacity(layout.len().min(held));
        for entry in layout.entries() {
            let name = &entry.name;
            let Some(tensor) = self.parameters.get(name) else {
                return Err(self.error(format!("another architecture: lacks tensor {name}")));
            };
            if tensor.shape() != entry.shape {
                let (found, expected) = (tensor.shape(), &entry.shape);
                let reason =
                    format!("another architecture: tensor {name} has shape {found:?}, expected {expected:?}");
                return Err(self.error(reason));
            }
            match tensor.values() {
                Values::F32(values) => parameters.extend_from_slice(values),
                Values::F64(_) => return Err(self.error(format!("tensor {name} is F64, expected F32"))),
            }
        }
        let known: std::collections::HashSet<_> = layout.entries().iter().map(|entry| &entry.name).collect();
        match self.parameters.keys().find(|name| !known.contains(name)) {
            Some(name) => {
                Err(self
                    .error(format!("another architecture: holds tensor {name}, which the network has not")))
            }
            None => Ok(parameters),
        }
    }

    fn error(&self, reason: String) -> Error {
        Error::File { path: self.origin.clone(), reason }
    }
}
