//! R15 in all its forms: the exact score is where nothing wants to move.

use crate::oracle::Oracle;
use crate::proposals;
use crate::support::{Cells, FIVE, Reweighted, at, atoms, distance, exact, mlp, relative_error, train};
use nalgebra::DMatrix;
use rand_distr::{Distribution, StandardNormal};
use resolvent_core::random::{Purpose, stream};
use resolvent_learn::engine::Native;
use resolvent_learn::examples::{Deaths, Noised, Proposal, Source, Weighting};
use resolvent_learn::model::{Conditioning, Embedding, GaussianFit, Model, ModelSettings, Preconditioning};
use resolvent_learn::objective::{Form, Objective, Regression, Scale};
use resolvent_learn::train::Task;

const RATE: f64 = 1.0;

pub(crate) fn model(data: &DMatrix<f64>, width: usize) -> Model {
    let settings = ModelSettings {
        architecture: mlp(width, 2),
        conditioning: Conditioning::Blind,
        preconditioning: Preconditioning::Direct,
        embedding: Embedding::SinCos { frequencies: 4 },
        rate: RATE,
    };
    Model::new(settings, GaussianFit::new(data, data.nrows()).unwrap()).unwrap()
}

/// The largest |mean| in standard errors, over cells of points, of what the loss wants changed in D or ℓ where both are exact.
fn pull(data: &DMatrix<f64>, source: &dyn Source, objective: Objective) -> f64 {
    let (d, model, score) = (data.nrows(), model(data, 4), exact(data, RATE));
    let mean = data.column_mean();
    let (spread, variance) = (model.spread(), model.fit().variance());
    // Back from z = (x - c)/√(σ_d² + |x - c|²/d).
    let point = |z: &[f64]| -> Vec<f64> {
        let square: f64 = z.iter().map(|z| z * z).sum();
        let factor = (variance / (1.0 - square / d as f64)).sqrt();
        z.iter().zip(mean.iter()).map(|(z, c)| c + factor * z).collect()
    };
    let oracle = Oracle::new(|z: &[f64], _: &[f64]| {
        let x = point(z);
        let (gain, score_at) = at(&score, &x);
        // ℓ is right where ĝ is E[g | x] (parts), or where it is the mean of log ρ (ratio).
        let level = match objective.form {
            Form::Parts => model.green().radius_of_gain(gain).ln(),
            Form::Ratio => {
                let weights = score.posterior(&x);
                let logs = data.column_iter().map(|y| distance(&x, y.as_slice()).ln());
                weights.iter().zip(logs).map(|(w, l)| w * l).sum()
            }
        };
        let learned = model.green().gain(level.exp());
        let v: Vec<f64> = score_at.iter().map(|s| s / learned).collect();
        let size = v.iter().map(|v| v * v).sum::<f64>().sqrt();
        let field = x.iter().zip(&v).zip(mean.iter()).map(|((x, v), c)| (x + v - c) / spread).collect();
        (field, vec![level - size.ln()], Vec::new())
    });
    let task = Regression::new(&model, &oracle, source, source, objective, 7, 1).unwrap();
    task.gradient(&[], 0..40_000, &mut []);
    let mut cells = Cells::new(4 * 3);
    for wanted in oracle.wanted() {
        let x = point(&wanted.input);
        let nearest = data.column_iter().map(|y| distance(&x, y.as_slice())).fold(f64::INFINITY, f64::min);
        if (0.25..3.0).contains(&nearest) {
            let cell = usize::from(x[0] > 0.0) + 2 * usize::from(x[1] > 0.2);
            for (k, term) in wanted.field.iter().chain(&wanted.heads).enumerate() {
                cells.add(3 * cell + k, f64::from(*term));
            }
        }
    }
    cells.largest()
}

fn objectives() -> Vec<Objective> {
    let mut all = Vec::new();
    for form in [Form::Parts, Form::Ratio] {
        for scale in [Scale::Distance, Scale::Output] {
            for matched in [false, true] {
                all.push(Objective { form, scale, matched, balance: 0.25 });
            }
        }
    }
    all
}

/// 4 proposals x 8 objectives x 12 cells: by chance it fails twice in 10⁴.
#[test]
fn every_weight_and_proposal_leaves_the_exact_score_alone() {
    let data = atoms();
    for proposal in proposals::all() {
        let source = Deaths::new(&data, RATE, proposal, 0.0).unwrap();
        for objective in objectives() {
            let largest = pull(&data, &source, objective);
            assert!(largest < FIVE, "{proposal:?} {objective:?}: {largest}");
        }
    }
}

