//! The parameters of a network from files of PyTorch, and back.
//!
//! The modules `ResidualMlp` and `UNet` of `crates/resolvent-learn/python/networks.py` are the two architectures in PyTorch, with the
//! names of [`Layout`](crate::network::Layout) as the keys of their state dict. A file may be
//!
//! * `.safetensors`: `safetensors.torch.save_file(net.state_dict(), path)`;
//! * `.pt`, `.pth` or `.bin`: `torch.save(net.state_dict(), path)`, of which data are read and nothing is executed.
//!
//! Both hold the same numbers in the same order, except that PyTorch has kernels as [out, in, row, column] and this crate as
//! [row, column, in, out].

use crate::checkpoint::Tensor;
use crate::error::{Error, Result};
use crate::network::{Entry, Network};
use half::{bf16, f16};
use pytorch_reader::PytorchReader;
use resolvent_data::io::write_atomically;
use safetensors::{Dtype, SafeTensors};
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::io::Write;
use std::path::Path;

/// The parameters of `network` in a file, in f64, f32, f16 or bf16 there.
///
/// # Errors
/// If the file cannot be read, lacks a parameter or has one that the network lacks, in another shape, of another kind of
/// number, or one that is not a finite f32.
pub fn read(path: impl AsRef<Path>, network: &Network) -> Result<Vec<f32>> {
    let path = path.as_ref();
    let refuse = |reason: String| Error::File { path: path.to_owned(), reason };
    let tensors = match path.extension().and_then(|e| e.to_str()) {
        Some("safetensors") => read_safetensors(path),
        Some("pt" | "pth" | "bin") => read_pickle(path),
        _ => Err("the name must end in .safetensors, .pt, .pth or .bin".into()),
    };
    parameters(tensors.map_err(refuse)?, network).map_err(refuse)
}

/// Writes the parameters of `network` to a `.safetensors` file, in f32, as PyTorch has them. What was there is replaced when
/// everything is written.
///
/// # Errors
/// If there are more or fewer parameters than the network has, or the file cannot be written.
pub fn write(path: impl AsRef<Path>, network: &Network, parameters: &[f32]) -> Result<()> {
    let (path, expected) = (path.as_ref(), network.layout().len());
    if parameters.len() != expected {
        return Err(Error::Dimension { name: "parameters", expected, found: parameters.len() });
    }
    let tensors: BTreeMap<&str, Tensor<'_>> = (network.layout().entries().iter())
        .map(|entry| {
            let values = &parameters[entry.range()];
            let values =
                kernel(entry).map_or_else(|| values.into(), |kernel| Cow::from(kernel.theirs(values)));
            (entry.name.as_str(), Tensor::f32(&their_shape(entry), values))
        })
        .collect();
    // What PyTorch's own writer says; some readers ask for it.
    let format = HashMap::from([("format".to_owned(), "pt".to_owned())]);
    let bytes = safetensors::serialize(&tensors, Some(format))
        .map_err(|error| Error::File { path: path.to_owned(), reason: error.to_string() })?;
    Ok(write_atomically(path, |writer| writer.write_all(&bytes))?)
}

/// A kernel, 3 x 3 in both orders.
struct Kernel {
    ins: usize,
    outs: usize,
}

impl Kernel {
    /// Where the numbers of [3, 3, in, out] stand in [out, in, 3, 3].
    fn places(&self) -> impl Iterator<Item = usize> {
        let (ins, outs) = (self.ins, self.outs);
        (0..9 * ins * outs).map(move |ours| {
            let (place, i, o) = (ours / (ins * outs), ours / outs % ins, ours % outs);
            (o * ins + i) * 9 + place
        })
    }

    fn ours(&self, theirs: &[f32]) -> Vec<f32> {
        self.places().map(|place| theirs[place]).collect()
    }

    fn theirs(&self, ours: &[f32]) -> Vec<f32> {
        let mut theirs = vec![0.0; ours.len()];
        self.places().zip(ours).for_each(|(place, &v)| theirs[place] = v);
        theirs
    }
}

fn kernel(entry: &Entry) -> Option<Kernel> {
    match entry.shape[..] {
        [_, _, ins, outs] => Some(Kernel { ins, outs }),
        _ => None,
    }
}

fn their_shape(entry: &Entry) -> Vec<usize> {
    kernel(entry).map_or_else(|| entry.shape.clone(), |Kernel { ins, outs }| vec![outs, ins, 3, 3])
}

