//! The posterior over end points of one particle, accumulated while the data stream by.

/// Sums over weighted data whose log-weights arrive one after the other, relative to the largest so far; and, if asked
/// for, one datum drawn with the final weights.
pub(super) struct Posterior<'a> {
    /// The largest log-weight so far.
    peak: f64,
    /// Σ w with w = exp(log-weight - peak).
    mass: f64,
    /// Σ w g.
    pull: f64,
    /// Σ w g (y - origin).
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
}

impl<'a> Posterior<'a> {
    /// `moment` (length d) becomes D - origin; with `uniform` in [0, 1) a datum is drawn.
    pub(super) fn new(moment: &'a mut [f64], uniform: Option<f64>) -> Self {
        moment.fill(0.0);
        let draw = uniform.map(|uniform| Draw { uniform, held: 0 });
        Self { peak: f64::NEG_INFINITY, mass: 0.0, pull: 0.0, moment, draw }
    }

    /// Adds datum `item` at `y`, of log-weight `log_weight` and gain `gain`, seen from `origin`.
    pub(super) fn add(&mut self, origin: &[f64], item: usize, y: &[f64], log_weight: f64, gain: f64) {
        if log_weight > self.peak {
            let shrink = f64::exp(self.peak - log_weight);
            self.mass *= shrink;
            self.pull *= shrink;
            self.moment.iter_mut().for_each(|m| *m *= shrink);
            self.peak = log_weight;
        }
        let weight = f64::exp(log_weight - self.peak);
        let pull = weight * gain;
        self.mass += weight;
        self.pull += pull;
        // y - origin and not D - origin at the end: next to a datum the difference is exact.
        for (m, (origin, y)) in self.moment.iter_mut().zip(origin.iter().zip(y)) {
            *m += pull * (y - origin);
        }
        if let Some(draw) = &mut self.draw {
            draw.offer(item, weight / self.mass);
        }
    }

    /// Turns the moment into the mean and returns the rest.
    pub(super) fn finish(self) -> Summary {
        self.moment.iter_mut().for_each(|m| *m /= self.pull);
        Summary {
            log_density: self.peak + self.mass.ln(),
            gain: self.pull / self.mass,
            atom: self.draw.map(|d| d.held),
        }
    }
}
