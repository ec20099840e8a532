//! κ = Σ κ_i δ_{z_i}: a point, a law of death from a fixed start, any weighted atoms.

use nalgebra::DMatrix;
use rand::{Rng, RngExt};

use super::HTransform;
use crate::error::{Error, Result, dimension, finite};
use crate::killed::{CLOSEST, Resolvent, distance_squared};
use crate::measure::EmpiricalMeasure;

/// h(x) = Σ_i κ_i g_r(x, z_i), for any process whose Green kernel is known. Z^h dies at z_i with probability
/// κ_i g_r(x, z_i)/h(x) (R7).
///
/// The backward process of any h-transform from weighted data is of this kind too, with κ_i = α_i/h(y_i) (R9):
/// [`death_law`](Self::death_law) is then R10, and the deaths drawn are its end points and lifetimes.
#[derive(Debug, Clone)]
pub struct Atoms<P> {
    process: P,
    kappa: EmpiricalMeasure,
}

impl<P: Resolvent> Atoms<P> {
    /// κ = δ_z / g_r(x_0, z): every path dies at `z` (d). The start `x0` (d) fixes the scale of h, h(x_0) = 1, which nothing
    /// depends on, and must lie elsewhere in dimension 2 and above.
    ///
    /// # Errors
    /// If `z` or `x0` has not length d or is not finite, or they coincide where points are polar.
    pub fn point(process: P, z: &[f64], x0: &[f64]) -> Result<Self> {
        Self::from_start(process, x0, &EmpiricalMeasure::new(DMatrix::from_column_slice(z.len(), 1, z))?)
    }

    /// κ(dy) = β(dy)/g_r(x_0, y): from `x0` (d) the process dies with the law `beta`.
    ///
    /// # Errors
    /// If the dimensions differ, `x0` is not finite, or it is one of the points of `beta` in dimension 2 and above.
    pub fn from_start(process: P, x0: &[f64], beta: &EmpiricalMeasure) -> Result<Self> {
        dimension("beta", process.dim(), beta.dim())?;
        dimension("x0", process.dim(), x0.len())?;
        finite("x0", &DMatrix::from_column_slice(x0.len(), 1, x0))?;
        if let Some(index) = (0..beta.len()).find(|&i| polar_coincidence(x0, beta.point(i))) {
            return Err(Error::OnSupport { name: "point of x0", index, support: "beta" });
        }
        let mut scratch = vec![0.0; x0.len()];
        let log_weights: Vec<f64> = (0..beta.len())
            .map(|i| beta.log_weights()[i] - process.log_kernel_and_gradient(x0, beta.point(i), &mut scratch))
            .collect();
        Self::weighted(process, EmpiricalMeasure::log_weighted(beta.points().clone(), &log_weights)?)
    }

    /// κ = `kappa`, whose total mass is immaterial.
    ///
    /// # Errors
    /// If the dimensions differ.
    pub fn weighted(process: P, kappa: EmpiricalMeasure) -> Result<Self> {
        dimension("kappa", process.dim(), kappa.dim())?;
        Ok(Self { process, kappa })
    }

    /// The process that is conditioned.
    pub fn process(&self) -> &P {
        &self.process
    }

    /// κ, of mass one.
    pub fn kappa(&self) -> &EmpiricalMeasure {
        &self.kappa
    }

    /// R7, or R10 for the backward process: the law of the place of death from `x` (d), one probability for each atom.
    pub fn death_law(&self, x: &[f64]) -> Vec<f64> {
        let mut gradient = vec![0.0; x.len()];
        let mut law: Vec<f64> = (0..self.kappa.len()).map(|i| self.log_term(x, i, &mut gradient)).collect();
        let peak = law.iter().fold(f64::NEG_INFINITY, |a, w| a.max(*w));
        law.iter_mut()
            .for_each(|w| *w = if peak.is_finite() { f64::exp(*w - peak) } else { f64::from(*w == peak) });
        let total: f64 = law.iter().sum();
        law.iter_mut().for_each(|w| *w /= total);
        law
    }

    /// log(κ_i g_r(x, z_i)), infinite at z_i where points are polar; its gradient in x is left in `gradient`.
    fn log_term(&self, x: &[f64], i: usize, gradient: &mut [f64]) -> f64 {
        let z = self.kappa.point(i);
        let log_kernel = self.process.log_kernel_and_gradient(x, z, gradient);
        if polar_coincidence(x, z) { f64::INFINITY } else { self.kappa.log_weights()[i] + log_kernel }
    }
}

impl<P: Resolvent> HTransform for Atoms<P> {
    fn dim(&self) -> usize {
        self.kappa.dim()
    }

    fn log_value_and_gradient(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
        let mut term = vec![0.0; x.len()];
        let (mut peak, mut mass) = (f64::NEG_INFINITY, 0.0);
        gradient.fill(0.0);
        for i in 0..self.kappa.len() {
            let log_term = self.log_term(x, i, &mut term);
            if log_term == f64::INFINITY {
                gradient.copy_from_slice(&term);
                return log_term;
            }
            // Sums relative to the largest term so far.
            if log_term > peak {
                let shrink = f64::exp(peak - log_term);
                mass *= shrink;
                gradient.iter_mut().for_each(|g| *g *= shrink);
                peak = log_term;
            }
            let weight = f64::exp(log_term - peak);
            mass += weight;
            gradient.iter_mut().zip(&term).for_each(|(g, t)| *g += weight * t);
        }
        gradient.iter_mut().for_each(|g| *g /= mass);
        peak + mass.ln()
    }

    fn death_into(&self, x: &[f64], rng: &mut dyn Rng, out: &mut [f64]) -> f64 {
        let (mut peak, mut mass, mut held) = (f64::NEG_INFINITY, 0.0, 0);
        // An atom replaces the one held with probability its share of the mass so far; `out` serves as scratch.
        for i in 0..self.kappa.len() {
            let log_term = self.log_term(x, i, out);
            if log_term == f64::INFINITY {
                out.copy_from_slice(x);
                return 0.0;
            }
            if log_term > peak {
                mass *= f64::exp(peak - log_term);
                peak = log_term;
            }
            let weight = f64::exp(log_term - peak);
            mass += weight;
            if rng.random::<f64>() * mass < weight {
                held = i;
            }
        }
        out.copy_from_slice(self.kappa.point(held));
        self.process.lifetime_between(x, self.kappa.point(held), rng)
    }
}

/// Are the points the same to every kernel, in a dimension where the Green kernel is infinite there?
fn polar_coincidence(x: &[f64], y: &[f64]) -> bool {
    x.len() > 1 && distance_squared(x, y) <= CLOSEST * CLOSEST
}
