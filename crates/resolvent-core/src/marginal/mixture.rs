//! The Gaussian mixture.

use std::f64::consts::{SQRT_2, TAU};

use nalgebra::{DMatrix, DVector, SymmetricEigen};
use rand::{Rng, RngExt};
use rand_distr::StandardNormal;
use statrs::function::erf::erfc;

use super::components::{Components, Shape};
use super::{Denoiser, NoisyDensity};
use crate::affine::symmetric;
use crate::error::{Error, Result, dimension, finite, positive};
use crate::random::{Purpose, stream};
use crate::schedule::Level;

/// Σ_k w_k N(μ_k, S_k) on R^d. At every noise level the law of α x_0 + σ ε is the mixture of N(α μ_k, α² S_k + σ² I) with
/// the same weights, so densities, scores and denoised points are closed forms (Anderson 1982; Song et al. 2021, eq. 29).
///
/// ```
/// use resolvent_core::marginal::GaussianMixture;
/// use resolvent_core::schedule::Level;
/// let law = GaussianMixture::one_dimensional(&[0.3, 0.7], &[-5.0, 5.0], &[2.0, 2.0])?;
/// assert!((law.cdf(&Level::CLEAN, 0.0) - (0.3 * 0.99379 + 0.7 * 0.00621)).abs() < 1e-5);
/// # Ok::<(), resolvent_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct GaussianMixture {
    weights: Vec<f64>,
    means: DMatrix<f64>,
    covariances: Covariances,
}

/// S_k in the form in which α² S_k + σ² I costs nothing.
#[derive(Debug, Clone, PartialEq)]
enum Covariances {
    /// s_k² I.
    Isotropic(Vec<f64>),
    /// Q_k diag(λ_k) Q_kᵀ.
    Full(Vec<Spectrum>),
}

#[derive(Debug, Clone, PartialEq)]
struct Spectrum {
    vectors: DMatrix<f64>,
    values: DVector<f64>,
}

/// What is averaged over the components.
enum Wanted {
    /// E[x_0 | x, k].
    Denoised,
    /// ∇ log N_k(x).
    Score,
}

impl GaussianMixture {
    /// Weights proportional to `weights` (k, not negative, not all zero), `means` (d x k) and `covariances` (k matrices, d x
    /// d).
    ///
    /// # Errors
    /// If there is no component, the shapes differ, an entry is not finite, a weight is negative, or a covariance is not
    /// symmetric and positive definite.
    pub fn new(
        weights: &[f64],
        means: DMatrix<f64>,
        covariances: impl IntoIterator<Item = DMatrix<f64>>,
    ) -> Result<Self> {
        let weights = checked(weights, &means)?;
        let covariances: Vec<DMatrix<f64>> = covariances.into_iter().collect();
        dimension("covariances", weights.len(), covariances.len())?;
        let isotropic =
            |s: &DMatrix<f64>| *s == DMatrix::from_diagonal_element(s.nrows(), s.nrows(), s[(0, 0)]);
        let spectra: Vec<Spectrum> = covariances
            .iter()
            .enumerate()
            .map(|(k, s)| spectrum(&format!("covariance of component {k}"), means.nrows(), s))
            .collect::<Result<_>>()?;
        let covariances = if covariances.iter().all(isotropic) {
            Covariances::Isotropic(covariances.iter().map(|s| s[(0, 0)]).collect())
        } else {
            Covariances::Full(spectra)
        };
        Ok(Self { weights, means, covariances })
    }

    /// Components N(`means`_k, `deviations`_k² I), `means` d x k.
    ///
    /// # Errors
    /// As [`new`](Self::new), and if a deviation or its square is not positive and finite.
    pub fn isotropic(weights: &[f64], means: DMatrix<f64>, deviations: &[f64]) -> Result<Self> {
        let weights = checked(weights, &means)?;
        dimension("deviations", weights.len(), deviations.len())?;
        let variance = |s: &f64| positive("squared deviation", positive("deviation", *s)?.powi(2));
        let variances = deviations.iter().map(variance).collect::<Result<_>>()?;
        Ok(Self { weights, means, covariances: Covariances::Isotropic(variances) })
    }

    /// Components N(`means`_k, `deviations`_k²) on the line.
    ///
    /// # Errors
    /// As [`isotropic`](Self::isotropic).
    pub fn one_dimensional(weights: &[f64], means: &[f64], deviations: &[f64]) -> Result<Self> {
        Self::isotropic(weights, DMatrix::from_row_slice(1, means.len(), means), deviations)
    }

