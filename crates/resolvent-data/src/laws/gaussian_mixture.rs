//! Mixtures of Gaussians.

use super::{check_points, cumulative, normalised, pick};
use crate::error::{self, Error, Result};
use crate::law::{Density, Law};
use nalgebra::{Cholesky, DMatrix};
use rand::{Rng, RngExt};
use rand_distr::{Distribution, StandardNormal};
use statrs::distribution::{ContinuousCDF, Normal};
use std::f64::consts::TAU;

/// Largest |C_ij - C_ji| / sqrt(C_ii C_jj) that passes for rounding.
const ASYMMETRY: f64 = 1e-12;
/// Up to this much times d, a ratio of smallest to largest eigenvalue of a correlation matrix may be rounding.
const SINGULAR: f64 = 4.0 * f64::EPSILON;

/// The law sum_k w_k N(m_k, C_k) on R^d with full covariances.
///
/// ```
/// use resolvent_data::{Density, GaussianMixture, Law};
///
/// let law = GaussianMixture::one_dimensional(&[0.3, 0.7], &[-5.0, 5.0], &[2.0, 2.0])?;
/// assert_eq!(law.sample(100, 1).shape(), (1, 100));
/// assert!((law.marginal_cdf(0, 0.0) - 0.3).abs() < 0.003);
/// assert!(law.log_density(&[5.0]) > law.log_density(&[-5.0]));
/// # Ok::<(), resolvent_data::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct GaussianMixture {
    weights: Vec<f64>,
    means: DMatrix<f64>,
    covariances: Vec<DMatrix<f64>>,
    cumulative: Vec<f64>,
    factors: Vec<Factor>,
}

/// A covariance C = L L^T, L lower triangular, made ready for draws and densities.
#[derive(Clone, Debug)]
struct Factor {
    /// L.
    root: DMatrix<f64>,
    /// The transpose of L^-1, so that its columns are the rows of L^-1.
    whitening: DMatrix<f64>,
    /// -log det(2 pi C) / 2: the logarithm of the density at the mean.
    log_peak: f64,
}

impl GaussianMixture {
    /// The mixture of k Gaussians on R^d with the columns of `means` (d x k, finite) as means.
    ///
    /// `weights`: k of them, finite, non-negative, of positive total; they are normalised. `covariances`: k
    /// matrices d x d, finite, symmetric (up to rounding, which is averaged out) and positive definite, also
    /// numerically: the smallest eigenvalue of the correlation matrix exceeds 4 d 2^-52 times the largest.
    pub fn new(weights: &[f64], means: DMatrix<f64>, mut covariances: Vec<DMatrix<f64>>) -> Result<Self> {
        check_points("means", &means)?;
        let (d, count) = means.shape();
        let weights = normalised(weights, count, "means")?;
        if covariances.len() != count {
            return Err(Error::parameter(
                "covariances",
                format_args!("{} matrices", covariances.len()),
                format_args!("one for each of the {count} means"),
            ));
        }
        let factors = covariances
            .iter_mut()
            .enumerate()
            .map(|(k, covariance)| {
                symmetrise(k, covariance, d)?;
                Factor::new(covariance).ok_or_else(|| {
                    Error::parameter(
                        "covariances",
                        format_args!("matrix {k}, which is singular or indefinite"),
                        "positive definite",
                    )
                })
            })
            .collect::<Result<_>>()?;
        let cumulative = cumulative(weights.iter().copied());
        Ok(Self { weights, means, covariances, cumulative, factors })
    }

