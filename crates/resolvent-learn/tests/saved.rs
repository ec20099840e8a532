//! Trained models in files: what is read back computes the same bits, and what does not fit is refused with a reason.

use nalgebra::DMatrix;
use resolvent_core::schedule::Level;
use resolvent_core::{Denoiser, Score};
use resolvent_learn::checkpoint::{ModelFile, Subject, Tensor};
use resolvent_learn::model::{
    Conditioning, Embedding, GaussianFit, Model, ModelSettings, Preconditioning, SavedModel,
};
use resolvent_learn::network::{Architecture, ResidualMlp};
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};

fn model(conditioning: Conditioning, width: usize) -> Model {
    let settings = ModelSettings {
        architecture: Architecture::Mlp(ResidualMlp { width, depth: 2 }),
        conditioning,
        preconditioning: Preconditioning::Eigenbasis,
        embedding: Embedding::Fourier { frequencies: 3, scale: 1.5 },
        rate: 0.3,
    };
    let data = DMatrix::from_fn(4, 30, |row, i| ((row + 2) as f64 * 0.7 * i as f64).sin() / (row + 1) as f64);
    Model::new(settings, GaussianFit::new(&data, 2).unwrap()).unwrap()
}

fn parameters(model: &Model) -> Vec<f32> {
    (0..model.network().layout().len()).map(|i| 0.3 * (1.3 * i as f32).sin()).collect()
}

fn saved(conditioning: Conditioning) -> SavedModel {
    let model = model(conditioning, 6);
    let validation = Map::from_iter([("loss".to_owned(), json!(0.25))]);
    SavedModel {
        parameters: parameters(&model),
        model,
        step: 70,
        description: json!({"data": "waves"}),
        validation,
    }
}

/// The file of that model, with another subject in `folder`.
fn write(folder: &Path, subject: Subject) -> PathBuf {
    let (path, model) = (folder.join("changed.safetensors"), model(Conditioning::Blind, 6));
    ModelFile::new(subject, model.network().layout(), &parameters(&model)).unwrap().write(&path).unwrap();
    path
}

fn message<T>(result: Result<T, resolvent_learn::Error>) -> String {
    result.err().expect("an error").to_string()
}

#[test]
fn the_same_bits_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let points: Vec<f64> = (0..40).map(|i| (0.9 * f64::from(i)).cos()).collect();

    let path = folder.path().join("blind.safetensors");
    let blind = saved(Conditioning::Blind);
    blind.write(&path).unwrap();
    let back = SavedModel::read(&path).unwrap();
    assert_eq!(back.model.settings(), blind.model.settings());
    assert_eq!(back.model.fit(), blind.model.fit());
    assert_eq!((back.step, &back.description, &back.validation), (70, &blind.description, &blind.validation));
    let at = |saved: &SavedModel| {
        let (mut gains, mut moves) = (vec![0.0; 10], vec![0.0; 40]);
        saved.score().unwrap().evaluate(&points, &mut gains, &mut moves);
        (gains, moves)
    };
    assert_eq!(at(&back), at(&blind));
    assert!(message(back.denoiser()).contains("this one is blind"));

    let path = folder.path().join("told.safetensors");
    let told = saved(Conditioning::Told);
    told.write(&path).unwrap();
    let back = SavedModel::read(&path).unwrap();
    let level = Level { time: 0.0, alpha: 0.9, sigma: 0.4 };
    let at = |saved: &SavedModel| {
        let mut out = vec![0.0; 40];
        saved.denoiser().unwrap().denoise(&level, &points, &mut out);
        out
    };
    assert_eq!(at(&back), at(&told));
    assert!(message(back.score()).contains("told the noise level"));
}

#[test]
fn points_of_another_dimension() {
    let saved = saved(Conditioning::Blind);
    assert!(saved.check_dimension("--data", 4).is_ok());
    assert_eq!(message(saved.check_dimension("--data", 5)), "--data has dimension 5, expected 4");
}

#[test]
fn parameters_of_another_architecture() {
    let folder = tempfile::tempdir().unwrap();
    let subject = model(Conditioning::Blind, 7).subject(Value::Null);
    let error = message(SavedModel::read(write(folder.path(), subject)));
    assert!(error.contains("changed.safetensors: another architecture: tensor input.weight"), "{error}");
    // Told instead of blind: no head.
    let subject = model(Conditioning::Told, 6).subject(Value::Null);
    let error = message(SavedModel::read(write(folder.path(), subject)));
    assert!(error.contains("another architecture: holds tensor heads."), "{error}");
}

#[test]
fn settings_that_mean_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |change: &dyn Fn(&mut Subject)| {
        let mut subject = model(Conditioning::Blind, 6).subject(Value::Null);
        change(&mut subject);
        message(SavedModel::read(write(folder.path(), subject)))
    };
    for (change, reason) in [
        (json!({"optimiser": 1}), "holds settings `optimiser`"),
        (json!({"model": null}), "no settings of a model"),
    ] {
        let error = refused(&|subject| {
            let settings = subject.settings.as_object_mut().unwrap();
            settings.extend(change.as_object().unwrap().clone());
        });
        assert!(error.contains("changed.safetensors: ") && error.contains(reason), "{error}");
    }
    let error = refused(&|subject| subject.settings["model"]["rate"] = json!(-1.0));
    assert!(error.contains("rate"), "{error}");
    let error = refused(&|subject| subject.settings["model"]["colour"] = json!("red"));
    assert!(error.contains("unknown field `colour`"), "{error}");
    let constant = |name: &str, tensor: Option<Tensor<'static>>| {
        refused(&|subject| {
            match tensor.clone() {
                Some(tensor) => subject.constants.insert(name.into(), tensor),
                None => subject.constants.remove(name),
            };
        })
    };
    assert!(constant("fit.rest", None).contains("constant fit.rest is missing"));
    let error = constant("fit.rest", Some(Tensor::f32(&[1], vec![-0.5])));
    assert!(error.contains("the constants are no Gaussian fit"), "{error}");
    let error = constant("fit.mean", Some(Tensor::f32(&[3], vec![0.0; 3])));
    assert!(error.contains("constant fit.directions has shape [2, 4]"), "{error}");
    let error = constant("fit.mean", Some(Tensor::f64(&[4], vec![0.0; 4])));
    assert!(error.contains("constant fit.mean is of double precision"), "{error}");
    let error = refused(&|subject| {
        subject.constants.insert("fit.variances".into(), Tensor::f32(&[2], vec![0.0; 2]));
        subject.constants.insert("fit.rest".into(), Tensor::f32(&[1], vec![0.0]));
    });
    assert!(error.contains("the Gaussian fit has no variance"), "{error}");
    let error = constant("stray", Some(Tensor::f32(&[1], vec![0.0])));
    assert!(error.contains("holds constant stray"), "{error}");
}

#[test]
fn damaged_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    saved(Conditioning::Blind).write(&path).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() - 10]).unwrap();
    let error = message(SavedModel::read(&path));
    assert!(error.contains("model.safetensors: is cut off"), "{error}");
    let mut odd = bytes;
    let last = odd.len() - 4;
    odd[last..].copy_from_slice(&f32::NAN.to_le_bytes());
    std::fs::write(&path, &odd).unwrap();
    let error = message(SavedModel::read(&path));
    assert!(error.contains("model.safetensors: tensor ") && error.contains("is NaN"), "{error}");
    let error = message(SavedModel::read(folder.path().join("none.safetensors")));
    assert!(error.contains("none.safetensors: "), "{error}");
}