    /// The single component N(`mean`, `covariance`).
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn gaussian(mean: &DVector<f64>, covariance: DMatrix<f64>) -> Result<Self> {
        Self::new(&[1.0], DMatrix::from_column_slice(mean.len(), 1, mean.as_slice()), [covariance])
    }

    /// Number k of components.
    pub fn len(&self) -> usize {
        self.weights.len()
    }

    /// Never: a mixture has a component.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// w_k, adding up to one.
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// μ_k (d x k).
    pub fn means(&self) -> &DMatrix<f64> {
        &self.means
    }

    /// S_k (d x d) of component `k`.
    ///
    /// # Panics
    /// If there is no component `k`.
    pub fn component_covariance(&self, k: usize) -> DMatrix<f64> {
        match &self.covariances {
            Covariances::Isotropic(variances) => {
                DMatrix::from_diagonal_element(self.dim(), self.dim(), variances[k])
            }
            Covariances::Full(spectra) => spectra[k].matrix(),
        }
    }

    /// The mean Σ w_k μ_k (d).
    pub fn mean(&self) -> DVector<f64> {
        &self.means * DVector::from_column_slice(&self.weights)
    }

    /// The covariance Σ w_k [S_k + (μ_k - mean)(μ_k - mean)ᵀ] (d x d).
    pub fn covariance(&self) -> DMatrix<f64> {
        let mean = self.mean();
        let mut sum = DMatrix::zeros(self.dim(), self.dim());
        for (k, (weight, center)) in self.weights.iter().zip(self.means.column_iter()).enumerate() {
            let away = center - &mean;
            sum += (self.component_covariance(k) + &away * away.transpose()) * *weight;
        }
        sum
    }

    /// The law of α x_0 + σ ε, again a mixture.
    pub fn at(&self, level: &Level) -> Self {
        let spread = |value: f64| variance(level, value);
        let covariances = match &self.covariances {
            Covariances::Isotropic(variances) => {
                Covariances::Isotropic(variances.iter().map(|v| spread(*v)).collect())
            }
            Covariances::Full(spectra) => Covariances::Full(
                spectra
                    .iter()
                    .map(|s| Spectrum { vectors: s.vectors.clone(), values: s.values.map(spread) })
                    .collect(),
            ),
        };
        Self { weights: self.weights.clone(), means: &self.means * level.alpha, covariances }
    }

    /// The law of F x_0 + m + η with η ~ N(0, C) independent: again a mixture, of N(F μ_k + m, F S_k Fᵀ + C). `matrix` is F
    /// (any number of rows, d columns), `shift` m, `noise` C.
    ///
    /// # Errors
    /// If the shapes differ, an entry is not finite, or a covariance that comes out is not positive definite.
    pub fn affine(&self, matrix: &DMatrix<f64>, shift: &DVector<f64>, noise: &DMatrix<f64>) -> Result<Self> {
        let rows = matrix.nrows();
        dimension("matrix", self.dim(), matrix.ncols())?;
        dimension("shift", rows, shift.len())?;
        dimension("noise", rows, noise.nrows())?;
        dimension("noise", rows, noise.ncols())?;
        let mut means = matrix * &self.means;
        means.column_iter_mut().for_each(|mut m| m += shift);
        let covariance = |k| {
            let s: DMatrix<f64> = matrix * self.component_covariance(k) * matrix.transpose() + noise;
            symmetric(&s)
        };
        Self::new(&self.weights, means, (0..self.len()).map(covariance))
    }

    /// log p(x), the log-density of the data themselves at `x` (d), in nats.
    ///
    /// # Panics
    /// If `x` has not length d.
    pub fn log_density(&self, x: &[f64]) -> f64 {
        assert_eq!(x.len(), self.dim(), "length of x");
        let mut out = [0.0];
        self.log_densities(&Level::CLEAN, x, &mut out);
        out[0]
    }

    /// out ← ∇ log p(x), the score of the data themselves; both of length d.
    ///
    /// # Panics
    /// If `x` has not length d.
    pub fn score_into(&self, x: &[f64], out: &mut [f64]) {
        assert_eq!(x.len(), self.dim(), "length of x");
        Denoiser::scores(self, &Level::CLEAN, x, out);
    }

    /// P(component k | α x_0 + σ ε = x), at `x` (d), for all k.
    ///
    /// # Panics
    /// If `x` has not length d.
    pub fn responsibilities(&self, level: &Level, x: &[f64]) -> Vec<f64> {
        assert_eq!(x.len(), self.dim(), "length of x");
        let mut out = vec![0.0; self.len()];
        self.components(level, &Wanted::Denoised).responsibilities(x, &mut out);
        out
    }

