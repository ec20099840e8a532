//! Steps of the flux flow that leave a given share of the distance.

use super::StepControl;
use crate::error::{Result, positive};
use crate::killed::LocallyBrownian;
use crate::sampler::Local;
use crate::step::{quickening, slowness};

/// For the [flux flow](crate::step::Flux): the time in which it would go from the distance ρ_g (R19) of a single atom to e^-η ρ_g,
/// (2/(σ² g)) (1 - e^{-cη})/c with c between 1 and 2.
///
/// Every step then contracts the distance to the data by a factor that depends on η alone, and the number of steps to
/// the distance δ is log(ρ_0/δ)/η in any dimension.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Contraction {
    eta: f64,
}

impl Contraction {
    /// Steps by the logarithm `eta` > 0 of the distance.
    ///
    /// # Errors
    /// If `eta` is not positive and finite.
    pub fn new(eta: f64) -> Result<Self> {
        Ok(Self { eta: positive("eta", eta)? })
    }
}

impl<P: LocallyBrownian + ?Sized> StepControl<P> for Contraction {
    fn step(&self, at: &Local<'_, P>) -> f64 {
        let rate = quickening(at);
        -slowness(at) * f64::exp_m1(-rate * self.eta) / rate
    }
}
