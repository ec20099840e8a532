//! Named tensors and a header in one safetensors file.

use super::tensor::{Tensor, Values};
use crate::error::{Error, Result};
use resolvent_data::io::write_atomically;
use safetensors::{SafeTensorError, SafeTensors};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::io::Write;
use std::path::{Path, PathBuf};

/// The key under which the metadata of a file hold what is ours.
const KEY: &str = "resolvent";

/// The version of the format; readers know no other.
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Envelope {
    kind: String,
    version: u32,
    #[serde(default)]
    header: Value,
}

/// Writes tensors and a header that serialises to JSON, whole or not at all. `kind` says what the file is for. The bytes are
/// a function of what is written alone.
///
/// # Errors
/// If a number is not finite, or the file cannot be written; what was there before is left as it was.
pub fn write(
    path: impl AsRef<Path>,
    kind: &str,
    header: &impl Serialize,
    tensors: &BTreeMap<String, Tensor<'_>>,
) -> Result<()> {
    let path = path.as_ref();
    finite(path, tensors)?;
    let header = serde_json::to_value(header).map_err(|reason| error(path, format!("header: {reason}")))?;
    let envelope = Envelope { kind: kind.into(), version: VERSION, header };
    let envelope = serde_json::to_string(&envelope).map_err(|reason| error(path, reason.to_string()))?;
    // One key alone: several would come in no fixed order.
    let bytes = safetensors::serialize(tensors, Some(HashMap::from([(KEY.into(), envelope)])))
        .map_err(|reason| error(path, reason.to_string()))?;
    Ok(write_atomically(path, |writer| writer.write_all(&bytes))?)
}

/// All tensors of any safetensors file in f32 or f64, by name.
///
/// # Errors
/// If the file cannot be read, is damaged, or holds other types or numbers that are not finite.
pub fn read_tensors(path: impl AsRef<Path>) -> Result<BTreeMap<String, Tensor<'static>>> {
    let path = path.as_ref();
    parse(path, &load(path)?).map(|(_, tensors)| tensors)
}

/// What was read from a file and has not been taken out yet.
#[derive(Debug)]
pub struct Contents {
    path: PathBuf,
    header: Value,
    tensors: BTreeMap<String, Tensor<'static>>,
}

impl Contents {
    /// Reads a file of that kind.
    ///
    /// # Errors
    /// If the file cannot be read, is damaged, or of another kind or version, or holds numbers that are not finite.
    pub fn read(path: impl AsRef<Path>, kind: &str) -> Result<Self> {
        let path = path.as_ref();
        Self::from_bytes(path, &load(path)?, kind)
    }

    /// The contents of a file of that kind whose bytes are at hand; errors call it `path`.
    ///
    /// # Errors
    /// As [`read`](Contents::read).
    pub fn from_bytes(path: impl AsRef<Path>, bytes: &[u8], kind: &str) -> Result<Self> {
        let path = path.as_ref();
        let (envelope, tensors) = parse(path, bytes)?;
        let Some(envelope) = envelope else {
            return Err(error(path, format!("was not written by this library: its metadata lack `{KEY}`")));
        };
        // The version first: another one may look different.
        let envelope: Value = serde_json::from_str(&envelope)
            .map_err(|reason| error(path, format!("metadata `{KEY}`: {reason}")))?;
        let version = &envelope["version"];
        if *version != VERSION {
            let reason = format!("is of format version {version}, this library reads version {VERSION}");
            return Err(error(path, reason));
        }
        let envelope: Envelope = serde_json::from_value(envelope)
            .map_err(|reason| error(path, format!("metadata `{KEY}`: {reason}")))?;
        if envelope.kind != kind {
            return Err(error(path, format!("holds a {}, expected a {kind}", envelope.kind)));
        }
        Ok(Self { path: path.to_owned(), header: envelope.header, tensors })
    }

    /// The header.
    ///
    /// # Errors
    /// If it has another form.
    pub fn header<H: DeserializeOwned>(&self) -> Result<H> {
        H::deserialize(&self.header).map_err(|reason| self.error(format!("header: {reason}")))
    }

