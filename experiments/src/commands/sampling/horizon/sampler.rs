//! `--step` of the models with a deterministic horizon.

use anyhow::{Context as _, Result, bail};
use resolvent::core::horizon::{self, LinearScheme};
use resolvent::core::schedule::Grid;

use super::{Forward, Settings};

/// The samplers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Sampler {
    /// DDIM with --eta; 50 steps
    Ddim,
    /// Ancestral sampling of DDPM, with the variance of x' given x and x_0; 1000 steps
    Ddpm,
    /// Euler-Maruyama for the reverse SDE; 1000 steps
    EulerMaruyama,
    /// The reverse SDE discretised as the forward one is; 1000 steps
    ReverseDiffusion,
    /// Euler's method for the probability flow, with --churn; 50 steps
    Euler,
    /// Euler's method below the next level and noise up to it; 50 steps
    EulerAncestral,
    /// Heun's method of EDM, with --churn; two evaluations a step, 18 steps
    Heun,
    /// DPM-Solver++(2M), multistep; 20 steps
    #[value(name = "dpm++2m")]
    DpmPp2m,
    /// DPM-Solver++(2S), two evaluations a step; 20 steps
    #[value(name = "dpm++2s")]
    DpmPp2s,
    /// SDE-DPM-Solver++(2M), for the reverse SDE; 20 steps
    #[value(name = "sde-dpm++2m")]
    SdeDpmPp2m,
    /// UniPC of order 2; 20 steps
    Unipc,
    /// Predictor-corrector: reverse-diffusion, and after every step Langevin moves with --snr; 1000 steps
    Pc,
    /// The probability flow by Dormand and Prince with adaptive steps to --rtol, --atol
    Ode,
    /// The reverse SDE with adaptive steps to --rtol, --atol
    AdaptiveSde,
}

impl Sampler {
    /// Whether it goes through a grid.
    pub(super) fn takes_grid(self) -> bool {
        !self.is_adaptive()
    }

    /// Whether it chooses its steps.
    pub(super) fn is_adaptive(self) -> bool {
        matches!(self, Self::Ode | Self::AdaptiveSde)
    }

    /// Whether the noise level can be raised before a step.
    pub(super) fn takes_churn(self) -> bool {
        matches!(self, Self::Euler | Self::Heun)
    }

    /// η, where it has a meaning and is not given.
    pub(super) fn default_eta(self) -> Option<f64> {
        match self {
            Self::Ddim => Some(0.0),
            Self::EulerAncestral => Some(1.0),
            _ => None,
        }
    }

    pub(super) fn default_steps(self) -> usize {
        match self {
            Self::Ddpm | Self::EulerMaruyama | Self::ReverseDiffusion | Self::Pc => 1000,
            Self::Ddim | Self::Euler | Self::EulerAncestral => 50,
            Self::Heun => 18,
            Self::DpmPp2m | Self::DpmPp2s | Self::SdeDpmPp2m | Self::Unipc => 20,
            Self::Ode | Self::AdaptiveSde => 0,
        }
    }

    /// The sampler, or the predictor of it, as a table of coefficients.
    pub(super) fn table(
        self,
        settings: &Settings,
        forward: &Forward<'_>,
        grid: &Grid,
    ) -> Result<LinearScheme> {
        let scheme = match self {
            Self::Ddim => horizon::ddim(grid, settings.eta),
            Self::Ddpm => horizon::ddpm(grid, horizon::Variance::Small),
            Self::EulerMaruyama => horizon::euler_maruyama(forward, grid),
            Self::ReverseDiffusion | Self::Pc => horizon::reverse_diffusion(grid),
            Self::Euler => horizon::euler_churned(grid, settings.churn),
            Self::EulerAncestral => horizon::euler_ancestral(grid, settings.eta),
            Self::Heun => horizon::heun(grid, settings.churn),
            Self::DpmPp2m => horizon::dpm_solver_pp_2m(grid, horizon::Multistep::default()),
            Self::DpmPp2s => horizon::dpm_solver_pp_2s(forward, grid),
            Self::SdeDpmPp2m => horizon::sde_dpm_solver_pp_2m(grid, horizon::Multistep::default()),
            Self::Unipc => horizon::unipc(grid, horizon::UniPc::default()),
            Self::Ode | Self::AdaptiveSde => bail!("an adaptive step has no table"),
        };
        scheme.with_context(|| format!("--step {}", super::steps::name(&self)))
    }
}
