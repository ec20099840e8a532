//! Learned models as scores and denoisers. A network whose output is zero leaves a score known in closed form: that of one
//! atom, or of a Gaussian.

mod batches;
mod derivatives;
mod gaussian;
mod one_atom;
mod refusals;

use nalgebra::DMatrix;
use rand::RngExt;
use rand_distr::StandardNormal;
use resolvent_core::random::{Purpose, stream};
use resolvent_learn::model::{Conditioning, Embedding, GaussianFit, Model, ModelSettings, Preconditioning};
use resolvent_learn::network::{Architecture, ResidualMlp, UNet};

const PRECONDITIONINGS: [Preconditioning; 6] = [
    Preconditioning::Direct,
    Preconditioning::Noise,
    Preconditioning::Score,
    Preconditioning::Velocity,
    Preconditioning::Skip,
    Preconditioning::Eigenbasis,
];

fn normal(d: usize, n: usize, seed: u64) -> DMatrix<f64> {
    let mut rng = stream(seed, Purpose::Experiment, 0);
    DMatrix::from_fn(d, n, |_, _| rng.sample(StandardNormal))
}

/// Points (d x n) with the standard deviation 1.5, 0.75, 0.5, .. along the axes, around (0.3, 0.3, ..).
fn data(d: usize, n: usize) -> DMatrix<f64> {
    let mut points = normal(d, n, 3);
    for (k, mut row) in points.row_iter_mut().enumerate() {
        row.iter_mut().for_each(|x| *x = 0.3 + 1.5 / (k + 1) as f64 * *x);
    }
    points
}

fn settings(
    architecture: Architecture,
    conditioning: Conditioning,
    preconditioning: Preconditioning,
) -> ModelSettings {
    let embedding = Embedding::SinCos { frequencies: 4 };
    ModelSettings { architecture, conditioning, preconditioning, embedding, rate: 0.4 }
}

fn mlp(d: usize, conditioning: Conditioning, preconditioning: Preconditioning) -> Model {
    let architecture = Architecture::Mlp(ResidualMlp { width: 12, depth: 2 });
    let fit = GaussianFit::new(&data(d, 400), d.div_ceil(2)).unwrap();
    Model::new(settings(architecture, conditioning, preconditioning), fit).unwrap()
}

/// On images of 4 x 4 pixels.
fn unet(conditioning: Conditioning, preconditioning: Preconditioning) -> Model {
    let architecture = Architecture::UNet(UNet { side: 4, folded: false, channels: vec![4, 6], blocks: 1 });
    let fit = GaussianFit::new(&data(16, 400), 5).unwrap();
    Model::new(settings(architecture, conditioning, preconditioning), fit).unwrap()
}

/// Parameters of which none is zero, small enough for a smooth network.
fn parameters(model: &Model) -> Vec<f32> {
    let mut rng = stream(5, Purpose::Parameters, 0);
    let scale =
        |shape: &[usize]| if shape.len() == 1 { 0.2 } else { (shape[shape.len() - 1] as f32).sqrt().recip() };
    let entries = model.network().layout().entries().iter();
    entries
        .flat_map(|entry| {
            let scale = 0.7 * scale(&entry.shape);
            (0..entry.range().len()).map(|_| scale * rng.sample::<f32, _>(StandardNormal)).collect::<Vec<_>>()
        })
        .collect()
}

fn zeros(model: &Model) -> Vec<f32> {
    vec![0.0; model.network().layout().len()]
}