    /// The distribution function of α x_0 + σ ε at `x` for a law on the line; in higher dimension that of the first
    /// coordinate.
    pub fn cdf(&self, level: &Level, x: f64) -> f64 {
        self.marginal_cdf(level, 0, x)
    }

    /// The distribution function of coordinate `coordinate` < d of α x_0 + σ ε at `x`.
    ///
    /// # Panics
    /// If there is no such coordinate.
    pub fn marginal_cdf(&self, level: &Level, coordinate: usize, x: f64) -> f64 {
        let own = |k: usize| match &self.covariances {
            Covariances::Isotropic(variances) => variances[k],
            Covariances::Full(spectra) => spectra[k].variance(coordinate),
        };
        let below = |(k, weight): (usize, &f64)| {
            let away = x - level.alpha * self.means[(coordinate, k)];
            weight * 0.5 * erfc(-away / (SQRT_2 * variance(level, own(k)).sqrt()))
        };
        self.weights.iter().enumerate().map(below).sum()
    }

    /// out ← a draw x_0 (d) from `rng`.
    ///
    /// # Panics
    /// If `out` has not length d.
    pub fn sample_into<R: Rng + ?Sized>(&self, rng: &mut R, out: &mut [f64]) {
        assert_eq!(out.len(), self.dim(), "length of the draw");
        let mut rest: f64 = rng.random();
        let chosen = self.weights.iter().position(|w| {
            rest -= w;
            rest < 0.0
        });
        // Rounding can leave a rest behind the last component.
        let k = chosen.unwrap_or_else(|| self.weights.iter().rposition(|w| *w > 0.0).unwrap_or(0));
        out.copy_from_slice(self.means.column(k).as_slice());
        match &self.covariances {
            Covariances::Isotropic(variances) => {
                let deviation = variances[k].sqrt();
                out.iter_mut().for_each(|x| *x += deviation * rng.sample::<f64, _>(StandardNormal));
            }
            Covariances::Full(spectra) => {
                for (axis, value) in spectra[k].vectors.column_iter().zip(&spectra[k].values) {
                    let length = value.sqrt() * rng.sample::<f64, _>(StandardNormal);
                    out.iter_mut().zip(&axis).for_each(|(x, q)| *x += length * q);
                }
            }
        }
    }

    /// n draws (d x n). Draw i comes from stream i of `seed`.
    pub fn sample(&self, n: usize, seed: u64) -> DMatrix<f64> {
        let mut points = DMatrix::zeros(self.dim(), n);
        for (i, x) in points.as_mut_slice().chunks_exact_mut(self.dim()).enumerate() {
            self.sample_into(&mut stream(seed, Purpose::Data, i as u64), x);
        }
        points
    }

    /// The components of the law at `level`, ready for many points: E[x_0 | x, k] = μ_k + α S_k V_k⁻¹ (x - α μ_k) and ∇ log N_k
    /// = -V_k⁻¹ (x - α μ_k) with V_k = α² S_k + σ² I.
    fn components(&self, level: &Level, wanted: &Wanted) -> Components {
        let (d, alpha) = (self.dim(), level.alpha);
        let centres: Vec<f64> = self.means.iter().map(|m| alpha * m).collect();
        let constant =
            |weight: f64, log_determinant: f64| weight.ln() - 0.5 * (d as f64 * TAU.ln() + log_determinant);
        // The eigenvalue of α S V⁻¹ or of -V⁻¹ where S has `own` and V has `noisy`.
        let gain = |own: f64, noisy: f64| match wanted {
            Wanted::Denoised => alpha * own / noisy,
            Wanted::Score => -1.0 / noisy,
        };
        let mut offsets = match wanted {
            Wanted::Denoised => self.means.as_slice().to_vec(),
            Wanted::Score => vec![0.0; centres.len()],
        };
        let (constants, shape) = match &self.covariances {
            Covariances::Isotropic(variances) => {
                let noisy: Vec<f64> = variances.iter().map(|v| variance(level, *v)).collect();
                let gains: Vec<f64> =
                    variances.iter().zip(&noisy).map(|(own, noisy)| gain(*own, *noisy)).collect();
                // At the origin and not at the centre: μ - g α μ is σ²/v μ.
                for (k, row) in offsets.chunks_exact_mut(d).enumerate() {
                    for (offset, mean) in row.iter_mut().zip(self.means.column(k).iter()) {
                        *offset = mean / noisy[k]
                            * match wanted {
                                Wanted::Denoised => level.sigma * level.sigma,
                                Wanted::Score => alpha,
                            };
                    }
                }
                let constants =
                    self.weights.iter().zip(&noisy).map(|(w, v)| constant(*w, d as f64 * v.ln())).collect();
                (constants, Shape::Isotropic { precisions: noisy.iter().map(|v| 1.0 / v).collect(), gains })
            }
            Covariances::Full(spectra) => {
                let mut whitenings = vec![0.0; self.len() * d * d];
                let mut gains = whitenings.clone();
                let mut constants = Vec::with_capacity(self.len());
                for (k, Spectrum { vectors, values }) in spectra.iter().enumerate() {
                    let whitening = &mut whitenings[k * d * d..][..d * d];
                    let gains = &mut gains[k * d * d..][..d * d];
                    let mut log_determinant = 0.0;
                    for (i, (axis, own)) in vectors.column_iter().zip(values).enumerate() {
                        let noisy = variance(level, *own);
                        let root = noisy.sqrt();
                        log_determinant += noisy.ln();
                        for (j, q) in axis.iter().enumerate() {
                            whitening[i * d + j] = q / root;
                            gains[j * d + i] = gain(*own, noisy) * root * q;
                        }
                    }
                    constants.push(constant(self.weights[k], log_determinant));
                }
                (constants, Shape::Full { whitenings, gains })
            }
        };
        Components { dim: d, centres, constants, shape, offsets }
    }
}

