//! `lifetime-law`: how long the backward process lives, and what it does meanwhile.

mod bessel;
mod fixed_start;
mod whole;

use std::ops::ControlFlow;

use anyhow::{Result, ensure};
use nalgebra::DMatrix;
use resolvent::core::{EmpiricalMeasure, EmpiricalScore, KilledBrownianMotion};
use serde::{Deserialize, Serialize};

use crate::experiment::{Context, Experiment};
use crate::outcome::Outcome;
use crate::progress::Progress;

/// Significance of the largest of several comparisons.
const SIGNIFICANCE: f64 = 1e-3;
/// Distance of the start from the atom.
const START: f64 = 1.0;

/// Lifetime and distance of the backward process of one atom.
pub(crate) struct LifetimeLaw;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// Dimensions d.
    dims: Vec<usize>,
    /// Killing rate r in each of them.
    rates: Vec<f64>,
    /// Particles of every run.
    particles: usize,
    /// Step size η of the bridge steps.
    bridge_eta: f64,
    /// Resolution of the bridge steps.
    floor: f64,
    /// Step size η of Euler-Maruyama.
    euler_eta: f64,
    /// The distance at which Euler-Maruyama is killed.
    delta: f64,
    /// A rate that stands for 0.
    vanishing: f64,
    /// Dimensions, at least 3, in which the distance is compared with a Bessel process.
    bessel_dims: Vec<usize>,
}

impl Experiment for LifetimeLaw {
    type Settings = Settings;

    fn name(&self) -> &'static str {
        "lifetime-law"
    }

    fn summary(&self) -> &'static str {
        "the lifetime of the backward process (GIG, inverse gamma as r -> 0) and its distance, a Bessel process of dimension 4 - d"
    }

    fn seconds(&self) -> u32 {
        15
    }

    fn full(&self) -> Settings {
        Settings {
            dims: vec![1, 2, 3, 8, 32],
            rates: vec![0.5, 0.5, 0.5, 1.0, 2.0],
            particles: 20_000,
            bridge_eta: 0.5,
            floor: 0.02,
            euler_eta: 0.05,
            delta: 0.01,
            vanishing: 1e-12,
            bessel_dims: vec![3, 5, 8],
        }
    }

    fn quick(&self) -> Settings {
        Settings { particles: 1_500, euler_eta: 0.1, ..self.full() }
    }

    fn run(&self, settings: &Settings, context: &Context) -> Result<Outcome> {
        let Settings { dims, rates, bessel_dims, particles, .. } = settings;
        ensure!(
            !dims.is_empty() && dims.len() == rates.len(),
            "settings `dims` and `rates`: one rate for each"
        );
        ensure!(*particles >= 100, "setting `particles` = {particles}: at least 100");
        ensure!(
            !bessel_dims.is_empty() && bessel_dims.iter().all(|d| *d >= 3),
            "setting `bessel_dims`: at least 3 each"
        );
        let limits = dims.iter().filter(|d| **d >= 3).count();
        let runs = 3 * dims.len() + limits + 2 * bessel_dims.len();
        let progress = context.progress((runs * particles) as u64, "lifetime-law");
        let mut outcome = Outcome::default();
        fixed_start::run(settings, context, &progress, &mut outcome)?;
        bessel::run(settings, context, &progress, &mut outcome)?;
        whole::run(settings, context, &progress, &mut outcome)?;
        outcome.notes = NOTES.map(String::from).to_vec();
        Ok(outcome)
    }
}

const NOTES: [&str; 3] = [
    "From a fixed start the lifetime depends on the distance: it is generalised inverse Gaussian and not exponential. Over the starts that the forward \
     process leaves, with density r u, it is Exp(r) again.",
    "As r → 0 the lifetime tends to ρ²/(2γ) with γ ~ Gamma(d/2 - 1), for d >= 3. Its mean is finite from d = 5 on, ρ²/(d - 4).",
    "Bridge steps sample the lifetime and are exact for one atom at any step size. Euler-Maruyama with steps proportional to the local \
     time scale has an error of first order in η, and the distance rule lacks what is left at δ (on the line it is killed by local time).",
];

/// One atom at the origin.
struct Atom {
    process: KilledBrownianMotion,
    measure: EmpiricalMeasure,
    score: EmpiricalScore,
}

impl Atom {
    fn new(dim: usize, rate: f64) -> Result<Self> {
        let process = KilledBrownianMotion::new(dim, 1.0, rate)?;
        let measure = EmpiricalMeasure::new(DMatrix::zeros(dim, 1))?;
        let score = EmpiricalScore::new(&process, measure.clone())?;
        Ok(Self { process, measure, score })
    }
}

/// `n` starts at the distance [`START`] (d x n).
fn starts(dim: usize, n: usize) -> DMatrix<f64> {
    let mut starts = DMatrix::zeros(dim, n);
    starts.row_mut(0).fill(START);
    starts
}

fn norm(x: &[f64]) -> f64 {
    x.iter().map(|x| x * x).sum::<f64>().sqrt()
}

fn observer<'a>(
    context: &'a Context,
    progress: &'a Progress,
) -> impl Fn(usize) -> ControlFlow<()> + Sync + 'a {
    |ended| {
        progress.inc(ended as u64);
        if context.interrupted() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}