/// The kinds of number that are read.
#[derive(Clone, Copy)]
enum Kind {
    F64,
    F32,
    F16,
    Bf16,
}

/// A tensor of a file: its kind of number, unless it is another, its shape and its bytes.
struct Found {
    kind: std::result::Result<Kind, String>,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl Found {
    fn numbers(&self) -> std::result::Result<Vec<f32>, String> {
        fn each<const N: usize>(bytes: &[u8], number: impl Fn([u8; N]) -> f32) -> Vec<f32> {
            bytes.as_chunks().0.iter().map(|&bytes| number(bytes)).collect()
        }
        let bytes = &self.bytes;
        Ok(match self.kind.clone()? {
            Kind::F64 => each(bytes, |b| f64::from_le_bytes(b) as f32),
            Kind::F32 => each(bytes, f32::from_le_bytes),
            Kind::F16 => each(bytes, |b| f16::from_le_bytes(b).to_f32()),
            Kind::Bf16 => each(bytes, |b| bf16::from_le_bytes(b).to_f32()),
        })
    }
}

type Tensors = BTreeMap<String, Found>;

fn read_safetensors(path: &Path) -> std::result::Result<Tensors, String> {
    let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
    let file = SafeTensors::deserialize(&bytes).map_err(|error| error.to_string())?;
    let tensors = file.iter().map(|(name, view)| {
        let kind = match view.dtype() {
            Dtype::F64 => Ok(Kind::F64),
            Dtype::F32 => Ok(Kind::F32),
            Dtype::F16 => Ok(Kind::F16),
            Dtype::BF16 => Ok(Kind::Bf16),
            other => Err(format!("{other:?}")),
        };
        (name.to_owned(), Found { kind, shape: view.shape().to_vec(), bytes: view.data().to_vec() })
    });
    Ok(tensors.collect())
}

fn read_pickle(path: &Path) -> std::result::Result<Tensors, String> {
    use pytorch_reader::DType;
    let file = PytorchReader::new(path).map_err(|error| error.to_string())?;
    let tensors = file.tensors().iter().map(|(name, tensor)| {
        let kind = match tensor.dtype() {
            DType::F64 => Ok(Kind::F64),
            DType::F32 => Ok(Kind::F32),
            DType::F16 => Ok(Kind::F16),
            DType::BF16 => Ok(Kind::Bf16),
            other => Err(format!("{other:?}")),
        };
        let bytes = tensor.read().map_err(|error| format!("tensor {name}: {error}"))?;
        Ok((name.clone(), Found { kind, shape: tensor.shape().to_vec(), bytes }))
    });
    tensors.collect()
}

fn parameters(mut tensors: Tensors, network: &Network) -> std::result::Result<Vec<f32>, String> {
    let entries = network.layout().entries();
    let missing: Vec<&str> =
        entries.iter().map(|e| e.name.as_str()).filter(|name| !tensors.contains_key(*name)).collect();
    let surplus: Vec<&str> =
        tensors.keys().map(String::as_str).filter(|name| entries.iter().all(|e| e.name != *name)).collect();
    if !missing.is_empty() || !surplus.is_empty() {
        let of = |what, names: &[&str]| (!names.is_empty()).then(|| format!("{what}: {}", listed(names)));
        let parts = [
            of("parameters of the network that are missing", &missing),
            of("tensors that the network does not have", &surplus),
        ];
        return Err(parts.into_iter().flatten().collect::<Vec<_>>().join("; "));
    }
    let mut parameters = vec![0.0; network.layout().len()];
    for entry in entries {
        let (name, expected) = (&entry.name, their_shape(entry));
        let found = tensors.remove(name).expect("none is missing");
        if found.shape != expected {
            return Err(format!("tensor {name} has shape {:?}, expected {expected:?}", found.shape));
        }
        let numbers = found.numbers().map_err(|kind| {
            format!("tensor {name} has numbers of type {kind}, expected F32, F64, F16 or BF16")
        })?;
        if let Some(at) = numbers.iter().position(|v| !v.is_finite()) {
            return Err(format!("tensor {name} has {} at place {at}, expected a finite f32", numbers[at]));
        }
        let numbers = kernel(entry).map_or_else(|| numbers.clone(), |kernel| kernel.ours(&numbers));
        parameters[entry.range()].copy_from_slice(&numbers);
    }
    Ok(parameters)
}

/// The names, the first few of many.
fn listed(names: &[&str]) -> String {
    const SHOWN: usize = 6;
    let shown = names[..names.len().min(SHOWN)].join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
