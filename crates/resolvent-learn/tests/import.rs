//! Parameters from PyTorch and back: against stored values that PyTorch computed, and through PyTorch where there is one.

use resolvent_learn::Error;
use resolvent_learn::engine::{Batch, Engine, Native};
use resolvent_learn::import;
use resolvent_learn::network::{Architecture, Network, ResidualMlp, Sizes, UNet};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;

fn data(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(file)
}

fn unet(side: usize, folded: bool, channels: &[usize], blocks: usize) -> Architecture {
    Architecture::UNet(UNet { side, folded, channels: channels.to_vec(), blocks })
}

fn mlp() -> Network {
    let architecture = Architecture::Mlp(ResidualMlp { width: 16, depth: 2 });
    Network::new(architecture, Sizes { inputs: 5, features: 4, outputs: 3, heads: 1 }).unwrap()
}

/// The named tensors of a file, in f32.
fn tensors(path: &Path) -> HashMap<String, Vec<f32>> {
    let bytes = std::fs::read(path).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let numbers = |view: &TensorView<'_>| {
        view.data().as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect()
    };
    file.iter().map(|(name, view)| (name.to_owned(), numbers(&view))).collect()
}

fn agree(found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len());
    let largest = expected.iter().fold(0f32, |m, v| m.max(v.abs()));
    assert!(
        found.iter().zip(expected).all(|(f, e)| (f - e).abs() <= 1e-5 * largest),
        "{found:?} {expected:?}"
    );
}

#[test]
fn what_pytorch_computed() {
    let sizes = |inputs, features, outputs, heads| Sizes { inputs, features, outputs, heads };
    for (file, network) in [
        ("mlp.safetensors", mlp()),
        ("unet.safetensors", Network::new(unet(4, false, &[3, 5], 2), sizes(32, 0, 16, 0)).unwrap()),
        ("unet-folded.pt", Network::new(unet(8, true, &[3, 5], 1), sizes(128, 4, 64, 2)).unwrap()),
    ] {
        let parameters = import::read(data(file), &network).unwrap();
        let stem = Path::new(file).file_stem().unwrap().to_str().unwrap();
        let mut values = tensors(&data(&format!("{stem}.values.safetensors")));
        let mut take = |name: &str| values.remove(name).unwrap();
        let batch = Batch { n: 3, points: take("points"), features: take("features"), ..Batch::default() };
        let reply = Native.evaluate(&network, &parameters, &batch);
        agree(&reply.field, &take("field"));
        agree(&reply.heads, &take("heads"));
    }
}

#[test]
fn written_and_read_is_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("net.safetensors");
    let network =
        Network::new(unet(8, true, &[3, 5], 1), Sizes { inputs: 64, features: 4, outputs: 64, heads: 2 });
    for network in [mlp(), network.unwrap()] {
        let parameters = network.layout().initial(3);
        import::write(&file, &network, &parameters).unwrap();
        assert_eq!(import::read(&file, &network).unwrap(), parameters);
    }
}

