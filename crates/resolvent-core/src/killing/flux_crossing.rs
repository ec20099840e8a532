//! Killed where a line of the flux meets a support of codimension one.

use rand::RngExt;

use super::{Hypersurface, KillingRule, Memory};
use crate::error::{Result, positive};
use crate::killed::LocallyBrownian;
use crate::random::Stream;
use crate::sampler::Local;

/// From this many resolutions on a line is taken to M with steps of one.
const CLOSE: f64 = 2.0;

/// For the [flux flow](crate::step::Flux) to a hypersurface M that carries the data with the surface density α_M. The normal part of
/// the flux jumps by α_M across M, so of the lines that come in with the flux J_in across a unit of surface the share α_M/J_in ends
/// there, and the others go through. Where lines come in from both sides all end.
///
/// A line that comes within the resolution of M, or is seen on the other side of it, is killed with the probability q/w,
/// q = α_M/u, where w is the speed (per unit of τ) at which the last step brought it nearer: J_in = u w. It dies at its projection to M. Steps are such that
/// the last one is about as long as the resolution, so the error is of its order. A step with noise is not killed: that needs
/// [`LocalTime`](super::LocalTime).
///
/// The gain of the data (R19) explodes on M, where the score does not, and steps measured by it end there for ever. Lines go through
/// if the score is given as a [`VectorField`](crate::score::VectorField).
#[derive(Debug, Clone)]
pub struct FluxCrossing<H> {
    surface: H,
    resolution: f64,
}

impl<H: Hypersurface> FluxCrossing<H> {
    /// Killing on `surface` with the resolution `resolution` > 0 (length).
    ///
    /// # Errors
    /// If `resolution` is not positive and finite.
    pub fn new(surface: H, resolution: f64) -> Result<Self> {
        Ok(Self { surface, resolution: positive("resolution", resolution)? })
    }
}

/// Remembers the signed distance at the last look, and the side to which a line that was spared is on its way, or 0.
impl<P: LocallyBrownian + ?Sized, H: Hypersurface> KillingRule<P> for FluxCrossing<H> {
    fn kills(&self, [distance, bound]: &mut Memory, at: &Local<'_, P>, rng: &mut Stream) -> bool {
        let now = self.surface.signed_distance(at.point);
        let before = std::mem::replace(distance, now);
        if at.steps == 0 || !at.flows {
            return false;
        }
        if *bound != 0.0 {
            if now * *bound > 0.0 || now.abs() > CLOSE * self.resolution {
                *bound = 0.0;
            }
            return false;
        }
        let across = before * now < 0.0;
        let nearer = if across { before.abs() + now.abs() } else { before.abs() - now.abs() };
        if !across && (nearer <= 0.0 || now.abs() > self.resolution) {
            return false;
        }
        if rng.random::<f64>() * nearer < self.surface.rate(at.point) * at.last_step {
            return true;
        }
        *bound = if across { 0.0 } else { -now.signum() };
        false
    }

    fn longest_step(&self, [distance, _]: &Memory, at: &Local<'_, P>) -> f64 {
        if !at.flows {
            return f64::INFINITY;
        }
        let sigma = at.process.brownian().sigma();
        let reach = f64::max(distance.abs() - CLOSE * self.resolution, self.resolution);
        reach / (0.5 * sigma * sigma * at.score_norm())
    }

    fn death(&self, _memory: &Memory, _at: &Local<'_, P>, place: &mut [f64]) -> f64 {
        self.surface.project(place);
        0.0
    }
}
