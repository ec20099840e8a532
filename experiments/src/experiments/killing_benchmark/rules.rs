//! The killing rules that are compared.

use serde::{Deserialize, Serialize};

use super::stepping::Stepping;

/// What ends the backward process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Rule {
    /// No rule: end points drawn by the oracle, the Monte-Carlo floor.
    Oracle,
    Lifetime,
    Sup,
    L2,
    Noise,
    Data,
    Tangent,
    Support,
    Hazard,
    LearnedHazard,
    OracleLifetime,
    Time,
    Steps,
    Clock,
}

/// What a rule has to know beside the score.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Needs {
    /// A length at most.
    Nothing,
    /// The codimension of the support.
    Codimension,
    /// A sample of the data at hand while it runs.
    Data,
    /// What nobody knows outside a benchmark.
    Oracle,
    /// It is a control that ignores the data.
    Control,
}

impl Needs {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Codimension => "codimension",
            Self::Data => "data",
            Self::Oracle => "the truth",
            Self::Control => "(control)",
        }
    }
}

impl Rule {
    /// In the order of tables; [`Rule::Support`] before [`Rule::Steps`], which takes its number from it.
    pub(super) const ALL: [Self; 14] = [
        Self::Oracle,
        Self::Lifetime,
        Self::Sup,
        Self::L2,
        Self::Noise,
        Self::Data,
        Self::Tangent,
        Self::Support,
        Self::Hazard,
        Self::LearnedHazard,
        Self::OracleLifetime,
        Self::Time,
        Self::Clock,
        Self::Steps,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Oracle => "exact draw",
            Self::Lifetime => "sampled lifetime",
            Self::Sup => "sup |s|, R14",
            Self::L2 => "L² norm of s, R14",
            Self::Noise => "residual noise",
            Self::Data => "nearest datum",
            Self::Tangent => "tangent plane",
            Self::Support => "known support",
            Self::Hazard => "hazard, exact",
            Self::LearnedHazard => "hazard, learned",
            Self::OracleLifetime => "exact lifetime",
            Self::Time => "fixed time",
            Self::Steps => "fixed steps",
            Self::Clock => "independent Exp(r)",
        }
    }

    pub(super) fn needs(self) -> Needs {
        match self {
            Self::Lifetime | Self::Noise => Needs::Nothing,
            Self::Sup | Self::L2 => Needs::Codimension,
            Self::Data | Self::Tangent | Self::LearnedHazard => Needs::Data,
            Self::Oracle | Self::Support | Self::Hazard | Self::OracleLifetime => Needs::Oracle,
            Self::Time | Self::Steps | Self::Clock => Needs::Control,
        }
    }

    /// Whether it has a threshold in units of length.
    pub(super) fn has_threshold(self) -> bool {
        matches!(
            self,
            Self::Lifetime | Self::Sup | Self::L2 | Self::Noise | Self::Data | Self::Tangent | Self::Support
        )
    }

    /// Whether it is defined with such steps: a sampled lifetime comes with a bridge, and what counts the time of the diffusion
    /// means nothing to a flow.
    pub(super) fn goes_with(self, stepping: Stepping) -> bool {
        match self {
            Self::Lifetime => stepping.samples_lifetime(),
            Self::L2
            | Self::OracleLifetime
            | Self::Time
            | Self::Clock
            | Self::Hazard
            | Self::LearnedHazard => stepping != Stepping::Flux,
            _ => true,
        }
    }

    /// Whether it waits for a time: where the particle has reached the support before, its steps are too short for that ever to come.
    pub(super) fn is_clock(self) -> bool {
        matches!(self, Self::OracleLifetime | Self::Time | Self::Clock)
    }
}
