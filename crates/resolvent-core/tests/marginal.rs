//! The laws of the data under noise: densities, denoised points and scores against what defines them.

mod common;

use std::f64::consts::TAU;

use nalgebra::{DMatrix, DVector};
use rand::RngExt;
use rand_distr::StandardNormal;
use resolvent_core::marginal::{
    Clipped, DataPrediction, Denoiser, Diffused, GaussianMixture, MarginalScore, NoisePrediction,
    NoisyDensity, ScorePrediction, UniformSphere, VelocityPrediction,
};
use resolvent_core::random::{Purpose, stream};
use resolvent_core::schedule::{Level, Schedule, VpLinear};
use resolvent_core::{EmpiricalMeasure, Error};

use common::{KOLMOGOROV, assert_mean, kolmogorov};

fn level(alpha: f64, sigma: f64) -> Level {
    Level { time: 0.0, alpha, sigma }
}

/// n rows of d standard normal numbers times `scale`.
fn cloud(d: usize, n: usize, scale: f64, index: u64) -> Vec<f64> {
    let mut rng = stream(5, Purpose::Experiment, index);
    (0..d * n).map(|_| scale * rng.sample::<f64, _>(StandardNormal)).collect()
}

/// A mixture of `k` components with full covariances in R^d.
fn full(d: usize, k: usize) -> GaussianMixture {
    let covariance = |i| {
        let a = DMatrix::from_vec(d, d, cloud(d, d, 0.5, 10 + i));
        &a * a.transpose() + DMatrix::identity(d, d) * 0.05
    };
    let weights: Vec<f64> = (1..=k).map(|i| i as f64).collect();
    let means = DMatrix::from_vec(d, k, cloud(d, k, 1.5, 9));
    GaussianMixture::new(&weights, means, (0..k as u64).map(covariance)).unwrap()
}

fn isotropic(d: usize, k: usize) -> GaussianMixture {
    let weights: Vec<f64> = (1..=k).map(|i| i as f64).collect();
    let deviations: Vec<f64> = (1..=k).map(|i| 0.3 * i as f64).collect();
    GaussianMixture::isotropic(&weights, DMatrix::from_vec(d, k, cloud(d, k, 1.5, 8)), &deviations).unwrap()
}

/// |a - b| <= tolerance max(1, |b|), coordinate by coordinate.
#[track_caller]
fn assert_close(a: &[f64], b: &[f64], tolerance: f64) {
    assert_eq!(a.len(), b.len());
    for (i, (a, b)) in a.iter().zip(b).enumerate() {
        assert!((a - b).abs() <= tolerance * b.abs().max(1.0), "entry {i}: {a} {b}");
    }
}

fn densities(law: &impl NoisyDensity, level: &Level, points: &[f64]) -> Vec<f64> {
    let mut out = vec![f64::NAN; points.len() / law.dim()];
    law.log_densities(level, points, &mut out);
    out
}

fn denoised(law: &(impl Denoiser + ?Sized), level: &Level, points: &[f64]) -> Vec<f64> {
    let mut out = vec![f64::NAN; points.len()];
    law.denoise(level, points, &mut out);
    out
}

/// (α D - x)/σ².
fn score(law: &(impl Denoiser + ?Sized), level: &Level, points: &[f64]) -> Vec<f64> {
    let tweedie = |(d, x): (&f64, &f64)| (level.alpha * d - x) / (level.sigma * level.sigma);
    denoised(law, level, points).iter().zip(points).map(tweedie).collect()
}

/// ∇ log p at `x` by central differences of fourth order.
fn gradient(law: &impl NoisyDensity, level: &Level, x: &[f64]) -> Vec<f64> {
    let h = 1e-3;
    let mut out = vec![0.0; x.len()];
    for (i, out) in out.iter_mut().enumerate() {
        for (shift, weight) in [(-2.0, 1.0), (-1.0, -8.0), (1.0, 8.0), (2.0, -1.0)] {
            let mut at = x.to_vec();
            at[i] += shift * h;
            *out += weight * densities(law, level, &at)[0] / (12.0 * h);
        }
    }
    out
}

/// J v by central differences of fourth order.
fn derivative(law: &impl Denoiser, level: &Level, x: &[f64], v: &[f64]) -> Vec<f64> {
    let h = 1e-3;
    let mut out = vec![0.0; x.len()];
    for (shift, weight) in [(-2.0, 1.0), (-1.0, -8.0), (1.0, 8.0), (2.0, -1.0)] {
        let at: Vec<f64> = x.iter().zip(v).map(|(x, v)| x + shift * h * v).collect();
        let values = denoised(law, level, &at);
        out.iter_mut().zip(values).for_each(|(o, d)| *o += weight * d / (12.0 * h));
    }
    out
}