    /// The mixture of N(m_k, s_k^2) on the line, with the means `means` and the standard deviations `sds` >
    /// 0.
    pub fn one_dimensional(weights: &[f64], means: &[f64], sds: &[f64]) -> Result<Self> {
        if sds.len() != means.len() {
            return Err(Error::parameter(
                "sds",
                format_args!("{} values", sds.len()),
                format_args!("one for each of the {} means", means.len()),
            ));
        }
        if let Some(k) = sds.iter().position(|sd| !(sd.is_finite() && *sd > 0.0)) {
            return Err(Error::parameter("sds", format_args!("{} at {k}", sds[k]), "positive and finite"));
        }
        let covariances = sds.iter().map(|&sd| isotropic(sd, 1)).collect();
        Self::new(weights, DMatrix::from_row_slice(1, means.len(), means), covariances)
    }

    /// The mixture, in equal parts, of side x side Gaussians of standard deviation `sd` > 0 in the plane,
    /// their means on a square lattice of the given `spacing` > 0 around the origin. The usual mixture of 25
    /// Gaussians has side 5.
    pub fn grid(side: usize, spacing: f64, sd: f64) -> Result<Self> {
        if side == 0 {
            return Err(Error::parameter("side", side, "at least 1"));
        }
        error::positive("spacing", spacing)?;
        error::positive("sd", sd)?;
        let place = |i: usize| (i as f64 - 0.5 * (side as f64 - 1.0)) * spacing;
        let count = side * side;
        let means = DMatrix::from_fn(2, count, |row, k| place(if row == 0 { k % side } else { k / side }));
        Self::new(&vec![1.0; count], means, vec![isotropic(sd, 2); count])
    }

    /// The weights w_k, summing to 1.
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// The means m_k, d x k, one per column.
    pub fn means(&self) -> &DMatrix<f64> {
        &self.means
    }

    /// The covariances C_k, d x d, exactly symmetric.
    pub fn covariances(&self) -> &[DMatrix<f64>] {
        &self.covariances
    }

    /// P(X_i <= x) for coordinate i < d of the mixture: the distribution function itself on the line, where i
    /// = 0.
    pub fn marginal_cdf(&self, coordinate: usize, x: f64) -> f64 {
        let standard = Normal::standard();
        (0..self.weights.len())
            .map(|k| {
                let sd = self.covariances[k][(coordinate, coordinate)].sqrt();
                self.weights[k] * standard.cdf((x - self.means[(coordinate, k)]) / sd)
            })
            .sum()
    }

    fn mean(&self, k: usize) -> &[f64] {
        &self.means.as_slice()[k * self.dim()..][..self.dim()]
    }
}

impl Law for GaussianMixture {
    fn dim(&self) -> usize {
        self.means.nrows()
    }

    /// m + L z with z standard normal, in place: row i of L needs z_0 to z_i alone, so the last row goes
    /// first.
    fn sample_into(&self, rng: &mut dyn Rng, out: &mut [f64]) {
        let k = pick(&self.cumulative, rng.random());
        let (mean, root) = (self.mean(k), &self.factors[k].root);
        out.fill_with(|| StandardNormal.sample(rng));
        for i in (0..out.len()).rev() {
            let moved: f64 = out[..=i].iter().enumerate().map(|(j, z)| root[(i, j)] * z).sum();
            out[i] = mean[i] + moved;
        }
    }
}

impl Density for GaussianMixture {
    /// log sum_k w_k N(x; m_k, C_k), finite wherever |x - m_k|^2 in units of C_k does not overflow.
    fn log_density(&self, x: &[f64]) -> f64 {
        let (mut largest, mut sum) = (f64::NEG_INFINITY, 0.0);
        for (k, factor) in self.factors.iter().enumerate() {
            let term = self.weights[k].ln() + factor.log_peak - 0.5 * factor.mahalanobis(x, self.mean(k));
            if term > largest {
                sum = sum * (largest - term).exp() + 1.0;
                largest = term;
            } else if term > f64::NEG_INFINITY || term.is_nan() {
                sum += (term - largest).exp();
            }
        }
        largest + f64::ln(sum)
    }
}

