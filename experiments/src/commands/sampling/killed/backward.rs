//! Which steps the processes have.

use anyhow::{Result, bail};
use resolvent::core::killed::{KilledOrnsteinUhlenbeck, LocallyBrownian};
use resolvent::core::score::KernelScore;
use resolvent::core::step::{Bridge, CorrectedBridge, EulerMaruyama, Flux, PosteriorBridge};
use resolvent::core::{EmpiricalMeasure, EmpiricalScore, Ensemble, KilledBrownianMotion, Step};

use super::stepping::Scheme;

/// A process that can be run backward from weighted data.
pub(super) trait Backward: LocallyBrownian {
    /// Hands the step, driven by the exact score of `measure`, to `run`.
    fn with_step(
        &self,
        scheme: Scheme,
        measure: &EmpiricalMeasure,
        run: &mut dyn FnMut(&dyn Step<Self>) -> Result<Ensemble>,
    ) -> Result<Ensemble>;
}

impl Backward for KilledBrownianMotion {
    fn with_step(
        &self,
        scheme: Scheme,
        measure: &EmpiricalMeasure,
        run: &mut dyn FnMut(&dyn Step) -> Result<Ensemble>,
    ) -> Result<Ensemble> {
        let score = EmpiricalScore::new(self, measure.clone())?;
        match scheme {
            Scheme::PosteriorBridge => run(&PosteriorBridge::new(&score)),
            Scheme::Bridge => run(&Bridge::new(&score)),
            Scheme::CorrectedBridge => run(&CorrectedBridge::new(&score)),
            Scheme::Euler => run(&EulerMaruyama::new(&score)),
            Scheme::Flux => run(&Flux::new(&score)),
        }
    }
}

impl Backward for KilledOrnsteinUhlenbeck {
    fn with_step(
        &self,
        scheme: Scheme,
        measure: &EmpiricalMeasure,
        run: &mut dyn FnMut(&dyn Step<Self>) -> Result<Ensemble>,
    ) -> Result<Ensemble> {
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
