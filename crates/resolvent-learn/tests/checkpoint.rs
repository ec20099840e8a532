//! Checkpoints come back as they were written, and everything else is refused with a reason.

mod regression;

use regression::Regression;
use resolvent_learn::checkpoint::{Contents, ModelFile, Subject, Tensor, read_tensors, write};
use resolvent_learn::network::Layout;
use resolvent_learn::train::{Outcome, State, Task, Trainer, TrainingSettings};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

fn layout() -> Layout {
    Regression::new(4).layout().clone()
}

fn model() -> (ModelFile, Vec<f32>) {
    let parameters: Vec<f32> = (0..layout().len()).map(|i| (i as f32).sqrt() - 2.0).collect();
    let constants = BTreeMap::from([
        ("mean".to_owned(), Tensor::f64(&[3], vec![0.1, 1e300, -2.0])),
        ("basis".to_owned(), Tensor::f32(&[2, 1], vec![1.0, -0.0])),
    ]);
    let subject = Subject { settings: json!({"width": 4, "levels": [0.1, 1e-7]}), constants };
    let mut model = ModelFile::new(subject, &layout(), &parameters).unwrap();
    model.training = Some(TrainingSettings { learning_rate: 1e-3 / 3.0, ..TrainingSettings::default() });
    model.step = 17;
    model.validation.insert("loss".into(), 0.1.into());
    (model, parameters)
}

fn message<T>(result: Result<T, resolvent_learn::Error>) -> String {
    result.err().expect("an error").to_string()
}

/// The file rewritten with another envelope, found by its text.
fn replace(path: &Path, from: &str, to: &str) {
    let bytes = fs::read(path).unwrap();
    let place = bytes.windows(from.len()).position(|window| window == from.as_bytes()).unwrap();
    let mut changed = bytes[..place].to_vec();
    changed.extend(to.as_bytes());
    changed.extend(&bytes[place + from.len()..]);
    fs::write(path, changed).unwrap();
}

#[test]
fn a_model_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let (model, parameters) = model();
    model.write(&path).unwrap();
    let back = ModelFile::read(&path).unwrap();
    assert_eq!(back.subject, model.subject);
    assert_eq!((&back.training, back.step, &back.validation), (&model.training, 17, &model.validation));
    assert_eq!(back.parameters(&layout()).unwrap(), parameters);
    // Under the names that any other reader sees.
    let tensors = read_tensors(&path).unwrap();
    assert_eq!(tensors["blocks.0.linear.weight"].shape(), [4, 4]);
    assert_eq!(tensors.len(), layout().entries().len() + 2);
    // The same again, byte by byte.
    let twin = folder.path().join("twin.safetensors");
    back.write(&twin).unwrap();
    assert!(fs::read(&path).unwrap() == fs::read(&twin).unwrap());
}

#[test]
fn a_model_of_another_architecture() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    model().0.write(&path).unwrap();
    let model = ModelFile::read(&path).unwrap();
    let says = message(model.parameters(Regression::new(5).layout()));
    assert!(
        says.contains("model.safetensors: another architecture: tensor input.weight has shape [4, 1]"),
        "{says}"
    );
    // One tensor too few, one too many.
    let tensors = read_tensors(&path).unwrap();
    let header = json!({"subject": null, "training": null, "step": 0, "validation": {}});
    let mut fewer = tensors.clone();
    fewer.remove("output.bias").unwrap();
    let mut more = tensors.clone();
    more.insert("other.bias".into(), Tensor::f32(&[1], vec![0.0]));
    for (tensors, word) in [(fewer, "lacks tensor output.bias"), (more, "holds tensor other.bias")] {
        write(&path, "model", &header, &tensors).unwrap();
        let says = message(ModelFile::read(&path).unwrap().parameters(&layout()));
        assert!(says.contains(word), "{says}");
    }
    let mut double = tensors;
    double.insert("output.bias".into(), Tensor::f64(&[1], vec![0.0]));
    write(&path, "model", &header, &double).unwrap();
    assert!(message(ModelFile::read(&path).unwrap().parameters(&layout())).contains("is F64, expected F32"));
    let too_few = ModelFile::new(Subject::default(), &layout(), &[0.0]);
    assert!(message(too_few).contains("parameters has dimension 1"));
}