impl Factor {
    /// `None` if the matrix is not positive definite or numerically singular.
    fn new(covariance: &DMatrix<f64>) -> Option<Self> {
        let d = covariance.nrows();
        // The scale of a coordinate must not matter, and the last pivot of a singular matrix can be far above
        // rounding.
        let correlation = DMatrix::from_fn(d, d, |i, j| {
            covariance[(i, j)] / (covariance[(i, i)].sqrt() * covariance[(j, j)].sqrt())
        });
        let spectrum = correlation.symmetric_eigenvalues();
        if spectrum.min() <= SINGULAR * d as f64 * spectrum.max() {
            return None;
        }
        let root = Cholesky::new(covariance.clone())?.l();
        let mut whitening = root.solve_lower_triangular(&DMatrix::identity(d, d))?;
        whitening.transpose_mut();
        let log_peak = -(0..d).map(|i| root[(i, i)].ln() + 0.5 * TAU.ln()).sum::<f64>();
        Some(Self { root, whitening, log_peak })
    }

    /// (x - m)^T C^-1 (x - m) = |L^-1 (x - m)|^2.
    fn mahalanobis(&self, x: &[f64], mean: &[f64]) -> f64 {
        let d = mean.len();
        let rows = self.whitening.as_slice().chunks_exact(d).enumerate();
        let whitened = rows.map(|(i, row)| -> f64 {
            row[..=i].iter().zip(x).zip(mean).map(|((l, x), m)| l * (x - m)).sum()
        });
        whitened.map(|z| z * z).sum()
    }
}

/// The covariance sd^2 I.
fn isotropic(sd: f64, dim: usize) -> DMatrix<f64> {
    DMatrix::from_diagonal_element(dim, dim, sd * sd)
}