#[test]
fn so_does_any_weight_of_the_point() {
    let data = atoms();
    let source = Deaths::new(&data, RATE, Proposal::LogNormal { mean: -0.6, deviation: 1.2 }, 0.0).unwrap();
    let source = Reweighted { source: &source, factor: |x: &[f64], _: f64| 1.0 + x[0] * x[0] };
    for objective in objectives() {
        let largest = pull(&data, &source, objective);
        assert!(largest < FIVE, "{objective:?}: {largest}");
    }
}

/// The weight 1/σ² of the losses that are told the level, for one.
#[test]
fn a_weight_that_sees_the_noise_level_does_not() {
    let data = atoms();
    let source = Deaths::new(&data, RATE, Proposal::LogNormal { mean: -0.6, deviation: 1.2 }, 0.0).unwrap();
    let source = Reweighted { source: &source, factor: |_: &[f64], level: f64| 1.0 / (level * level) };
    for objective in objectives() {
        let largest = pull(&data, &source, objective);
        println!("{objective:?}: {largest}");
        assert!(largest > FIVE, "{objective:?}: {largest}");
    }
    // Nor does another law of the level without its importance weight.
    let proposal = Proposal::LogNormal { mean: -0.6, deviation: 1.2 };
    let source = Deaths::new(&data, RATE, proposal, 0.0).unwrap();
    let unweighted = |_: &[f64], level: f64| (-proposal.log_weight(RATE, level)).exp();
    let source = Reweighted { source: &source, factor: unweighted };
    let largest = pull(&data, &source, Objective { matched: false, ..Objective::default() });
    assert!(largest > FIVE, "{largest}");
}

/// The error of a model's score, relative, at data under noise of the level σ.
pub(crate) fn error_at(model: &Model, parameters: &[f32], data: &DMatrix<f64>, level: f64) -> f64 {
    let points: Vec<f64> = (0..1000)
        .flat_map(|i| {
            let mut rng = stream(8, Purpose::Experiment, i);
            data.column(i as usize % data.ncols())
                .iter()
                .map(|y| {
                    let z: f64 = StandardNormal.sample(&mut rng);
                    y + level * z
                })
                .collect::<Vec<f64>>()
        })
        .collect();
    error_on(model, parameters, data, &points)
}

/// The error of a model's score, relative, at `points`: |s - s*|² and |s*|² in units of ρ_g^{-2}, as the loss takes them, since the
/// mean of |s*|² itself is infinite around atoms of the plane.
pub(crate) fn error_on(model: &Model, parameters: &[f32], data: &DMatrix<f64>, points: &[f64]) -> f64 {
    let d = data.nrows();
    let score = exact(data, RATE);
    let estimate = model.estimate(&Native, parameters, points, None);
    let (mut learned, mut truth) = (Vec::new(), Vec::new());
    for (i, x) in points.chunks_exact(d).enumerate() {
        let gain = model.gain(estimate.log_levels[i]);
        let denoised = &estimate.denoised[i * d..(i + 1) * d];
        let (exact_gain, exact_score) = at(&score, x);
        let unit = model.green().radius_of_gain(exact_gain);
        learned.extend(denoised.iter().zip(x).map(|(d, x)| unit * gain * (f64::from(*d) - x)));
        truth.extend(exact_score.iter().map(|s| unit * s));
    }
    relative_error(&learned, &truth)
}

#[test]
fn both_forms_learn_the_exact_score() {
    let data = atoms();
    let source = Deaths::new(&data, RATE, Proposal::LogNormal { mean: -0.6, deviation: 1.2 }, 0.0).unwrap();
    let model = model(&data, 48);
    for (form, matched) in
        [(Form::Parts, true), (Form::Parts, false), (Form::Ratio, true), (Form::Ratio, false)]
    {
        let objective = Objective { form, matched, ..Objective::default() };
        let task = Regression::new(&model, &Native, &source, &source, objective, 1, 256).unwrap();
        let parameters = train(&task, 2500, 256, 4e-3);
        for level in [0.1, 0.3, 1.0] {
            let error = error_at(&model, &parameters, &data, level);
            println!("{objective:?} {level}: {error}");
            assert!(error < 0.1, "{objective:?} at level {level}: {error}");
        }
    }
}

#[test]
fn sources_that_do_not_suit_a_model_are_refused() {
    let data = atoms();
    let model = model(&data, 4);
    let noised = Noised::new(&data, Proposal::Exponential { rate: 1.0 }, Weighting::Edm, 1.0).unwrap();
    let refused = Regression::new(&model, &Native, &noised, &noised, Objective::default(), 1, 1);
    assert!(refused.err().unwrap().to_string().contains("no gain"));
}
