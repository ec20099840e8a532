//! The uniform law on a sphere.

use std::f64::consts::TAU;

use resolvent_special::{log_i, ratio_i};
use statrs::function::gamma::ln_gamma;

use super::{Denoiser, NoisyDensity, norm};
use crate::error::{Result, at_least, positive};
use crate::schedule::Level;

/// The uniform law on the sphere S^k of radius R around the origin, in the first k + 1 coordinates of R^d; k = 1 is a circle.
///
/// Given x the point on the sphere is von Mises-Fisher: with y the first k + 1 coordinates of x, κ = α R |y|/σ² and
/// ν = (k - 1)/2 its mean is D = R A(κ) y/|y|, A = I_{ν+1}/I_ν, and the density of x is the Gaussian one at distance
/// (|x|² + α² R²)^{1/2} times Γ(ν+1) (2/κ)^ν I_ν(κ) (Mardia and Jupp 2000, section 9.3).
#[derive(Debug, Clone, PartialEq)]
pub struct UniformSphere {
    dim: usize,
    intrinsic: usize,
    radius: f64,
    order: f64,
    log_gamma: f64,
}

impl UniformSphere {
    /// The sphere of dimension `intrinsic` = k >= 1 and `radius` R > 0 in R^`dim`, `dim` >= k + 1.
    ///
    /// # Errors
    /// If k is zero, `dim` is too small, or `radius` is not positive and finite.
    pub fn new(intrinsic: usize, radius: f64, dim: usize) -> Result<Self> {
        at_least("intrinsic", 1, intrinsic)?;
        at_least("dim", intrinsic + 1, dim)?;
        let order = 0.5 * (intrinsic as f64 - 1.0);
        Ok(Self {
            dim,
            intrinsic,
            radius: positive("radius", radius)?,
            order,
            log_gamma: ln_gamma(order + 1.0),
        })
    }

    /// k.
    pub fn intrinsic(&self) -> usize {
        self.intrinsic
    }

    /// R.
    pub fn radius(&self) -> f64 {
        self.radius
    }

    /// The part of `x` in the space of the sphere, its length and κ.
    fn concentration<'x>(&self, level: &Level, x: &'x [f64]) -> (&'x [f64], f64, f64) {
        let y = &x[..=self.intrinsic];
        let length = norm(y);
        let pull = level.alpha * self.radius * length;
        // Where the pull is zero there is no direction, whatever σ.
        let kappa = if pull == 0.0 { 0.0 } else { pull / (level.sigma * level.sigma) };
        (y, length, kappa)
    }

    /// log[Γ(ν+1) (2/κ)^ν I_ν(κ)] - κ.
    fn log_normaliser(&self, kappa: f64) -> f64 {
        // Below, two terms of the power series (DLMF 10.25.2) are exact to rounding.
        const SMALL: f64 = 1e-4;
        let nu = self.order;
        if kappa < SMALL {
            return kappa * kappa / (4.0 * (nu + 1.0)) - kappa;
        }
        self.log_gamma + nu * (2.0 / kappa).ln() + log_scaled_i(nu, kappa)
    }
}

/// From this z on six terms of Hankel's expansion of I_ν(z) (DLMF 10.40.1) are exact to rounding, and closed forms that
/// subtract its leading part lose digits.
fn far(nu: f64) -> f64 {
    1e3 * (1.0 + nu * nu)
}

/// z A'(z) for z > 0, with A = I_{ν+1}/I_ν and A' = 1 - A² - (2ν+1) A/z.
fn scaled_slope(nu: f64, z: f64) -> f64 {
    const TERMS: usize = 6;
    let odd = 2.0 * nu + 1.0;
    if z < far(nu) {
        let ratio = ratio_i(nu, z);
        return z * (1.0 - ratio * ratio) - odd * ratio;
    }
    // The terms a_n z^-n of A: by the equation for A', a_1 = -(2ν+1)/2, a_2 = (4ν²-1)/8, and from then on
    // 2 a_n = (n-1) a_{n-1} - Σ a_i a_{n-i} over i = 2 .. n-2.
    let mut terms = [0.0; TERMS + 1];
    terms[1] = -0.5 * odd / z;
    terms[2] = 0.125 * odd * (2.0 * nu - 1.0) / z / z;
    for n in 3..=TERMS {
        let products: f64 = (2..n - 1).map(|i| terms[i] * terms[n - i]).sum();
        terms[n] = 0.5 * ((n - 1) as f64 * terms[n - 1] / z - products);
    }
    (1..=TERMS).rev().map(|n| -(n as f64) * terms[n]).sum()
}

/// log(e^-z I_ν(z)) for z > 0.
fn log_scaled_i(nu: f64, z: f64) -> f64 {
    if z < far(nu) {
        return log_i(nu, z) - z;
    }
    let mu = 4.0 * nu * nu;
    let (mut term, mut sum) = (1.0, 0.0);
    for k in 1..=6 {
        let odd = f64::from(2 * k - 1);
        term *= -(mu - odd * odd) / (8.0 * z * f64::from(k));
        sum += term;
    }
    f64::ln_1p(sum) - 0.5 * (TAU * z).ln()
}

impl Denoiser for UniformSphere {
    fn dim(&self) -> usize {
        self.dim
    }

    /// At the centre of the sphere, where there is no direction, D = 0.
    fn denoise(&self, level: &Level, points: &[f64], denoised: &mut [f64]) {
        for (x, out) in points.chunks_exact(self.dim).zip(denoised.chunks_exact_mut(self.dim)) {
            let (y, length, kappa) = self.concentration(level, x);
            let factor = if length == 0.0 { 0.0 } else { self.radius * ratio_i(self.order, kappa) / length };
            out.fill(0.0);
            out.iter_mut().zip(y).for_each(|(o, y)| *o = factor * y);
        }
    }

    /// R A/|y| across the radius and (α R²/σ²) A' = R κ A'/|y| along it.
    fn jacobian_product(&self, level: &Level, x: &[f64], v: &[f64], out: &mut [f64]) {
        let (y, length, kappa) = self.concentration(level, x);
        out.fill(0.0);
        // A/κ and A' tend to the same limit at the centre.
        let (across, along) = if kappa == 0.0 {
            let both = 0.5 / (self.order + 1.0) * level.alpha * (self.radius / level.sigma).powi(2);
            (both, both)
        } else {
            // κ = α R |y|/σ² may be infinite; κ A' is not.
            let scale = self.radius / length;
            (scale * ratio_i(self.order, kappa), scale * scaled_slope(self.order, kappa))
        };
        let projection = y.iter().zip(v).map(|(y, v)| y * v).sum::<f64>() / (length * length);
        for ((o, y), v) in out.iter_mut().zip(y).zip(v) {
            let radial = if length == 0.0 { 0.0 } else { projection * y };
            *o = across * (v - radial) + along * radial;
        }
    }
}

impl NoisyDensity for UniformSphere {
    fn log_densities(&self, level: &Level, points: &[f64], out: &mut [f64]) {
        let variance = level.sigma * level.sigma;
        let constant = -0.5 * self.dim as f64 * (TAU * variance).ln();
        for (x, out) in points.chunks_exact(self.dim).zip(out) {
            let (y, length, kappa) = self.concentration(level, x);
            // |x|² + α² R² - 2 σ² κ without the cancellation.
            let beside = norm(&x[y.len()..]);
            let squared = (length - level.alpha * self.radius).powi(2) + beside * beside;
            *out = constant - 0.5 * squared / variance + self.log_normaliser(kappa);
        }
    }
}
