//! The empirical measure under Student-t noise: the ideal denoiser of PFGM++.

use nalgebra::DMatrix;
use rand::RngExt;
use rand_distr::{ChiSquared, Distribution, StandardNormal};

use super::Denoiser;
use crate::error::{Result, at_least, positive};
use crate::measure::EmpiricalMeasure;
use crate::random::{Purpose, stream};
use crate::schedule::Level;
use crate::score::stream::{Kernel, Origin, Stream};

/// A smaller σ is taken as this: no division by zero.
const LEAST_SIGMA: f64 = 1e-100;

/// D(x) = Σ w_i y_i with w_i ∝ α_i (|x - y_i|² + r²)^{-(d + D)/2}, r = σ √D: the data point behind x = y + R u, where u is uniform
/// on the sphere and R²/r² follows the beta-prime law with parameters d/2 and D/2, a multivariate Student-t law with D degrees of
/// freedom and scale σ (Xu et al. 2023, "PFGM++", ICML, eq. 4 and section 3.2). D is the number of coordinates by which the
/// data space is augmented, any positive number.
///
/// The flow lines of the augmented electric field are dx/dσ = (x - D(x, σ))/σ, the equation of the probability flow of dx = √(2σ) dW
/// with another denoiser, so every scheme for that flow takes this one unchanged, from [`student_prior`]. As D -> ∞ at fixed σ
/// both are those of Gaussian noise. A sampler with noise of its own is for Gaussian noise alone, and so is the meaning of
/// [`scores`](Denoiser::scores): here (α D - x)/σ² is -1/σ times the velocity dx/dσ, not a score.
///
/// At a level with α != 1 the data are α y_i.
#[derive(Debug, Clone)]
pub struct StudentT {
    measure: EmpiricalMeasure,
    augmented: f64,
}

impl StudentT {
    /// The denoiser of `measure` in R^d augmented by `augmented` = D > 0 coordinates.
    ///
    /// # Errors
    /// If `augmented` is not positive and finite.
    pub fn new(measure: EmpiricalMeasure, augmented: f64) -> Result<Self> {
        Ok(Self { measure, augmented: positive("augmented", augmented)? })
    }

    /// D.
    pub fn augmented(&self) -> f64 {
        self.augmented
    }
}

/// (1 + ρ²/r²)^{-(d + D)/2}.
struct Power {
    /// r².
    squared_scale: f64,
    /// (d + D)/2.
    exponent: f64,
}

impl Kernel for Power {
    fn log_value_and_gain(&self, squared: f64) -> (f64, f64) {
        (-self.exponent * (squared / self.squared_scale).ln_1p(), 1.0)
    }

    fn beyond(&self, squared: f64, drop: f64) -> f64 {
        squared + (squared + self.squared_scale) * (drop / self.exponent).exp_m1()
    }
}

impl Denoiser for StudentT {
    fn dim(&self) -> usize {
        self.measure.dim()
    }

    fn denoise(&self, level: &Level, points: &[f64], denoised: &mut [f64]) {
        let dim = self.dim();
        let kernel = Power {
            squared_scale: self.augmented * level.sigma.max(LEAST_SIGMA).powi(2),
            exponent: 0.5 * (dim as f64 + self.augmented),
        };
        let zero = vec![0.0; dim];
        let stream = Stream {
            measure: &self.measure,
            kernel: &kernel,
            scale: level.alpha,
            origin: Origin::Fixed(&zero),
        };
        stream.run(points, None, denoised, |_, _| {});
    }
}

/// n draws (d x n) of the law from which PFGM++ starts at σ = `sigma`: Student-t noise of that scale with D = `augmented` degrees
/// of freedom around the origin, r z/√g with z standard normal in R^d, g chi-square with D degrees and r = σ √D. Then |x|²/r² is
/// a ratio of chi-squares, which is beta-prime with d/2 and D/2 (Xu et al. 2023, section 3.2). Particle i draws from stream i of
/// `seed`.
///
/// # Errors
/// If the dimension is zero, or `augmented` or `sigma` is not positive and finite.
pub fn student_prior(dim: usize, augmented: f64, sigma: f64, n: usize, seed: u64) -> Result<DMatrix<f64>> {
    at_least("dim", 1, dim)?;
    let augmented = positive("augmented", augmented)?;
    let scale = positive("sigma", sigma)? * augmented.sqrt();
    let law = ChiSquared::new(augmented).expect("a positive finite number of degrees of freedom");
    let mut points = DMatrix::zeros(dim, n);
    for (i, mut column) in points.column_iter_mut().enumerate() {
        let mut rng = stream(seed, Purpose::Start, i as u64);
        let factor = scale / law.sample(&mut rng).sqrt();
        column.iter_mut().for_each(|x| *x = factor * rng.sample::<f64, _>(StandardNormal));
    }
    Ok(points)
}
