//! Denoising score matching: whatever is predicted and however levels are weighed, E[x_0 | x, σ] is the minimiser.

use crate::oracle::Oracle;
use crate::support::{Cells, FIVE, atoms, mlp};
use resolvent_learn::examples::{Deaths, Noised, Proposal, Source, Weighting};
use resolvent_learn::model::{Conditioning, Embedding, GaussianFit, Model, ModelSettings, Preconditioning};
use resolvent_learn::objective::{Objective, Regression};
use resolvent_learn::train::Task;

/// The largest |mean| in standard errors, over cells of points and levels, of what the loss wants changed where D is `stretch`
/// times the exact one.
fn pull(source: &dyn Source, preconditioning: Preconditioning, stretch: f64) -> f64 {
    let data = atoms();
    let settings = ModelSettings {
        architecture: mlp(4, 1),
        conditioning: Conditioning::Told,
        preconditioning,
        embedding: Embedding::SinCos { frequencies: 2 },
        rate: 1.0,
    };
    let model = Model::new(settings, GaussianFit::new(&data, 2).unwrap()).unwrap();
    let (c, v) = (data.column_mean(), model.fit().variance());
    // Back from (x - c)/√(σ_d² + σ²) and from sin, cos of log σ/10.
    let level = |features: &[f64]| (10.0 * features[0].atan2(features[1])).exp();
    let centred =
        |z: &[f64], sigma: f64| -> Vec<f64> { z.iter().map(|z| z * (v + sigma * sigma).sqrt()).collect() };
    let oracle = Oracle::new(|z: &[f64], features: &[f64]| {
        let sigma = level(features);
        let away = centred(z, sigma);
        let exponents: Vec<f64> = data
            .column_iter()
            .map(|y| (0..2).map(|k| -(away[k] + c[k] - y[k]).powi(2)).sum::<f64>() / (2.0 * sigma * sigma))
            .collect();
        let peak = exponents.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let total: f64 = exponents.iter().map(|e| (e - peak).exp()).sum();
        let posterior = exponents.iter().map(|e| (e - peak).exp() / total);
        let mut denoised = [0.0; 2];
        for (weight, y) in posterior.zip(data.column_iter()) {
            (0..2).for_each(|k| denoised[k] += stretch * weight * (y[k] - c[k]));
        }
        let alpha = 1.0 / (1.0 + sigma * sigma).sqrt();
        let field = (0..2).map(|k| match preconditioning {
            Preconditioning::Direct => denoised[k] / v.sqrt(),
            Preconditioning::Noise => (away[k] - denoised[k]) / sigma,
            Preconditioning::Score => (denoised[k] - away[k]) / sigma,
            // α ε - α σ x_0 where x_t = α x_0 + α σ ε has a variance that is preserved, α² (1 + σ²) = 1.
            Preconditioning::Velocity => {
                alpha * (away[k] - denoised[k]) / sigma - alpha * sigma * denoised[k]
            }
            _ => {
                let skip = v / (v + sigma * sigma);
                (denoised[k] - skip * away[k]) / (sigma * skip.sqrt())
            }
        });
        (field.collect(), Vec::new(), Vec::new())
    });
    let task = Regression::new(&model, &oracle, source, source, Objective::default(), 7, 1).unwrap();
    task.gradient(&[], 0..20_000, &mut []);
    let mut cells = Cells::new(8);
    for wanted in oracle.wanted() {
        let sigma = level(&wanted.features);
        if (0.1..3.0).contains(&sigma) {
            let away = centred(&wanted.input, sigma);
            let cell = usize::from(sigma > 0.7) + 2 * usize::from(away[0] > 0.0);
            (0..2).for_each(|k| cells.add(2 * cell + k, f64::from(wanted.field[k])));
        }
    }
    cells.largest()
}

const PREDICTIONS: [Preconditioning; 5] = [
    Preconditioning::Direct,
    Preconditioning::Noise,
    Preconditioning::Score,
    Preconditioning::Velocity,
    Preconditioning::Skip,
];

/// 5 predictions x (4 x 2 + 1) sources x 8 cells: by chance it fails twice in 10⁴.
#[test]
fn every_prediction_and_weighting_leaves_the_exact_denoiser_alone() {
    let data = atoms();
    for preconditioning in PREDICTIONS {
        for weighting in [Weighting::Edm, Weighting::Noise, Weighting::Data, Weighting::Likelihood] {
            for proposal in [
                Proposal::LogNormal { mean: -0.6, deviation: 1.2 },
                Proposal::LogUniform { least: 0.05, most: 4.0 },
            ] {
                let source = Noised::new(&data, proposal, weighting, 0.7).unwrap();
                let largest = pull(&source, preconditioning, 1.0);
                assert!(largest < FIVE, "{preconditioning:?} {weighting:?} {proposal:?}: {largest}");
            }
        }
        let deaths = Deaths::new(&data, 1.0, Proposal::Exponential { rate: 0.4 }, 0.0).unwrap();
        let largest = pull(&deaths, preconditioning, 1.0);
        assert!(largest < FIVE, "{preconditioning:?}: {largest}");
    }
}

#[test]
fn another_denoiser_is_pulled_at() {
    let data = atoms();
    let source =
        Noised::new(&data, Proposal::LogNormal { mean: -0.6, deviation: 1.2 }, Weighting::Edm, 0.7).unwrap();
    for preconditioning in PREDICTIONS {
        let largest = pull(&source, preconditioning, 1.1);
        assert!(largest > FIVE, "{preconditioning:?}: {largest}");
    }
}
