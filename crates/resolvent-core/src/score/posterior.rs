//! The posterior over end points of one particle, accumulated while the data stream by.

use resolvent_special::vector;

use super::Neighbour;
use super::near::{largest, sum};
use super::products::Real;

/// Shorter vectors are not worth a call of the wide units.
const WIDE: usize = 16;

/// Sums over weighted data whose log-weights arrive one after the other, relative to the largest so far; and, if asked
/// for, one datum drawn with the final weights.
pub(super) struct Posterior<'a> {
    /// The largest log-weight so far.
    peak: f64,
    /// Σ w with w = exp(log-weight - peak).
    mass: f64,
    /// Σ w g.
    pull: f64,
    /// Σ w g of the data whose moment is summed elsewhere.
    apart: f64,
    /// Σ w g (y - origin) of the others.
    moment: &'a mut [f64],
    draw: Option<Draw>,
}

/// A draw from a stream of weighted items with a single uniform number: a new item replaces the one held with
/// probability its weight over the running total, and the uniform is stretched back to [0, 1) each time.
struct Draw {
    uniform: f64,
    held: usize,
}

impl Draw {
    fn offer(&mut self, item: usize, chance: f64) {
        if self.uniform < chance {
            self.held = item;
            self.uniform /= chance;
        } else {
            self.uniform = (self.uniform - chance) / (1.0 - chance);
        }
        // Rounding must not reach 1, where an item of chance 1 would be refused.
        self.uniform = self.uniform.min(1.0 - f64::EPSILON);
    }
}

/// What is left when the data have passed.
pub(crate) struct Summary {
    /// log Σ exp(log-weight) = log u.
    pub(crate) log_density: f64,
    /// g of R19.
    pub(crate) gain: f64,
    /// The datum drawn, if one was asked for.
    pub(crate) atom: Option<usize>,
    /// What is worth remembering of the point, if anything.
    pub(crate) neighbour: Neighbour,
}

impl<'a> Posterior<'a> {
    /// `moment` (length d) becomes D - origin; with `uniform` in [0, 1) a datum is drawn.
    pub(super) fn new(moment: &'a mut [f64], uniform: Option<f64>) -> Self {
        moment.fill(0.0);
        let draw = uniform.map(|uniform| Draw { uniform, held: 0 });
        Self { peak: f64::NEG_INFINITY, mass: 0.0, pull: 0.0, apart: 0.0, moment, draw }
    }

    /// Adds data by their numbers, log-weights and gains, apart from their moment. The log-weights become weights and the gains
    /// pulls, with which the data enter it. All that was added before has been multiplied by the factor that is returned.
    pub(super) fn add(
        &mut self,
        items: impl Iterator<Item = usize>,
        logs: &mut [f64],
        gains: &mut [f64],
    ) -> f64 {
        let shrink = self.raise(largest(self.peak, logs));
        let peak = self.peak;
        vector::widest(
            #[inline(always)]
            || logs.iter_mut().for_each(|log| *log -= peak),
        );
        vector::exp(logs);
        vector::widest(
            #[inline(always)]
            || gains.iter_mut().zip(&*logs).for_each(|(gain, weight)| *gain *= weight),
        );
        self.enter(items, logs, gains);
        shrink
    }

    /// Weights are relative to this log-weight from now on, which no log-weight so far exceeds.
    pub(super) fn raise(&mut self, peak: f64) -> f64 {
        if peak <= self.peak {
            return 1.0;
        }
        let shrink = f64::exp(self.peak - peak);
        self.mass *= shrink;
        self.pull *= shrink;
        self.apart *= shrink;
        self.moment.iter_mut().for_each(|m| *m *= shrink);
        self.peak = peak;
        shrink
    }

    /// Adds data by their numbers, weights and pulls, apart from their moment.
    pub(super) fn enter(&mut self, items: impl Iterator<Item = usize>, weights: &[f64], pulls: &[f64]) {
        if let Some(draw) = &mut self.draw {
            let mut mass = self.mass;
            for (item, weight) in items.zip(weights) {
                mass += weight;
                draw.offer(item, weight / mass);
            }
        }
        self.mass += sum(weights);
        self.pull += sum(pulls);
    }

    /// The largest log-weight so far, and Σ w relative to it.
    pub(super) fn peak_and_mass(&self) -> (f64, f64) {
        (self.peak, self.mass)
    }

    /// Σ w g.
    pub(super) fn pulled(&self) -> f64 {
        self.pull
    }

    /// Σ w g (y - origin) so far.
    pub(super) fn moment(&mut self) -> &mut [f64] {
        self.moment
    }

    /// Adds a datum at `y`, seen from `origin`, to the moment: next to a datum the difference is exact.
    pub(super) fn pull<T: Real>(&mut self, origin: &[f64], y: &[T], pull: f64) {
        let moment = &mut *self.moment;
        if moment.len() < WIDE {
            return pull_to(moment, origin, y, pull);
        }
        vector::widest(
            #[inline(always)]
            || pull_to(moment, origin, y, pull),
        );
    }

    /// A datum with this pull is summed elsewhere.
    pub(super) fn pulled_apart(&mut self, pull: f64) {
        self.apart += pull;
    }

    /// Turns the moment into the mean and returns the rest. `apart` is Σ w g y of the data summed elsewhere, where there are any.
    pub(super) fn finish(self, origin: &[f64], apart: Option<&[f64]>) -> Summary {
        if let Some(apart) = apart
            && self.apart != 0.0
        {
            for ((m, origin), sum) in self.moment.iter_mut().zip(origin).zip(apart) {
                *m += sum - self.apart * origin;
            }
        }
        self.moment.iter_mut().for_each(|m| *m /= self.pull);
        Summary {
            log_density: self.peak + self.mass.ln(),
            gain: self.pull / self.mass,
            atom: self.draw.map(|d| d.held),
            neighbour: Neighbour::default(),
        }
    }
}

#[inline(always)]
fn pull_to<T: Real>(moment: &mut [f64], origin: &[f64], y: &[T], pull: f64) {
    for ((m, origin), y) in moment.iter_mut().zip(origin).zip(y) {
        *m += pull * ((*y).into() - origin);
    }
}