    /// Takes out a tensor in single precision.
    ///
    /// # Errors
    /// If there is none of that name, or it has another type or shape.
    pub fn take_f32(&mut self, name: &str, shape: &[usize]) -> Result<Vec<f32>> {
        match self.take(name, shape)?.into_values() {
            Values::F32(values) => Ok(values.into_owned()),
            Values::F64(_) => Err(self.error(format!("tensor {name} is F64, expected F32"))),
        }
    }

    /// Takes out a tensor in double precision.
    ///
    /// # Errors
    /// If there is none of that name, or it has another type or shape.
    pub fn take_f64(&mut self, name: &str, shape: &[usize]) -> Result<Vec<f64>> {
        match self.take(name, shape)?.into_values() {
            Values::F64(values) => Ok(values.into_owned()),
            Values::F32(_) => Err(self.error(format!("tensor {name} is F32, expected F64"))),
        }
    }

    fn take(&mut self, name: &str, shape: &[usize]) -> Result<Tensor<'static>> {
        let tensor = self.tensors.remove(name).ok_or_else(|| self.error(format!("lacks tensor {name}")))?;
        if tensor.shape() != shape {
            let reason = format!("tensor {name} has shape {:?}, expected {shape:?}", tensor.shape());
            return Err(self.error(reason));
        }
        Ok(tensor)
    }

    /// Takes out all tensors whose names begin with `prefix`, under what follows it.
    pub fn take_all(&mut self, prefix: &str) -> BTreeMap<String, Tensor<'static>> {
        let (taken, left) =
            std::mem::take(&mut self.tensors).into_iter().partition(|(n, _)| n.starts_with(prefix));
        self.tensors = left;
        let taken: BTreeMap<String, _> = taken;
        taken.into_iter().map(|(name, tensor)| (name[prefix.len()..].to_owned(), tensor)).collect()
    }

    /// To be called when everything has been taken out.
    ///
    /// # Errors
    /// If a tensor is left.
    pub fn finish(&self) -> Result<()> {
        match self.tensors.keys().next() {
            Some(name) => Err(self.error(format!("holds tensor {name}, which has no place here"))),
            None => Ok(()),
        }
    }

    /// An error about this file.
    pub fn error(&self, reason: impl Into<String>) -> Error {
        error(&self.path, reason)
    }
}

fn error(path: &Path, reason: impl Into<String>) -> Error {
    Error::File { path: path.to_owned(), reason: reason.into() }
}

fn finite(path: &Path, tensors: &BTreeMap<String, Tensor<'_>>) -> Result<()> {
    for (name, tensor) in tensors {
        if let Some((place, value)) = tensor.not_finite() {
            return Err(error(path, format!("tensor {name}: number {place} is {value}")));
        }
    }
    Ok(())
}

fn load(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|reason| error(path, reason.to_string()))
}

/// The metadata that are ours, if there are any, and all tensors.
fn parse(path: &Path, bytes: &[u8]) -> Result<(Option<String>, BTreeMap<String, Tensor<'static>>)> {
    let damage = |reason: SafeTensorError| {
        let what = match reason {
            SafeTensorError::MetadataIncompleteBuffer => "is cut off, or has bytes too many",
            _ => "is no safetensors file, or a damaged one",
        };
        error(path, format!("{what} ({reason})"))
    };
    let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(damage)?;
    let envelope = metadata.metadata().as_ref().and_then(|metadata| metadata.get(KEY)).cloned();
    let mut tensors = BTreeMap::new();
    for (name, view) in SafeTensors::deserialize(bytes).map_err(damage)?.iter() {
        let tensor = Tensor::from_bytes(view.dtype(), view.shape(), view.data());
        let Some(tensor) = tensor else {
            return Err(error(path, format!("tensor {name} is {:?}, expected F32 or F64", view.dtype())));
        };
        tensors.insert(name.to_owned(), tensor);
    }
    finite(path, &tensors)?;
    Ok((envelope, tensors))
}