/// Tweedie's score is the gradient of the log-density, and J v the derivative of D.
#[track_caller]
fn assert_consistent(law: &impl NoisyDensity, level: &Level, points: &[f64], tolerance: f64) {
    let d = law.dim();
    for (j, x) in points.chunks_exact(d).enumerate() {
        assert_close(&score(law, level, x), &gradient(law, level, x), tolerance);
        let v = cloud(d, 1, 1.0, 100 + j as u64);
        let mut product = vec![f64::NAN; d];
        law.jacobian_product(level, x, &v, &mut product);
        assert_close(&product, &derivative(law, level, x, &v), tolerance);
    }
}

/// The value at a point is the same bits alone and in any batch.
fn assert_batch_independent(law: &impl NoisyDensity, level: &Level, points: &[f64]) {
    let d = law.dim();
    let (all, logs) = (denoised(law, level, points), densities(law, level, points));
    for batch in [1, 3, 8, 33] {
        let parts: Vec<f64> = points.chunks(batch * d).flat_map(|p| denoised(law, level, p)).collect();
        assert_eq!(all, parts, "batches of {batch}");
        let parts: Vec<f64> = points.chunks(batch * d).flat_map(|p| densities(law, level, p)).collect();
        assert_eq!(logs, parts, "batches of {batch}");
    }
}

/// log N(x; mean, covariance) by Cholesky.
fn log_gaussian(x: &[f64], mean: &DVector<f64>, covariance: &DMatrix<f64>) -> f64 {
    let away = DVector::from_column_slice(x) - mean;
    let cholesky = covariance.clone().cholesky().unwrap();
    let d = x.len() as f64;
    -0.5 * (d * TAU.ln() + cholesky.determinant().ln() + away.dot(&cholesky.solve(&away)))
}

const LEVELS: [(f64, f64); 4] = [(1.0, 0.05), (0.8, 0.6), (1.0, 3.0), (0.05, 0.998)];

#[test]
fn mixture_is_the_explicit_sum() {
    for law in [full(3, 4), isotropic(3, 4), full(1, 2), full(5, 3), isotropic(2, 25)] {
        let d = law.dim();
        for (alpha, sigma) in LEVELS {
            let level = level(alpha, sigma);
            let points = cloud(d, 11, 1.5, 1);
            for (x, log) in points.chunks_exact(d).zip(densities(&law, &level, &points)) {
                let mut terms = vec![];
                let mut mean = DVector::zeros(d);
                for k in 0..law.len() {
                    let (mu, s) = (law.means().column(k).into_owned(), law.component_covariance(k));
                    let noisy = &s * alpha * alpha + DMatrix::identity(d, d) * sigma * sigma;
                    let term = law.weights()[k] * log_gaussian(x, &(&mu * alpha), &noisy).exp();
                    let away = DVector::from_column_slice(x) - &mu * alpha;
                    mean += (&mu + s * alpha * noisy.cholesky().unwrap().solve(&away)) * term;
                    terms.push(term);
                }
                let total: f64 = terms.iter().sum();
                assert!((log - total.ln()).abs() < 1e-11 * log.abs().max(1.0), "{log} {}", total.ln());
                assert_close(&denoised(&law, &level, x), (mean / total).as_slice(), 1e-10);
                let posterior = law.responsibilities(&level, x);
                let expected: Vec<f64> = terms.iter().map(|t| t / total).collect();
                assert_close(&posterior, &expected, 1e-11);
            }
        }
    }
}

#[test]
fn mixture_score_and_jacobian_are_derivatives() {
    for law in [full(1, 2), isotropic(1, 3), full(2, 3), isotropic(2, 4), full(3, 2), full(6, 3)] {
        let d = law.dim();
        for (alpha, sigma) in LEVELS {
            assert_consistent(&law, &level(alpha, sigma), &cloud(d, 4, 1.5, 2), 2e-6);
        }
    }
}

