//! Log-densities by the probability flow against exact ones.

mod common;

use nalgebra::{DMatrix, DVector};
use rand::RngExt;
use rand_distr::StandardNormal;
use resolvent_core::diffusion::{Dispersion, Field};
use resolvent_core::horizon::ProbabilityFlow;
use resolvent_core::horizon::likelihood::{
    Divergence, Likelihood, LogDensity, Prior, Probes, bits_per_dimension,
};
use resolvent_core::marginal::{Diffused, GaussianMixture, MarginalScore};
use resolvent_core::random::{Purpose, stream};
use resolvent_core::schedule::{Schedule, SubVp, Ve, VpLinear};
use resolvent_core::{Error, Exit};

/// Time at which the flows start.
const START: f64 = 1e-3;

/// Three Gaussians in R^10 with full covariances.
fn mixture() -> GaussianMixture {
    let d = 10;
    let mut rng = stream(1, Purpose::Experiment, 0);
    let mut normals = |rows, columns| DMatrix::from_fn(rows, columns, |_, _| rng.sample(StandardNormal));
    let means: DMatrix<f64> = normals(d, 3);
    let covariances = (0..3).map(|_| {
        let root: DMatrix<f64> = normals(d, d) * 0.2;
        &root * root.transpose() + DMatrix::identity(d, d) * 0.05
    });
    let covariances = covariances.collect::<Vec<_>>();
    GaussianMixture::new(&[0.5, 0.3, 0.2], means * 0.8, covariances).unwrap()
}

/// The points of the law at `START`.
fn points<S: Schedule>(schedule: &S, law: &GaussianMixture, n: usize) -> DMatrix<f64> {
    law.at(&schedule.level(START)).sample(n, 2)
}

fn exact<S: Schedule>(schedule: &S, law: &GaussianMixture, points: &DMatrix<f64>) -> Vec<f64> {
    let law = law.at(&schedule.level(START));
    points.column_iter().map(|x| law.log_density(x.as_slice())).collect()
}

/// With p_T known exactly nothing but the solver errs.
fn assert_exact_divergence<S: Schedule>(schedule: &S) {
    let law = mixture();
    let score = Diffused { schedule, denoiser: &law };
    let at_horizon = law.at(&schedule.level(schedule.horizon()));
    let density = |x: &[f64]| at_horizon.log_density(x);
    let points = points(schedule, &law, 6);
    let known = exact(schedule, &law, &points);
    // Some tens of steps, each within the tolerance.
    for (tolerance, allowed) in [(1e-5, 1e-3), (1e-8, 1e-6)] {
        let flow = ProbabilityFlow::to_noise(schedule, &score, START).unwrap();
        let flow = flow.tolerances(tolerance, tolerance).unwrap();
        let likelihood = Likelihood::new(flow, Prior::Density(&density)).unwrap();
        for (found, known) in likelihood.log_densities(&points, 0).unwrap().iter().zip(&known) {
            let error = (found.value - known).abs();
            assert!(error < allowed && found.exit == Exit::Horizon, "{error} of {known} at {tolerance}");
            assert_eq!((found.standard_error, found.jacobian_products), (0.0, 10 * found.evaluations));
        }
    }
}

#[test]
fn the_exact_divergence_gives_the_log_density() {
    assert_exact_divergence(&VpLinear::default());
    assert_exact_divergence(&SubVp::default());
    assert_exact_divergence(&Ve::default());
}

/// Many probes do not take the weight from the place in the choice of steps: probes of the same kind count as one.
#[test]
fn the_steps_do_not_depend_on_the_number_of_probes() {
    let (schedule, law) = (VpLinear::default(), mixture());
    let score = Diffused { schedule: &schedule, denoiser: &law };
    let flow = ProbabilityFlow::to_noise(&schedule, &score, START).unwrap();
    let points = points(&schedule, &law, 64);
    let steps = |probes: usize| {
        let hutchinson = Divergence::Hutchinson { probes, law: Probes::Rademacher };
        let likelihood = Likelihood::new(flow, Prior::of(&schedule)).unwrap().divergence(hutchinson).unwrap();
        let found = likelihood.log_densities(&points, 3).unwrap();
        found.iter().map(|f| f.evaluations as f64).sum::<f64>()
    };
    let ratio = steps(200) / steps(2);
    assert!((ratio - 1.0).abs() < 0.1, "{ratio}");
}

