//! Steps proportional to the local time scale.

use super::StepControl;
use crate::error::{Error, Result, positive};
use crate::killed::LocallyBrownian;
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
///
/// [`second_order`](Self::second_order) is the rule for a step of second order.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScoreAdaptive {
    eta: f64,
    floor: f64,
    rule: Rule,
}

/// What the time scale is made of: that of the distance, τ, and that of the posterior, 1/(g² S²).
#[derive(Debug, Clone, Copy, PartialEq)]
enum Rule {
    /// Half their harmonic mean.
    Harmonic,
    /// Their geometric mean.
    Geometric,
    /// That of the distance alone.
    Distance,
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
        Ok(Self { eta: positive("eta", eta)?, floor, rule: Rule::Harmonic })
    }

    /// The same without regard to the spread of the posterior: dt = max(η τ, δ²/d)/σ², enough where every start has one
    /// end point or the step draws end points itself.
    #[must_use]
    pub fn ignoring_spread(self) -> Self {
        Self { rule: Rule::Distance, ..self }
    }

    /// Steps for [`CorrectedBridge`](crate::step::CorrectedBridge): dt = max(η √(τ/(g² S²)), δ²/d)/σ², the geometric mean of
    /// the two time scales. A bridge is exact for one atom, so no step need be short where the posterior has settled; but a
    /// particle that dies in a step goes to D, at the cost of the share g² S² τ that had not settled. It is likely to die
    /// once dt is about τ, when this rule leaves the share η², which is of second order, and steps of η/(g² S²) leave η.
    ///
    /// Where the score says that the posterior has settled, steps are as long as life, or infinite: for steps that sample
    /// the lifetime, and for scores that tell the spread. A [`VectorField`](crate::score::VectorField) does not.
    #[must_use]
    pub fn second_order(self) -> Self {
        Self { rule: Rule::Geometric, ..self }
    }
}

impl<P: LocallyBrownian + ?Sized> StepControl<P> for ScoreAdaptive {
    fn step(&self, at: &Local<'_, P>) -> f64 {
        let process = at.process.brownian();
        let scale = at.time_scale();
        // g² S² τ: how far the posterior turns while the distance contracts.
        let turning = || (at.gain * scale) * (at.gain * at.spread());
        let length = match self.rule {
            Rule::Harmonic => self.eta * scale / (1.0 + turning()),
            Rule::Geometric => self.eta * scale / turning().sqrt(),
            Rule::Distance => self.eta * scale,
        };
        let dt = f64::max(length, self.floor * self.floor / process.dim() as f64);
        dt / (process.sigma() * process.sigma())
    }
}
