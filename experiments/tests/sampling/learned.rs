//! `--score`: a trained model in place of the data. Networks whose output is zero stand for laws that are known: one atom at the
//! mean of the data, or a Gaussian with their moments.

use super::horizon::normal;
use super::{ALPHA, ATOMS, Bench, points, scalar};
use nalgebra::DMatrix;
use predicates::str::contains;
use resolvent::learn::model::{
    Conditioning, Embedding, GaussianFit, Model, ModelSettings, Preconditioning, SavedModel,
};
use resolvent::learn::network::{Architecture, ResidualMlp};
use resolvent::metrics::ks_one_sample;
use serde_json::{Map, Value};

const RATE: f64 = 0.4;

fn data() -> DMatrix<f64> {
    DMatrix::from_column_slice(3, 5, &ATOMS)
}

/// A bench with `blind.safetensors`, one atom at the mean, and `told.safetensors`, a Gaussian.
fn bench() -> Bench {
    let bench = Bench::new();
    for (name, conditioning, preconditioning) in [
        ("blind.safetensors", Conditioning::Blind, Preconditioning::Direct),
        ("told.safetensors", Conditioning::Told, Preconditioning::Eigenbasis),
    ] {
        let settings = ModelSettings {
            architecture: Architecture::Mlp(ResidualMlp { width: 4, depth: 1 }),
            conditioning,
            preconditioning,
            embedding: Embedding::SinCos { frequencies: 2 },
            rate: RATE,
        };
        let model = Model::new(settings, GaussianFit::new(&data(), 3).unwrap()).unwrap();
        let parameters = vec![0.0; model.network().layout().len()];
        let (description, validation) = (Value::Null, Map::new());
        let saved = SavedModel { model, parameters, step: 7, description, validation };
        saved.write(bench.path(name)).unwrap();
    }
    bench
}

/// The largest distance of a sample to the mean of the data.
fn farthest(samples: &DMatrix<f64>) -> f64 {
    let mean = data().column_mean();
    samples.column_iter().map(|x| (x - &mean).norm()).fold(0.0, f64::max)
}

#[test]
fn a_blind_model_is_the_score_of_killed_brownian_motion() {
    let bench = bench();
    let line = "sample --score blind.safetensors --n 4000 --sigma 0.5";
    bench
        .command(line)
        .args(["--out", "o.npz"])
        .assert()
        .code(0)
        .stderr(contains("blind.safetensors: MLP, blind, "));
    let mut npz = resolvent::data::io::Npz::open(bench.path("o.npz")).unwrap();
    assert!(farthest(&points(&mut npz, "samples")) < 1e-5);
    assert!((scalar(&mut npz, "rate") - RATE * 0.25).abs() < 1e-12);
    // The starts are draws of the fit that were killed: variances of the data and 1/rate per unit of diffusion add up.
    let starts = points(&mut npz, "starts");
    let mean = data().column_mean();
    let spread: f64 = starts.column_iter().map(|x| (x - &mean).norm_squared()).sum::<f64>() / 4000.0;
    let variance: f64 = data().column_iter().map(|x| (x - &mean).norm_squared()).sum::<f64>() / 5.0;
    // The square of a multivariate Laplace vector in R^3 has sqrt(7/3) times its mean as standard deviation.
    let error = (7.0_f64 / 3.0 / 4000.0).sqrt();
    assert!((spread / (variance + 3.0 / RATE) - 1.0).abs() < 4.0 * error, "{spread}");
    for more in [
        "--step corrected-bridge",
        "--step euler --kill noise:0.01 --denoise",
        "--step flux --kill noise:0.01 --denoise",
        "--data y.npy --start law",
        "--data y.npy --weights w.npy --step flux --kill noise:0.01,distance:1e-6 --denoise",
    ] {
        let mut npz = bench.run(&format!("sample --score blind.safetensors --n 20 {more}"));
        assert!(farthest(&points(&mut npz, "samples")) < 1e-5, "{more}");
    }
}

#[test]
fn a_told_model_is_the_denoiser_of_every_schedule() {
    let bench = bench();
    let mean = data().column_mean();
    let centred = DMatrix::from_fn(3, 5, |k, i| data()[(k, i)] - mean[k]);
    let covariance = &centred * centred.transpose() / 5.0;
    for (model, start) in [("vp", "prior"), ("subvp", "fit"), ("ve", "fit"), ("edm", "prior")] {
        let line = format!(
            "sample --score told.safetensors --model {model} --start {start} --step ode --n 800 --seed 5"
        );
        let samples = points(&mut bench.run(&line), "samples");
        for k in 0..3 {
            let row: Vec<f64> = samples.row(k).iter().copied().collect();
            let deviation = covariance[(k, k)].sqrt();
            let ks = ks_one_sample(&row, |x| normal((x - mean[k]) / deviation)).unwrap();
            assert!(ks.p_value > ALPHA, "{model}, coordinate {k}: {ks:?}");
        }
    }
}

