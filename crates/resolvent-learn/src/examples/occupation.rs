//! The occupation measure of an h-transform.

use super::{Example, Source};
use crate::error::{Error, Result, usable};
use crate::model::Conditioning;
use nalgebra::DMatrix;
use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};
use resolvent_core::htransform::HTransform;
use resolvent_core::killed::{GreenKernel, KilledBrownianMotion};
use resolvent_core::random::Stream;
use resolvent_core::random::{Purpose, stream};

/// From so many lifetimes comes the unit of the weights.
const LIFETIMES: u64 = 1000;

/// Z^h from a data point, looked at at a random time of its life and weighted by the lifetime: for h ≠ 1 the place of death
/// says nothing (with a single target it is always the same), but the time spent in dx does.
///
/// Given start, target and lifetime the path of Brownian motion is a Brownian bridge whatever h is, so the point at the share
/// U of the lifetime ζ is drawn exactly: x = (1 - U) y + U z + √(ζ U(1 - U)) N. With the weight ζ its law is the occupation
/// measure, of density Σ α_i g_r(y_i, x) h(x)/h(y_i); given x the start is y_i with the probability that belongs to
/// h~(x) = Σ α_i g_r(x, y_i)/h(y_i) (R9), and the targets ∇ log G_r(y -> x) average to **∇ log h~**, h itself having cancelled.
///
/// That is the score that drives the backward process (drift ∇ log h~ for Brownian motion, R9). R1 in terms of the occupation
/// density u = h h~ has ∇ log u = ∇ log h~ + ∇ log h there: to get it add ∇ log h, which is known
/// ([`HTransform::log_value_and_gradient`]). At h = 1 ([`ExponentialClock`](resolvent_core::htransform::ExponentialClock)) both
/// are the score of [`Deaths`](super::Deaths).
pub struct Occupation<'a> {
    data: &'a DMatrix<f64>,
    transform: &'a dyn HTransform,
    green: GreenKernel,
    power: f64,
    closest: f64,
    mean_lifetime: f64,
}

impl<'a> Occupation<'a> {
    /// From the columns of `data` (d x n) under `transform` of Brownian motion (σ = 1) killed at `rate` r >= 0, the same rate that the
    /// transform was made with.
    ///
    /// U is the `power`-th power, at least 1, of a uniform number, with an importance weight for it: 1 for a uniform time; larger
    /// powers look more often near the data, where U and the noise are small. Examples at most `closest` (δ of R15) from their
    /// start do not count.
    ///
    /// # Errors
    /// If there are no data, they are not finite, the dimensions differ, h is infinite at a datum (Z^h would die where it starts)
    /// or Z^h does not die, or a number is out of its range.
    pub fn new(
        data: &'a DMatrix<f64>,
        transform: &'a dyn HTransform,
        rate: f64,
        power: f64,
        closest: f64,
    ) -> Result<Self> {
        usable("data", data)?;
        if transform.dim() != data.nrows() {
            return Err(Error::Dimension { name: "h", expected: data.nrows(), found: transform.dim() });
        }
        if !(power.is_finite() && power >= 1.0) {
            return Err(Error::Number { name: "power", allowed: "at least 1 and finite", value: power });
        }
        if !(closest.is_finite() && closest >= 0.0) {
            return Err(Error::Number {
                name: "closest",
                allowed: "finite and not negative",
                value: closest,
            });
        }
        let on_support = |column: &[f64]| transform.log_value(column) == f64::INFINITY;
        if let Some(index) = data.column_iter().position(|column| on_support(column.as_slice())) {
            let (name, support) = ("datum", "the representing measure");
            return Err(resolvent_core::Error::OnSupport { name, index, support }.into());
        }
        let green = KilledBrownianMotion::new(data.nrows(), 1.0, rate)?.green().clone();
        let mut place = vec![0.0; data.nrows()];
        let lifetimes = (0..LIFETIMES).map(|i| {
            let mut rng = stream(0, Purpose::Forward, i);
            let origin = rng.random_range(0..data.ncols());
            transform.death_into(data.column(origin).as_slice(), &mut rng, &mut place)
        });
        let mean_lifetime = lifetimes.sum::<f64>() / LIFETIMES as f64;
        if !mean_lifetime.is_finite() {
            return Err(resolvent_core::Error::Immortal.into());
        }
        Ok(Self { data, transform, green, power, closest, mean_lifetime })
    }

    /// The density of the uniform law over that of U, at U = `share`.
    fn time_weight(&self, share: f64) -> f64 {
        self.power * share.powf(1.0 - 1.0 / self.power)
    }
}

impl Source for Occupation<'_> {
    fn dim(&self) -> usize {
        self.data.nrows()
    }

    fn suits(&self, conditioning: Conditioning) -> bool {
        conditioning == Conditioning::Blind
    }

    fn draw(&self, rng: &mut Stream, point: &mut [f64], target: &mut [f64]) -> Example {
        let origin = rng.random_range(0..self.data.ncols());
        target.copy_from_slice(self.data.column(origin).as_slice());
        // The place of death, then the point on the way there.
        let lifetime = self.transform.death_into(target, rng, point);
        let share = rng.random::<f64>().powf(self.power);
        let level = (lifetime * share * (1.0 - share)).sqrt();
        let mut square = 0.0;
        for (x, y) in point.iter_mut().zip(&*target) {
            let z: f64 = StandardNormal.sample(rng);
            let away = share * (*x - y) + level * z;
            *x = y + away;
            square += away * away;
        }
        let distance = square.sqrt();
        let counts = f64::from(distance > self.closest);
        let weight = counts * self.time_weight(share) * lifetime / self.mean_lifetime;
        Example { gain: self.green.gain(distance), distance, weight, level }
    }

    /// Near the data, where the level² is about U times the mean lifetime.
    fn log_weight(&self, level: f64) -> f64 {
        self.time_weight((level * level / self.mean_lifetime).min(1.0)).ln()
    }
}
