//! The options of `sample` and `project`.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use anyhow::{Result, ensure};

use super::numbers::{interval, not_negative};
use super::{horizon, killed, steps};
use crate::commands::threads::Threads;

/// Evaluations a particle is given.
const CAP: usize = 10_000;
/// The models that die.
const KILLED: &str = "killed, drift or ou";

/// Data, model, step and output; and the flags of each kind of model.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Data points [n, d]: npy, npz, csv or idx; trailing axes are flattened
    #[arg(long, value_name = "FILE", required_unless_present = "score")]
    pub(super) data: Option<PathBuf>,
    /// Weights of the data, one per point (npy, npz or a csv column) [default: equal]
    #[arg(long, value_name = "FILE", requires = "data")]
    pub(super) weights: Option<PathBuf>,
    /// A trained model in place of the exact score of the data: a blind one for --model killed, one that is told the noise level
    /// for vp, subvp, ve, edm. --data is then needed by --start law and --kill distance:DELTA alone
    #[arg(long, value_name = "FILE.safetensors")]
    pub(super) score: Option<PathBuf>,
    /// Clamp every coordinate of the denoised point, as is usual for images: -1,1 where these are the darkest and the brightest
    #[arg(long, value_name = "LOW,HIGH", requires = "score", value_parser = interval, allow_hyphen_values = true)]
    pub(super) clip: Option<(f64, f64)>,
    /// Forward process
    #[arg(long, value_enum, default_value_t = Model::Killed)]
    pub(super) model: Model,
    /// How a particle moves
    #[arg(long, value_name = "STEP", long_help = steps::help())]
    step: Option<String>,
    /// Killed, drift, ou: length of a step in local time scales [default: posterior-bridge 1, bridge 0.2, corrected-bridge and euler 0.1, flux 0.25]. ddim and
    /// euler-ancestral: noise, from 0, none, to 1, that of ddpm [default: ddim 0, euler-ancestral 1]
    #[arg(long, value_name = "E", value_parser = not_negative, allow_negative_numbers = true)]
    eta: Option<f64>,
    /// Score evaluations a particle is given before it ends as `step-cap`; for all steps of the models killed, drift and ou, for ode and
    /// adaptive-sde of the others [default: 10000]
    #[arg(long, value_name = "K")]
    cap: Option<NonZeroUsize>,
    /// Seed of every random stream
    #[arg(long, value_name = "S", default_value_t = 0)]
    pub(super) seed: u64,
    #[command(flatten)]
    pub(super) threads: Threads,
    /// Particles that are run together; results do not depend on it [default: by dimension]
    #[arg(long, value_name = "N")]
    pub(super) batch: Option<NonZeroUsize>,
    /// File to write, whole or not at all
    #[arg(long, value_name = "FILE.npz")]
    pub(super) out: PathBuf,
    /// Record the paths of the first K particles
    #[arg(long, value_name = "K")]
    pub(super) paths: Option<NonZeroUsize>,
    #[command(flatten, next_help_heading = "Options of --model killed, drift, ou")]
    killed: killed::Flags,
    #[command(flatten, next_help_heading = "Options of --model vp, subvp, ve, edm")]
    horizon: horizon::Flags,
}

/// The forward processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Model {
    /// Brownian motion killed at a constant rate
    Killed,
    /// Brownian motion with a constant drift, killed at a constant rate
    Drift,
    /// Ornstein-Uhlenbeck process killed at a constant rate
    Ou,
    /// Variance preserving SDE, linear beta
    Vp,
    /// Sub-VP SDE, linear beta
    Subvp,
    /// Variance exploding SDE, geometric sigma
    Ve,
    /// sigma(t) = t, as in EDM
    Edm,
}

/// The flags that belong to the model, whole and checked.
pub(super) enum Settings<'a> {
    Killed(killed::Settings<'a>),
    Horizon(horizon::Settings),
}

impl Options {
    /// The settings of the model. Flags that belong to another model or step are errors, as far as that can be said before
    /// a file is read.
    pub(super) fn settings(&self) -> Result<Settings<'_>> {
        self.check_out()?;
        let model = steps::name(&self.model);
        let kind = match self.model {
            Model::Killed => return self.killed(killed::Model::Killed, &model),
            Model::Drift => return self.killed(killed::Model::Drift, &model),
            Model::Ou => return self.killed(killed::Model::Ou, &model),
            Model::Vp => horizon::Kind::Vp,
            Model::Subvp => horizon::Kind::SubVp,
            Model::Ve => horizon::Kind::Ve,
            Model::Edm => horizon::Kind::Edm,
        };
        let foreign = self.killed.given();
        ensure!(foreign.is_empty(), "{}: only with --model {KILLED}, not with {model}", foreign.join(", "));
        let sampler = self.step.as_deref().map(|step| steps::parse(step, &model)).transpose()?;

        Ok(Settings::Horizon(horizon::Settings::new(
            &self.horizon,
            kind,
            &model,
            sampler,
            self.eta,
            self.cap,
        )?))
    }

    fn killed(&self, model: killed::Model, name: &str) -> Result<Settings<'_>> {
        let foreign = self.horizon.given();
        ensure!(foreign.is_empty(), "{}: not with --model {name}", foreign.join(", "));
        let scheme = self.step.as_deref().map(|step| steps::parse(step, name)).transpose()?;
        let cap = self.cap.map_or(CAP, NonZeroUsize::get);
        let learned = self.score.is_some();
        Ok(Settings::Killed(killed::Settings::new(model, &self.killed, scheme, self.eta, cap, learned)?))
    }

    fn check_out(&self) -> Result<()> {
        let name = self.out.display();
        let npz = self.out.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("npz"));
        ensure!(npz, "--out {name}: the name must end in .npz");
        ensure!(!self.out.is_dir(), "--out {name}: is a folder");
        let folder = self.out.parent().filter(|folder| !folder.as_os_str().is_empty());
        if let Some(folder) = folder {
            ensure!(folder.is_dir(), "--out {name}: there is no folder {}", folder.display());
        }
        Ok(())
    }
}
