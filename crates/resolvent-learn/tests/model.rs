//! What stands around a network: the Gaussian fit, the preconditionings and the levels, against closed forms.

use nalgebra::{DMatrix, DVector};
use rand_distr::{Distribution, StandardNormal};
use resolvent_core::random::{Purpose, stream};
use resolvent_learn::engine::{Native, Reply};
use resolvent_learn::model::{Conditioning, Embedding, GaussianFit, Model, ModelSettings, Preconditioning};
use resolvent_learn::network::{Architecture, ResidualMlp, UNet};

const D: usize = 6;

fn normals(rows: usize, columns: usize, index: u64) -> DMatrix<f64> {
    let mut rng = stream(3, Purpose::Experiment, index);
    DMatrix::from_fn(rows, columns, |_, _| StandardNormal.sample(&mut rng))
}

/// Data of very different variances along directions that are not the axes.
fn data() -> DMatrix<f64> {
    let turned = normals(D, D, 0).qr().q();
    let scales = DMatrix::from_diagonal(&DVector::from_row_slice(&[3.0, 1.5, 0.5, 0.1, 0.1, 0.1]));
    let mut data = turned * scales * normals(D, 4000, 1);
    data.column_iter_mut().for_each(|mut column| column += DVector::from_element(D, 0.7));
    data
}

fn settings(conditioning: Conditioning, preconditioning: Preconditioning) -> ModelSettings {
    let architecture = Architecture::Mlp(ResidualMlp { width: 8, depth: 1 });
    ModelSettings {
        architecture,
        conditioning,
        preconditioning,
        embedding: Embedding::SinCos { frequencies: 4 },
        rate: 1.0,
    }
}

#[test]
fn an_untrained_eigenbasis_model_is_the_posterior_mean_of_a_gaussian() {
    let data = data();
    let mean = data.column_mean();
    let mut centred = data.clone();
    centred.column_iter_mut().for_each(|mut column| column -= &mean);
    let covariance = &centred * centred.transpose() / data.ncols() as f64;
    // With all directions, and with the three equal ones lumped together.
    for directions in [D, 3] {
        let fit = GaussianFit::new(&data, directions).unwrap();
        let model = Model::new(settings(Conditioning::Told, Preconditioning::Eigenbasis), fit).unwrap();
        let parameters = model.network().layout().initial(1);
        for (index, sigma) in [0.05, 0.4, 2.0, 30.0].into_iter().enumerate() {
            let x: DVector<f64> = data.column(index) + sigma * normals(D, 1, 9).column(0);
            let posterior = &mean
                + &covariance
                    * (&covariance + DMatrix::identity(D, D) * (sigma * sigma)).try_inverse().unwrap()
                    * (&x - &mean);
            let estimate = model.estimate(&Native, &parameters, x.as_slice(), Some(&[sigma]));
            for (found, expected) in estimate.denoised.iter().zip(posterior.iter()) {
                let tolerance = if directions == D { 1e-5 } else { 2e-2 };
                assert!(
                    (f64::from(*found) - expected).abs() < tolerance,
                    "{directions} {sigma}: {found} {expected}"
                );
            }
            assert!((estimate.log_levels[0] - sigma.ln()).abs() < 1e-12);
        }
    }
}

/// The likeliest level is right on average, and scatters as the information about log σ² says, I = Σ (σ²/(λ + σ²))²/2.
#[test]
fn the_likeliest_level_of_gaussian_points() {
    let d = 60;
    let variance = |k: usize| if k < 20 { 4.0 / (1 + k) as f64 } else { 1e-4 };
    let mut data = normals(d, 20_000, 2);
    data.row_iter_mut().enumerate().for_each(|(k, mut row)| row *= variance(k).sqrt());
    let fit = GaussianFit::new(&data, d).unwrap();
    let model = Model::new(settings(Conditioning::Blind, Preconditioning::Skip), fit).unwrap();
    let parameters = model.network().layout().initial(1);
    let n = 4000;
    for sigma in [0.03, 0.2, 1.0, 5.0] {
        let points = data.columns(0, n) + sigma * normals(d, n, 3);
        let levels = model.estimate(&Native, &parameters, points.as_slice(), None).log_levels;
        let logs: Vec<f64> = levels.iter().map(|l| l - sigma.ln()).collect();
        let mean = logs.iter().sum::<f64>() / n as f64;
        let deviation = (logs.iter().map(|l| (l - mean).powi(2)).sum::<f64>() / n as f64).sqrt();
        let v = sigma * sigma;
        let information: f64 = (0..d).map(|k| 0.5 * (v / (variance(k) + v)).powi(2)).sum();
        let expected = 0.5 / information.sqrt();
        assert!((deviation / expected - 1.0).abs() < 0.1, "{sigma}: {deviation}, expected {expected}");
        // The bias is of second order in the scatter.
        assert!(
            mean.abs() < 2.0 * expected * expected + 5.0 * expected / f64::sqrt(n as f64),
            "{sigma}: {mean}"
        );
    }
}

