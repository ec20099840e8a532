//! The schemes, and how their end points are judged.

use anyhow::Result;
use nalgebra::DMatrix;
use resolvent::core::killing::ResidualNoise;
use resolvent::core::step::{AdaptiveFlux, Flux, MultistepFlux};
use resolvent::core::{Contraction, Exit, Sampler, Step};
use resolvent::metrics::{self, Estimate};

use super::Settings;
use super::problem::Problem;

/// The longest step of the adaptive scheme, in the logarithm of the distance.
const LONGEST: f64 = 2.0;

/// A way to follow a line, with its step η or its tolerance.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Scheme {
    Heun(f64),
    Multistep(f64),
    Adaptive(f64),
}

impl Scheme {
    /// Those whose end law is checked.
    pub(super) fn checked(settings: &Settings) -> Vec<Self> {
        vec![Self::Heun(settings.heun), Self::Multistep(settings.multistep), Self::Adaptive(settings.rtol)]
    }

    /// Those of the table.
    pub(super) fn swept(settings: &Settings) -> Vec<Self> {
        let etas = settings.etas.iter();
        let heun = etas.clone().map(|eta| Self::Heun(*eta));
        let multistep = etas.map(|eta| Self::Multistep(*eta));
        heun.chain(multistep).chain(settings.rtols.iter().map(|rtol| Self::Adaptive(*rtol))).collect()
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Heun(_) => "Heun",
            Self::Multistep(_) => "two-step",
            Self::Adaptive(_) => "adaptive",
        }
    }

    pub(super) fn parameter(self) -> f64 {
        match self {
            Self::Heun(value) | Self::Multistep(value) | Self::Adaptive(value) => value,
        }
    }

    /// Follows the lines from `starts` and compares their ends with the law of the data.
    pub(super) fn judge(
        self,
        problem: &Problem,
        starts: &DMatrix<f64>,
        settings: &Settings,
        seed: u64,
    ) -> Result<Judged> {
        let score = &*problem.score;
        let adaptive;
        let (heun, multistep) = (Flux::new(score), MultistepFlux::new(score));
        let (step, eta): (&dyn Step, f64) = match self {
            Self::Heun(eta) => (&heun, eta),
            Self::Multistep(eta) => (&multistep, eta),
            Self::Adaptive(rtol) => {
                adaptive = AdaptiveFlux::new(score, rtol)?;
                (&adaptive, LONGEST)
            }
        };
        let (control, rule) = (Contraction::new(eta)?, ResidualNoise::new(&problem.process, problem.delta)?);
        let sampler = Sampler::new(&problem.process, step, &control)
            .killing("noise", &rule)
            .final_denoise(true)
            .cap(settings.cap);
        let ensemble = sampler.run(starts, seed)?;
        let mut counts = vec![0; problem.law.len()];
        for x in ensemble.points.column_iter() {
            counts[problem.cell(x.as_slice())] += 1;
        }
        Ok(Judged {
            distance: metrics::total_variation(&counts, &problem.law)?,
            expected: metrics::expected_total_variation(&problem.law, starts.ncols() as u64)?,
            mean_evaluations: ensemble.mean_evaluations(),
            most_evaluations: ensemble.evaluations.iter().copied().max().unwrap_or(0),
            capped: ensemble.exits.iter().filter(|exit| !matches!(exit, Exit::Killed { .. })).count(),
        })
    }
}

/// The end points of one run against the law of the data.
pub(super) struct Judged {
    pub(super) distance: Estimate,
    /// The total variation distance of as many right draws.
    pub(super) expected: f64,
    pub(super) mean_evaluations: f64,
    pub(super) most_evaluations: usize,
    /// Particles that the cap stopped.
    pub(super) capped: usize,
}
