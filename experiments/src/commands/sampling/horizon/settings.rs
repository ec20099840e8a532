//! The flags with their defaults, whole and checked.

use std::num::NonZeroUsize;

use anyhow::{Context as _, Result, ensure};
use resolvent::core::horizon::Churn;
use resolvent::core::schedule::{Edm, Schedule, SubVp, Ve, VpLinear};

use super::grid::Spacing;
use super::{Flags, Sampler};
use crate::commands::sampling::steps;

/// Evaluations a particle is given by a sampler that chooses its steps.
const CAP: usize = 10_000;

/// The models.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Vp,
    SubVp,
    Ve,
    Edm,
}

/// A model and how it is run backward.
pub(in crate::commands::sampling) struct Settings {
    /// The name of the model.
    model: String,
    pub(super) schedule: Box<dyn Schedule>,
    /// The parameters of the schedule in words.
    pub(super) parameters: String,
    /// The last time.
    pub(super) end: f64,
    pub(super) sampler: Sampler,
    pub(super) steps: usize,
    pub(super) spacing: Spacing,
    pub(super) rho: f64,
    pub(super) eta: f64,
    pub(super) churn: Churn,
    pub(super) snr: f64,
    pub(super) corrector_steps: usize,
    pub(super) rtol: f64,
    pub(super) atol: f64,
    pub(super) cap: usize,
    pub(super) denoise: bool,
}

impl Settings {
    /// # Errors
    /// If a flag has no meaning for the model or the sampler, or a value is out of its range.
    pub(in crate::commands::sampling) fn new(
        flags: &Flags,
        kind: Kind,
        model: &str,
        sampler: Option<Sampler>,
        eta: Option<f64>,
        cap: Option<NonZeroUsize>,
    ) -> Result<Self> {
        let edm = kind == Kind::Edm;
        let sampler = sampler.unwrap_or(if edm { Sampler::Heun } else { Sampler::DpmPp2m });
        let spacing = flags.grid.unwrap_or(if edm { Spacing::Karras } else { Spacing::Time });
        flags.check(kind, model, sampler, spacing)?;
        let step = steps::name(&sampler);
        ensure!(
            eta.is_none() || sampler.default_eta().is_some(),
            "--eta: only with --step ddim or euler-ancestral, not with --step {step}"
        );
        if let Some(eta) = eta {
            ensure!(eta <= 1.0, "--eta {eta}: with --step {step} it lies between 0, no noise, and 1");
        }
        ensure!(
            cap.is_none() || sampler.is_adaptive(),
            "--cap: only with --step ode or adaptive-sde, not with --step {step}, whose evaluations are known"
        );
        let (schedule, parameters, end) = flags.schedule(kind)?;
        let tolerance = if sampler == Sampler::Ode { 1e-5 } else { 1e-2 };
        Ok(Self {
            model: model.to_owned(),
            schedule,
            parameters,
            end,
            sampler,
            steps: flags.steps.map_or(sampler.default_steps(), NonZeroUsize::get),
            spacing,
            rho: flags.rho.unwrap_or(7.0),
            eta: eta.or(sampler.default_eta()).unwrap_or(0.0),
            churn: flags.churn()?,
            snr: flags.snr.unwrap_or(0.16),
            corrector_steps: flags.corrector_steps.map_or(1, NonZeroUsize::get),
            rtol: flags.rtol.unwrap_or(tolerance),
            atol: flags.atol.unwrap_or(tolerance),
            cap: cap.map_or(CAP, NonZeroUsize::get),
            denoise: !flags.no_denoise,
        })
    }

    /// The name of the model.
    pub(in crate::commands::sampling) fn model(&self) -> &str {
        &self.model
    }
}

impl Flags {
    fn churn(&self) -> Result<Churn> {
        let (s_min, s_max) = (self.churn_min.unwrap_or(0.0), self.churn_max.unwrap_or(f64::INFINITY));
        ensure!(s_min <= s_max, "--churn-max {s_max}: it is below --churn-min {s_min}");
        let (s_churn, s_noise) = (self.churn.unwrap_or(0.0), self.churn_noise.unwrap_or(1.0));
        Ok(Churn { s_churn, s_min, s_max, s_noise })
    }

    /// The schedule, its parameters in words, and the last time.
    fn schedule(&self, kind: Kind) -> Result<(Box<dyn Schedule>, String, f64)> {
        let beta = (self.beta_min.unwrap_or(0.1), self.beta_max.unwrap_or(20.0));
        let (low, high) = match kind {
            Kind::Edm => (0.002, 80.0),
            _ => (0.01, 50.0),
        };
        let sigma = (self.sigma_min.unwrap_or(low), self.sigma_max.unwrap_or(high));
        let (schedule, end): (Box<dyn Schedule>, f64) = match kind {
            Kind::Vp => (Box::new(VpLinear::new(beta.0, beta.1, 1.0)?), 1e-3),
            Kind::SubVp => (Box::new(SubVp::new(beta.0, beta.1, 1.0)?), 1e-3),
            Kind::Ve => (Box::new(Ve::new(sigma.0, sigma.1, 1.0).context("--sigma-min, --sigma-max")?), 1e-5),
            Kind::Edm => (Box::new(Edm::new(sigma.1)?), sigma.0),
        };
        let end = self.t_end.unwrap_or(end);
        let horizon = schedule.horizon();
        let flag = if kind == Kind::Edm { "--sigma-min" } else { "--t-end" };
        ensure!(end < horizon, "{flag} {end}: the end lies before the start, at {horizon}");
        let parameters = match kind {
            Kind::Vp | Kind::SubVp => format!("beta = {} to {}", beta.0, beta.1),
            Kind::Ve | Kind::Edm => format!("sigma = {} to {}", sigma.0, sigma.1),
        };
        Ok((schedule, parameters, end))
    }
}
