//! The exact score of the uniform law on a sphere.

use std::f64::consts::PI;

use statrs::function::gamma::ln_gamma;

use super::Score;
use super::angle::{AngleQuadrature, Angular, Place, Sides, Sums};
use crate::error::{Result, at_least, positive};
use crate::killed::KilledBrownianMotion;

/// s = ∇ log u for the uniform law on the sphere S^k of radius R around the origin, in the first k + 1 coordinates of R^d, under
/// killed Brownian motion: u(x) = ∫ G_r(x, y) α(dy), with g and D as the averages of R19.
///
/// By symmetry u depends on the lengths of x within the space of the sphere and off it, and is an integral over the angle θ to
/// the nearest point, with the density of sin^{k-1} θ. In codimension d - k >= 2, u and the score have a relative error below
/// 1e-8 at any distance, mostly far below. In codimension 1 the data are not polar: u is finite on the sphere, where the
/// score jumps, and next to it the score, a small difference of the pulls from both sides, is known to 1e-6 √d a/σ.
#[derive(Debug, Clone)]
pub struct SphereScore {
    angle: AngleQuadrature,
    intrinsic: usize,
    log_normaliser: f64,
}

impl SphereScore {
    /// The sphere of dimension `intrinsic` = k, 1 <= k < d, and `radius` R > 0 (length), under `process`.
    ///
    /// # Errors
    /// If k is zero or not below d, or `radius` is not positive and finite.
    pub fn new(process: &KilledBrownianMotion, intrinsic: usize, radius: f64) -> Result<Self> {
        at_least("intrinsic", 1, intrinsic)?;
        at_least("dim", intrinsic + 1, process.dim())?;
        let k = intrinsic as f64;
        // ∫ sin^{k-1} over [0, π].
        let log_normaliser = 0.5 * PI.ln() + ln_gamma(0.5 * k) - ln_gamma(0.5 * (k + 1.0));
        let angle = AngleQuadrature::new(process.green(), positive("radius", radius)?);
        Ok(Self { angle, intrinsic, log_normaliser })
    }

    /// k.
    pub fn intrinsic(&self) -> usize {
        self.intrinsic
    }

    /// R.
    pub fn radius(&self) -> f64 {
        self.angle.radius()
    }

    /// log u at `x` (length d), in nats.
    ///
    /// # Panics
    /// If `x` has not length d.
    pub fn log_density(&self, x: &[f64]) -> f64 {
        assert_eq!(x.len(), self.dim(), "length of x");
        self.integrals(x).1.log_mass() - self.log_normaliser
    }

    fn integrals(&self, x: &[f64]) -> (Place, Sums) {
        let square = |x: &[f64]| x.iter().map(|x| x * x).sum::<f64>();
        let (within, off) = x.split_at(self.intrinsic + 1);
        let place = self.angle.place(square(within), square(off));
        (place, self.angle.integrate(&place, &SinePower(self.intrinsic as f64 - 1.0)))
    }
}

/// sin^p θ.
struct SinePower(f64);

impl Angular for SinePower {
    /// All in one half: an angle in [0, π] stands for all points that far away.
    fn density(&self, _theta: f64, sine: f64) -> Sides {
        let log_factor = if self.0 == 0.0 { 0.0 } else { self.0 * sine.ln() };
        Sides { log_factor, sum: 1.0, difference: 0.0 }
    }

    fn swing(&self, near: f64) -> f64 {
        self.0 * f64::max(-near.ln(), 0.0)
    }

    fn repels(&self) -> bool {
        self.0 > 0.0
    }
}

impl Score for SphereScore {
    fn dim(&self) -> usize {
        self.angle.dim()
    }

    fn evaluate(&self, points: &[f64], gains: &mut [f64], displacements: &mut [f64]) {
        let d = self.dim();
        let rows = points.chunks_exact(d).zip(displacements.chunks_exact_mut(d));
        for ((x, v), gain) in rows.zip(gains) {
            let (place, sums) = self.integrals(x);
            *gain = sums.gain();
            let (along, _) = self.angle.displacement(&place, &sums);
            // At the centre there is no direction and nothing to move by.
            let factor = if place.in_plane > 0.0 { along / place.in_plane } else { 0.0 };
            for (i, (v, x)) in v.iter_mut().zip(x).enumerate() {
                *v = if i <= self.intrinsic { factor * x } else { -x };
            }
        }
    }
}
