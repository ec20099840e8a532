//! The bridge step: exact for one atom at any step size.

use rand_distr::Distribution;

use super::{Fate, Step};
use crate::killed::KilledBrownianMotion;
use crate::random::Stream;
use crate::reversal::Work;
use crate::sampler::{Batch, Local};
use crate::score::Score;

/// R18 with the stand-in atom of R19: the data are taken for one atom at D(x), at the time scale of the distance ρ_g that
/// the gain tells. The lifetime drawn is the killing rule.
pub struct Bridge<'a, S: ?Sized> {
    score: &'a S,
}

impl<'a, S: Score + ?Sized> Bridge<'a, S> {
    /// The bridge step driven by `score`.
    pub fn new(score: &'a S) -> Self {
        Self { score }
    }
}

impl<S: Score + ?Sized> Step for Bridge<'_, S> {
    fn evaluate(&self, batch: &mut Batch) {
        batch.evaluate(self.score);
    }

    fn advance(
        &self,
        at: &Local<'_>,
        dt: f64,
        rng: &mut Stream,
        next: &mut [f64],
        _carry: &mut [f64],
        _work: &mut Work,
    ) -> Fate {
        bridge(at.process, at.point, at.displacement, at.radius(), dt, rng, next)
    }

    fn samples_lifetime(&self) -> bool {
        true
    }
}

/// R18: draws the remaining lifetime ζ ~ GIG(1 - d/2, 2r, ρ²/σ²), and moves by a [`piece`] of the bridge of that length.
pub(super) fn bridge(
    process: &KilledBrownianMotion,
    x: &[f64],
    v: &[f64],
    rho: f64,
    dt: f64,
    rng: &mut Stream,
    next: &mut [f64],
) -> Fate {
    let lifetime = process.green().lifetime(rho).sample(rng);
    piece(process, x, v, lifetime, dt, rng, next)
}

/// The Brownian bridge from x to x + v of length ζ = `lifetime`, by the time dt: if ζ <= dt the particle dies at x + v.
pub(super) fn piece(
    process: &KilledBrownianMotion,
    x: &[f64],
    v: &[f64],
    lifetime: f64,
    dt: f64,
    rng: &mut Stream,
    next: &mut [f64],
) -> Fate {
    if lifetime <= dt {
        for ((next, x), v) in next.iter_mut().zip(x).zip(v) {
            *next = x + v;
        }
        return Fate::Dead { after: lifetime };
    }
    let share = dt / lifetime;
    let noise = process.sigma() * f64::sqrt(dt * (1.0 - share));
    rng.fill_normals(next);
    for ((next, x), v) in next.iter_mut().zip(x).zip(v) {
        *next = x + share * v + noise * *next;
    }
    Fate::Alive
}