#[test]
fn hutchinson_is_unbiased() {
    let (schedule, law) = (VpLinear::default(), mixture());
    let score = Diffused { schedule: &schedule, denoiser: &law };
    let at_horizon = law.at(&schedule.level(1.0));
    let density = |x: &[f64]| at_horizon.log_density(x);
    let points = points(&schedule, &law, 8);
    let known = exact(&schedule, &law, &points);
    let flow = ProbabilityFlow::to_noise(&schedule, &score, START).unwrap();
    for law in [Probes::Rademacher, Probes::Gaussian] {
        let hutchinson = Divergence::Hutchinson { probes: 1_000, law };
        let likelihood = Likelihood::new(flow, Prior::Density(&density)).unwrap();
        let found = likelihood.divergence(hutchinson).unwrap().log_densities(&points, 3).unwrap();
        let (mut sum, mut variance) = (0.0, 0.0);
        for (found, known) in found.iter().zip(&known) {
            sum += found.value - known;
            variance += found.standard_error.powi(2);
            assert_eq!(found.jacobian_products, 1_000 * found.evaluations);
            // Small enough to tell an error in a factor.
            assert!(found.standard_error > 0.0 && found.standard_error < 1.0, "{found:?}");
        }
        println!("{law:?}: {sum} +- {}", variance.sqrt());
        assert!(sum.abs() < 3.0 * variance.sqrt(), "{sum} +- {} for {law:?}", variance.sqrt());
    }
}

/// The error that is reported is the spread of estimates over seeds.
#[test]
fn the_standard_error_is_that_of_the_mean() {
    let (schedule, law) = (VpLinear::default(), mixture());
    let score = Diffused { schedule: &schedule, denoiser: &law };
    let flow = ProbabilityFlow::to_noise(&schedule, &score, START).unwrap();
    let likelihood = Likelihood::new(flow, Prior::of(&schedule)).unwrap();
    let hutchinson = Divergence::Hutchinson { probes: 10, law: Probes::Rademacher };
    let likelihood = likelihood.divergence(hutchinson).unwrap();
    let point = points(&schedule, &law, 1);
    // Copies of one point have streams of their own.
    let copies = DMatrix::from_fn(10, 200, |i, _| point[i]);
    let found = likelihood.log_densities(&copies, 5).unwrap();
    let values: Vec<f64> = found.iter().map(|f| f.value).collect();
    let spread = common::mean(&values).1 * 200.0_f64.sqrt();
    let reported = found.iter().map(|f| f.standard_error.powi(2)).sum::<f64>() / 200.0;
    // The variance of 200 nearly normal numbers has a relative standard error of 0.1.
    assert!((reported / spread.powi(2) - 1.0).abs() < 0.4, "{} and {spread}", reported.sqrt());
}

/// Under N(0, I) as data p_t is the prior of a variance preserving schedule at all times.
#[test]
fn the_prior_of_the_schedule_is_the_default() {
    let schedule = VpLinear::default();
    let law = GaussianMixture::gaussian(&DVector::zeros(3), DMatrix::identity(3, 3)).unwrap();
    let score = Diffused { schedule: &schedule, denoiser: &law };
    let flow = ProbabilityFlow::to_noise(&schedule, &score, START).unwrap();
    let x = DMatrix::from_column_slice(3, 1, &[0.5, -1.0, 2.0]);
    let found = Likelihood::new(flow, Prior::of(&schedule)).unwrap().log_densities(&x, 0).unwrap();
    let known = -0.5 * (5.25 + 3.0 * (2.0 * std::f64::consts::PI).ln());
    assert!((found[0].value - known).abs() < 1e-4);
}

/// The flow of the same diffusion without the knowledge that it is a schedule: all derivatives by differences.
#[test]
fn a_diffusion_that_is_no_schedule_gives_the_same() {
    let (schedule, law) = (VpLinear::default(), mixture());
    let score = Diffused { schedule: &schedule, denoiser: &law };
    let points = points(&schedule, &law, 3);
    let known = ProbabilityFlow::to_noise(&schedule, &score, START).unwrap();
    let general = ProbabilityFlow::new(&schedule, &score, START, 1.0).unwrap();
    for divergence in [Divergence::Exact, Divergence::Hutchinson { probes: 3, law: Probes::Rademacher }] {
        let find = |flow| {
            let likelihood = Likelihood::new(flow, Prior::of(&schedule)).unwrap();
            likelihood.divergence(divergence).unwrap().log_densities(&points, 7).unwrap()
        };
        for (a, b) in find(known).iter().zip(&find(general)) {
            assert!((a.value - b.value).abs() < 1e-6 * a.value.abs(), "{a:?} {b:?}");
        }
    }
}

/// dX = X dW in every coordinate, from independent log-normal laws: div Σ and the derivatives of Σ come in.
struct LogNormals;

/// log X_t is N(0.4 - t/2, 0.25 + t).
fn log_normal(t: f64, x: &[f64]) -> f64 {
    let (mean, variance) = (0.4 - 0.5 * t, 0.25 + t);
    let one = |x: &f64| {
        let standard = (x.ln() - mean).powi(2) / variance;
        -0.5 * (standard + (2.0 * std::f64::consts::PI * variance).ln()) - x.ln()
    };
    x.iter().map(one).sum()
}

impl MarginalScore for LogNormals {
    fn dim(&self) -> usize {
        2
    }

    fn evaluate(&self, t: f64, points: &[f64], scores: &mut [f64]) {
        for (s, x) in scores.iter_mut().zip(points) {
            *s = -(1.0 + (x.ln() - 0.4 + 0.5 * t) / (0.25 + t)) / x;
        }
    }
}