#[test]
fn direct_score_is_tweedies() {
    for law in [full(2, 3), isotropic(2, 3), full(4, 2)] {
        let d = law.dim();
        let points = cloud(d, 9, 1.5, 3);
        for (alpha, sigma) in LEVELS {
            let level = level(alpha, sigma);
            let mut direct = vec![0.0; points.len()];
            law.scores(&level, &points, &mut direct);
            assert_close(&direct, &score(&law, &level, &points), 1e-10);
            // The law at a level, taken as clean data, is the same law.
            let there = law.at(&level);
            let mut clean = vec![0.0; d];
            there.score_into(&points[..d], &mut clean);
            assert_close(&clean, &direct[..d], 1e-10);
            assert!((there.log_density(&points[..d]) - densities(&law, &level, &points)[0]).abs() < 1e-11);
        }
    }
}

#[test]
fn affine_image_is_the_law_of_the_image() {
    let law = full(2, 3);
    let (alpha, sigma) = (0.7, 0.4);
    let noise = DMatrix::identity(2, 2) * sigma * sigma;
    let image = law.affine(&(DMatrix::identity(2, 2) * alpha), &DVector::zeros(2), &noise).unwrap();
    let points = cloud(2, 5, 1.0, 4);
    let (a, b) = (densities(&image, &Level::CLEAN, &points), densities(&law, &level(alpha, sigma), &points));
    assert_close(&a, &b, 1e-11);
    // A projection onto a line that is not an axis.
    let direction = DMatrix::from_row_slice(1, 2, &[0.6, -0.8]);
    let line = law.affine(&direction, &DVector::from_element(1, 2.0), &DMatrix::zeros(1, 1)).unwrap();
    assert!((line.mean()[0] - (&direction * law.mean())[0] - 2.0).abs() < 1e-13);
    assert!(
        (line.covariance()[0] - (&direction * law.covariance() * direction.transpose())[0]).abs() < 1e-13
    );
}

#[test]
fn mixture_densities_integrate_to_one() {
    let level = level(0.8, 0.4);
    for law in [full(1, 3), isotropic(1, 3)] {
        let nodes: Vec<f64> = (0..4000).map(|i| -20.0 + 0.01 * f64::from(i)).collect();
        let mass: f64 = densities(&law, &level, &nodes).iter().map(|l| 0.01 * l.exp()).sum();
        assert!((mass - 1.0).abs() < 1e-12, "{mass}");
        // The distribution function is the integral of the density (trapezoidal rule to x = 1).
        let below: Vec<f64> = (0..=8000).map(|i| 1.0 - 0.0025 * f64::from(i)).collect();
        let logs = densities(&law, &level, &below);
        let mass = 0.0025 * (logs.iter().map(|l| l.exp()).sum::<f64>() - 0.5 * logs[0].exp());
        assert!((mass - law.cdf(&level, 1.0)).abs() < 1e-5, "{mass} {}", law.cdf(&level, 1.0));
    }
    for law in [full(2, 3), isotropic(2, 3)] {
        let h = 0.05;
        let nodes: Vec<f64> = (0..400 * 400)
            .flat_map(|i| [h * (f64::from(i % 400) - 200.0), h * (f64::from(i / 400) - 200.0)])
            .collect();
        let weights: Vec<f64> = densities(&law, &level, &nodes).iter().map(|l| h * h * l.exp()).collect();
        assert!((weights.iter().sum::<f64>() - 1.0).abs() < 1e-9);
        let there = law.at(&level);
        for i in 0..2 {
            let mean: f64 = weights.iter().zip(nodes.chunks_exact(2)).map(|(w, x)| w * x[i]).sum();
            assert!((mean - there.mean()[i]).abs() < 1e-9);
            for j in 0..2 {
                let product = |x: &[f64]| (x[i] - there.mean()[i]) * (x[j] - there.mean()[j]);
                let moment: f64 =
                    weights.iter().zip(nodes.chunks_exact(2)).map(|(w, x)| w * product(x)).sum();
                assert!((moment - there.covariance()[(i, j)]).abs() < 1e-8);
            }
        }
    }
}

#[test]
fn mixture_samples_follow_the_law() {
    let n = 40_000;
    for law in [full(2, 3), isotropic(2, 3)] {
        let sample = law.sample(n, 3);
        for i in 0..2 {
            let coordinate: Vec<f64> = sample.row(i).iter().copied().collect();
            let gap = kolmogorov(&coordinate, |x| law.marginal_cdf(&Level::CLEAN, i, x));
            assert!(gap < KOLMOGOROV, "coordinate {i}: {gap}");
        }
        let mean = law.mean();
        let products: Vec<f64> = sample.column_iter().map(|x| (x[0] - mean[0]) * (x[1] - mean[1])).collect();
        assert_mean(&products, law.covariance()[(0, 1)]);
        // Draw i does not depend on how many there are.
        assert_eq!(law.sample(7, 3), sample.columns(0, 7));
    }
}

