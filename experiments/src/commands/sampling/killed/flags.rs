//! The flags of the models that die, and what they come to together.

use std::path::PathBuf;

use anyhow::{Result, ensure};

use super::super::numbers::{not_negative, positive};
use super::super::steps;
use super::killing::Killing;
use super::stepping::{Scheme, Stepping};
use super::transform::Transform;

/// The forward processes that die.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Model {
    /// Brownian motion.
    Killed,
    /// Brownian motion with a constant drift.
    Drift,
    /// The Ornstein-Uhlenbeck process.
    Ou,
}

impl Model {
    /// The name on the command line.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Killed => "killed",
            Self::Drift => "drift",
            Self::Ou => "ou",
        }
    }

    fn default_scheme(self) -> Scheme {
        if self == Self::Ou { Scheme::Euler } else { Scheme::PosteriorBridge }
    }
}

/// The flags of these models alone.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub(crate) struct Flags {
    /// Killing rate r of the forward process, per unit time; 0 with --model killed in three dimensions or more [default: S^2/V,
    /// with S of --sigma and V the mean squared distance of the data to their mean: after the mean lifetime the noise in each
    /// coordinate is as large as the data set, so that a start has forgotten its datum; 1 where all data are equal; with --score
    /// the rate that its model was trained for, and no other]
    #[arg(long, value_name = "R", value_parser = not_negative, allow_negative_numbers = true)]
    pub(super) rate: Option<f64>,
    /// Diffusion of the forward process, length per square root of time [default: 1]
    #[arg(long, value_name = "S", value_parser = positive, allow_negative_numbers = true)]
    pub(super) sigma: Option<f64>,
    /// drift: the velocity of the forward process, one point of the dimension of the data
    #[arg(long, value_name = "FILE")]
    pub(super) drift: Option<PathBuf>,
    /// ou: the rate of return to the origin, per unit time
    #[arg(long, value_name = "T", value_parser = positive, allow_negative_numbers = true)]
    pub(super) theta: Option<f64>,
    /// What the forward process is conditioned to do: nothing, to die at a point, to die at one of the points of a file (of
    /// equal weight in the representing measure), or at its last exit from a sphere around the origin (not for drift and ou)
    /// [default: exponential]
    #[arg(long = "h", value_name = "exponential|point:FILE|atoms:FILE|sphere:RADIUS")]
    transform: Option<Transform>,
    #[command(flatten)]
    pub(super) stepping: Stepping,
    #[command(flatten)]
    pub(super) killing: Killing,
}

impl Flags {
    /// Those that were given.
    pub(in crate::commands::sampling) fn given(&self) -> Vec<&'static str> {
        let all = [
            ("--rate", self.rate.is_some()),
            ("--sigma", self.sigma.is_some()),
            ("--drift", self.drift.is_some()),
            ("--theta", self.theta.is_some()),
            ("--h", self.transform.is_some()),
        ];
        let all = all.into_iter().chain(self.stepping.given()).chain(self.killing.given());
        all.filter(|(_, given)| *given).map(|(flag, _)| flag).collect()
    }
}

/// The flags, and those that these models share with others.
pub(in crate::commands::sampling) struct Settings<'a> {
    pub(super) model: Model,
    pub(super) flags: &'a Flags,
    pub(super) transform: Transform,
    pub(super) scheme: Scheme,
    pub(super) eta: f64,
    pub(super) cap: usize,
}

impl<'a> Settings<'a> {
    /// The name of the model on the command line.
    pub(in crate::commands::sampling) fn model(&self) -> &'static str {
        self.model.name()
    }

    /// # Errors
    /// If flags do not go together.
    pub(in crate::commands::sampling) fn new(
        model: Model,
        flags: &'a Flags,
        scheme: Option<Scheme>,
        eta: Option<f64>,
        cap: usize,
        learned: bool,
    ) -> Result<Self> {
        let name = model.name();
        let scheme = scheme.unwrap_or(if learned { Scheme::Bridge } else { model.default_scheme() });
        if learned {
            ensure!(
                model == Model::Killed,
                "--score: a trained score is that of --model killed; {name} has another"
            );
            ensure!(
                scheme != Scheme::PosteriorBridge,
                "--step posterior-bridge draws data, which the model of --score does not keep; there are bridge, \
                 corrected-bridge, euler, flux"
            );
            ensure!(
                flags.transform.as_ref().is_none_or(Transform::is_exponential),
                "--h: a trained score is that of the exponential clock alone"
            );
        }
        ensure!(
            model != Model::Ou || !scheme.samples_lifetime(),
            "--step {}: the bridges are those of Brownian motion; the steps of --model ou are euler, flux",
            steps::name(&scheme)
        );
        for (flag, given, owner) in
            [("--drift", flags.drift.is_some(), Model::Drift), ("--theta", flags.theta.is_some(), Model::Ou)]
        {
            ensure!(!given || model == owner, "{flag}: only with --model {}, not with {name}", owner.name());
            ensure!(given || model != owner, "--model {name} needs {flag}");
        }
        flags.stepping.check(scheme)?;
        flags.killing.check(scheme)?;
        let eta = eta.unwrap_or(scheme.default_eta());
        ensure!(eta > 0.0, "--eta '{eta}': the length of a step is not a positive finite number");
        let transform = flags.transform.clone().unwrap_or_else(Transform::exponential);
        Ok(Self { model, flags, transform, scheme, eta, cap })
    }
}
