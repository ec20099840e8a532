//! The same in the plane, on a mixture with correlated components.

use std::f64::consts::PI;
use std::ops::ControlFlow;

use anyhow::Result;
use nalgebra::{DMatrix, DVector};
use resolvent::core::killed::{GaussianOccupation, KilledLinear};
use resolvent::core::killing::Hazard;
use resolvent::core::step::EulerMaruyama;
use resolvent::core::{Exit, FixedStep, KilledBrownianMotion, Sampler};
use resolvent::data::{GaussianMixture, Law};
use resolvent::metrics::{self, KsResult};

use super::Settings;
use super::line::TOLERANCE;
use crate::experiment::Context;
use crate::progress::Progress;

const WEIGHTS: [f64; 2] = [0.3, 0.7];
const MEANS: [f64; 4] = [-3.0, 1.0, 3.0, -1.0];
/// xx, xy and yy.
const COVARIANCES: [[f64; 3]; 2] = [[2.0, 1.2, 1.5], [1.0, -0.5, 2.0]];
/// Directions on which the end law is projected.
pub(super) const DIRECTIONS: usize = 8;
/// A particle is given up after this many mean lifetimes.
const PATIENCE: f64 = 40.0;

/// Where the particles died.
pub(super) struct Plane {
    pub(super) law: GaussianMixture,
    pub(super) starts: DMatrix<f64>,
    pub(super) ends: DMatrix<f64>,
    /// Of the projections at these angles (in turns of π).
    pub(super) projections: Vec<KsResult>,
    pub(super) lifetime: KsResult,
    pub(super) evaluations: f64,
    pub(super) unfinished: usize,
}

pub(super) fn run(settings: &Settings, context: &Context, progress: &Progress) -> Result<Plane> {
    let means = DMatrix::from_column_slice(2, 2, &MEANS);
    let covariance = |[xx, xy, yy]: [f64; 3]| DMatrix::from_column_slice(2, 2, &[xx, xy, xy, yy]);
    let covariances = COVARIANCES.map(covariance).to_vec();
    let law = GaussianMixture::new(&WEIGHTS, means.clone(), covariances.clone())?;
    let process = KilledBrownianMotion::new(2, settings.sigma, settings.plane_rate)?;
    let mixture = resolvent::core::GaussianMixture::new(&WEIGHTS, means, covariances)?;
    let occupation = GaussianOccupation::new(&KilledLinear::brownian(&process)?, mixture, TOLERANCE)?;
    let data = law.sample(settings.plane_particles, context.seed);
    let (starts, _) = process.deaths(&data, context.seed)?;
    let (step, control) = (EulerMaruyama::new(&occupation), FixedStep::new(settings.plane_dt)?);
    let rule = Hazard::new(|x: &[f64]| occupation.log_hazard(x));
    let observer = |ended: usize| {
        progress.inc(ended as u64);
        if context.interrupted() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let cap = (PATIENCE / (settings.plane_rate * settings.plane_dt)).clamp(100.0, 1e6);
    let ensemble = Sampler::new(&process, &step, &control)
        .killing("rate", &rule)
        .cap(cap as usize)
        .run_observed(&starts, context.seed, &observer)?;
    let killed = ensemble.exits.iter().filter(|exit| matches!(exit, Exit::Killed { .. })).count();
    let projections =
        (0..DIRECTIONS).map(|i| projection(&law, &ensemble.points, i)).collect::<Result<_>>()?;
    let rate = settings.plane_rate;
    Ok(Plane {
        lifetime: metrics::ks_one_sample(&ensemble.lifetimes, |t| -f64::exp_m1(-rate * t))?,
        evaluations: ensemble.mean_evaluations(),
        unfinished: settings.plane_particles - killed,
        ends: ensemble.points,
        law,
        starts,
        projections,
    })
}

/// The end points on a line through the origin, where the data law is a mixture of Gaussians again.
fn projection(law: &GaussianMixture, points: &DMatrix<f64>, index: usize) -> Result<KsResult> {
    let angle = PI * index as f64 / DIRECTIONS as f64;
    let direction = DVector::from_vec(vec![angle.cos(), angle.sin()]);
    let means: Vec<f64> = law.means().tr_mul(&direction).iter().copied().collect();
    let deviations: Vec<f64> =
        law.covariances().iter().map(|c| f64::sqrt((c * &direction).dot(&direction))).collect();
    let projected = GaussianMixture::one_dimensional(law.weights(), &means, &deviations)?;
    let sample: Vec<f64> = points.tr_mul(&direction).iter().copied().collect();
    Ok(metrics::ks_one_sample(&sample, |x| projected.marginal_cdf(0, x))?)
}
