//! What a run cost, and whether all of its particles came to an end.

use anyhow::Result;
use resolvent::core::{Ensemble, Exit};
use serde::{Deserialize, Serialize};

/// Evaluations of a run.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::experiments) struct Cost {
    /// Mean over the particles.
    pub(in crate::experiments) mean: f64,
    /// Standard deviation over the particles.
    pub(in crate::experiments) deviation: f64,
    /// Of the dearest particle.
    pub(in crate::experiments) most: usize,
    /// Particles that were neither killed nor reached the horizon: capped or diverged.
    pub(in crate::experiments) lost: usize,
}

impl Cost {
    pub(in crate::experiments) fn of(ensemble: &Ensemble) -> Result<Self> {
        let counts: Vec<f64> = ensemble.evaluations.iter().map(|&count| count as f64).collect();
        let mean = resolvent::metrics::mean(&counts)?;
        let ended = |exit: &&Exit| matches!(exit, Exit::Killed { .. } | Exit::Horizon);
        Ok(Self {
            mean: mean.value,
            deviation: mean.standard_error * (counts.len() as f64).sqrt(),
            most: ensemble.evaluations.iter().copied().max().unwrap_or(0),
            lost: counts.len() - ensemble.exits.iter().filter(ended).count(),
        })
    }
}
