//! The score that drives the process: exact, or with an error of known kind and size.

use anyhow::Result;
use resolvent::core::Score;
use resolvent::core::score::SmoothedScore;
use resolvent::core::score::perturbed::{Biased, Clipped, FrozenNoise};

use super::Settings;
use super::places::Target;

/// What is wrong with the score.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Quality {
    Exact,
    Biased,
    Noisy,
    Clipped,
    Smoothed,
}

impl Quality {
    pub(super) const ALL: [Self; 5] = [Self::Exact, Self::Biased, Self::Noisy, Self::Clipped, Self::Smoothed];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Biased => "biased",
            Self::Noisy => "noisy",
            Self::Clipped => "clipped",
            Self::Smoothed => "smoothed",
        }
    }

    /// What was done to the score, for the page.
    pub(super) fn description(self, settings: &Settings) -> String {
        let Settings { bias, noise, noise_length, clip, smoothing, .. } = settings;
        match self {
            Self::Exact => "the exact score".into(),
            Self::Biased => format!("displacement times {}", 1.0 + bias),
            Self::Noisy => format!(
                "frozen random field of {noise} of the displacement, correlation length {noise_length} (a new field for each seed)"
            ),
            Self::Clipped => format!("|s| cut at what it is at {clip} δ from a flat support"),
            Self::Smoothed => format!("score of the data smoothed by N(0, h² I), h = {smoothing} δ"),
        }
    }

    /// Hands the score of `target` with this error to `user`.
    pub(super) fn with<T>(
        self,
        target: &Target,
        settings: &Settings,
        seed: u64,
        user: impl FnOnce(&dyn Score) -> Result<T>,
    ) -> Result<T> {
        let exact = &target.score;
        match self {
            Self::Exact => user(exact),
            Self::Biased => user(&Biased::new(exact, settings.bias)?),
            Self::Noisy => user(&FrozenNoise::new(exact, settings.noise, settings.noise_length, seed)?),
            Self::Clipped => {
                user(&Clipped::new(exact, target.sup(settings.clip * target.delta)?.threshold())?)
            }
            Self::Smoothed => {
                let bandwidth = settings.smoothing * target.delta;
                user(&SmoothedScore::new(&target.process, exact.measure().clone(), bandwidth)?)
            }
        }
    }
}
