//! Variance preserving, cosine.

use std::f64::consts::FRAC_PI_2;

use super::{Level, Rates, Schedule};
use crate::error::{Error, Result};

/// α(t) = cos θ(t)/cos θ(0) with θ(t) = π/2 (t + s)/(1 + s), σ² = 1 - α² (Nichol and Dhariwal 2021, eq. 17, in
/// continuous time): dX = -½ β X dt + √β dW with β = π/(1 + s) tan θ.
///
/// β would be infinite at t = 1, so the horizon is less than 1. The field clips the discrete β at 0.999
/// ([`DdpmBetas::cosine`](super::DdpmBetas::cosine)); in continuous time it stops at T = 0.9946 (Lu et al. 2022,
/// DPM-Solver, appendix D), where α = 0.0084 and β = 370.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct VpCosine {
    offset: f64,
    horizon: f64,
}

impl Default for VpCosine {
    /// s = 0.008, T = 0.9946.
    fn default() -> Self {
        Self { offset: 0.008, horizon: 0.9946 }
    }
}

impl VpCosine {
    /// The `offset` s in [0, 1], which keeps β(0) from zero, and the `horizon` T in (0, 1).
    ///
    /// # Errors
    /// If s does not lie in [0, 1], or T between 0 and 1.
    pub fn new(offset: f64, horizon: f64) -> Result<Self> {
        if !(horizon > 0.0 && horizon < 1.0) {
            return Err(Error::Outside { name: "horizon (below 1)", low: 0.0, high: 1.0, value: horizon });
        }
        if !(0.0..=1.0).contains(&offset) {
            return Err(Error::Outside { name: "offset", low: 0.0, high: 1.0, value: offset });
        }
        Ok(Self { offset, horizon })
    }

    /// β(t).
    pub fn beta(&self, t: f64) -> f64 {
        2.0 * self.speed() * self.angle(t).tan()
    }

    fn angle(&self, t: f64) -> f64 {
        angle(t, self.offset)
    }

    /// dθ/dt.
    fn speed(&self) -> f64 {
        FRAC_PI_2 / (1.0 + self.offset)
    }
}

/// θ(t) = π/2 (t + s)/(1 + s).
pub(super) fn angle(t: f64, offset: f64) -> f64 {
    FRAC_PI_2 * (t + offset) / (1.0 + offset)
}

impl Schedule for VpCosine {
    fn horizon(&self) -> f64 {
        self.horizon
    }

    /// σ² = sin(θ - θ_0) sin(θ + θ_0)/cos² θ_0, which does not cancel at small t.
    fn level(&self, t: f64) -> Level {
        let (first, angle) = (self.angle(0.0), self.angle(t));
        let variance = (self.speed() * t).sin() * (angle + first).sin();
        Level { time: t, alpha: angle.cos() / first.cos(), sigma: variance.max(0.0).sqrt() / first.cos() }
    }

    fn rates(&self, t: f64) -> Rates {
        let beta = self.beta(t);
        Rates { drift: -0.5 * beta, noise: beta }
    }

    /// tan² θ = tan² θ_0 + (σ/α)²/cos² θ_0, and θ - θ_0 from the difference of the tangents.
    fn time_of_ratio(&self, ratio: f64) -> f64 {
        if ratio <= 0.0 {
            return 0.0;
        }
        if ratio == f64::INFINITY {
            return self.horizon;
        }
        let (first, scaled) = (self.angle(0.0).tan(), ratio / self.angle(0.0).cos());
        let tangent = first.hypot(scaled);
        let difference = scaled * (scaled / (tangent + first));
        ((difference / (1.0 + tangent * first)).atan() / self.speed()).min(self.horizon)
    }

    fn prior_deviation(&self) -> f64 {
        1.0
    }
}