#[test]
fn far_points_have_finite_values() {
    let laws = [full(2, 3), isotropic(2, 3), full(20, 2)];
    for law in &laws {
        let d = law.dim();
        for scale in [1e3, 1e6] {
            for (alpha, sigma) in [(1.0, 0.01), (0.8, 0.6)] {
                let x = vec![scale; d];
                let level = level(alpha, sigma);
                assert!(densities(law, &level, &x)[0].is_finite());
                assert!(denoised(law, &level, &x).iter().all(|v| v.is_finite()));
                let (mut product, mut direct) = (vec![0.0; d], vec![0.0; d]);
                law.jacobian_product(&level, &x, &vec![1.0; d], &mut product);
                law.scores(&level, &x, &mut direct);
                assert!(product.iter().chain(&direct).all(|v| v.is_finite()));
            }
        }
    }
    // So far out one component is alone: the score is that of its Gaussian.
    let law = GaussianMixture::one_dimensional(&[0.3, 0.7], &[-5.0, 5.0], &[2.0, 2.0]).unwrap();
    let mut s = [0.0];
    law.score_into(&[1e3], &mut s);
    assert_close(&s, &[-(1e3 - 5.0) / 4.0], 1e-14);
}

/// A weighted measure of `m` points.
fn measure(d: usize, m: usize) -> EmpiricalMeasure {
    let weights: Vec<f64> = (0..m).map(|i| 1.0 + (i % 3) as f64).collect();
    EmpiricalMeasure::weighted(DMatrix::from_vec(d, m, cloud(d, m, 1.0, 20)), &weights).unwrap()
}

#[test]
fn narrow_mixture_is_the_empirical_measure() {
    // Both sides of the dimension from which matrix products are used, and more data than a block.
    for (d, m) in [(1, 5), (2, 300), (15, 40), (16, 40), (40, 300)] {
        let data = measure(d, m);
        let weights: Vec<f64> = data.log_weights().iter().map(|l| l.exp()).collect();
        let narrow = GaussianMixture::isotropic(&weights, data.points().clone(), &vec![1e-9; m]).unwrap();
        for (alpha, sigma) in LEVELS {
            let level = level(alpha, sigma);
            // From the middle of the data to their edges, and one point next to a datum.
            let mut points = cloud(d, 40, alpha + sigma, 6);
            points[..d].iter_mut().zip(data.point(1)).for_each(|(x, y)| *x = alpha * y + 1e-3 * sigma);
            assert_close(&denoised(&data, &level, &points), &denoised(&narrow, &level, &points), 1e-9);
            assert_close(&densities(&data, &level, &points), &densities(&narrow, &level, &points), 1e-11);
            let v = cloud(d, 1, 1.0, 7);
            let (mut a, mut b) = (vec![0.0; d], vec![0.0; d]);
            for x in points.chunks_exact(d).take(3) {
                data.jacobian_product(&level, x, &v, &mut a);
                narrow.jacobian_product(&level, x, &v, &mut b);
                assert_close(&a, &b, 1e-8);
            }
        }
    }
}

#[test]
fn empirical_score_and_jacobian_are_derivatives() {
    for (d, m) in [(1, 4), (2, 30), (18, 20)] {
        for (alpha, sigma) in [(0.8, 0.6), (1.0, 2.0)] {
            assert_consistent(&measure(d, m), &level(alpha, sigma), &cloud(d, 3, 1.0, 2), 2e-6);
        }
    }
}

/// A law that is known by its denoised points alone.
struct Opaque<'a, D>(&'a D);

impl<D: Denoiser> Denoiser for Opaque<'_, D> {
    fn dim(&self) -> usize {
        self.0.dim()
    }

    fn denoise(&self, level: &Level, points: &[f64], denoised: &mut [f64]) {
        self.0.denoise(level, points, denoised);
    }
}