#[test]
fn every_preconditioning_turns_what_it_predicts_into_the_data_point() {
    let data = data();
    let fit = GaussianFit::new(&data, D).unwrap();
    let mean = data.column_mean();
    let sigma_d = fit.variance().sqrt();
    for sigma in [0.1f64, 1.0, 7.0] {
        let x0: DVector<f64> = data.column(0) - &mean;
        let noise: DVector<f64> = normals(D, 1, 4).column(0).into();
        let x = &x0 + sigma * &noise;
        let alpha = 1.0 / (1.0 + sigma * sigma).sqrt();
        let v = sigma_d * sigma_d;
        let predictions = [
            (Preconditioning::Direct, &x0 / sigma_d),
            (Preconditioning::Noise, noise.clone()),
            (Preconditioning::Score, -&noise),
            (Preconditioning::Velocity, alpha * &noise - sigma * alpha * &x0),
            // Karras et al. 2022, equation 8: the target of the network.
            (
                Preconditioning::Skip,
                (&x0 - v / (v + sigma * sigma) * &x) * ((v + sigma * sigma).sqrt() / (sigma * sigma_d)),
            ),
        ];
        for (preconditioning, prediction) in predictions {
            let model = Model::new(settings(Conditioning::Told, preconditioning), fit.clone()).unwrap();
            let prepared = model.prepare((&x + &mean).as_slice(), Some(&[sigma]));
            let reply = Reply { field: prediction.iter().map(|p| *p as f32).collect(), ..Reply::default() };
            let denoised = model.read(&prepared, &reply).denoised;
            for (found, expected) in denoised.iter().zip(data.column(0).iter()) {
                assert!(
                    (f64::from(*found) - expected).abs() < 2e-5 * (1.0 + sigma),
                    "{preconditioning:?} {found} {expected}"
                );
            }
        }
    }
}

/// What goes into the network has about unit variance at every level.
#[test]
fn inputs_are_scaled() {
    let data = data();
    for preconditioning in [Preconditioning::Direct, Preconditioning::Skip] {
        for conditioning in [Conditioning::Blind, Conditioning::Told] {
            let fit = GaussianFit::new(&data, D).unwrap();
            let model = Model::new(settings(conditioning, preconditioning), fit).unwrap();
            for sigma in [0.01, 1.0, 100.0] {
                let n = 2000;
                let points = data.columns(0, n) + sigma * normals(D, n, 5);
                let prepared = model.prepare(points.as_slice(), Some(&vec![sigma; n]));
                let square =
                    prepared.batch.points.iter().map(|x| f64::from(x * x)).sum::<f64>() / (n * D) as f64;
                assert!(
                    (0.3..2.0).contains(&square),
                    "{preconditioning:?} {conditioning:?} {sigma}: {square}"
                );
            }
        }
    }
}

#[test]
fn data_that_do_not_vary_are_refused() {
    assert!(GaussianFit::new(&DMatrix::from_element(3, 5, 1.0), 3).is_err());
    assert!(GaussianFit::new(&DMatrix::zeros(3, 0), 3).is_err());
    // Nor can single precision hold everything.
    for scale in [1e-30, 1e30, 1e200] {
        assert!(GaussianFit::new(&(data() * scale), 3).is_err(), "{scale}");
    }
}

/// Settings that would ask for more memory than there is, or overflow.
#[test]
fn absurd_sizes_are_refused() {
    let data = data();
    let message = |change: &dyn Fn(&mut ModelSettings)| {
        let mut settings = settings(Conditioning::Told, Preconditioning::Skip);
        change(&mut settings);
        Model::new(settings, GaussianFit::new(&data, D).unwrap()).unwrap_err().to_string()
    };
    let huge = 1 << 40;
    let mlp = |width, depth| Architecture::Mlp(ResidualMlp { width, depth });
    assert!(message(&|s| s.architecture = mlp(huge, 1)).contains("width must be at most"));
    assert!(message(&|s| s.architecture = mlp(8, huge)).contains("depth must be at most"));
    assert!(message(&|s| s.architecture = mlp(1 << 19, 1)).contains("parameters of the network"));
    let unet = UNet { side: 1 << 32, folded: false, channels: vec![4], blocks: 1 };
    assert!(message(&|s| s.architecture = Architecture::UNet(unet.clone())).contains("pixels"));
    for frequencies in [huge, usize::MAX] {
        let embedding = Embedding::SinCos { frequencies };
        assert!(message(&|s| s.embedding = embedding).contains("embedding.frequencies must be at most"));
    }
}
