//! Density ratios by logistic regression: known ratios, the equations of the solution, and what must not matter.

mod common;

use common::assert_mean;
use nalgebra::DMatrix;
use rand::RngExt;
use rand_distr::StandardNormal;
use resolvent_core::Error;
use resolvent_core::density_ratio::{Features, LogDensityRatio, LogisticRegression, Polynomial, RadialBasis};
use resolvent_core::random::{Purpose, stream};

/// Normal points of this mean and deviation in every coordinate (d x n).
fn normal(mean: f64, deviation: f64, (d, n): (usize, usize), index: u64) -> DMatrix<f64> {
    let mut rng = stream(3, Purpose::Experiment, index);
    DMatrix::from_fn(d, n, |_, _| mean + deviation * rng.sample::<f64, _>(StandardNormal))
}

fn both(p: &DMatrix<f64>, q: &DMatrix<f64>) -> DMatrix<f64> {
    DMatrix::from_iterator(p.nrows(), p.ncols() + q.ncols(), p.iter().chain(q.iter()).copied())
}

fn polynomial(degree: usize, ridge: f64, p: &DMatrix<f64>, q: &DMatrix<f64>) -> LogDensityRatio<Polynomial> {
    let features = Polynomial::new(degree, &both(p, q)).unwrap();
    LogisticRegression::new(features).ridge(ridge).unwrap().fit(p, q).unwrap()
}

/// Repeated with other samples, the error of the estimate over its standard error has mean 0 and mean square 1, whatever the class
/// sizes.
#[test]
fn known_ratios_are_recovered_within_the_stated_error() {
    // p, q as mean and deviation; log p/q is a polynomial of degree 1 or 2.
    let cases = [(1, (0.8, 1.0), (0.0, 1.0), 300, 900), (2, (0.5, 0.8), (0.0, 1.2), 800, 500)];
    for (degree, p, q, n_p, n_q) in cases {
        let log_density =
            |x: f64, (mean, deviation): (f64, f64)| -0.5 * ((x - mean) / deviation).powi(2) - deviation.ln();
        let places = [-0.7, 0.3, 1.0];
        let mut errors = [vec![], vec![], vec![]];
        for repeat in 0..400_u64 {
            let sample = |(mean, deviation), n, k: u64| normal(mean, deviation, (1, n), 2 * repeat + k);
            let ratio = polynomial(degree, 1e-9, &sample(p, n_p, 0), &sample(q, n_q, 1));
            assert!(ratio.convergence().converged);
            for (x, errors) in places.iter().zip(&mut errors) {
                let truth = log_density(*x, p) - log_density(*x, q);
                errors.push((ratio.value(&[*x]) - truth) / ratio.standard_error(&[*x]));
            }
        }
        for errors in errors {
            // The estimate has a bias of the order of its variance: a tenth of a standard error is allowed.
            let mean = errors.iter().sum::<f64>() / 400.0;
            assert!(mean.abs() < 4.0 / 20.0 + 0.1, "{mean}");
            assert_mean(&errors.iter().map(|z| z * z).collect::<Vec<_>>(), 1.0);
        }
    }
}

#[test]
fn a_ratio_of_correlated_laws_needs_the_mixed_terms() {
    // q standard normal, p of covariance [1 c; c 1]: log p/q is of degree 2.
    let (c, n) = (0.6_f64, 20_000);
    let q = normal(0.0, 1.0, (2, n), 1);
    let mut p = normal(0.0, 1.0, (2, n), 2);
    p.column_iter_mut().for_each(|mut x| x[1] = c * x[0] + f64::sqrt(1.0 - c * c) * x[1]);
    let ratio = polynomial(2, 1e-9, &p, &q);
    for x in [[0.0, 0.0], [1.0, 1.0], [-1.0, 1.0], [0.5, -1.2]] {
        let [a, b] = x;
        let log_p = -0.5 * ((a * a - 2.0 * c * a * b + b * b) / (1.0 - c * c) + f64::ln(1.0 - c * c));
        let truth = log_p + 0.5 * (a * a + b * b);
        let z = (ratio.value(&x) - truth) / ratio.standard_error(&x);
        assert!(z.abs() < 4.0 && ratio.standard_error(&x) < 0.06, "{x:?}: {z}");
    }
}