#[test]
fn through_pytorch() {
    let python = std::env::var("RESOLVENT_PYTHON").unwrap_or_else(|_| "python3".into());
    let found = Command::new(&python).args(["-c", "import torch, safetensors"]).output();
    if !found.is_ok_and(|output| output.status.success()) {
        println!("skipped: {python} has no torch and safetensors (RESOLVENT_PYTHON names another one)");
        return;
    }
    let network =
        Network::new(unet(8, true, &[4, 6], 2), Sizes { inputs: 64, features: 3, outputs: 64, heads: 1 })
            .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let at = |file: &str| folder.path().join(file);
    // From another seed than the zeros of the last layers, which would hide most of the network.
    let parameters: Vec<f32> =
        network.layout().initial(1).iter().enumerate().map(|(i, p)| p + 0.1 * (i as f32).sin()).collect();
    import::write(at("net.safetensors"), &network, &parameters).unwrap();
    let numbers = |n: usize| (0..n).map(|i| (0.7 * i as f32).cos()).collect::<Vec<f32>>();
    let batch = Batch { n: 2, points: numbers(2 * 64), features: numbers(2 * 3), ..Batch::default() };
    store(
        &at("points.safetensors"),
        &[
            ("points", &[2, 64], Dtype::F32, &bytes(&batch.points)),
            ("features", &[2, 3], Dtype::F32, &bytes(&batch.features)),
        ],
    );
    let output = Command::new(&python).arg(data("round_trip.py")).arg(folder.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(import::read(at("net.pt"), &network).unwrap(), parameters);
    let reply = Native.evaluate(&network, &parameters, &batch);
    let values = tensors(&at("values.safetensors"));
    agree(&reply.field, &values["field"]);
    agree(&reply.heads, &values["heads"]);
}

fn bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

fn store(path: &Path, tensors: &[(&str, &[usize], Dtype, &[u8])]) {
    let views = tensors
        .iter()
        .map(|(name, shape, dtype, bytes)| (*name, TensorView::new(*dtype, shape.to_vec(), bytes).unwrap()));
    safetensors::serialize_to_file(views, None, path).unwrap();
}

/// The file of the perceptron with every tensor passed through `change`: (name, shape, type, bytes).
fn changed(path: &Path, change: impl Fn(&str, &mut Vec<usize>, &mut Dtype, &mut Vec<u8>) -> bool) {
    let stored = std::fs::read(data("mlp.safetensors")).unwrap();
    let file = SafeTensors::deserialize(&stored).unwrap();
    let mut kept = Vec::new();
    for (name, view) in file.iter() {
        let (mut shape, mut dtype, mut bytes) = (view.shape().to_vec(), view.dtype(), view.data().to_vec());
        if change(name, &mut shape, &mut dtype, &mut bytes) {
            kept.push((name, shape, dtype, bytes));
        }
    }
    let kept: Vec<(&str, &[usize], Dtype, &[u8])> =
        kept.iter().map(|(name, shape, dtype, bytes)| (*name, &shape[..], *dtype, &bytes[..])).collect();
    store(path, &kept);
}

#[test]
fn other_kinds_of_number() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("net.safetensors");
    let exact = import::read(data("mlp.safetensors"), &mlp()).unwrap();
    let numbers =
        |bytes: &[u8]| -> Vec<f32> { bytes.as_chunks().0.iter().map(|&b| f32::from_le_bytes(b)).collect() };
    type Encode = fn(f32) -> Vec<u8>;
    let kinds: [(Dtype, f32, Encode); 3] = [
        (Dtype::F64, 0.0, |v| f64::from(v).to_le_bytes().to_vec()),
        (Dtype::F16, 2f32.powi(-11), |v| half::f16::from_f32(v).to_le_bytes().to_vec()),
        (Dtype::BF16, 2f32.powi(-8), |v| half::bf16::from_f32(v).to_le_bytes().to_vec()),
    ];
    for (kind, error, encode) in kinds {
        changed(&file, |_, _, dtype, bytes| {
            *bytes = numbers(bytes).into_iter().flat_map(encode).collect();
            *dtype = kind;
            true
        });
        let read = import::read(&file, &mlp()).unwrap();
        // Half precision has fewer digits below 2^-14.
        assert!(read.iter().zip(&exact).all(|(r, e)| (r - e).abs() <= error * e.abs().max(2f32.powi(-14))));
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("net.safetensors");
    let refused = |network: &Network, path: &Path, words: &[&str]| {
        let Err(Error::File { path: named, reason }) = import::read(path, network) else {
            panic!("{words:?} accepted");
        };
        assert_eq!(named, path);
        assert!(words.iter().all(|word| reason.contains(word)), "{reason}");
    };
    let mlp = mlp();

    changed(&file, |name, _, _, _| name != "output.bias");
    refused(&mlp, &file, &["missing: output.bias"]);
    let smaller = Architecture::Mlp(ResidualMlp { width: 16, depth: 1 });
    let smaller = Network::new(smaller, Sizes { inputs: 5, features: 4, outputs: 3, heads: 0 }).unwrap();
    refused(
        &smaller,
        &data("mlp.safetensors"),
        &["does not have: blocks.1.embedding.bias, blocks.1.embedding.weight"],
    );
    refused(
        &mlp,
        &data("unet.safetensors"),
        &["missing: blocks.0.embedding.weight", "more", "does not have: down.0"],
    );
    changed(&file, |name, shape, _, _| {
        if name == "output.weight" {
            shape.swap(0, 1);
        }
        true
    });
    refused(&mlp, &file, &["output.weight", "[16, 3]", "[3, 16]"]);
    changed(&file, |name, _, dtype, bytes| {
        if name == "heads.bias" {
            *dtype = Dtype::I32;
            bytes.truncate(4);
        }
        true
    });
    refused(&mlp, &file, &["heads.bias", "I32"]);
    for bad in [f32::NAN, f32::INFINITY] {
        changed(&file, |name, _, _, bytes| {
            if name == "input.weight" {
                bytes[8..12].copy_from_slice(&bad.to_le_bytes());
            }
            true
        });
        refused(&mlp, &file, &["input.weight", "place 2", "finite"]);
    }
    // Too large for f32.
    changed(&file, |name, _, dtype, bytes| {
        if name == "heads.bias" {
            (*dtype, *bytes) = (Dtype::F64, 1e300f64.to_le_bytes().to_vec());
        }
        true
    });
    refused(&mlp, &file, &["heads.bias", "inf"]);

    let whole = std::fs::read(data("mlp.safetensors")).unwrap();
    std::fs::write(&file, &whole[..whole.len() - 5]).unwrap();
    refused(&mlp, &file, &[]);
    let pickle = folder.path().join("net.pt");
    let whole = std::fs::read(data("unet-folded.pt")).unwrap();
    std::fs::write(&pickle, &whole[..whole.len() / 2]).unwrap();
    refused(&mlp, &pickle, &[]);
    refused(&mlp, &folder.path().join("absent.safetensors"), &["No such file"]);
    refused(&mlp, &folder.path().join("net.npz"), &[".safetensors"]);

    let written = import::write(&file, &mlp, &[0.0; 3]);
    assert!(matches!(written, Err(Error::Dimension { name: "parameters", found: 3, .. })));
}
