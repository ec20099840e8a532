//! Student-t noise: denoised points, start law and flow against closed forms.

mod common;

use nalgebra::DMatrix;
use rand::RngExt;
use rand_distr::StandardNormal;
use resolvent_core::horizon::{Churn, HorizonSampler, heun};
use resolvent_core::marginal::{Denoiser, StudentMixture, StudentT, UniformSphere, student_prior};
use resolvent_core::random::{Purpose, stream};
use resolvent_core::schedule::{Edm, Grid, Level};
use resolvent_core::{EmpiricalMeasure, Error};
use statrs::distribution::{Beta, ContinuousCDF, StudentsT};

use common::{KOLMOGOROV, kolmogorov};

fn level(sigma: f64) -> Level {
    Level { time: sigma, alpha: 1.0, sigma }
}

/// `count` normal points with weights 1, 2, ..
fn measure(d: usize, count: usize) -> EmpiricalMeasure {
    let mut rng = stream(3, Purpose::Experiment, (100 * d + count) as u64);
    let points = DMatrix::from_fn(d, count, |_, _| rng.sample(StandardNormal));
    let weights: Vec<f64> = (1..=count).map(|i| i as f64).collect();
    EmpiricalMeasure::weighted(points, &weights).unwrap()
}

/// `n` rows of d normal numbers times `scale`.
fn cloud(d: usize, n: usize, scale: f64) -> Vec<f64> {
    let mut rng = stream(4, Purpose::Experiment, d as u64);
    (0..d * n).map(|_| scale * rng.sample::<f64, _>(StandardNormal)).collect()
}

fn denoised(denoiser: &impl Denoiser, level: &Level, points: &[f64]) -> Vec<f64> {
    let mut out = vec![f64::NAN; points.len()];
    denoiser.denoise(level, points, &mut out);
    out
}

fn largest_gap(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, |a, b| if b <= a { a } else { b })
}

/// Σ w_i y_i by its definition, with numbers that need no logarithm.
#[test]
fn denoised_points_are_the_weighted_sums() {
    for (d, augmented, alpha, sigma) in [(1, 3.0, 1.0, 0.7), (3, 1.0, 0.6, 0.2), (20, 12.5, 1.0, 1.5)] {
        let measure = measure(d, 6);
        let points = cloud(d, 5, 2.0);
        let at = Level { time: 0.0, alpha, sigma };
        let found = denoised(&StudentT::new(measure.clone(), augmented).unwrap(), &at, &points);
        for (x, found) in points.chunks(d).zip(found.chunks(d)) {
            let (mut sum, mut mass) = (vec![0.0; d], 0.0);
            for i in 0..measure.len() {
                let y = measure.point(i);
                let squared: f64 = x.iter().zip(y).map(|(x, y)| (x - alpha * y).powi(2)).sum();
                let weight = measure.log_weights()[i].exp()
                    * (squared + augmented * sigma * sigma).powf(-0.5 * (d as f64 + augmented));
                mass += weight;
                sum.iter_mut().zip(y).for_each(|(s, y)| *s += weight * y);
            }
            sum.iter_mut().for_each(|s| *s /= mass);
            assert!(largest_gap(found, &sum) < 1e-12, "d = {d}: {found:?} {sum:?}");
        }
    }
}

/// As D -> ∞ at fixed σ the noise is Gaussian; the next term is of the order (ρ²/σ² + d)²/D.
#[test]
fn many_augmented_coordinates_are_gaussian_noise() {
    for d in [1, 4, 24] {
        let (measure, points) = (measure(d, 7), cloud(d, 6, 1.5));
        let gap = |augmented| {
            let student = denoised(&StudentT::new(measure.clone(), augmented).unwrap(), &level(0.8), &points);
            largest_gap(&student, &denoised(&measure, &level(0.8), &points))
        };
        let (coarse, fine) = (gap(1e6), gap(1e8));
        assert!(fine < 1e-4, "d = {d}: {fine}");
        assert!((coarse / fine - 100.0).abs() < 2.0, "d = {d}: {coarse} {fine}");
    }
}

/// The mixture over variances against the closed form, near and far, at few and many degrees of freedom.
#[test]
fn the_mixture_of_gaussian_levels_is_student_noise() {
    for d in [1, 2, 8, 40] {
        for augmented in [0.7, 8.0, 128.0, 4096.0] {
            let measure = measure(d, 5);
            let direct = StudentT::new(measure.clone(), augmented).unwrap();
            let mixture = StudentMixture::new(measure, augmented).unwrap();
            for (sigma, scale) in [(50.0, 50.0), (1.0, 1.5), (0.1, 1.0), (0.002, 3.0)] {
                let points = cloud(d, 8, scale);
                let (a, b) =
                    (denoised(&direct, &level(sigma), &points), denoised(&mixture, &level(sigma), &points));
                assert!(largest_gap(&a, &b) < 1e-9, "d = {d}, D = {augmented}, σ = {sigma}: {a:?} {b:?}");
            }
        }
    }
}

#[test]
fn a_point_has_the_same_bits_in_any_batch() {
    let mixture = StudentMixture::new(UniformSphere::new(1, 0.7, 3).unwrap(), 128.0).unwrap();
    let mut points = cloud(3, 9, 1.0);
    points.extend(cloud(3, 9, 500.0));
    let together = denoised(&mixture, &level(0.3), &points);
    for (x, all) in points.chunks(3).zip(together.chunks(3)) {
        assert_eq!(denoised(&mixture, &level(0.3), x), all);
    }
}