/// Averages a covariance with its transpose, which may differ by rounding only, after the checks of shape and
/// entries.
fn symmetrise(k: usize, covariance: &mut DMatrix<f64>, d: usize) -> Result<()> {
    if covariance.shape() != (d, d) {
        let (rows, columns) = covariance.shape();
        return Err(Error::parameter(
            "covariances",
            format_args!("matrix {k} of size {rows} x {columns}"),
            format_args!("{d} x {d}"),
        ));
    }
    for i in 0..d {
        let variance = covariance[(i, i)];
        if !(variance.is_finite() && variance > 0.0) {
            return Err(Error::parameter(
                "covariances",
                format_args!("matrix {k} with the variance {variance} of coordinate {i}"),
                "of positive finite variances",
            ));
        }
        for j in 0..i {
            let (below, above) = (covariance[(i, j)], covariance[(j, i)]);
            let scale = variance.sqrt() * covariance[(j, j)].sqrt();
            let close = (below - above).abs() <= ASYMMETRY * scale;
            if !close {
                return Err(Error::parameter(
                    "covariances",
                    format_args!("matrix {k} with {below} at ({i}, {j}) and {above} at ({j}, {i})"),
                    "symmetric and finite",
                ));
            }
            (covariance[(i, j)], covariance[(j, i)]) = (0.5 * (below + above), 0.5 * (below + above));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws::checks::{chi_square, kolmogorov, rng};

    /// Two overlapping Gaussians of the plane with correlations of either sign, and one without weight.
    fn plane() -> GaussianMixture {
        let means = DMatrix::from_column_slice(2, 3, &[-1.0, 0.5, 1.0, -0.5, 9.0, 9.0]);
        let covariances = vec![
            DMatrix::from_row_slice(2, 2, &[1.0, 0.8, 0.8, 2.0]),
            DMatrix::from_row_slice(2, 2, &[0.5, -0.2, -0.2, 0.3]),
            DMatrix::identity(2, 2),
        ];
        GaussianMixture::new(&[1.0, 3.0, 0.0], means, covariances).unwrap()
    }

    fn space() -> GaussianMixture {
        let means = DMatrix::from_column_slice(3, 2, &[0.0, 1.0, -1.0, 2.0, 0.0, 0.5]);
        let skewed = DMatrix::from_row_slice(3, 3, &[2.0, 0.0, 0.0, -1.0, 0.5, 0.0, 0.7, 1.0, 0.3]);
        let covariances = vec![&skewed * skewed.transpose(), DMatrix::from_diagonal_element(3, 3, 0.04)];
        GaussianMixture::new(&[0.6, 0.4], means, covariances).unwrap()
    }

    fn line() -> GaussianMixture {
        GaussianMixture::one_dimensional(&[0.3, 0.7], &[-5.0, 5.0], &[2.0, 0.5]).unwrap()
    }

    /// The density from determinants and inverses of the covariances.
    fn density(law: &GaussianMixture, x: &[f64]) -> f64 {
        (0..law.weights().len())
            .map(|k| {
                let covariance = &law.covariances()[k];
                let from = DMatrix::from_column_slice(x.len(), 1, x) - law.means().column(k);
                let exponent = (from.transpose() * covariance.clone().try_inverse().unwrap() * from)[0];
                law.weights()[k] * (-0.5 * exponent).exp() / (TAU * covariance).determinant().sqrt()
            })
            .sum()
    }

    #[test]
    fn log_density_is_that_of_inverses_and_determinants() {
        let mut rng = rng(1);
        for law in [line(), plane(), space()] {
            let mut x = vec![0.0; law.dim()];
            for _ in 0..100 {
                x.fill_with(|| rng.random_range(-3.0..3.0));
                let (ours, theirs) = (law.log_density(&x), density(&law, &x).ln());
                assert!((ours - theirs).abs() < 1e-12 * theirs.abs().max(10.0), "{x:?}: {ours} or {theirs}");
            }
        }
    }

    /// Cells of side 1/2, whose masses come from the midpoint rule on 10 x 10 points, and all the rest.
    #[test]
    fn samples_have_the_density() {
        let (law, side, fine) = (plane(), 16_usize, 10_usize);
        let edge = |i: usize, share: f64| -4.0 + (i as f64 + share) * 0.5;
        let mut masses: Vec<f64> = (0..side * side)
            .map(|cell| {
                let inner = (0..fine * fine).map(|part| {
                    let share = |part: usize| (part as f64 + 0.5) / fine as f64;
                    let x = [edge(cell % side, share(part % fine)), edge(cell / side, share(part / fine))];
                    law.log_density(&x).exp()
                });
                inner.sum::<f64>() * (0.5 / fine as f64).powi(2)
            })
            .collect();
        let rest = 1.0 - masses.iter().sum::<f64>();
        assert!(rest > 0.0 && rest < 0.01, "{rest} outside the cells");
        masses.push(rest);
        // Cells that expect fewer than ten points join the rest.
        let n = 40_000;
        let mut place: Vec<usize> = (0..masses.len()).collect();
        for cell in 0..side * side {
            if masses[cell] * (n as f64) < 10.0 {
                masses[side * side] += std::mem::take(&mut masses[cell]);
                place[cell] = side * side;
            }
        }
        let cell = |x: f64| ((x + 4.0) / 0.5).floor();
        let parts = law.sample(n, 2);
        let parts = parts.column_iter().map(|x| {
            let on_board = x.iter().all(|&x| (0.0..side as f64).contains(&cell(x)));
            place[if on_board { cell(x[0]) as usize + side * cell(x[1]) as usize } else { side * side }]
        });
        chi_square(parts, &masses);
    }

    /// <v, X> is a mixture on the line with means <v, m_k> and variances <v, C_k v>.
    #[test]
    fn projections_of_samples_have_their_laws() {
        for law in [line(), plane(), space()] {
            let d = law.dim();
            let points = law.sample(20_000, 3);
            let mut rng = rng(4);
            for _ in 0..5 {
                let v = DMatrix::from_fn(1, d, |_, _| rng.random_range(-1.0..1.0));
                let means: Vec<f64> = (&v * law.means()).iter().copied().collect();
                let sds: Vec<f64> =
                    law.covariances().iter().map(|c| (&v * c * v.transpose())[0].sqrt()).collect();
                let projected = GaussianMixture::one_dimensional(law.weights(), &means, &sds).unwrap();
                kolmogorov((&v * &points).iter().copied(), |x| projected.marginal_cdf(0, x));
            }
            for i in 0..d {
                kolmogorov(points.row(i).iter().copied(), |x| law.marginal_cdf(i, x));
            }
        }
    }

    /// The integral of the density by Simpson's rule.
    #[test]
    fn distribution_function_is_the_integral_of_the_density() {
        let law = line();
        let (low, step) = (-30.0, 0.005);
        let mut integral = 0.0;
        for i in 0..8_000 {
            let x = low + f64::from(i) * step;
            let [a, b, c] = [x, x + 0.5 * step, x + step].map(|x| law.log_density(&[x]).exp());
            integral += (a + 4.0 * b + c) * step / 6.0;
            let cdf = law.marginal_cdf(0, x + step);
            assert!((integral - cdf).abs() < 1e-10, "{x}: {integral} or {cdf}");
        }
        assert!((integral - 1.0).abs() < 1e-10);
    }

    #[test]
    fn far_tails_do_not_underflow() {
        let law = line();
        // Only the wide component counts there.
        let x = 1e4;
        let expected = 0.3_f64.ln() - 2_f64.ln() - 0.5 * TAU.ln() - 0.5 * ((x + 5.0) / 2.0_f64).powi(2);
        assert!((law.log_density(&[x]) / expected - 1.0).abs() < 1e-14);
        assert_eq!(law.log_density(&[1e200]), f64::NEG_INFINITY);
        assert!(law.log_density(&[f64::NAN]).is_nan());
        let narrow = GaussianMixture::one_dimensional(&[1.0], &[0.0], &[1e-100]).unwrap();
        assert!((narrow.log_density(&[0.0]) - 100.0 * 10_f64.ln() + 0.5 * TAU.ln()).abs() < 1e-12);
    }

    #[test]
    fn grid_of_twenty_five() {
        let law = GaussianMixture::grid(5, 2.0, 0.1).unwrap();
        assert_eq!(law.means().shape(), (2, 25));
        assert!(law.weights().iter().all(|&w| w == 0.04));
        assert!(law.covariances().iter().all(|c| (c - DMatrix::identity(2, 2) * 0.01).norm() < 1e-16));
        let cell = |x: f64| (x / 2.0).round() + 2.0;
        let points = law.sample(20_000, 5);
        let parts = points.column_iter().map(|x| (cell(x[0]) + 5.0 * cell(x[1])) as usize);
        chi_square(parts, &[0.04; 25]);
        let from_centre = |x: f64| x - (x / 2.0).round() * 2.0;
        let one = GaussianMixture::one_dimensional(&[1.0], &[0.0], &[0.1]).unwrap();
        for row in points.row_iter() {
            kolmogorov(row.iter().map(|&x| from_centre(x)), |x| one.marginal_cdf(0, x));
        }
        assert_eq!(GaussianMixture::grid(1, 1.0, 1.0).unwrap().means().as_slice(), [0.0, 0.0]);
    }

    #[test]
    fn rounding_in_a_covariance_is_averaged_out() {
        let covariance = DMatrix::from_row_slice(2, 2, &[1.0, 0.5, 0.5 + 1e-13, 1.0]);
        let law = GaussianMixture::new(&[2.0], DMatrix::zeros(2, 1), vec![covariance]).unwrap();
        let covariance = &law.covariances()[0];
        assert_eq!(covariance[(0, 1)], covariance[(1, 0)]);
        assert_eq!(law.weights(), [1.0]);
    }

    #[test]
    fn covariances_are_checked() {
        let message = |entries: &[f64]| {
            let covariances = vec![DMatrix::identity(2, 2), DMatrix::from_row_slice(2, 2, entries)];
            GaussianMixture::new(&[1.0, 1.0], DMatrix::zeros(2, 2), covariances).unwrap_err().to_string()
        };
        let singular = "covariances = matrix 1, which is singular or indefinite: must be positive definite";
        assert_eq!(message(&[1.0, 1.0, 1.0, 1.0]), singular);
        assert_eq!(message(&[0.1, 0.3, 0.3, 0.9]), singular);
        assert_eq!(message(&[1.0, 1.0 - 1e-16, 1.0 - 1e-16, 1.0]), singular);
        assert_eq!(message(&[1.0, 2.0, 2.0, 1.0]), singular);
        let asymmetric = message(&[1.0, 0.5, 0.25, 1.0]);
        assert!(asymmetric.contains("matrix 1 with 0.25 at (1, 0) and 0.5 at (0, 1): must be symmetric"));
        assert!(message(&[1.0, 0.0, 0.0, 0.0]).contains("matrix 1 with the variance 0 of coordinate 1"));
        assert!(message(&[-1.0, 0.0, 0.0, 1.0]).contains("matrix 1 with the variance -1 of coordinate 0"));
        assert!(message(&[1.0, f64::NAN, f64::NAN, 1.0]).contains("symmetric and finite"));
        assert!(message(&[1.0, f64::INFINITY, f64::INFINITY, 1.0]).contains("symmetric and finite"));
        let tiny = DMatrix::from_row_slice(2, 2, &[1e-40, 0.0, 0.0, 1.0]);
        assert!(GaussianMixture::new(&[1.0], DMatrix::zeros(2, 1), vec![tiny]).is_ok());
    }

    /// In exact arithmetic; in floating point the factorisation succeeds for about half of them.
    #[test]
    fn products_of_low_rank_are_singular() {
        let mut rng = rng(6);
        for _ in 0..100 {
            let thin = DMatrix::from_fn(3, 2, |_, _| rng.random_range(-1.0..1.0));
            let covariance = &thin * thin.transpose();
            let message = GaussianMixture::new(&[1.0], DMatrix::zeros(3, 1), vec![covariance]).unwrap_err();
            assert!(message.to_string().contains("singular"), "{message}");
        }
    }

    #[test]
    fn parameters_are_checked() {
        let message = |weights: &[f64], means: &[f64], sds: &[f64]| {
            GaussianMixture::one_dimensional(weights, means, sds).unwrap_err().to_string()
        };
        assert_eq!(message(&[1.0], &[0.0], &[0.0]), "sds = 0 at 0: must be positive and finite");
        assert_eq!(
            message(&[1.0], &[0.0], &[1.0, 2.0]),
            "sds = 2 values: must be one for each of the 1 means"
        );
        assert_eq!(
            message(&[1.0, 1.0], &[0.0], &[1.0]),
            "weights = 2 values: must be one for each of the 1 means"
        );
        assert!(message(&[1.0], &[f64::NAN], &[1.0]).starts_with("means = NaN at coordinate 0 of point 0"));
        assert!(message(&[-1.0], &[0.0], &[1.0]).starts_with("weights = -1 at 0"));
        assert!(message(&[], &[], &[]).starts_with("means = 1 x 0"));
        let eye = || DMatrix::identity(2, 2);
        assert!(GaussianMixture::new(&[1.0], DMatrix::zeros(2, 1), vec![eye(), eye()]).is_err());
        let message =
            GaussianMixture::new(&[1.0], DMatrix::zeros(3, 1), vec![eye()]).unwrap_err().to_string();
        assert_eq!(message, "covariances = matrix 0 of size 2 x 2: must be 3 x 3");
        assert!(GaussianMixture::grid(0, 1.0, 1.0).is_err());
        assert!(GaussianMixture::grid(5, 0.0, 1.0).is_err());
        assert!(GaussianMixture::grid(5, 1.0, f64::INFINITY).is_err());
    }
}
