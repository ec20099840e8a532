//! The bridge step towards an end point drawn from the posterior.

use rand::RngExt;

use super::bridge::bridge;
use super::{Fate, Step};
use crate::random::Stream;
use crate::reversal::Work;
use crate::sampler::{Batch, Local};
use crate::score::PosteriorScore;

/// R18 with a true end point: y_i is drawn with the posterior weight w_i of R10, and the particle takes a piece of the
/// bridge to it. Exact for any data, at any step size fixed before the draw.
pub struct PosteriorBridge<'a, P: ?Sized> {
    posterior: &'a P,
}

impl<'a, P: PosteriorScore + ?Sized> PosteriorBridge<'a, P> {
    /// The exact step for the data behind `posterior`.
    pub fn new(posterior: &'a P) -> Self {
        Self { posterior }
    }
}

impl<P: PosteriorScore + ?Sized> Step for PosteriorBridge<'_, P> {
    fn evaluate(&self, batch: &mut Batch) {
        for (u, rng) in batch.uniforms.iter_mut().zip(&mut batch.rngs) {
            *u = rng.random();
        }
        self.posterior.evaluate_and_draw(
            &batch.points,
            &batch.uniforms,
            &mut batch.gains,
            &mut batch.displacements,
            &mut batch.atoms,
        );
    }

    fn advance(
        &self,
        at: &Local<'_>,
        dt: f64,
        rng: &mut Stream,
        next: &mut [f64],
        _carry: &mut [f64],
        work: &mut Work,
    ) -> Fate {
        let atom = self.posterior.atom(at.atom);
        let mut squared = 0.0;
        for ((v, y), x) in work.vector.iter_mut().zip(atom).zip(at.point) {
            *v = y - x;
            squared += *v * *v;
        }
        let fate = bridge(at.process, at.point, &work.vector, squared.sqrt(), dt, rng, next);
        if fate != Fate::Alive {
            // The end point is the datum to the last bit.
            next.copy_from_slice(atom);
        }
        fate
    }

    fn samples_lifetime(&self) -> bool {
        true
    }
}
