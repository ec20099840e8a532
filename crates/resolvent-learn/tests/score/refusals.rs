//! What the constructors refuse.

use super::{mlp, parameters};
use resolvent_learn::model::{Conditioning, Preconditioning};
use resolvent_learn::score::{BlindDenoiser, LearnedDenoiser, LearnedScore};

#[test]
fn models_of_the_other_kind() {
    let blind = mlp(3, Conditioning::Blind, Preconditioning::Skip);
    let told = mlp(3, Conditioning::Told, Preconditioning::Skip);
    let error = LearnedScore::new(told.clone(), parameters(&told)).unwrap_err().to_string();
    assert!(error.contains("told the noise level"), "{error}");
    let error = BlindDenoiser::new(told.clone(), parameters(&told)).unwrap_err().to_string();
    assert!(error.contains("told the noise level"), "{error}");
    let error = LearnedDenoiser::new(blind.clone(), parameters(&blind)).unwrap_err().to_string();
    assert!(error.contains("this one is blind"), "{error}");
}

#[test]
fn parameters_that_do_not_fit() {
    let model = mlp(3, Conditioning::Blind, Preconditioning::Skip);
    let mut values = parameters(&model);
    let count = values.len();
    let error = LearnedScore::new(model.clone(), values[1..].to_vec()).unwrap_err().to_string();
    assert_eq!(error, format!("parameters has dimension {}, expected {count}", count - 1));
    values[3] = f32::NAN;
    let error = LearnedScore::new(model, values).unwrap_err().to_string();
    assert_eq!(error, "parameters must be finite, got NaN");
}

#[test]
fn empty_boxes() {
    let model = mlp(3, Conditioning::Blind, Preconditioning::Skip);
    let clip = |low, high| LearnedScore::new(model.clone(), parameters(&model)).unwrap().clip(low, high);
    assert!(clip(-1.0, 1.0).is_ok());
    assert_eq!(clip(1.0, 1.0).unwrap_err().to_string(), "high must be larger than low, got 1");
    assert_eq!(clip(f64::NAN, 1.0).unwrap_err().to_string(), "low must be finite, got NaN");
}
