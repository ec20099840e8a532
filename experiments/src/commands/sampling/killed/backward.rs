//! Which steps the processes have.

use anyhow::{Result, bail};
use resolvent::core::killed::{KilledOrnsteinUhlenbeck, LocallyBrownian};
use resolvent::core::score::KernelScore;
use resolvent::core::step::{Bridge, CorrectedBridge, EulerMaruyama, Flux, PosteriorBridge};
use resolvent::core::{EmpiricalMeasure, EmpiricalScore, Ensemble, KilledBrownianMotion, Score, Step};
use resolvent::learn::score::LearnedScore;

use super::stepping::Scheme;

/// What particles are carried to.
pub(super) enum Target {
    /// Weighted data, whose score is exact.
    Exact(EmpiricalMeasure),
    /// What a model has learned of them.
    Learned(Box<LearnedScore>),
}

/// A process that can be run backward.
pub(super) trait Backward: LocallyBrownian {
    /// Hands the step, driven by the score of `target`, to `run`.
    fn with_step(
        &self,
        scheme: Scheme,
        target: &Target,
        run: &mut dyn FnMut(&dyn Step<Self>) -> Result<Ensemble>,
    ) -> Result<Ensemble>;
}

impl Backward for KilledBrownianMotion {
    fn with_step(
        &self,
        scheme: Scheme,
        target: &Target,
        run: &mut dyn FnMut(&dyn Step) -> Result<Ensemble>,
    ) -> Result<Ensemble> {
        let exact;
        let score: &dyn Score = match target {
            Target::Exact(measure) => {
                exact = EmpiricalScore::new(self, measure.clone())?;
                if scheme == Scheme::PosteriorBridge {
                    return run(&PosteriorBridge::new(&exact));
                }
                &exact
            }
            Target::Learned(score) => &**score,
        };
        match scheme {
            Scheme::PosteriorBridge => bail!("a learned score has no data to draw"),
            Scheme::Bridge => run(&Bridge::new(score)),
            Scheme::CorrectedBridge => run(&CorrectedBridge::new(score)),
            Scheme::Euler => run(&EulerMaruyama::new(score)),
            Scheme::Flux => run(&Flux::new(score)),
        }
    }
}

impl Backward for KilledOrnsteinUhlenbeck {
    fn with_step(
        &self,
        scheme: Scheme,
        target: &Target,
        run: &mut dyn FnMut(&dyn Step<Self>) -> Result<Ensemble>,
    ) -> Result<Ensemble> {
        let Target::Exact(measure) = target else { bail!("a learned score is that of Brownian motion") };
        let score = KernelScore::new(self, measure.clone())?;
        match scheme {
            Scheme::Euler => run(&EulerMaruyama::new(&score)),
            Scheme::Flux => run(&Flux::new(&score)),
            Scheme::PosteriorBridge | Scheme::Bridge | Scheme::CorrectedBridge => {
                bail!("the bridges are those of Brownian motion")
            }
        }
    }
}