impl Denoiser for GaussianMixture {
    fn dim(&self) -> usize {
        self.means.nrows()
    }

    fn denoise(&self, level: &Level, points: &[f64], denoised: &mut [f64]) {
        self.components(level, &Wanted::Denoised).posterior_means(points, denoised);
    }

    /// Without cancellation as σ -> 0, and defined at σ = 0.
    fn scores(&self, level: &Level, points: &[f64], scores: &mut [f64]) {
        self.components(level, &Wanted::Score).posterior_means(points, scores);
    }

    fn jacobian_product(&self, level: &Level, x: &[f64], v: &[f64], out: &mut [f64]) {
        self.components(level, &Wanted::Denoised).jacobian_product(x, v, out);
    }
}

impl NoisyDensity for GaussianMixture {
    fn log_densities(&self, level: &Level, points: &[f64], out: &mut [f64]) {
        self.components(level, &Wanted::Denoised).log_densities(points, out);
    }
}

/// The variance of α x_0 + σ ε along an axis where that of x_0 is `own`.
fn variance(level: &Level, own: f64) -> f64 {
    level.alpha * level.alpha * own + level.sigma * level.sigma
}

impl Spectrum {
    fn matrix(&self) -> DMatrix<f64> {
        &self.vectors * DMatrix::from_diagonal(&self.values) * self.vectors.transpose()
    }

    /// Entry (i, i) of the matrix.
    fn variance(&self, i: usize) -> f64 {
        self.vectors.row(i).iter().zip(&self.values).map(|(q, v)| q * q * v).sum()
    }
}

/// The eigenvalues and -vectors of a covariance, if it is one.
fn spectrum(name: &str, d: usize, covariance: &DMatrix<f64>) -> Result<Spectrum> {
    dimension("covariance", d, covariance.nrows())?;
    dimension("covariance", d, covariance.ncols())?;
    let refuse = |eigenvalue| Error::Covariance { name: name.to_owned(), eigenvalue };
    let size = covariance.amax();
    // NaN fails as well.
    let is_symmetric = (covariance - covariance.transpose()).iter().all(|gap| gap.abs() <= 1e-12 * size);
    if !is_symmetric || !size.is_finite() {
        return Err(refuse(f64::NAN));
    }
    let SymmetricEigen { eigenvectors: vectors, eigenvalues: values } =
        SymmetricEigen::new(symmetric(covariance));
    // A singular matrix comes out with eigenvalues of the order of the rounding, of either sign.
    if values.min() <= d as f64 * f64::EPSILON * values.max() {
        return Err(refuse(values.min()));
    }
    Ok(Spectrum { vectors, values })
}

/// The weights, adding up to one, if they and the means can be those of a mixture.
fn checked(weights: &[f64], means: &DMatrix<f64>) -> Result<Vec<f64>> {
    if means.is_empty() {
        return Err(Error::Empty { name: "means" });
    }
    finite("means", means)?;
    dimension("weights", means.ncols(), weights.len())?;
    if let Some(index) = weights.iter().position(|w| !w.is_finite() || *w < 0.0) {
        return Err(Error::Weight { index, value: weights[index] });
    }
    let largest = weights.iter().fold(0.0, |a: f64, w| a.max(*w));
    if largest == 0.0 {
        return Err(Error::NoMass);
    }
    // Relative to the largest the sum cannot overflow.
    let total: f64 = weights.iter().map(|w| w / largest).sum();
    Ok(weights.iter().map(|w| w / largest / total).collect())
}
