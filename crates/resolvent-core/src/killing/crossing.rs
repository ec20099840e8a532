//! Entering a neighbourhood between two looks.

use rand::RngExt;

use super::Memory;
use crate::killed::LocallyBrownian;
use crate::random::Stream;
use crate::sampler::Local;

/// A step covers at most this share of the gap. Smaller steps almost never pass through the whole neighbourhood unseen.
const SHARE: f64 = 0.25;
/// A particle may enter the neighbourhood by this share of its radius.
const TOLERANCE: f64 = 0.05;

/// Has the particle entered the neighbourhood of radius `radius`, given its `distance` now and (in `memory[0]`) before the
/// last step? An infinite distance is not looked at.
///
/// Between two looks at distances ρ and ρ' a Brownian path in three dimensions has come within δ with probability
/// (e^{-2(ρ-δ)(ρ'-δ)/t} - e^{-2ρρ'/t}) / (1 - e^{-2ρρ'/t}), t = σ² dt: its distance is a Bessel bridge, that is a
/// Brownian bridge kept positive (Williams 1974), and the reflection principle gives the rest. It is taken in every codimension: exact
/// in 3, an upper bound above, and slightly too small below.
pub(super) fn entered<P: LocallyBrownian + ?Sized>(
    memory: &mut Memory,
    distance: f64,
    radius: f64,
    at: &Local<'_, P>,
    rng: &mut Stream,
) -> bool {
    let before = std::mem::replace(&mut memory[0], distance);
    if distance <= radius {
        return true;
    }
    if at.steps == 0 || at.flows || !(before * distance).is_finite() {
        return false;
    }
    let variance = at.process.brownian().sigma().powi(2) * at.last_step;
    let within = f64::exp(-2.0 * (before - radius) * (distance - radius) / variance);
    let through = f64::exp(-2.0 * before * distance / variance);
    // Most steps are too far away to need a random number.
    within > 1e-15 && rng.random::<f64>() * (1.0 - through) < within - through
}

/// The longest step at `distance` from a support that neither noise nor drift carries far into its neighbourhood of radius
/// `radius`.
pub(super) fn longest_step<P: LocallyBrownian + ?Sized>(
    distance: f64,
    radius: f64,
    at: &Local<'_, P>,
) -> f64 {
    let sigma = at.process.brownian().sigma();
    let reach = f64::max(SHARE * (distance - radius), TOLERANCE * radius) / sigma;
    let speed = sigma * at.score_norm();
    // A flow goes at half the drift and has no noise.
    if at.flows { 2.0 * reach / speed } else { f64::min(reach * reach, reach / speed) }
}