/// At the solution the gradient of the mean loss is minus that of the penalty: as the ridge goes to zero the features have the
/// same sum over the samples of p as over all samples weighted with their probability to be of p.
#[test]
fn the_gradient_vanishes_at_the_solution() {
    let (p, q) = (normal(1.0, 0.7, (2, 700), 5), normal(0.0, 1.5, (2, 1_100), 6));
    let all = both(&p, &q);
    let class_ratio = f64::ln(700.0 / 1_100.0);
    type Feature<'a> = &'a dyn Fn(&[f64]) -> f64;
    let residual = |ratio: &LogDensityRatio<Polynomial>, feature: Feature<'_>| {
        let expected = all.column_iter().map(|x| {
            let log_odds = ratio.value(x.as_slice()) + class_ratio;
            feature(x.as_slice()) / (1.0 + f64::exp(-log_odds))
        });
        let seen = p.column_iter().map(|x| feature(x.as_slice()));
        (seen.sum::<f64>() - expected.sum::<f64>()) / 1_800.0
    };
    let free = polynomial(2, 1e-12, &p, &q);
    assert!(free.convergence().converged && free.convergence().gradient < 1e-9);
    let features: [Feature<'_>; 5] =
        [&|_| 1.0, &|x| x[0], &|x| x[1] * x[1], &|x| x[0] * x[1], &|x| x[0] * x[0] - x[1]];
    for feature in features {
        assert!(residual(&free, feature).abs() < 1e-8);
    }
    // The constant is not penalised, the others are.
    let held = polynomial(2, 0.1, &p, &q);
    assert!(residual(&held, &|_| 1.0).abs() < 1e-8);
    assert!(residual(&held, &|x| x[0]).abs() > 1e-3);
}

#[test]
fn units_do_not_matter() {
    let (p, q) = (normal(1.0, 0.7, (2, 400), 7), normal(0.0, 1.5, (2, 400), 8));
    let (scale, shift) = ([1e-3, 40.0], [5.0, -900.0]);
    let change = |points: &DMatrix<f64>| {
        DMatrix::from_fn(2, points.ncols(), |i, j| scale[i] * points[(i, j)] + shift[i])
    };
    let (moved_p, moved_q) = (change(&p), change(&q));
    let (here, there) = (polynomial(4, 1e-3, &p, &q), polynomial(4, 1e-3, &moved_p, &moved_q));
    for x in p.column_iter().take(50) {
        let moved = change(&DMatrix::from_column_slice(2, 1, x.as_slice()));
        let (a, b) = (here.value(x.as_slice()), there.value(moved.as_slice()));
        assert!((a - b).abs() < 1e-8, "{a} {b}");
    }
    // One scale for all coordinates, for bumps.
    let bumps = |p: &DMatrix<f64>, q: &DMatrix<f64>, scale: f64| {
        let centres = q.columns(0, 30).into_owned();
        let features = RadialBasis::new(centres, scale).unwrap();
        LogisticRegression::new(features).ridge(1e-3).unwrap().fit(p, q).unwrap()
    };
    let (here, there) = (bumps(&p, &q, 1.0), bumps(&(&p * 1e4), &(&q * 1e4), 1e4));
    for x in p.column_iter().take(50) {
        let (a, b) = (here.value(x.as_slice()), there.value((x * 1e4).as_slice()));
        assert!((a - b).abs() < 1e-8, "{a} {b}");
    }
}