/// Between two data the denoiser goes from one to the other within σ²/(α |y_1 - y_2|).
#[test]
fn the_jacobian_by_differences_follows_the_noise() {
    let (d, sigmas) = (50, [1.0, 0.1, 0.01, 0.002]);
    let data = EmpiricalMeasure::new(DMatrix::from_vec(d, 2, cloud(d, 2, 1.0, 30))).unwrap();
    for alpha in [1.0, 0.3] {
        for sigma in sigmas {
            let level = level(alpha, sigma);
            // The weights of the two are 0.27 and 0.73.
            let squared: f64 = data.point(0).iter().zip(data.point(1)).map(|(a, b)| (a - b).powi(2)).sum();
            let share = 0.5 + sigma * sigma / (alpha * alpha * squared) / 2.0;
            let between = |(a, b): (&f64, &f64)| alpha * ((1.0 - share) * a + share * b);
            let x: Vec<f64> = data.point(0).iter().zip(data.point(1)).map(between).collect();
            let v = cloud(d, 1, 3.0, 31);
            let (mut exact, mut found) = (vec![f64::NAN; d], vec![f64::NAN; d]);
            data.jacobian_product(&level, &x, &v, &mut exact);
            Opaque(&data).jacobian_product(&level, &x, &v, &mut found);
            let size = exact.iter().fold(0.0, |a: f64, e| a.max(e.abs()));
            let error = exact.iter().zip(&found).fold(0.0, |a: f64, (e, f)| a.max((e - f).abs()));
            assert!(error < 1e-4 * size, "alpha {alpha}, sigma {sigma}: {error} of {size}");
        }
    }
}

#[test]
fn empirical_measure_without_noise_is_the_nearest_datum() {
    for d in [2, 20] {
        let data = measure(d, 50);
        let points = cloud(d, 9, 1.0, 12);
        for sigma in [1e-4, 1e-120, 0.0] {
            for (x, found) in
                points.chunks_exact(d).zip(denoised(&data, &level(0.9, sigma), &points).chunks_exact(d))
            {
                let distance = |y: &[f64]| x.iter().zip(y).map(|(x, y)| (x - 0.9 * y).powi(2)).sum::<f64>();
                let nearest =
                    (0..50).map(|i| data.point(i)).min_by(|a, b| distance(a).total_cmp(&distance(b)));
                assert_eq!(found, nearest.unwrap());
            }
        }
        // On a datum as well.
        assert_eq!(denoised(&data, &Level::CLEAN, data.point(3)), data.point(3));
    }
    let two = EmpiricalMeasure::new(DMatrix::from_row_slice(1, 2, &[-1.0, 2.0])).unwrap();
    assert_eq!(denoised(&two, &Level::CLEAN, &[0.5]), [0.5], "as near to both");
    // Pure noise says nothing: the mean.
    assert_close(&denoised(&two, &level(0.0, 1.0), &[7.0]), &[0.5], 1e-15);
}

#[test]
fn circle_agrees_with_quadrature() {
    let (radius, nodes) = (1.5, 2000);
    for d in [2, 5] {
        let circle = UniformSphere::new(1, radius, d).unwrap();
        let node = |i: usize, j: usize| {
            let angle = TAU * j as f64 / nodes as f64;
            match i {
                0 => radius * angle.cos(),
                1 => radius * angle.sin(),
                _ => 0.0,
            }
        };
        let data = EmpiricalMeasure::new(DMatrix::from_fn(d, nodes, node)).unwrap();
        // Down to σ of five times the distance of the nodes.
        for (alpha, sigma) in [(1.0, 0.025), (1.0, 0.2), (0.7, 0.7), (1.0, 3.0), (0.01, 1.0)] {
            let level = level(alpha, sigma);
            let mut points = cloud(d, 20, alpha + sigma, 14);
            points[..d].fill(0.0);
            points[d] = 1e-9;
            assert_close(&denoised(&circle, &level, &points), &denoised(&data, &level, &points), 1e-9);
            assert_close(&densities(&circle, &level, &points), &densities(&data, &level, &points), 1e-9);
            let v = cloud(d, 1, 1.0, 7);
            let (mut a, mut b) = (vec![0.0; d], vec![0.0; d]);
            for x in points.chunks_exact(d) {
                circle.jacobian_product(&level, x, &v, &mut a);
                data.jacobian_product(&level, x, &v, &mut b);
                assert_close(&a, &b, 1e-8);
            }
        }
    }
}

