//! The options of `sample` and `project`.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use anyhow::{Result, ensure};

use super::killing::Killing;
use super::positive;
use super::stepping::Stepping;
use crate::commands::threads::Threads;

/// Data, model, step, killing and output.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Data points [n, d]: npy, npz, csv or idx; trailing axes are flattened
    #[arg(long, value_name = "FILE")]
    pub(super) data: PathBuf,
    /// Weights of the data, one per point (npy, npz or a csv column) [default: equal]
    #[arg(long, value_name = "FILE")]
    pub(super) weights: Option<PathBuf>,
    /// Forward process
    #[arg(long, value_enum, default_value_t = Model::Killed)]
    pub(super) model: Model,
    /// Killing rate r of the forward process, per unit time [default: S^2/V, with S of --sigma and V the mean squared
    /// distance of the data to their mean: after the mean lifetime the noise in each coordinate is as large as the data
    /// set, so that a start has forgotten its datum; 1 where all data are equal]
    #[arg(long, value_name = "R", value_parser = positive, allow_negative_numbers = true)]
    pub(super) rate: Option<f64>,
    /// Diffusion of the forward process, length per square root of time
    #[arg(long, value_name = "S", value_parser = positive, allow_negative_numbers = true, default_value_t = 1.0)]
    pub(super) sigma: f64,
    #[command(flatten)]
    pub(super) stepping: Stepping,
    #[command(flatten)]
    pub(super) killing: Killing,
    /// Score evaluations a particle is given before it ends as `step-cap`
    #[arg(long, value_name = "K", default_value = "10000")]
    pub(super) cap: NonZeroUsize,
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
}

/// The forward processes.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(crate) enum Model {
    /// Brownian motion killed at a constant rate
    Killed,
}

impl Options {
    /// Whether the options go together, as far as that can be said before a file is read.
    pub(super) fn check(&self) -> Result<()> {
        self.stepping.check()?;
        self.killing.check(self.stepping.scheme)?;
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
