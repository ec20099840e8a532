//! The flags of the models with a deterministic horizon.

use std::num::NonZeroUsize;

use anyhow::{Result, ensure};

use super::grid::Spacing;
use super::{Kind, Sampler};
use crate::commands::sampling::numbers::{self, not_negative, positive};
use crate::commands::sampling::steps;

/// The flags of these models alone.
#[derive(Debug, Default, clap::Args)]
#[group(skip)]
pub(crate) struct Flags {
    /// vp, subvp: beta at time 0 [default: 0.1]
    #[arg(long, value_name = "B", value_parser = positive, allow_negative_numbers = true)]
    pub(super) beta_min: Option<f64>,
    /// vp, subvp: beta at time 1 [default: 20]
    #[arg(long, value_name = "B", value_parser = positive, allow_negative_numbers = true)]
    pub(super) beta_max: Option<f64>,
    /// ve: noise at time 0 [default: 0.01]; edm: the last noise level [default: 0.002]
    #[arg(long, value_name = "S", value_parser = positive, allow_negative_numbers = true)]
    pub(super) sigma_min: Option<f64>,
    /// ve: noise at time 1 [default: 50]; edm: the first noise level [default: 80]
    #[arg(long, value_name = "S", value_parser = positive, allow_negative_numbers = true)]
    pub(super) sigma_max: Option<f64>,
    /// vp, subvp, ve: the last time, above 0, where the score explodes [default: vp, subvp 1e-3, ve 1e-5]
    #[arg(long, value_name = "T", value_parser = positive, allow_negative_numbers = true)]
    pub(super) t_end: Option<f64>,
    /// Steps of a sampler that goes through a grid [default: see --step]
    #[arg(long, value_name = "K", value_parser = numbers::steps, allow_negative_numbers = true)]
    pub(super) steps: Option<NonZeroUsize>,
    /// How these steps are spaced [default: edm karras, others time]
    #[arg(long, value_enum)]
    pub(super) grid: Option<Spacing>,
    /// The exponent of the grid karras [default: 7]
    #[arg(long, value_name = "RHO", value_parser = positive, allow_negative_numbers = true)]
    pub(super) rho: Option<f64>,
    /// heun, euler: the amount S_churn by which noise is raised before the steps, over all steps [default: 0]
    #[arg(long, value_name = "S", value_parser = not_negative, allow_negative_numbers = true)]
    pub(super) churn: Option<f64>,
    /// The smallest noise level sigma/alpha that is raised [default: 0]
    #[arg(long, value_name = "S", value_parser = not_negative, allow_negative_numbers = true, requires = "churn")]
    pub(super) churn_min: Option<f64>,
    /// The largest noise level sigma/alpha that is raised [default: all]
    #[arg(long, value_name = "S", value_parser = positive, allow_negative_numbers = true, requires = "churn")]
    pub(super) churn_max: Option<f64>,
    /// The factor S_noise of the noise that is added then [default: 1]
    #[arg(long, value_name = "S", value_parser = not_negative, allow_negative_numbers = true, requires = "churn")]
    pub(super) churn_noise: Option<f64>,
    /// pc: signal-to-noise ratio of a Langevin move [default: 0.16]
    #[arg(long, value_name = "R", value_parser = positive, allow_negative_numbers = true)]
    pub(super) snr: Option<f64>,
    /// pc: Langevin moves after every step [default: 1]
    #[arg(long, value_name = "K", value_parser = numbers::steps, allow_negative_numbers = true)]
    pub(super) corrector_steps: Option<NonZeroUsize>,
    /// ode, adaptive-sde: relative tolerance of a step [default: ode 1e-5, adaptive-sde 1e-2]
    #[arg(long, value_name = "E", value_parser = positive, allow_negative_numbers = true)]
    pub(super) rtol: Option<f64>,
    /// ode, adaptive-sde: absolute tolerance of a step, a length [default: ode 1e-5, adaptive-sde 1e-2]
    #[arg(long, value_name = "E", value_parser = positive, allow_negative_numbers = true)]
    pub(super) atol: Option<f64>,
    /// End at the last noise level without the denoising step; the grid karras then ends before its clean end
    #[arg(long)]
    pub(super) no_denoise: bool,
}

/// A flag, whether it was given, whether it fits, and what it goes with.
type Rule = (&'static str, bool, bool, &'static str);

impl Flags {
    /// Those that were given.
    pub(in crate::commands::sampling) fn given(&self) -> Vec<&'static str> {
        let rules = self.rules(Kind::Vp, Sampler::Ddim, Spacing::Time);
        rules.into_iter().filter(|rule| rule.1).map(|rule| rule.0).collect()
    }

    /// Whether every flag has a meaning.
    pub(super) fn check(&self, kind: Kind, model: &str, sampler: Sampler, spacing: Spacing) -> Result<()> {
        for (flag, given, fits, with) in self.rules(kind, sampler, spacing) {
            ensure!(
                fits || !given,
                "{flag}: only with {with}, not with --model {model} --step {}",
                steps::name(&sampler)
            );
        }
        Ok(())
    }

    fn rules(&self, kind: Kind, sampler: Sampler, spacing: Spacing) -> [Rule; 17] {
        let (beta, sigma) = (matches!(kind, Kind::Vp | Kind::SubVp), matches!(kind, Kind::Ve | Kind::Edm));
        let (grid, churn, adaptive) = (sampler.takes_grid(), sampler.takes_churn(), sampler.is_adaptive());
        let corrects = sampler == Sampler::Pc;
        let (of_grid, of_churn, of_adaptive) =
            ("a step through a grid", "--step heun or euler", "--step ode or adaptive-sde");
        [
            ("--beta-min", self.beta_min.is_some(), beta, "--model vp or subvp"),
            ("--beta-max", self.beta_max.is_some(), beta, "--model vp or subvp"),
            ("--sigma-min", self.sigma_min.is_some(), sigma, "--model ve or edm"),
            ("--sigma-max", self.sigma_max.is_some(), sigma, "--model ve or edm"),
            (
                "--t-end",
                self.t_end.is_some(),
                kind != Kind::Edm,
                "--model vp, subvp or ve (--sigma-min ends edm)",
            ),
            ("--steps", self.steps.is_some(), grid, of_grid),
            ("--grid", self.grid.is_some(), grid, of_grid),
            ("--rho", self.rho.is_some(), grid && spacing == Spacing::Karras, "--grid karras"),
            ("--churn", self.churn.is_some(), churn, of_churn),
            ("--churn-min", self.churn_min.is_some(), churn, of_churn),
            ("--churn-max", self.churn_max.is_some(), churn, of_churn),
            ("--churn-noise", self.churn_noise.is_some(), churn, of_churn),
            ("--snr", self.snr.is_some(), corrects, "--step pc"),
            ("--corrector-steps", self.corrector_steps.is_some(), corrects, "--step pc"),
            ("--rtol", self.rtol.is_some(), adaptive, of_adaptive),
            ("--atol", self.atol.is_some(), adaptive, of_adaptive),
            ("--no-denoise", self.no_denoise, true, "every step"),
        ]
    }
}