/// The squared radius over r² is beta-prime, one coordinate over σ is Student-t with D degrees of freedom.
#[test]
fn starts_are_student() {
    for (dim, augmented, sigma) in [(1, 2.0, 0.5), (10, 128.0, 80.0), (784, 128.0, 80.0)] {
        let n = if dim > 100 { 4_000 } else { 20_000 };
        let starts = student_prior(dim, augmented, sigma, n, 5).unwrap();
        let squared_scale = augmented * sigma * sigma;
        let beta = Beta::new(0.5 * dim as f64, 0.5 * augmented).unwrap();
        let shares: Vec<f64> =
            starts.column_iter().map(|x| x.norm_squared() / (x.norm_squared() + squared_scale)).collect();
        let statistic = kolmogorov(&shares, |b| beta.cdf(b));
        assert!(statistic < KOLMOGOROV, "d = {dim}: radius {statistic}");
        let student = StudentsT::new(0.0, sigma, augmented).unwrap();
        let last: Vec<f64> = starts.row(dim - 1).iter().copied().collect();
        let statistic = kolmogorov(&last, |x| student.cdf(x));
        assert!(statistic < KOLMOGOROV, "d = {dim}: coordinate {statistic}");
    }
}

/// The lines from one atom's noise at σ = 10 are straight: at σ = 2 they carry the noise of that level around it, at the end
/// they are at the atom. The law of the squared radius at σ = 2 is known.
#[test]
fn the_flow_carries_the_noise_of_one_atom() {
    let (dim, augmented, atom) = (6, 128.0, 3.0);
    let measure = EmpiricalMeasure::new(DMatrix::from_element(dim, 1, atom)).unwrap();
    let denoiser = StudentT::new(measure, augmented).unwrap();
    let starts = student_prior(dim, augmented, 10.0, 10_000, 6).unwrap().add_scalar(atom);
    let schedule = Edm::new(10.0).unwrap();
    let end = |sigmas: &[f64]| {
        let scheme = heun(&Grid::from_ratios(&schedule, sigmas).unwrap(), Churn::NONE).unwrap();
        HorizonSampler::new(&scheme.with(&denoiser)).run(&starts, 1).unwrap().points
    };
    let between = end(&[10.0, 7.0, 4.0, 2.0]);
    let beta = Beta::new(0.5 * dim as f64, 0.5 * augmented).unwrap();
    let shares: Vec<f64> = between
        .column_iter()
        .map(|x| x.iter().map(|x| (x - atom).powi(2)).sum::<f64>())
        .map(|squared| squared / (squared + augmented * 4.0))
        .collect();
    let statistic = kolmogorov(&shares, |b| beta.cdf(b));
    assert!(statistic < KOLMOGOROV, "{statistic}");
    assert!(end(&[10.0, 3.0, 0.0]).iter().all(|x| (x - atom).abs() < 1e-12));
}

/// On the line the flow keeps the order, so it keeps the quantile of the mixture of Student-t laws around the atoms.
#[test]
fn the_flow_on_the_line_keeps_quantiles() {
    let (atoms, weights) = ([-1.0, 0.4, 1.5], [0.2, 0.5, 0.3]);
    for augmented in [2.0, 128.0] {
        let measure = EmpiricalMeasure::weighted(DMatrix::from_row_slice(1, 3, &atoms), &weights).unwrap();
        let denoiser = StudentT::new(measure, augmented).unwrap();
        let cdf = |sigma: f64, x: f64| -> f64 {
            let law = |y: f64| StudentsT::new(y, sigma, augmented).unwrap();
            atoms.iter().zip(weights).map(|(y, w)| w * law(*y).cdf(x)).sum()
        };
        let starts = DMatrix::from_fn(1, 41, |_, i| 0.4 * (i as f64 - 20.0));
        let grid = Grid::from_ratios(
            &Edm::new(4.0).unwrap(),
            &(0..=400).map(|k| 4.0 * f64::powf(0.075, f64::from(k) / 400.0)).collect::<Vec<_>>(),
        );
        let scheme = heun(&grid.unwrap(), Churn::NONE).unwrap();
        let ends = HorizonSampler::new(&scheme.with(&denoiser)).run(&starts, 1).unwrap().points;
        for (start, end) in starts.iter().zip(&ends) {
            let (before, after) = (cdf(4.0, *start), cdf(0.3, *end));
            assert!(
                (before - after).abs() < 1e-4,
                "D = {augmented}, from {start} to {end}: {before} {after}"
            );
        }
    }
}

#[test]
fn bad_parameters_are_named() {
    for value in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let refused =
            |result: Result<(), Error>| matches!(result, Err(Error::NotPositive { name: "augmented", .. }));
        assert!(refused(StudentT::new(measure(2, 2), value).map(drop)));
        assert!(refused(StudentMixture::new(measure(2, 2), value).map(drop)));
        assert!(refused(student_prior(2, value, 1.0, 3, 1).map(drop)));
    }
    assert!(matches!(student_prior(2, 8.0, 0.0, 3, 1), Err(Error::NotPositive { name: "sigma", .. })));
    assert!(matches!(student_prior(0, 8.0, 1.0, 3, 1), Err(Error::TooSmall { name: "dim", .. })));
}
