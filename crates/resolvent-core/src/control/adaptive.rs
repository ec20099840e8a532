//! Steps proportional to the local time scale.

use super::StepControl;
use crate::error::{Error, Result, positive};
use crate::sampler::Local;

/// Steps of η local time scales (R18): τ = ρ_g² / (z R_{ν+1}(z)), z = aρ_g/σ, about ρ_g²/d, so that each step contracts
/// the distance to the data by a factor that depends on η alone, down to the resolution δ:
///
/// dt = max(η τ / (1 + g² S² τ), δ²/d) / σ².
///
/// The posterior over end points turns as well. The log-odds of two data y and y' move by g (y - y')·dX, so in a step
/// their variance grows, on average over the posterior, by 2 g² S² σ² dt, where S² = ρ_g² - |v|² is its spread, seen in the
/// score as a displacement shorter than ρ_g. The denominator keeps that of the order of η too. In high dimension this
/// decides: two equally likely end points at a distance comparable with ρ_g are told apart within a d-th of the time
/// scale, and a step of η τ towards their mean picks the wrong shares. It costs nothing once the posterior has
/// settled. [`ignoring_spread`](Self::ignoring_spread) leaves it out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScoreAdaptive {
    eta: f64,
    floor: f64,
    spread: bool,
}

impl ScoreAdaptive {
    /// Steps of `eta` > 0 local time scales, and never shorter than the resolution `floor` >= 0 (a length δ) allows. A
    /// step that samples the lifetime needs a floor: without one, small steps almost never end.
    ///
    /// # Errors
    /// If `eta` is not positive and finite, or `floor` is negative or not finite.
    pub fn new(eta: f64, floor: f64) -> Result<Self> {
        if !(floor.is_finite() && floor >= 0.0) {
            return Err(Error::Negative { name: "floor", value: floor });
        }
        Ok(Self { eta: positive("eta", eta)?, floor, spread: true })
    }

    /// The same without regard to the spread of the posterior: dt = max(η τ, δ²/d)/σ², enough where every start has one
    /// end point or the step draws end points itself.
    #[must_use]
    pub fn ignoring_spread(self) -> Self {
        Self { spread: false, ..self }
    }
}

impl StepControl for ScoreAdaptive {
    fn step(&self, at: &Local<'_>) -> f64 {
        let (process, d) = (at.process, at.process.dim() as f64);
        let (radius, decay) = (at.radius(), process.green().decay());
        let squared = radius * radius;
        // z R_{ν+1} = 2(ν+1) + z/R_ν by the recurrence, and z/R_ν = decay²/g.
        let scale = squared / (d + decay * decay / at.gain);
        let spread = (squared - at.displacement_norm().powi(2)).max(0.0);
        let turning = if self.spread { (at.gain * scale) * (at.gain * spread) } else { 0.0 };
        let dt = f64::max(self.eta * scale / (1.0 + turning), self.floor * self.floor / d);
        dt / (process.sigma() * process.sigma())
    }
}