#[test]
fn sphere_of_dimension_two_is_elementary() {
    let sphere = UniformSphere::new(2, 2.0, 4).unwrap();
    for sigma in [0.02, 0.3, 1.0, 5.0] {
        let level = level(0.9, sigma);
        let points = cloud(4, 12, 1.5, 15);
        let (found, logs) = (denoised(&sphere, &level, &points), densities(&sphere, &level, &points));
        for ((x, found), log) in points.chunks_exact(4).zip(found.chunks_exact(4)).zip(logs) {
            let length = x[..3].iter().map(|x| x * x).sum::<f64>().sqrt();
            let kappa = 0.9 * 2.0 * length / (sigma * sigma);
            let langevin = 1.0 / kappa.tanh() - 1.0 / kappa;
            let expected: Vec<f64> = x[..3].iter().map(|x| 2.0 * langevin * x / length).collect();
            assert_close(&found[..3], &expected, 1e-12);
            assert_eq!(found[3], 0.0);
            // sinh κ/κ, in logarithms.
            let log_average = kappa + (-(-2.0 * kappa).exp_m1() / (2.0 * kappa)).ln();
            let square: f64 = x.iter().map(|x| x * x).sum::<f64>() + (0.9_f64 * 2.0).powi(2);
            let exact = -2.0 * (TAU * sigma * sigma).ln() - 0.5 * square / (sigma * sigma) + log_average;
            assert!((log - exact).abs() < 1e-11 * exact.abs().max(1.0), "{log} {exact}");
        }
        assert_consistent(&sphere, &level, &points[..8], if sigma < 0.1 { 1e-4 } else { 2e-6 });
    }
}

#[test]
fn spheres_are_consistent_and_normalised() {
    for (k, d) in [(1, 2), (1, 4), (2, 3), (5, 6), (30, 40)] {
        let sphere = UniformSphere::new(k, 1.3, d).unwrap();
        for (alpha, sigma) in [(1.0, 0.5), (0.6, 0.8), (0.01, 1.0)] {
            assert_consistent(&sphere, &level(alpha, sigma), &cloud(d, 3, 1.0, 16), 2e-6);
        }
    }
    // Where Hankel's expansion takes over the logarithm has no seam, and close to the sphere it is the surface density.
    let sphere = UniformSphere::new(1, 1.0, 2).unwrap();
    for sigma in [0.05_f64, 0.0316, 0.0317, 0.001, 1e-5] {
        let log = densities(&sphere, &level(1.0, sigma), &[1.0, 0.0])[0];
        // Uniform density 1/(2π) along the circle times N(0, σ²) across; curvature enters with σ²/8.
        let exact = -(TAU).ln() - 0.5 * (TAU * sigma * sigma).ln() + sigma * sigma / 8.0;
        assert!((log - exact).abs() < 0.1 * sigma.powi(4) + 1e-12, "{sigma}: {log} {exact}");
    }
    // The integral over the plane, in polar coordinates.
    let sum: f64 = (0..4000)
        .map(|i| {
            let r = 0.0025 * (f64::from(i) + 0.5);
            0.0025 * TAU * r * densities(&sphere, &level(0.9, 0.5), &[r, 0.0])[0].exp()
        })
        .sum();
    assert!((sum - 1.0).abs() < 1e-6, "{sum}");
}

/// The radial Jacobian of the circle, A' by 60 digits of the Bessel functions.
#[test]
fn the_jacobian_on_a_circle_does_not_cancel_as_the_noise_vanishes() {
    let circle = UniformSphere::new(1, 1.0, 2).unwrap();
    let product = |sigma: f64| {
        let mut out = [f64::NAN; 2];
        circle.jacobian_product(&level(1.0, sigma), &[1.1, 0.0], &[1.0, 0.0], &mut out);
        assert_eq!(out[1], 0.0);
        out[0]
    };
    for (sigma, exact) in [
        (0.1, 0.004151275373969033),
        (0.05, 0.0010342358017098238),
        // From here on by the expansion.
        (0.03, 0.0003720531547312164),
        (1e-2, 4.13241925927676e-5),
        (1e-3, 4.132233283248241e-7),
        (1e-4, 4.132231423741548e-9),
        (1e-6, 4.1322314049605557e-13),
        (1e-8, 4.132231404958678e-17),
    ] {
        let tolerance = if sigma > 0.04 { 1e-10 } else { 1e-14 };
        assert!((product(sigma) / exact - 1.0).abs() < tolerance, "{sigma}: {} {exact}", product(sigma));
    }
    assert_eq!(product(1e-170), 0.0);
    // In three dimensions A = coth κ - 1/κ, and A' = 1/κ² where coth κ = 1.
    let sphere = UniformSphere::new(2, 1.0, 3).unwrap();
    for sigma in [0.1, 0.02, 1e-3, 1e-8] {
        let mut out = [f64::NAN; 3];
        sphere.jacobian_product(&level(1.0, sigma), &[0.9, 0.0, 0.0], &[1.0, 2.0, 0.0], &mut out);
        let kappa = 0.9 / (sigma * sigma);
        assert!((out[0] / (1.0 / kappa / 0.9) - 1.0).abs() < 1e-10, "{sigma}: {}", out[0]);
        assert!((out[1] / (2.0 * (1.0 - 1.0 / kappa) / 0.9) - 1.0).abs() < 1e-12, "{sigma}: {}", out[1]);
    }
}