#[test]
fn separated_samples_do_not_diverge() {
    let (p, q) = (normal(10.0, 1.0, (1, 200), 9), normal(-10.0, 1.0, (1, 200), 10));
    for ridge in [1e-2, 1e-8] {
        let ratio = polynomial(3, ridge, &p, &q);
        assert!(ratio.convergence().converged, "{:?}", ratio.convergence());
        assert!(ratio.value(&[10.0]) > 1.0 && ratio.value(&[-10.0]) < -1.0);
        assert!(ratio.value(&[1e3]) <= ratio.ceiling() && ratio.ceiling() < 60.0);
    }
    // Samples that are all the same tell nothing.
    let same = DMatrix::from_element(1, 50, 2.0);
    let ratio = polynomial(2, 1e-6, &same, &same);
    assert_eq!((ratio.value(&[2.0]), ratio.value(&[7.0])), (0.0, 0.0));
}

#[test]
fn cross_validation_prefers_the_ridge_that_predicts() {
    // Many features and few samples: the smallest ridge overfits. Many samples: it does no harm.
    let chosen = |n: usize| {
        let (p, q) = (normal(0.7, 1.0, (1, n), 11), normal(0.0, 1.0, (1, n), 12));
        let centres = DMatrix::from_fn(1, 40, |_, j| -4.0 + 0.2 * j as f64);
        let regression = LogisticRegression::new(RadialBasis::new(centres, 0.15).unwrap())
            .cross_validation(&[1e-8, 1e-1, 1e-4], 4)
            .unwrap();
        let ratio = regression.fit(&p, &q).unwrap();
        let tried: Vec<f64> = ratio.held_out().iter().map(|(ridge, _)| *ridge).collect();
        assert_eq!(tried, [1e-1, 1e-4, 1e-8]);
        let best = ratio.held_out().iter().map(|(_, loss)| *loss).fold(f64::INFINITY, f64::min);
        assert!(ratio.held_out().contains(&(ratio.ridge(), best)));
        (ratio.ridge(), best)
    };
    let (ridge, _) = chosen(60);
    assert_eq!(ridge, 1e-1);
    let (_, loss) = chosen(20_000);
    // What the best classifier loses; random guessing loses log 2 = 0.693.
    let loss_of_best = quadrature(|x: f64| {
        let [p, q] = [x - 0.7, x].map(|z| f64::exp(-0.5 * z * z) / f64::sqrt(std::f64::consts::TAU));
        -0.5 * (p * f64::ln(p / (p + q)) + q * f64::ln(q / (p + q)))
    });
    assert!((loss - loss_of_best).abs() < 0.01, "{loss} {loss_of_best}");
}

/// Over the line, by the trapezoidal rule.
fn quadrature(f: impl Fn(f64) -> f64) -> f64 {
    (-900..=900).map(|i| 0.01 * f(0.01 * f64::from(i))).sum()
}

#[test]
fn beyond_the_samples_the_value_is_cut_from_above() {
    // p is wider than q: the quadratic goes to +∞ on both sides.
    let (p, q) = (normal(0.0, 2.0, (1, 1_000), 13), normal(0.0, 1.0, (1, 1_000), 14));
    let ratio = polynomial(2, 1e-9, &p, &q);
    let at_samples = both(&p, &q).iter().map(|x| ratio.value(&[*x])).fold(f64::NEG_INFINITY, f64::max);
    assert_eq!(at_samples, ratio.ceiling());
    assert_eq!(ratio.value(&[100.0]), ratio.ceiling());
    // The other way round it goes to -∞.
    assert!(polynomial(2, 1e-9, &q, &p).value(&[100.0]) < -1e3);
}

