//! κ = surface measure of a sphere: death at the last exit from it.

use std::f64::consts::LN_2;

use rand::{Rng, RngExt};
use rand_distr::Distribution;
use resolvent_special::{log_i, log_k, ratio_i, ratio_k};
use statrs::function::gamma::ln_gamma;

use super::HTransform;
use super::last_exit::LastExit;
use super::von_mises_fisher::{around, uniform};
use crate::error::{Result, positive};
use crate::killed::KilledBrownianMotion;

/// Below this argument I_ν is the first term of its series to the last bit.
const SMALL: f64 = 1e-9;

/// κ the surface measure of the sphere |y| = R, for killed Brownian motion alone: Z^h dies when it leaves the sphere for the
/// last time. In dimension 1 the sphere is the two points ±R.
///
/// R8: h(x) = (2R/σ²) (R/|x|)^ν I_ν(k min(|x|, R)) K_ν(k max(|x|, R)), k = a/σ. At fixed r the place of death does not
/// become uniform as R grows: from x it tends to a von Mises-Fisher law of concentration k |x|.
#[derive(Debug, Clone, PartialEq)]
pub struct Sphere {
    process: KilledBrownianMotion,
    radius: f64,
}

impl Sphere {
    /// The sphere of radius `radius` > 0 (length) around the origin.
    ///
    /// # Errors
    /// If `radius` is not positive and finite.
    pub fn new(process: &KilledBrownianMotion, radius: f64) -> Result<Self> {
        Ok(Self { process: process.clone(), radius: positive("radius", radius)? })
    }

    /// The process that is conditioned.
    pub fn process(&self) -> &KilledBrownianMotion {
        &self.process
    }

    /// R.
    pub fn radius(&self) -> f64 {
        self.radius
    }

    /// log h and d log h/d|x| at |x| = s; on the sphere, where the slope jumps, the mean of both sides.
    fn log_value_and_slope(&self, s: f64) -> (f64, f64) {
        let green = self.process.green();
        let (nu, k, radius) = (0.5 * green.dim() as f64 - 1.0, green.decay(), self.radius);
        let log_scale = LN_2 + radius.ln() - 2.0 * self.process.sigma().ln();
        let inner_slope = |s: f64| k * ratio_i(nu, k * s);
        let outer_slope = |s: f64| if k > 0.0 { -k * ratio_k(nu, k * s) } else { -2.0 * nu / s };
        // log((R/s)^ν I_ν(k min) K_ν(k max)).
        let log_product = if k == 0.0 {
            -(2.0 * nu).ln() - if s > radius { 2.0 * nu * (s / radius).ln() } else { 0.0 }
        } else if s <= radius {
            nu * radius.ln() + log_scaled_i(nu, k, s) + log_k(nu, k * radius)
        } else {
            nu * (radius / s).ln() + log_i(nu, k * radius) + log_k(nu, k * s)
        };
        let slope = if s < radius {
            inner_slope(s)
        } else if s > radius {
            outer_slope(s)
        } else {
            0.5 * (inner_slope(s) + outer_slope(s))
        };
        (log_scale + log_product, slope)
    }
}

/// log(s^{-ν} I_ν(k s)), down to s = 0.
fn log_scaled_i(nu: f64, k: f64, s: f64) -> f64 {
    if k * s < SMALL { nu * (0.5 * k).ln() - ln_gamma(nu + 1.0) } else { log_i(nu, k * s) - nu * s.ln() }
}

impl HTransform for Sphere {
    fn dim(&self) -> usize {
        self.process.dim()
    }

    fn log_value_and_gradient(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
        let s = norm(x);
        let (log_value, slope) = self.log_value_and_slope(s);
        let factor = if s > 0.0 { slope / s } else { 0.0 };
        gradient.iter_mut().zip(x).for_each(|(g, x)| *g = factor * x);
        log_value
    }

    /// The lifetime ζ is drawn first, with density proportional to e^{-rt} ∫ p_t(x, y) dS(y); the place given ζ has the von
    /// Mises-Fisher law of concentration |x| R/(σ² ζ). Given the place the lifetime has the law R11.
    fn death_into(&self, x: &[f64], rng: &mut dyn Rng, out: &mut [f64]) -> f64 {
        let (s, green) = (norm(x), self.process.green());
        if x.len() == 1 {
            // The two points by R7; no angle there.
            let (right, left) =
                (green.log_value((x[0] - self.radius).abs()), green.log_value((x[0] + self.radius).abs()));
            let side = if rng.random::<f64>() * (1.0 + f64::exp(left - right)) < 1.0 { 1.0 } else { -1.0 };
            out[0] = side * self.radius;
            return green.lifetime((x[0] - out[0]).abs()).sample(rng);
        }
        let variance = self.process.sigma() * self.process.sigma();
        let product = s * self.radius / variance;
        if product < f64::MIN_POSITIVE {
            uniform(self.radius, rng, out);
            return green.lifetime(self.radius).sample(rng);
        }
        let gap = (self.radius - s).powi(2) / variance;
        let lifetime = LastExit::new(green.dim(), self.process.rate(), gap, product).sample(rng);
        around(x, self.radius, product / lifetime, rng, out);
        lifetime
    }
}

fn norm(x: &[f64]) -> f64 {
    x.iter().map(|x| x * x).sum::<f64>().sqrt()
}