#[test]
fn every_prediction_gives_the_same_denoised_points() {
    let law = full(2, 3);
    let points = cloud(2, 7, 1.0, 17);
    let noise = |l: &Level, x: &[f64], out: &mut [f64]| {
        law.denoise(l, x, out);
        out.iter_mut().zip(x).for_each(|(o, x)| *o = (x - l.alpha * *o) / l.sigma);
    };
    let velocity = |l: &Level, x: &[f64], out: &mut [f64]| {
        // v = α ε - σ x_0.
        let mut denoised = vec![0.0; x.len()];
        law.denoise(l, x, &mut denoised);
        noise(l, x, out);
        out.iter_mut().zip(denoised).for_each(|(o, d)| *o = l.alpha * *o - l.sigma * d);
    };
    let score = |l: &Level, x: &[f64], out: &mut [f64]| law.scores(l, x, out);
    let data = |l: &Level, x: &[f64], out: &mut [f64]| law.denoise(l, x, out);
    for (alpha, sigma) in [(0.8, 0.6), (1.0, 2.0), (0.3, 0.5)] {
        let level = level(alpha, sigma);
        let exact = denoised(&law, &level, &points);
        assert_close(&denoised(&NoisePrediction::new(2, noise).unwrap(), &level, &points), &exact, 1e-12);
        assert_close(
            &denoised(&VelocityPrediction::new(2, velocity).unwrap(), &level, &points),
            &exact,
            1e-12,
        );
        assert_close(&denoised(&ScorePrediction::new(2, score).unwrap(), &level, &points), &exact, 1e-12);
        assert_eq!(denoised(&DataPrediction::new(2, data).unwrap(), &level, &points), exact);
        let clipped = denoised(&Clipped::new(&law, 0.5).unwrap(), &level, &points);
        let bounded: Vec<f64> = exact.iter().map(|d| d.clamp(-0.5, 0.5)).collect();
        assert_eq!(clipped, bounded);
        assert!(clipped != exact);
    }
}

#[test]
fn score_under_a_schedule_is_that_of_the_marginal() {
    let (law, schedule) = (full(2, 3), VpLinear::default());
    let marginal = Diffused { schedule: &schedule, denoiser: &law };
    for t in [0.05, 0.4, 1.0] {
        let there = law.at(&schedule.level(t));
        let points = cloud(2, 6, 1.2, 18);
        let mut scores = vec![0.0; 12];
        marginal.evaluate(t, &points, &mut scores);
        let (mut expected, mut product) = ([0.0; 2], [0.0; 2]);
        for (x, s) in points.chunks_exact(2).zip(scores.chunks_exact(2)) {
            there.score_into(x, &mut expected);
            assert_close(s, &expected, 1e-11);
            marginal.jacobian_product(t, x, &[0.3, -1.1], &mut product);
            let h = 1e-5;
            let shifted = [x[0] + h * 0.3, x[1] - h * 1.1, x[0] - h * 0.3, x[1] + h * 1.1];
            let mut values = [0.0; 4];
            marginal.evaluate(t, &shifted, &mut values);
            let numeric = [(values[0] - values[2]) / (2.0 * h), (values[1] - values[3]) / (2.0 * h)];
            assert_close(&product, &numeric, 1e-6);
        }
    }
}

#[test]
fn values_do_not_depend_on_the_batch() {
    let level = level(0.9, 0.3);
    assert_batch_independent(&full(1, 3), &level, &cloud(1, 70, 1.5, 19));
    assert_batch_independent(&full(2, 3), &level, &cloud(2, 70, 1.5, 19));
    assert_batch_independent(&isotropic(3, 9), &level, &cloud(3, 70, 1.5, 19));
    assert_batch_independent(&full(5, 3), &level, &cloud(5, 70, 1.5, 19));
    assert_batch_independent(&measure(2, 300), &level, &cloud(2, 70, 1.5, 19));
    assert_batch_independent(&measure(20, 300), &level, &cloud(20, 70, 1.5, 19));
    assert_batch_independent(&UniformSphere::new(1, 1.0, 4).unwrap(), &level, &cloud(4, 70, 1.5, 19));
    // What the narrow component would contribute to the score of the other points is infinite, and its weight zero.
    let narrow = DMatrix::from_diagonal(&DVector::from_column_slice(&[1e-300, 2e-300]));
    let means = DMatrix::from_row_slice(2, 2, &[0.0, 1e9, 0.0, 0.0]);
    let law = GaussianMixture::new(&[0.5, 0.5], means, [narrow, DMatrix::identity(2, 2)]).unwrap();
    let mut scores = [f64::NAN; 4];
    law.scores(&Level::CLEAN, &[0.0, 0.0, 1e9, 1.0], &mut scores);
    assert_eq!(scores, [0.0, 0.0, 0.0, -1.0]);
    let law = GaussianMixture::one_dimensional(&[0.5, 0.5], &[1e9, 0.0], &[1e-150, 1.0]).unwrap();
    let mut scores = [f64::NAN; 2];
    law.scores(&Level::CLEAN, &[1e9, 1.0], &mut scores);
    assert_eq!(scores[1], -1.0);
}

