//! The flux flow (R2): the deterministic counterpart of the backward process.
//!
//! The occupation density u of a process started in α and killed at rate r has the flux J = b u - ½ div(Σ u) with
//! div J = α - r u, so the lines of -J carry the law r u back to α. They solve dx/dτ = -J/u = -b + ½ div Σ + ½ Σ ∇ log u, which is
//! autonomous: only its direction matters for where a line ends, and τ for the rate at which a [density](crate::killing::Hazard)
//! kills along it.
//!
//! All schemes here run in a time s of their own, dτ = m ds with m = 2/(σ² g) (R19), in which
//!
//! dx/ds = D(x) - x, D - x = m (-b + ½ div Σ) + v,
//!
//! v being the displacement of the score. Near the data D settles, and the distance to them falls like e^-s whatever it is; were D
//! constant, as it is for a single atom and no drift, one step of any length would be exact.

mod adaptive;
mod heun;
mod multistep;

pub use adaptive::AdaptiveFlux;
pub use heun::Flux;
pub use multistep::MultistepFlux;

use crate::killed::LocallyBrownian;
use crate::reversal::{Work, ode_drift};
use crate::sampler::Local;

/// The longest step in s: a distance to the data is left of which a step sees nothing.
const LONGEST: f64 = 6.0;

/// v ← D - x; returns m.
fn velocity<P: LocallyBrownian + ?Sized>(at: &Local<'_, P>, velocity: &mut [f64], work: &mut Work) -> f64 {
    for (f, v) in velocity.iter_mut().zip(at.displacement) {
        *f = at.gain * v;
    }
    ode_drift(at.process, at.time, at.point, velocity, work);
    let slowness = slowness(at);
    velocity.iter_mut().for_each(|f| *f *= slowness);
    slowness
}

/// m = dτ/ds.
pub(crate) fn slowness<P: LocallyBrownian + ?Sized>(at: &Local<'_, P>) -> f64 {
    2.0 / (at.process.brownian().sigma().powi(2) * at.gain)
}

/// -d log m/ds on the way to a single atom with this gain: by R_ν' = R_ν² - (2ν+1) R_ν/z - 1 (DLMF 10.29.2) it is
/// d + z/R_ν - z R_ν, between 1 (far) and 2 (near).
pub(crate) fn quickening<P: LocallyBrownian + ?Sized>(at: &Local<'_, P>) -> f64 {
    let green = at.process.brownian().green();
    let (radius, decay) = (at.radius(), green.decay());
    (green.dim() as f64 + decay * decay / at.gain - at.gain * radius * radius).clamp(1.0, 2.0)
}

/// The s after which the time `dt` has passed if m e^{slope s} is the slowness, at most [`LONGEST`]; m > 0.
fn length(dt: f64, slowness: f64, slope: f64) -> f64 {
    let share = dt / slowness;
    let product = slope * share;
    // The time that is left may never pass: the line ends first.
    if product <= -1.0 {
        return LONGEST;
    }
    let length = if product.abs() < 1e-12 { share } else { share * product.ln_1p() / product };
    length.min(LONGEST)
}

/// What a scheme remembers of a place at which it has evaluated the score.
struct Course<'c> {
    /// x.
    x: &'c mut [f64],
    /// D - x there.
    velocity: &'c mut [f64],
    /// m there.
    slowness: &'c mut f64,
    /// How far the particle has gone from there, in s.
    length: &'c mut f64,
}

impl<'c> Course<'c> {
    /// Numbers that it takes.
    fn size(dim: usize) -> usize {
        2 * dim + 2
    }

    fn new(carry: &'c mut [f64]) -> Self {
        let (rest, [slowness, length]) = carry.split_last_chunk_mut().expect("room for two numbers");
        let (x, velocity) = rest.split_at_mut(rest.len() / 2);
        Self { x, velocity, slowness, length }
    }

    /// change ← the change of D per unit of s from there to the place `x`, where D - x is `velocity` and m is `slowness`; returns
    /// that of log m.
    fn change(&self, x: &[f64], velocity: &[f64], slowness: f64, change: &mut [f64]) -> f64 {
        for (i, change) in change.iter_mut().enumerate() {
            *change = ((x[i] - self.x[i]) + (velocity[i] - self.velocity[i])) / *self.length;
        }
        f64::ln(slowness / *self.slowness) / *self.length
    }
}

/// next ← x(s) for dx/ds = D - x from `x`, where D - x is `velocity`, and D changes by `change` per unit of s:
/// x + (1 - e^-s) (D - x) + (s - 1 + e^-s) change.
fn follow(s: f64, x: &[f64], velocity: &[f64], change: &[f64], next: &mut [f64]) {
    let share = -f64::exp_m1(-s);
    let lag = s - share;
    for (i, next) in next.iter_mut().enumerate() {
        *next = x[i] + share * velocity[i] + lag * change[i];
    }
}
