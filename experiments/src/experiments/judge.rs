//! The judge: a classifier trained in the same run on the same data, whose log-odds are the features of an image.

use anyhow::{Result, bail};
use nalgebra::DMatrix;
use resolvent::learn::checkpoint::Subject;
use resolvent::learn::engine::Native;
use resolvent::learn::network::{Architecture, ResidualMlp};
use resolvent::learn::objective::{Classification, Labelled, RawNetwork};
use resolvent::learn::train::{Outcome, Trainer, TrainingSettings};

use super::labelled_images::LabelledImages;
use super::training::Watch;
use crate::experiment::Context;

const CLASSES: usize = 10;
/// Noise on the images that the classifier learns from.
const NOISE: f64 = 0.3;

/// A trained classifier.
pub(super) struct Judge {
    network: RawNetwork,
    parameters: Vec<f32>,
    /// The share of held-out images that it names rightly.
    pub(super) accuracy: f64,
}

impl Judge {
    /// Its accuracy is known to a hundredth on as many held-out images.
    pub(super) const HELD_OUT: usize = 1000;

    /// Trains it in `steps` steps.
    pub(super) fn new(steps: u64, images: &LabelledImages, context: &Context) -> Result<Self> {
        let centre: Vec<f64> = images.data.column_mean().iter().copied().collect();
        let scale = images.data.variance().sqrt();
        let architecture = Architecture::Mlp(ResidualMlp { width: 256, depth: 2 });
        let network = RawNetwork::new(architecture, CLASSES, &centre, scale)?;
        let data = Labelled { points: &images.data, labels: &images.labels };
        let held_out = Labelled { points: &images.held_out, labels: &images.held_out_labels };
        let task = Classification::new(&network, &Native, data, held_out, NOISE, context.seed)?;
        let training = TrainingSettings {
            steps,
            batch: 128,
            shard: 32,
            lanes: 4,
            weight_decay: 0.01,
            warmup: steps / 10,
            validate_every: 0,
            checkpoint_every: 0,
            seed: context.seed,
            ..TrainingSettings::default()
        };
        let mut watch = Watch::new(context, steps, "classifier");
        let mut trainer = Trainer::new(&task, Subject::default(), training)?;
        match trainer.run(&mut watch)? {
            Outcome::Finished => {}
            Outcome::Stopped => bail!("interrupted"),
            outcome => bail!("training the classifier: {outcome:?}"),
        }
        let parameters = trainer.state().average().to_vec();
        let accuracy = watch.last("accuracy").unwrap_or(f64::NAN);
        Ok(Self { network, parameters, accuracy })
    }

    /// The accuracy below which its verdict would be worth nothing, once it has been trained for good, in `steps` steps.
    pub(super) fn least(steps: u64) -> f64 {
        if steps >= 1000 { 0.9 } else { 0.2 }
    }

    /// The log-odds of the classes, 10 x n, up to a constant for each image.
    pub(super) fn features(&self, images: &DMatrix<f64>) -> DMatrix<f64> {
        let values = self.network.values(&Native, &self.parameters, images.as_slice());
        let mut features = DMatrix::from_vec(CLASSES, images.ncols(), values);
        features.column_iter_mut().for_each(|mut column| {
            let mean = column.mean();
            column.add_scalar_mut(-mean);
        });
        features
    }

    /// The class of each image.
    pub(super) fn classes(&self, images: &DMatrix<f64>) -> Vec<u8> {
        self.features(images).column_iter().map(|column| column.imax() as u8).collect()
    }

    /// The share of the images in each class.
    pub(super) fn shares(features: &DMatrix<f64>) -> Vec<f64> {
        let mut shares = vec![0.0; CLASSES];
        features.column_iter().for_each(|column| shares[column.imax()] += 1.0 / features.ncols() as f64);
        shares
    }
}