#[test]
fn what_a_network_says_is_clipped() {
    let bench = bench();
    let mean = data().column_mean();
    let (low, high) = (mean.max() - 0.05, mean.max() + 1.0);
    let clamped = mean.map(|x| x.clamp(low, high));
    assert!((&clamped - &mean).norm() > 0.1);
    let line = format!("sample --score blind.safetensors --n 20 --clip {low},{high}");
    let samples = points(&mut bench.run(&line), "samples");
    assert!(samples.column_iter().all(|x| (x - &clamped).norm() < 1e-5));
    let line = format!("sample --score told.safetensors --model edm --step heun --n 20 --clip {low},{high}");
    let samples = points(&mut bench.run(&line), "samples");
    assert!(samples.iter().all(|x| (low - 1e-5..=high + 1e-5).contains(x)));
}

#[test]
fn inputs_are_projected_without_data() {
    let bench = bench();
    bench.file("x.npy", &[2, 3], &[0.5, 0.5, 0.5, -1.0, 2.0, 0.0]);
    bench.file("m.npy", &[3], &[1.0, 0.0, 1.0]);
    let mut npz = bench.run("project --score blind.safetensors --input x.npy --mask m.npy");
    let inputs = points(&mut npz, "inputs");
    // The mean comes from the fit, in single precision.
    assert!((inputs[(1, 0)] - data().column_mean()[1]).abs() < 1e-6);
    assert!(farthest(&points(&mut npz, "samples")) < 1e-5);
    assert!(npz.array("nearest").is_err());
    let mut npz = bench.run("project --score blind.safetensors --data y.npy --input x.npy");
    assert!(npz.array("nearest").is_ok());
    // A Gaussian posterior mean, one step from the level of the noise down.
    let line = "project --score told.safetensors --model edm --noise 0.5 --input x.npy --step ode";
    assert_eq!(points(&mut bench.run(line), "samples").shape(), (3, 2));
}

#[test]
fn what_does_not_fit_is_refused() {
    let bench = bench();
    bench.file("plane.npy", &[2, 2], &[0.0, 1.0, 2.0, 3.0]);
    let whole = std::fs::read(bench.path("blind.safetensors")).unwrap();
    std::fs::write(bench.path("cut.safetensors"), &whole[..whole.len() - 9]).unwrap();
    for (options, words) in [
        ("", &["--data"][..]),
        ("--score none.safetensors", &["--score", "none.safetensors"]),
        ("--score y.npy", &["--score", "y.npy", "no safetensors file"]),
        ("--score cut.safetensors", &["--score", "cut.safetensors: is cut off"]),
        ("--score told.safetensors", &["--score told.safetensors", "blind"]),
        ("--score blind.safetensors --model vp", &["--score blind.safetensors", "this one is blind"]),
        ("--score blind.safetensors --data plane.npy", &["dimension 3", "--data have 2"]),
        ("--score blind.safetensors --weights w.npy", &["--data"]),
        ("--score blind.safetensors --rate 0.5", &["--rate 0.5", "trained for 0.4"]),
        ("--score blind.safetensors --model ou --theta 1", &["--score", "--model killed"]),
        ("--score blind.safetensors --h sphere:2", &["--h", "exponential clock"]),
        ("--score blind.safetensors --step posterior-bridge", &["posterior-bridge", "does not keep"]),
        ("--score blind.safetensors --start law", &["--start law needs --data"]),
        ("--score blind.safetensors --kill distance:0.1", &["--kill distance:0.1 needs --data"]),
        ("--score told.safetensors --model vp --start law", &["--start law needs --data"]),
        ("--data y.npy --start fit", &["--start fit needs --score"]),
        ("--data y.npy --clip -1,1", &["--score"]),
        ("--score blind.safetensors --clip 1,-1", &["--clip", "LOW < HIGH"]),
        ("--score blind.safetensors --clip 1", &["--clip", "LOW,HIGH"]),
        ("--data y.npy --model vp --start fit", &["--start fit needs --score"]),
    ] {
        bench.refuse(&format!("sample --n 2 {options}"), words);
    }
}
