//! A network that says nothing, in the eigenbasis of the data, takes them for a Gaussian.

use super::{settings, zeros};
use nalgebra::{DMatrix, DVector};
use resolvent_core::horizon::likelihood::{Divergence, Likelihood, Prior, Probes};
use resolvent_core::horizon::{HorizonSampler, ProbabilityFlow};
use resolvent_core::marginal::Diffused;
use resolvent_core::occupation::{codimension_by_gap, score_singular_values};
use resolvent_core::schedule::{Edm, Level, SubVp, Ve, VpLinear, prior};
use resolvent_core::{Denoiser, Schedule};
use resolvent_learn::model::{Conditioning, GaussianFit, Model, Preconditioning};
use resolvent_learn::network::{Architecture, ResidualMlp};
use resolvent_learn::score::{LearnedDenoiser, LearnedScore};

const MEAN: [f64; 3] = [0.5, -0.2, 0.1];
const DEVIATIONS: [f64; 3] = [1.2, 0.6, 0.3];

/// Six points with exactly these moments.
fn fit() -> GaussianFit {
    let spread = 3.0_f64.sqrt();
    let points = DMatrix::from_fn(3, 6, |row, i| {
        let sign = if i % 2 == 0 { spread } else { -spread };
        MEAN[row] + if i / 2 == row { sign * DEVIATIONS[row] } else { 0.0 }
    });
    GaussianFit::new(&points, 2).unwrap()
}

fn denoiser() -> LearnedDenoiser {
    let architecture = Architecture::Mlp(ResidualMlp { width: 8, depth: 1 });
    let settings = settings(architecture, Conditioning::Told, Preconditioning::Eigenbasis);
    let model = Model::new(settings, fit()).unwrap();
    LearnedDenoiser::new(model.clone(), zeros(&model)).unwrap()
}

#[test]
fn is_denoised_under_any_schedule() {
    let denoiser = denoiser();
    for (alpha, sigma) in [(1.0, 0.4), (0.7, 0.7), (0.1, 0.9), (0.0, 1.0), (1.0, 0.0), (0.5, 0.0)] {
        let level = Level { time: 0.0, alpha, sigma };
        let x = [0.4, -0.3, 0.2];
        let mut found = [0.0; 3];
        denoiser.denoise(&level, &x, &mut found);
        for k in 0..3 {
            let variance = DEVIATIONS[k].powi(2);
            let pull = alpha * variance / (alpha * alpha * variance + sigma * sigma);
            let expected = MEAN[k] + pull * (x[k] - alpha * MEAN[k]);
            assert!((found[k] - expected).abs() < 3e-6, "{level:?}: {} {expected}", found[k]);
        }
    }
}

/// log-density of the Gaussian at the level of `t`.
fn log_density(schedule: &impl Schedule, t: f64, x: &[f64]) -> f64 {
    let Level { alpha, sigma, .. } = schedule.level(t);
    (0..3)
        .map(|k| {
            let v = (alpha * DEVIATIONS[k]).powi(2) + sigma * sigma;
            -0.5 * ((x[k] - alpha * MEAN[k]).powi(2) / v + (std::f64::consts::TAU * v).ln())
        })
        .sum()
}

#[test]
fn has_its_likelihood() {
    has_likelihood(&VpLinear::default());
    has_likelihood(&Ve::new(0.01, 20.0, 1.0).unwrap());
}

fn has_likelihood<S: Schedule>(schedule: &S) {
    let denoiser = denoiser();
    let points = super::normal(3, 6, 12);
    let score = Diffused { schedule, denoiser: &denoiser };
    let (start, end) = (1e-2, schedule.horizon());
    let flow = ProbabilityFlow::to_noise(schedule, &score, start).unwrap().tolerances(1e-5, 1e-5).unwrap();
    // With the exact law at the horizon nothing is left but the errors of the flow and of f32.
    let at_end = |x: &[f64]| log_density(schedule, end, x);
    let exact = Likelihood::new(flow, Prior::Density(&at_end)).unwrap();
    // The Jacobian is diagonal, so that signs make even Hutchinson's estimate exact.
    let probes = Divergence::Hutchinson { probes: 4, law: Probes::Rademacher };
    for likelihood in [exact, exact.divergence(probes).unwrap()] {
        let found = likelihood.log_densities(&points, 4).unwrap();
        for (x, found) in points.column_iter().zip(found) {
            let expected = log_density(schedule, start, x.as_slice());
            assert!((found.value - expected).abs() < 5e-3, "{} {expected}", found.value);
        }
    }
}

/// The flow of a Gaussian maps ranks onto ranks: from z deviations of the prior to z deviations of the data.
#[test]
fn is_sampled_under_every_schedule() {
    is_sampled(&VpLinear::default());
    is_sampled(&SubVp::default());
    is_sampled(&Ve::new(0.01, 50.0, 1.0).unwrap());
    is_sampled(&Edm::new(80.0).unwrap());
}

fn is_sampled<S: Schedule>(schedule: &S) {
    let denoiser = denoiser();
    let score = Diffused { schedule, denoiser: &denoiser };
    let end = 1e-3;
    let flow = ProbabilityFlow::from_noise(schedule, &score, end).unwrap().tolerances(1e-5, 1e-5).unwrap();
    let starts = prior(schedule, 3, 40, 5);
    let ends = HorizonSampler::new(&flow).run(&starts, 1).unwrap().points;
    let moments = |t: f64, k: usize| {
        let level = schedule.level(t);
        let v = (level.alpha * DEVIATIONS[k]).powi(2) + level.sigma * level.sigma;
        (level.alpha * MEAN[k], v.sqrt())
    };
    for (x, y) in starts.column_iter().zip(ends.column_iter()) {
        for k in 0..3 {
            let ((m, s), (n, t)) = (moments(schedule.horizon(), k), moments(end, k));
            let expected = n + t * (x[k] - m) / s;
            assert!((y[k] - expected).abs() < 2e-3, "{} {expected}", y[k]);
        }
    }
}

/// Data in a plane of R^5: the score fills the three directions across it.
#[test]
fn a_plane_has_its_codimension() {
    let mut data = super::normal(5, 200, 15);
    for row in 2..5 {
        data.row_mut(row).fill(0.0);
    }
    let fit = GaussianFit::new(&data, 5).unwrap();
    let architecture = Architecture::Mlp(ResidualMlp { width: 8, depth: 1 });
    let settings = settings(architecture, Conditioning::Blind, Preconditioning::Eigenbasis);
    let model = Model::new(settings, fit).unwrap();
    let score = LearnedScore::new(model.clone(), zeros(&model)).unwrap();
    let centre = DVector::from_vec(vec![0.2, -0.4, 0.0, 0.0, 0.0]);
    let values = score_singular_values(&score, centre.as_slice(), 0.02, 64, 1).unwrap();
    assert_eq!(codimension_by_gap(values.as_slice()), 3, "{values}");
}