#[test]
fn noise_that_depends_on_the_place() {
    let diffusion = Field::new(
        |_t, _x: &[f64], out: &mut [f64]| out.fill(0.0),
        |_t, x: &[f64], out: &mut Dispersion| *out = Dispersion::Diagonal(DVector::from_row_slice(x)),
    )
    .with_divergence(|_t, x: &[f64], out: &mut [f64]| {
        out.iter_mut().zip(x).for_each(|(o, x)| *o = 2.0 * x);
    });
    let flow = ProbabilityFlow::new(&diffusion, &LogNormals, 0.0, 1.5).unwrap();
    let flow = flow.tolerances(1e-8, 1e-8).unwrap();
    let density = |x: &[f64]| log_normal(1.5, x);
    let points = DMatrix::from_column_slice(2, 2, &[0.7, 2.0, 3.0, 1.1]);
    let exact = Likelihood::new(flow, Prior::Density(&density)).unwrap();
    let hutchinson = Divergence::Hutchinson { probes: 2_000, law: Probes::Gaussian };
    let estimated = exact.divergence(hutchinson).unwrap();
    let (exact, estimated) =
        (exact.log_densities(&points, 1).unwrap(), estimated.log_densities(&points, 1).unwrap());
    for ((found, estimated), x) in exact.iter().zip(&estimated).zip(points.column_iter()) {
        let known = log_normal(0.0, x.as_slice());
        assert!((found.value - known).abs() < 1e-5, "{} and {known}", found.value);
        assert!(
            (estimated.value - known).abs() < 4.0 * estimated.standard_error,
            "{estimated:?} and {known}"
        );
        assert!(estimated.standard_error < 0.1);
    }
}

#[test]
fn a_point_does_not_depend_on_its_batch() {
    let (schedule, law) = (VpLinear::default(), mixture());
    let score = Diffused { schedule: &schedule, denoiser: &law };
    let flow = ProbabilityFlow::to_noise(&schedule, &score, START).unwrap();
    let hutchinson = Divergence::Hutchinson { probes: 2, law: Probes::Rademacher };
    let likelihood = Likelihood::new(flow, Prior::of(&schedule)).unwrap().divergence(hutchinson).unwrap();
    let points = points(&schedule, &law, 20);
    let whole = likelihood.log_densities(&points, 1).unwrap();
    let part = likelihood.log_densities(&points.columns(0, 3).into_owned(), 1).unwrap();
    assert_eq!(whole[..3], part);
}

#[test]
fn bits() {
    // A law on 256 levels of which a quarter are used, evenly: 6 bits in each of 5 dimensions.
    let log_density = 5.0 * (128.0_f64 / 64.0).ln();
    assert!((bits_per_dimension(log_density, 5) - 6.0).abs() < 1e-12);
}

#[test]
fn what_does_not_arrive_has_no_value() {
    struct Broken;
    impl MarginalScore for Broken {
        fn dim(&self) -> usize {
            1
        }
        fn evaluate(&self, t: f64, points: &[f64], scores: &mut [f64]) {
            let broken = if t > 0.5 { f64::NAN } else { -1.0 };
            scores.iter_mut().zip(points).for_each(|(s, x)| *s = x * broken);
        }
    }
    let schedule = VpLinear::default();
    let x = DMatrix::from_element(1, 1, 0.3);
    let flow = ProbabilityFlow::to_noise(&schedule, &Broken, START).unwrap();
    let lost = |flow| Likelihood::new(flow, Prior::of(&schedule)).unwrap().log_densities(&x, 0).unwrap()[0];
    let LogDensity { value, standard_error, exit, .. } = lost(flow);
    assert!(value.is_nan() && standard_error.is_nan() && matches!(exit, Exit::Diverged { .. }));
    let LogDensity { value, exit, .. } = lost(flow.cap(10).unwrap());
    assert!(value.is_nan() && exit == Exit::StepCap);
}

#[test]
fn impossible_parameters_are_refused() {
    let (schedule, law) = (VpLinear::default(), mixture());
    let score = Diffused { schedule: &schedule, denoiser: &law };
    let flow = ProbabilityFlow::to_noise(&schedule, &score, START).unwrap();
    let refused = Likelihood::new(flow, Prior::Normal { deviation: 0.0 });
    assert!(matches!(refused, Err(Error::NotPositive { name: "deviation", .. })));
    let away = ProbabilityFlow::from_noise(&schedule, &score, START).unwrap();
    assert!(matches!(Likelihood::new(away, Prior::of(&schedule)), Err(Error::NotAscending { .. })));
    let likelihood = Likelihood::new(flow, Prior::of(&schedule)).unwrap();
    let none = Divergence::Hutchinson { probes: 0, law: Probes::Gaussian };
    assert!(matches!(likelihood.divergence(none), Err(Error::TooSmall { name: "probes", .. })));
    let wrong = DMatrix::zeros(2, 3);
    assert!(matches!(likelihood.log_densities(&wrong, 0), Err(Error::Dimension { name: "points", .. })));
    let wrong = DMatrix::from_element(10, 1, f64::NAN);
    assert!(matches!(likelihood.log_densities(&wrong, 0), Err(Error::NotFinite { name: "points", .. })));
}
