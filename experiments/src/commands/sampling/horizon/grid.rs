//! `--grid`: the noise levels that a sampler goes through.

use anyhow::{Context as _, Result};
use resolvent::core::schedule::{Grid, Schedule as _};

use super::{Forward, Sampler, Settings};

/// How the steps are spaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Spacing {
    /// Equally in time
    Time,
    /// Equally in the logarithm of the signal-to-noise ratio
    LogSnr,
    /// Equally in the root (sigma/alpha)^(1/RHO), then the clean end
    Karras,
}

impl Settings {
    /// The grid from the horizon of `forward` to the end.
    pub(super) fn grid(&self, forward: &Forward<'_>) -> Result<Grid> {
        let grid = match self.spacing {
            Spacing::Time => Grid::uniform_time(forward, self.steps, self.end),
            Spacing::LogSnr => Grid::uniform_log_snr(forward, self.steps, self.end),
            Spacing::Karras => {
                let ratio = |t: f64| forward.level(t).ratio();
                let (low, high) = (ratio(self.end), ratio(forward.horizon()));
                let karras = |steps| Grid::karras(forward, steps, low, high, self.rho);
                // A step of Euler-Maruyama to the clean end would leave noise there.
                if self.denoise && self.sampler != Sampler::EulerMaruyama {
                    karras(self.steps)
                } else {
                    karras(self.steps + 1).and_then(|grid| Grid::new(grid.levels()[..=self.steps].to_vec()))
                }
            }
        };
        grid.context("--steps")
    }
}
