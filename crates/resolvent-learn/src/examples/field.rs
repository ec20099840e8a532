//! Points of any law with the known score as their target.

use super::places::Place;
use super::{Example, Source};
use crate::error::{Error, Result};
use crate::model::Conditioning;
use resolvent_core::Score;
use resolvent_core::killed::{GreenKernel, KilledBrownianMotion};
use resolvent_core::random::Stream;

/// Field regression: the target at x is D(x) and the gain g(x) of a score g (D - x) that is known, as a rule the exact one of a
/// large reference batch, [`EmpiricalScore`](resolvent_core::EmpiricalScore) (Xu et al. 2022, for the Poisson flow).
///
/// There is no noise in the targets, so the minimiser is the same under any law of the points, and there may be any: where
/// the score of noisy data is never asked for, in points that were masked or blurred, it can be learned too. The model then
/// learns the score of the reference, not of the law behind it: near the reference it remembers.
pub struct Field<'a> {
    score: &'a dyn Score,
    places: &'a dyn Place,
    green: GreenKernel,
    closest: f64,
}

impl<'a> Field<'a> {
    /// `score` at the points of `places`, its gains those of Brownian motion (σ = 1) killed at `rate` r >= 0; points whose
    /// distance ρ_g (the one with the gain g) is at most `closest` (δ of R15) do not count.
    ///
    /// # Errors
    /// If the dimensions differ, the rate is impossible, or `closest` is not positive: on a datum itself there is no score.
    pub fn new(score: &'a dyn Score, places: &'a dyn Place, rate: f64, closest: f64) -> Result<Self> {
        if score.dim() != places.dim() {
            return Err(Error::Dimension { name: "places", expected: score.dim(), found: places.dim() });
        }
        if !(closest.is_finite() && closest > 0.0) {
            return Err(Error::Number { name: "closest", allowed: "positive and finite", value: closest });
        }
        let green = KilledBrownianMotion::new(score.dim(), 1.0, rate)?.green().clone();
        Ok(Self { score, places, green, closest })
    }
}

impl Source for Field<'_> {
    fn dim(&self) -> usize {
        self.score.dim()
    }

    fn suits(&self, conditioning: Conditioning) -> bool {
        conditioning == Conditioning::Blind
    }

    /// The point; what belongs to it follows in [`complete`](Source::complete).
    fn draw(&self, rng: &mut Stream, point: &mut [f64], target: &mut [f64]) -> Example {
        self.places.draw(rng, point);
        target.copy_from_slice(point);
        Example { gain: 1.0, distance: 0.0, weight: 0.0, level: 0.0 }
    }

    fn complete(&self, points: &[f64], targets: &mut [f64], examples: &mut [Example]) {
        let mut gains = vec![0.0; examples.len()];
        self.score.evaluate(points, &mut gains, targets);
        targets.iter_mut().zip(points).for_each(|(target, x)| *target += x);
        for (example, gain) in examples.iter_mut().zip(gains) {
            let distance = self.green.radius_of_gain(gain);
            let weight = f64::from(distance > self.closest);
            *example = Example { gain, distance, weight, level: distance / (self.dim() as f64).sqrt() };
        }
    }

    fn log_weight(&self, _level: f64) -> f64 {
        0.0
    }
}
