//! The place and time of death without a time step.

use nalgebra::{DMatrix, DVector, SVD};
use rand::{Rng, RngExt};
use rand_distr::{Exp1, StandardNormal};

use super::kernel::{Coefficients, Kernel, Survivors};
use super::{KilledLinear, QuadraticRate};
use crate::affine::Transition;
use crate::error::{Error, Result};
use crate::killed::ExactDeath;

/// A particle at the centre of the rate outlives the longest time with a probability below e^-40.
const NEVER: f64 = -40.0;
/// Halvings of that time: it is resolved to rounding.
const LEVELS: usize = 52;
/// Doublings of the time on which the process moves, after which it counts as immortal.
const DOUBLINGS: usize = 80;

/// The kernels over a longest time and its halvings.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Ladder {
    /// The longest time.
    pub(super) longest: f64,
    kernels: Vec<Kernel>,
}

impl Ladder {
    pub(super) fn new(coefficients: &Coefficients) -> Result<Self> {
        let d = coefficients.offset.len();
        let speed = coefficients.speed() + coefficients.least;
        let start = if speed > 0.0 { 1.0 / speed } else { 1.0 };
        let centre = (DVector::zeros(d), DMatrix::zeros(d, d));
        let dies = |t: &f64| coefficients.kernel(*t).carry(&centre.0, &centre.1).log_mass < NEVER;
        let longest = (0..DOUBLINGS).map(|k| start * 2.0_f64.powi(k as i32)).find(dies);
        let longest = longest.ok_or(Error::NeverKilled)?;
        let kernels = (0..LEVELS).map(|k| coefficients.kernel(longest * 0.5_f64.powi(k as i32))).collect();
        Ok(Self { longest, kernels })
    }

    /// Draws the lifetime of a particle at `x` (d, from the centre of the rate): the law of where it is when it dies, before the
    /// weighting by the rate, and the lifetime. The probability to be alive falls with the time, so a bisection finds when it
    /// passes a uniform number.
    fn descend<R: Rng + ?Sized>(&self, x: DVector<f64>, rng: &mut R) -> (Survivors, f64) {
        let d = x.len();
        let mut left: f64 = rng.sample(Exp1);
        let mut alive = Survivors { log_mass: 0.0, mean: x, covariance: DMatrix::zeros(d, d) };
        let mut time = 0.0;
        for (k, kernel) in self.kernels.iter().enumerate() {
            let length = self.longest * 0.5_f64.powi(k as i32);
            // Beyond the longest time the same again, which hardly ever happens.
            for _ in 0..if k == 0 { usize::MAX } else { 1 } {
                let next = kernel.carry(&alive.mean, &alive.covariance);
                // At rest where the rate vanishes.
                if k == 0 && next.log_mass > -f64::EPSILON {
                    return (next, f64::INFINITY);
                }
                if -next.log_mass >= left || next.log_mass.is_nan() {
                    break;
                }
                left += next.log_mass;
                time += length;
                alive = next;
            }
        }
        (alive, time + self.longest * 0.5_f64.powi(LEVELS as i32))
    }
}

/// By its kernels in closed form: the lifetime by bisection of the probability to be alive, the place from the Gaussian at
/// that time weighted by the rate. A draw takes some fifty products of d x d matrices. The lifetime of a particle at rest where
/// the rate vanishes is infinite.
impl ExactDeath for KilledLinear {
    fn death_into(&self, x: &[f64], rng: &mut dyn Rng, out: &mut [f64]) -> f64 {
        let away = DVector::from_iterator(x.len(), x.iter().zip(&self.rate.centre).map(|(x, q)| x - q));
        let (alive, lifetime) = self.ladder.descend(away, rng);
        weighted_into(&self.rate, alive, rng, out);
        lifetime
    }
}

/// Draws from N(`mean`, `covariance`) weighted by the rate, the mean taken from the centre of the rate.
///
/// With R Rᵀ the covariance, S Sᵀ = Q and the singular value decomposition of Sᵀ R the rate is r_0 + ½ Σ (v_i + s_i z_i)² in
/// standard normal z: a mixture, in each part of which one coordinate at most is not normal.
fn weighted_into<R: Rng + ?Sized>(rate: &QuadraticRate, alive: Survivors, rng: &mut R, out: &mut [f64]) {
    let d = out.len();
    let Survivors { mean, covariance, .. } = alive;
    let shift = rate.root.transpose() * &mean;
    let law = Transition { matrix: DMatrix::identity(d, d), offset: mean, covariance };
    let root = law.root();
    let mut normal: Vec<f64> = (0..d).map(|_| rng.sample(StandardNormal)).collect();
    let root = if rate.is_constant() {
        root
    } else {
        let svd = SVD::new(rate.root.transpose() * &root, true, true);
        let (Some(left), Some(right)) = (svd.u, svd.v_t) else { unreachable!("both were asked for") };
        let shift = left.transpose() * shift;
        let part = |i: usize| 0.5 * (shift[i].powi(2) + svd.singular_values[i].powi(2));
        let total = rate.least + (0..d).map(part).sum::<f64>();
        let mut rest = rng.random::<f64>() * total - rate.least;
        for (i, z) in normal.iter_mut().enumerate() {
            if rest >= 0.0 && rest < part(i) {
                *z = weighted_normal(shift[i], svd.singular_values[i], rng);
            }
            rest -= part(i);
        }
        root * right.transpose()
    };
    for (i, out) in out.iter_mut().enumerate() {
        let noise: f64 = root.row(i).iter().zip(&normal).map(|(r, z)| r * z).sum();
        *out = rate.centre[i] + law.offset[i] + noise;
    }
}

/// A draw from the density proportional to (v + s z)² φ(z), by rejection from v² φ + s² z² φ; every other proposal is accepted.
fn weighted_normal<R: Rng + ?Sized>(v: f64, s: f64, rng: &mut R) -> f64 {
    loop {
        let mut z: f64 = rng.sample(StandardNormal);
        if rng.random::<f64>() * (v * v + s * s) >= v * v {
            // z² φ(z): the length of a normal vector in space, with a sign.
            let (a, b): (f64, f64) = (rng.sample(StandardNormal), rng.sample(StandardNormal));
            z = (z * z + a * a + b * b).sqrt().copysign(z);
        }
        let bound = 2.0 * (v * v + (s * z).powi(2));
        if rng.random::<f64>() * bound < (v + s * z).powi(2) {
            return z;
        }
    }
}