#[test]
fn features_are_those_that_they_say() {
    let points = normal(3.0, 2.0, (3, 4_000), 15);
    let features = Polynomial::new(4, &points).unwrap();
    // (3 + 4 choose 4) - 1.
    assert_eq!((features.dim(), features.count()), (3, 34));
    // Among normal points they have mean 0, mean square 1 and no correlation, but for the standardisation.
    let standard = normal(0.0, 1.0, (3, 1_000_000), 16);
    let unit = DMatrix::from_fn(3, 2, |_, j| if j == 0 { 1.0 } else { -1.0 });
    let features = Polynomial::new(3, &unit).unwrap();
    let n = standard.ncols() as f64;
    let mut gram = DMatrix::zeros(19, 19);
    let mut row = nalgebra::DVector::zeros(19);
    for x in standard.column_iter() {
        features.evaluate(x.as_slice(), row.as_mut_slice());
        gram.ger(1.0 / n, &row, &row, 1.0);
    }
    assert!((gram - DMatrix::identity(19, 19)).amax() < 0.04);
    // All of them, and none twice: a polynomial of degree 3 has no more than one expansion.
    features.evaluate(&[0.3, -0.8, 1.1], row.as_mut_slice());
    let hermite =
        |k: usize, z: f64| [1.0, z, (z * z - 1.0) / 2f64.sqrt(), (z * z * z - 3.0 * z) / 6f64.sqrt()][k];
    let mut expected = Vec::new();
    for (i, j, k) in
        (0..64).map(|m| (m / 16, m / 4 % 4, m % 4)).filter(|(i, j, k)| (1..=3).contains(&(i + j + k)))
    {
        expected.push(hermite(i, 0.3) * hermite(j, -0.8) * hermite(k, 1.1));
    }
    let mut found = row.as_slice().to_vec();
    found.sort_by(f64::total_cmp);
    expected.sort_by(f64::total_cmp);
    assert!(found.len() == 19 && found.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-14));
}

#[test]
fn threads_do_not_matter() {
    let (p, q) = (normal(1.0, 0.7, (2, 3_000), 17), normal(0.0, 1.5, (2, 3_000), 18));
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let features = Polynomial::new(3, &q).unwrap();
        let ratio = pool.install(|| LogisticRegression::new(features).fit(&p, &q).unwrap());
        (ratio.ridge(), p.column_iter().map(|x| ratio.value(x.as_slice())).collect::<Vec<_>>())
    };
    assert_eq!(run(1), run(2));
}

#[test]
fn bad_input_is_refused() {
    let points = normal(0.0, 1.0, (2, 20), 19);
    let one = normal(0.0, 1.0, (1, 20), 20);
    let regression = || LogisticRegression::new(Polynomial::new(2, &points).unwrap());
    let fit = |p: &DMatrix<f64>, q: &DMatrix<f64>| regression().fit(p, q).err().unwrap();
    assert_eq!(fit(&one, &points), Error::Dimension { name: "numerator", expected: 2, found: 1 });
    assert_eq!(fit(&points, &one), Error::Dimension { name: "denominator", expected: 2, found: 1 });
    let few = points.columns(0, 3).into_owned();
    assert_eq!(fit(&few, &points), Error::TooSmall { name: "numerator", least: 5, value: 3 });
    let none = DMatrix::zeros(2, 0);
    let given = regression().ridge(1e-3).unwrap().fit(&points, &none).err().unwrap();
    assert_eq!(given, Error::TooSmall { name: "denominator", least: 1, value: 0 });
    let mut nan = points.clone();
    nan[(1, 2)] = f64::NAN;
    assert!(matches!(fit(&points, &nan), Error::NotFinite { name: "denominator", point: 2, .. }));
    assert!(matches!(fit(&points, &(&points * 1e200)), Error::NotFinite { name: "features", .. }));
    for ridge in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(matches!(regression().ridge(ridge).err().unwrap(), Error::NotPositive { name: "ridge", .. }));
        assert!(regression().cross_validation(&[1.0, ridge], 5).is_err());
    }
    assert!(matches!(regression().cross_validation(&[], 5).err().unwrap(), Error::Empty { .. }));
    assert!(matches!(regression().cross_validation(&[1.0], 1).err().unwrap(), Error::TooSmall { .. }));
    assert!(matches!(Polynomial::new(0, &points), Err(Error::TooSmall { name: "degree", .. })));
    assert!(matches!(Polynomial::new(2, &DMatrix::zeros(2, 0)), Err(Error::Empty { name: "points" })));
    assert!(matches!(Polynomial::new(9, &DMatrix::zeros(100, 1)), Err(Error::Outside { .. })));
    assert!(matches!(RadialBasis::new(none, 1.0), Err(Error::Empty { name: "centres" })));
    assert!(matches!(RadialBasis::new(one, 0.0), Err(Error::NotPositive { name: "bandwidth", .. })));
}