#[test]
fn files_that_are_damaged_or_something_else() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let read = || ModelFile::read(&path);
    assert!(message(read()).contains("model.safetensors: "));
    model().0.write(&path).unwrap();
    let whole = fs::read(&path).unwrap();
    for length in (0..whole.len()).step_by(7).chain([whole.len() - 1]) {
        fs::write(&path, &whole[..length]).unwrap();
        let says = message(read());
        assert!(says.contains("cut off") || says.contains("no safetensors file"), "{length}: {says}");
    }
    fs::write(&path, [&whole[..], b"x"].concat()).unwrap();
    assert!(message(read()).contains("bytes too many"));
    fs::write(&path, "step,loss\n1,0.5\n".repeat(9)).unwrap();
    assert!(message(read()).contains("no safetensors file"));
    // Of another version, of another kind, of another program.
    let restore = || fs::write(&path, &whole).unwrap();
    restore();
    replace(&path, r#"\"version\":1"#, r#"\"version\":2"#);
    assert!(message(read()).contains("is of format version 2, this library reads version 1"));
    restore();
    assert!(message(State::read(&path)).contains("holds a model, expected a training state"));
    replace(&path, "resolvent", "dissolved");
    assert!(message(read()).contains("was not written by this library"));
    restore();
    replace(&path, r#"\"step\""#, r#"\"stop\""#);
    let says = message(read());
    assert!(says.contains("header") && says.contains("stop"), "{says}");
    // A number that is none, where the last parameter lies.
    let mut bytes = whole.clone();
    let end = bytes.len();
    bytes[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
    fs::write(&path, bytes).unwrap();
    assert!(message(read()).contains("is NaN"));
}

#[test]
fn tensors_of_the_wrong_kind() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    let tensors = BTreeMap::from([
        ("a".to_owned(), Tensor::f32(&[2], vec![1.0, 2.0])),
        ("b".to_owned(), Tensor::f64(&[1, 2], vec![1.0, 2.0])),
    ]);
    write(&path, "thing", &json!(3), &tensors).unwrap();
    let contents = || Contents::read(&path, "thing").unwrap();
    assert_eq!(contents().header::<u32>().unwrap(), 3);
    assert!(message(contents().header::<String>()).contains("header"));
    assert!(message(contents().take_f32("c", &[2])).contains("lacks tensor c"));
    assert!(message(contents().take_f32("b", &[1, 2])).contains("tensor b is F64, expected F32"));
    assert!(message(contents().take_f64("a", &[2])).contains("tensor a is F32, expected F64"));
    assert!(message(contents().take_f64("b", &[2])).contains("tensor b has shape [1, 2], expected [2]"));
    let mut contents = contents();
    assert_eq!(contents.take_f32("a", &[2]).unwrap(), [1.0, 2.0]);
    assert!(message(contents.finish()).contains("holds tensor b"));
    assert_eq!(contents.take_f64("b", &[1, 2]).unwrap(), [1.0, 2.0]);
    contents.finish().unwrap();
}

#[test]
fn a_failed_write_leaves_the_file_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    let write = |value: f32| {
        let tensors = BTreeMap::from([("a".to_owned(), Tensor::f32(&[1], vec![value]))]);
        write(&path, "thing", &Value::Null, &tensors)
    };
    write(1.0).unwrap();
    let before = fs::read(&path).unwrap();
    assert!(message(write(f32::INFINITY)).contains("tensor a: number 0 is inf"));
    assert!(fs::read(&path).unwrap() == before);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    assert!(
        ModelFile::new(Subject::default(), &layout(), &vec![0.0; layout().len()])
            .unwrap()
            .write(folder.path().join("none").join("file"))
            .is_err()
    );
}

#[test]
fn a_state_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let task = Regression::new(4);
    let subject = model().0.subject;
    let settings = TrainingSettings { seconds: Some(1e-9), ..TrainingSettings::default() };
    let mut trainer = Trainer::new(&task, subject, settings).unwrap();
    let back_and_forth = |trainer: &Trainer<'_, _>| {
        trainer.state().write(&path).unwrap();
        assert_eq!(State::read(&path).unwrap(), *trainer.state());
    };
    back_and_forth(&trainer);
    // Out of time after the first validation; the step after it leaves the good parameters behind.
    assert_eq!(trainer.run(&mut ()).unwrap(), Outcome::TimeUp);
    trainer.step().unwrap();
    assert!(trainer.state().last_good().unwrap() != trainer.state().model());
    back_and_forth(&trainer);
    // A setting that is outside its range is found when the file is read.
    replace(&path, r#"\"batch\":256"#, r#"\"batch\":0  "#);
    assert!(message(State::read(&path)).contains("batch must be at least 1"));
}