#[test]
fn bad_input_is_refused() {
    // Large is not bad.
    let large = DMatrix::from_row_slice(2, 2, &[1.5e308, 1e307, 1e307, 1e308]);
    assert!(GaussianMixture::new(&[1.0], DMatrix::zeros(2, 1), [large]).is_ok());
    let means = || DMatrix::from_row_slice(2, 2, &[0.0, 1.0, 0.0, 1.0]);
    let unit = || DMatrix::<f64>::identity(2, 2);
    let new = |w: &[f64], covariances: Vec<DMatrix<f64>>| GaussianMixture::new(w, means(), covariances);
    assert!(matches!(
        new(&[1.0, -1.0], vec![unit(), unit()]),
        Err(Error::Weight { index: 1, value }) if value == -1.0
    ));
    assert_eq!(new(&[0.0, 0.0], vec![unit(), unit()]), Err(Error::NoMass));
    assert!(matches!(new(&[1.0], vec![unit(), unit()]), Err(Error::Dimension { name: "weights", .. })));
    assert!(matches!(new(&[1.0, 1.0], vec![unit()]), Err(Error::Dimension { name: "covariances", .. })));
    let wide = DMatrix::identity(3, 3);
    assert!(matches!(new(&[1.0, 1.0], vec![unit(), wide]), Err(Error::Dimension { name: "covariance", .. })));
    let singular = DMatrix::from_row_slice(2, 2, &[1.0, 1.0, 1.0, 1.0]);
    let indefinite = DMatrix::from_row_slice(2, 2, &[1.0, 2.0, 2.0, 1.0]);
    let lopsided = DMatrix::from_row_slice(2, 2, &[1.0, 0.1, 0.2, 1.0]);
    let broken = DMatrix::from_row_slice(2, 2, &[1.0, 0.0, 0.0, f64::NAN]);
    for bad in [singular, indefinite, lopsided, broken, DMatrix::zeros(2, 2)] {
        let error = new(&[1.0, 1.0], vec![unit(), bad]).unwrap_err();
        assert!(matches!(&error, Error::Covariance { name, .. } if name.contains("component 1")), "{error}");
    }
    let nan = DMatrix::from_row_slice(2, 1, &[0.0, f64::NAN]);
    assert!(matches!(
        GaussianMixture::isotropic(&[1.0], nan, &[1.0]),
        Err(Error::NotFinite { coordinate: 1, .. })
    ));
    for deviation in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let law = GaussianMixture::one_dimensional(&[1.0], &[0.0], &[deviation]);
        assert!(matches!(law, Err(Error::NotPositive { name: "deviation", .. })));
    }
    for deviation in [1e-200, 1e200] {
        let law = GaussianMixture::one_dimensional(&[1.0], &[0.0], &[deviation]);
        assert!(matches!(law, Err(Error::NotPositive { name: "squared deviation", .. })));
    }
    assert!(matches!(GaussianMixture::one_dimensional(&[], &[], &[]), Err(Error::Empty { .. })));
    assert!(matches!(UniformSphere::new(0, 1.0, 3), Err(Error::TooSmall { name: "intrinsic", .. })));
    assert!(matches!(UniformSphere::new(3, 1.0, 3), Err(Error::TooSmall { name: "dim", .. })));
    assert!(matches!(UniformSphere::new(1, 0.0, 3), Err(Error::NotPositive { name: "radius", .. })));
    assert!(matches!(
        Clipped::new(&full(1, 2), f64::NAN).err(),
        Some(Error::NotPositive { name: "bound", .. })
    ));
    let model = |_: &Level, _: &[f64], _: &mut [f64]| {};
    assert!(matches!(NoisePrediction::new(0, model).err(), Some(Error::TooSmall { name: "dim", .. })));
}
