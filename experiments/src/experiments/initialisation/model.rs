//! The samplers whose start is studied, all measured by one scale: the deviation of the noise at the start, in a coordinate and
//! relative to the data.

use anyhow::Result;
use resolvent::core::schedule::{Edm, Level, Schedule, VpLinear};

/// β at time 0 of VP.
const BETA_MIN: f64 = 0.1;

/// A way to noise with a start law around the origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Model {
    /// The random horizon from the law at death of a particle from the origin.
    Laplace,
    /// The random horizon conditioned to die at a point, from that point.
    Point,
    /// VE or EDM, from N(0, σ_max² I): the reverse SDE and the probability flow.
    VeSde,
    VeFlow,
    /// VP, from N(0, I).
    VpSde,
    VpFlow,
    /// The flow of PFGM++.
    Pfgm,
}

impl Model {
    pub(super) const ALL: [Self; 7] =
        [Self::Laplace, Self::Point, Self::VeSde, Self::VeFlow, Self::VpSde, Self::VpFlow, Self::Pfgm];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Laplace => "random horizon, Laplace",
            Self::Point => "random horizon, point",
            Self::VeSde => "VE or EDM, reverse SDE",
            Self::VeFlow => "VE or EDM, flow",
            Self::VpSde => "VP, reverse SDE",
            Self::VpFlow => "VP, flow",
            Self::Pfgm => "PFGM++, flow",
        }
    }

    pub(super) fn stem(self) -> &'static str {
        match self {
            Self::Laplace => "laplace",
            Self::Point => "point",
            Self::VeSde => "ve-sde",
            Self::VeFlow => "ve-flow",
            Self::VpSde => "vp-sde",
            Self::VpFlow => "vp-flow",
            Self::Pfgm => "pfgm",
        }
    }

    /// Its colour in every figure.
    pub(super) fn colour(self) -> usize {
        Self::ALL.iter().position(|model| *model == self).unwrap_or_default()
    }

    /// Whether the bias on the line is computed: where there is one.
    pub(super) fn on_the_line(self) -> bool {
        self != Self::Point
    }

    /// Whether the end law in space is known.
    pub(super) fn is_predicted(self) -> bool {
        matches!(self, Self::Laplace | Self::Point | Self::VeSde | Self::VpSde)
    }

    /// Whether the runs are exact but for the start.
    pub(super) fn is_exact(self) -> bool {
        matches!(self, Self::Laplace | Self::Point)
    }

    /// The power with which the bias on the line falls as the noise at the start grows, for data around the origin and
    /// beside it.
    ///
    /// What a stochastic reversal remembers of its start and what is wrong with the start are both of the order 1/s for a mean beside the
    /// origin, 1/s² for a variance, and the bias is their product. A flow keeps the quantile of its start, so that the whole
    /// error of the start arrives. The Laplace law: what is of the order r^{3/2} on the line around the mean, and r beside it.
    pub(super) fn powers(self) -> (f64, f64) {
        match self {
            Self::Laplace | Self::Point => (-3.0, -2.0),
            Self::VeSde | Self::VpSde => (-4.0, -2.0),
            Self::VeFlow | Self::VpFlow | Self::Pfgm => (-2.0, -1.0),
        }
    }

    /// r, with which the noise at the start has the deviation `level`.
    pub(super) fn rate(level: f64) -> f64 {
        1.0 / (level * level)
    }

    /// VP with σ/α = `level` at its horizon.
    pub(super) fn vp(level: f64) -> Result<VpLinear> {
        Ok(VpLinear::new(BETA_MIN, Self::beta_max(level), 1.0)?)
    }

    /// β_max of VP with σ/α = `level` at T = 1: ∫ β = log(1 + (σ/α)²).
    pub(super) fn beta_max(level: f64) -> f64 {
        2.0 * (level * level).ln_1p() - BETA_MIN
    }

    /// The noise level at the start and the deviation of the Gaussian start law.
    pub(super) fn start(self, level: f64) -> Result<(Level, f64)> {
        let ends = |schedule: &dyn Schedule| (schedule.level(schedule.horizon()), schedule.prior_deviation());
        Ok(match self {
            Self::VpSde | Self::VpFlow => ends(&Self::vp(level)?),
            _ => ends(&Edm::new(level)?),
        })
    }
}
