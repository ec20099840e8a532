//! The steps that the rules are combined with.

use anyhow::Result;
use resolvent::core::step::{Bridge, CorrectedBridge, EulerMaruyama, Flux, PosteriorBridge};
use resolvent::core::{Contraction, EmpiricalScore, Score, ScoreAdaptive, Step, StepControl};

use super::Settings;
use super::rules::Rule;

/// How particles move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stepping {
    Euler,
    Bridge,
    Corrected,
    Flux,
    Posterior,
}

/// A step and the control of its length.
pub(super) type Scheme<'a> = (Box<dyn Step + 'a>, Box<dyn StepControl>);

impl Stepping {
    /// Those that need nothing but a score.
    pub(super) const BY_SCORE: [Self; 4] = [Self::Euler, Self::Bridge, Self::Corrected, Self::Flux];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Euler => "Euler-Maruyama",
            Self::Bridge => "bridge",
            Self::Corrected => "corrected bridge",
            Self::Flux => "flux flow, Heun",
            Self::Posterior => "posterior bridge",
        }
    }

    pub(super) fn stem(self) -> &'static str {
        match self {
            Self::Euler => "euler",
            Self::Bridge => "bridge",
            Self::Corrected => "corrected",
            Self::Flux => "flux",
            Self::Posterior => "posterior",
        }
    }

    pub(super) fn samples_lifetime(self) -> bool {
        matches!(self, Self::Bridge | Self::Corrected | Self::Posterior)
    }

    /// The scheme for `rule` at the resolution `floor` (length). Where another rule than the lifetime is to kill, bridges have no floor:
    /// they practically never die by themselves then. `heeds_spread` says whether the score tells the spread of its posterior.
    ///
    /// # Panics
    /// If the posterior is missing where end points are drawn from it.
    pub(super) fn scheme<'a>(
        self,
        rule: Rule,
        floor: f64,
        score: &'a dyn Score,
        posterior: Option<&'a EmpiricalScore>,
        heeds_spread: bool,
        settings: &Settings,
    ) -> Result<Scheme<'a>> {
        let floor = if rule == Rule::Lifetime { floor } else { 0.0 };
        let adaptive = |eta: f64| -> Result<ScoreAdaptive> {
            let control = ScoreAdaptive::new(eta, floor)?;
            Ok(if heeds_spread { control } else { control.ignoring_spread() })
        };
        Ok(match self {
            Self::Euler => (Box::new(EulerMaruyama::new(score)), Box::new(adaptive(settings.eta)?)),
            Self::Bridge => (Box::new(Bridge::new(score)), Box::new(adaptive(settings.bridge_eta)?)),
            Self::Corrected => {
                let control = adaptive(settings.bridge_eta)?;
                let control =
                    if rule == Rule::Lifetime && heeds_spread { control.second_order() } else { control };
                (Box::new(CorrectedBridge::new(score)), Box::new(control))
            }
            Self::Flux => (Box::new(Flux::new(score)), Box::new(Contraction::new(settings.flux_eta)?)),
            Self::Posterior => {
                let posterior = posterior.expect("the score of weighted data");
                let control = ScoreAdaptive::new(settings.bridge_eta, floor)?.ignoring_spread();
                (Box::new(PosteriorBridge::new(posterior)), Box::new(control))
            }
        })
    }
}
