//! The flux flow: its order, its time, and that it carries the law of the dead back to the data.

mod common;

use std::f64::consts::TAU;

use common::{KOLMOGOROV, assert_law, chi_square, kolmogorov};
use nalgebra::DMatrix;
use rand::RngExt;
use rand_distr::StandardNormal;
use resolvent_core::killed::{
    ExactDeath, KilledDriftedBrownianMotion, KilledOrnsteinUhlenbeck, LocallyBrownian, Resolvent,
};
use resolvent_core::killing::{
    DistanceToSupport, FixedSteps, FixedTime, FluxCrossing, Hazard, Hypersurface, PointsOnLine, ResidualNoise,
};
use resolvent_core::random::{Purpose, stream};
use resolvent_core::score::{CircleScore, KernelScore, VectorField};
use resolvent_core::step::{AdaptiveFlux, EulerMaruyama, Flux, MultistepFlux};
use resolvent_core::{
    Contraction, EmpiricalMeasure, EmpiricalScore, Ensemble, Error, FixedStep, KilledBrownianMotion,
    KillingRule, Sampler, Score, ScoreAdaptive, Step, StepControl,
};
use statrs::function::erf::erfc;

const WEIGHTS: [f64; 5] = [1.0, 2.0, 1.0, 0.5, 1.5];

/// Five unequal normal atoms.
fn atoms(d: usize) -> EmpiricalMeasure {
    let mut rng = stream(2, Purpose::Experiment, d as u64);
    EmpiricalMeasure::weighted(DMatrix::from_fn(d, 5, |_, _| rng.sample(StandardNormal)), &WEIGHTS).unwrap()
}

/// Deaths of `n` particles started in the data.
fn deaths(process: &dyn ExactDeath, n: usize, mut start: impl FnMut(f64) -> Vec<f64>) -> DMatrix<f64> {
    let mut places = DMatrix::zeros(process.dim(), n);
    for (i, place) in places.as_mut_slice().chunks_exact_mut(process.dim()).enumerate() {
        let mut rng = stream(3, Purpose::Forward, i as u64);
        let from = start(rng.random());
        process.death_into(&from, &mut rng, place);
    }
    places
}

/// The first cell of `weights` up to which the share `uniform` of their sum lies.
fn cell(weights: &[f64], uniform: f64) -> usize {
    let mut left = uniform * weights.iter().sum::<f64>();
    weights
        .iter()
        .position(|w| {
            left -= w;
            left < 0.0
        })
        .unwrap_or(weights.len() - 1)
}

fn run<P: LocallyBrownian + ?Sized>(
    process: &P,
    step: &dyn Step<P>,
    control: &dyn StepControl<P>,
    rule: &dyn KillingRule<P>,
    starts: &DMatrix<f64>,
) -> Ensemble {
    Sampler::new(process, step, control).killing("rule", rule).final_denoise(true).run(starts, 1).unwrap()
}

/// How many particles ended at each atom; all must be dead.
fn counts(ensemble: &Ensemble, measure: &EmpiricalMeasure) -> Vec<usize> {
    assert_eq!(ensemble.exit_counts()[0].1, ensemble.exits.len(), "{:?}", ensemble.exit_counts());
    let mut counts = vec![0; measure.len()];
    for x in ensemble.points.column_iter() {
        let distance = |i: &usize| (measure.points().column(*i) - x).norm_squared();
        counts[(0..measure.len()).min_by(|a, b| distance(a).total_cmp(&distance(b))).unwrap()] += 1;
    }
    counts
}

#[test]
fn a_single_atom_is_approached_by_a_fixed_factor_and_in_the_right_time() {
    for (d, rate) in [(1, 0.5), (2, 0.1), (3, 1e-12), (3, 2.0), (10, 1e-12), (100, 0.3)] {
        let process = KilledBrownianMotion::new(d, 0.7, rate).unwrap();
        let measure = EmpiricalMeasure::new(DMatrix::zeros(d, 1)).unwrap();
        let score = EmpiricalScore::new(&process, measure).unwrap();
        let start = DMatrix::from_fn(d, 1, |i, _| if i == 0 { 2.0 } else { 0.0 });
        // dτ = -dρ / (½ σ² |s|), by Simpson's rule over log ρ.
        let time = |end: f64| {
            let (n, a, b) = (2000, end.ln(), 2f64.ln());
            let f = |i: usize| {
                let rho = f64::exp(a + (b - a) * i as f64 / n as f64);
                rho * 2.0 / (0.49 * process.green().score_norm(rho))
            };
            let sum: f64 =
                (0..=n).map(|i| f(i) * [1.0, 4.0, 2.0][if i % n == 0 { 0 } else { 2 - i % 2 }]).sum();
            sum * (b - a) / (3.0 * n as f64)
        };
        let errors = |eta: f64, step: &dyn Step| {
            let steps = (2.0 / eta).round();
            let control = Contraction::new(eta).unwrap();
            let rule = FixedSteps::new(steps as usize);
            let e = Sampler::new(&process, step, &control).killing("rule", &rule).run(&start, 1).unwrap();
            assert!(e.points.iter().skip(1).all(|x| x.abs() < 1e-14));
            let end = e.points[0];
            ((end / 2.0).ln() / -2.0 - 1.0, e.lifetimes[0] / time(end) - 1.0)
        };
        let (heun, multistep) = (Flux::new(&score), MultistepFlux::new(&score));
        for step in [&heun as &dyn Step, &multistep] {
            // The kernel is a power for small rates; else the local power changes along the way.
            let tolerance = if rate < 1e-6 { 1e-5 } else { 0.02 };
            let (distance, time) = errors(0.2, step);
            assert!(distance.abs() < tolerance && time.abs() < tolerance, "d = {d}: {distance} {time}");
            // The time is of second order.
            let finer = errors(0.05, step).1;
            assert!(finer.abs() < f64::max(time.abs() / 8.0, 1e-9), "d = {d}: {time} {finer}");
        }
        let adaptive = AdaptiveFlux::new(&score, 1e-4).unwrap();
        let (_, time) = errors(0.5, &adaptive);
        assert!(time.abs() < 2e-3, "d = {d}: {time}");
    }
}

#[test]
fn heun_and_multistep_are_of_second_order() {
    for d in [2, 3, 8] {
        let process = KilledBrownianMotion::new(d, 1.0, 0.2).unwrap();
        let score = EmpiricalScore::new(&process, atoms(d)).unwrap();
        let starts = deaths(&process, 20, |_| vec![0.0; d]) * 1.5;
        let end = 0.5 / d as f64;
        let places = |step: &dyn Step, n: f64| {
            let (control, rule) = (FixedStep::new(end / n).unwrap(), FixedTime::new(end).unwrap());
            let sampler = Sampler::new(&process, step, &control).killing("time", &rule);
            sampler.run(&starts, 1).unwrap().points
        };
        let (heun, multistep) = (Flux::new(&score), MultistepFlux::new(&score));
        let exact = places(&heun, 2000.0);
        for (name, step) in [("heun", &heun as &dyn Step), ("multistep", &multistep)] {
            let error = |n: f64| (places(step, n) - &exact).norm();
            let (coarse, fine) = (error(20.0), error(80.0));
            let order = f64::log(coarse / fine, 4.0);
            assert!(order > 1.75 && order < 2.6, "{name}, d = {d}: {coarse:e} {fine:e}, order {order}");
        }
    }
}

#[test]
fn the_adaptive_step_keeps_its_tolerance() {
    let process = KilledBrownianMotion::new(3, 1.0, 0.2).unwrap();
    let score = EmpiricalScore::new(&process, atoms(3)).unwrap();
    let starts = deaths(&process, 30, |_| vec![0.0; 3]) * 1.5;
    let mut errors = Vec::new();
    for rtol in [1e-2, 1e-3, 1e-4] {
        let (step, control) = (AdaptiveFlux::new(&score, rtol).unwrap(), Contraction::new(2.0).unwrap());
        let rule = FixedTime::new(1.0).unwrap();
        let e = Sampler::new(&process, &step, &control).killing("time", &rule).run(&starts, 1).unwrap();
        // Where many short steps are after the very same time.
        let (fine, control) = (Flux::new(&score), FixedStep::new(1e-4).unwrap());
        let mut worst: f64 = 0.0;
        for (i, x) in e.points.column_iter().enumerate() {
            let rule = FixedTime::new(e.lifetimes[i]).unwrap();
            let sampler = Sampler::new(&process, &fine, &control).killing("time", &rule).cap(1_000_000);
            let exact = sampler.run(&starts.columns(i, 1).into_owned(), 1).unwrap().points;
            worst = worst.max((x - exact.column(0)).norm());
        }
        errors.push((worst, e.mean_evaluations()));
    }
    // An error per step of rtol at distances of about 1, grown along the way.
    assert!(errors[0].0 < 0.1 && errors[1].0 < 0.02 && errors[2].0 < 0.004, "{errors:?}");
    assert!(errors.windows(2).all(|e| e[1].0 < 0.5 * e[0].0 && e[1].1 > e[0].1), "{errors:?}");
}

#[test]
fn lines_carry_the_dead_back_to_the_atoms() {
    for (d, eta) in [(2, 0.25), (3, 0.25), (8, 0.25), (32, 0.5)] {
        let process = KilledBrownianMotion::new(d, 1.0, 0.05).unwrap();
        let measure = atoms(d);
        let score = EmpiricalScore::new(&process, measure.clone()).unwrap();
        let starts = deaths(&process, 20_000, |u| measure.point(cell(&WEIGHTS, u)).to_vec());
        let rule = ResidualNoise::new(&process, 0.02).unwrap();
        let (heun, multistep) = (Flux::new(&score), MultistepFlux::new(&score));
        let adaptive = AdaptiveFlux::new(&score, 0.003).unwrap();
        let law: Vec<f64> = WEIGHTS.iter().map(|w| w / 6.0).collect();
        for (step, eta) in [(&heun as &dyn Step, eta), (&multistep, 0.5 * eta), (&adaptive, 2.0)] {
            let e = run(&process, step, &Contraction::new(eta).unwrap(), &rule, &starts);
            assert_law(&counts(&e, &measure), &law);
        }
    }
}

#[test]
fn lines_of_another_law_end_elsewhere() {
    let process = KilledBrownianMotion::new(3, 1.0, 0.05).unwrap();
    let measure = atoms(3);
    let starts = deaths(&process, 5_000, |u| measure.point(cell(&WEIGHTS, u)).to_vec());
    let wrong = EmpiricalMeasure::weighted(measure.points().clone(), &[1.5, 1.0, 2.0, 1.0, 0.5]).unwrap();
    let score = EmpiricalScore::new(&process, wrong).unwrap();
    let rule = ResidualNoise::new(&process, 0.02).unwrap();
    let e = run(&process, &Flux::new(&score), &Contraction::new(0.5).unwrap(), &rule, &starts);
    let (statistic, _) = chi_square(&counts(&e, &measure), &WEIGHTS.map(|w| w / 6.0));
    assert!(statistic > 200.0, "{statistic}");
}

#[test]
fn lines_carry_the_dead_back_to_a_density_on_a_circle() {
    let density = |angle: f64| 0.5 + f64::exp(2.0 * (angle - 1.0).cos());
    let bins: Vec<f64> = (0..20)
        .map(|b| (0..200).map(|i| density(TAU * (b as f64 + (i as f64 + 0.5) / 200.0) / 20.0)).sum())
        .collect();
    let total: f64 = bins.iter().sum();
    let law: Vec<f64> = bins.iter().map(|b| b / total).collect();
    let fine: Vec<f64> = (0..4000).map(|i| density(TAU * (i as f64 + 0.5) / 4000.0)).collect();
    for d in [3, 8, 32] {
        let process = KilledBrownianMotion::new(d, 1.0, 0.05).unwrap();
        let score = CircleScore::new(&process, 1.0, density).unwrap();
        let starts = deaths(&process, 10_000, |u| {
            let angle = TAU * (cell(&fine, u) as f64 + 0.5) / 4000.0;
            (0..d).map(|i| [angle.cos(), angle.sin(), 0.0][i.min(2)]).collect()
        });
        let rule = ResidualNoise::new(&process, 0.02).unwrap();
        let e = run(&process, &MultistepFlux::new(&score), &Contraction::new(0.3).unwrap(), &rule, &starts);
        let mut counts = vec![0; 20];
        for x in e.points.column_iter() {
            assert!((x.norm() - 1.0).abs() < 0.02, "{x}");
            counts[((x[1].atan2(x[0]) / TAU).rem_euclid(1.0) * 20.0) as usize % 20] += 1;
        }
        assert_law(&counts, &law);
    }
}

/// End law of the flow of a process with a drift, from the exact law of the dead.
fn with_drift<P: Resolvent + LocallyBrownian>(process: &P) {
    let measure = atoms(process.dim());
    let score = KernelScore::new(process, measure.clone()).unwrap();
    let starts = deaths(process, 10_000, |u| measure.point(cell(&WEIGHTS, u)).to_vec());
    let rule = ResidualNoise::new(process, 0.02).unwrap();
    let e = run(process, &MultistepFlux::new(&score), &Contraction::new(0.2).unwrap(), &rule, &starts);
    assert_law(&counts(&e, &measure), &WEIGHTS.map(|w| w / 6.0));
}

#[test]
fn lines_of_processes_with_a_drift_end_rightly_too() {
    with_drift(&KilledDriftedBrownianMotion::new(vec![0.8, -0.4, 0.3], 0.9, 0.3).unwrap());
    with_drift(&KilledOrnsteinUhlenbeck::new(3, 0.7, 1.1, 0.3).unwrap());
}

/// ∂ log u and log(α/u) of 0.3 N(-5, 4) + 0.7 N(5, 4) under killed Brownian motion on the line.
fn mixture(x: f64) -> (f64, f64) {
    let a = f64::sqrt(0.04);
    let (mut u, mut slope, mut alpha) = (0.0, 0.0, 0.0);
    for (weight, mean, s) in [(0.3, -5.0, 2.0), (0.7, 5.0, 2.0)] {
        let z = x - mean;
        let side = |z: f64| f64::exp(0.5 * (a * s) * (a * s) + a * z) * erfc((a * s + z / s) / 2f64.sqrt());
        u += weight * 0.5 / a * (side(-z) + side(z));
        slope += weight * 0.5 * (side(z) - side(-z));
        alpha += weight * f64::exp(-0.5 * (z / s).powi(2)) / (s * TAU.sqrt());
    }
    (slope / u, (alpha / u).ln())
}

#[test]
fn lines_are_killed_along_a_density() {
    let process = KilledBrownianMotion::new(1, 1.0, 0.02).unwrap();
    let mut rng = stream(4, Purpose::Experiment, 0);
    let starts = deaths(&process, 20_000, |u| {
        vec![if u < 0.3 { -5.0 } else { 5.0 } + 2.0 * rng.sample::<f64, _>(StandardNormal)]
    });
    let field = |x: &[f64], s: &mut [f64]| s[0] = mixture(x[0]).0;
    let score = VectorField::new(process.green().clone(), 1.0, field).unwrap();
    let cdf =
        |x: f64| 0.3 * 0.5 * erfc(-(x + 5.0) / 8f64.sqrt()) + 0.7 * 0.5 * erfc(-(x - 5.0) / 8f64.sqrt());
    for (step, dt) in [(&Flux::new(&score) as &dyn Step, 2.0), (&MultistepFlux::new(&score), 1.0)] {
        let control = FixedStep::new(dt).unwrap();
        for (factor, holds) in [(1.0, true), (0.8, false)] {
            let rule = Hazard::new(|x: &[f64]| mixture(x[0]).1 + f64::ln(factor)).share(0.2).unwrap();
            let sampler = Sampler::new(&process, step, &control).killing("hazard", &rule);
            let e = sampler.run(&starts, 1).unwrap();
            let ks = kolmogorov(e.points.as_slice(), cdf);
            assert_eq!(ks < KOLMOGOROV, holds, "factor {factor}: {ks}");
        }
    }
}

/// A density on the unit circle in the plane.
struct Curve<'a> {
    score: &'a CircleScore,
    density: fn(f64) -> f64,
}

impl Hypersurface for Curve<'_> {
    fn signed_distance(&self, x: &[f64]) -> f64 {
        x[0].hypot(x[1]) - 1.0
    }

    fn rate(&self, x: &[f64]) -> f64 {
        let mut foot = x.to_vec();
        self.project(&mut foot);
        (self.density)(x[1].atan2(x[0])) / self.score.log_density(&foot).exp()
    }

    fn project(&self, x: &mut [f64]) {
        let length = x[0].hypot(x[1]);
        x.iter_mut().for_each(|x| *x /= length);
    }
}

/// A score without its gain, which explodes at a support of codimension one where the score itself does not.
fn field(process: &KilledBrownianMotion, score: &dyn Score) -> impl Score {
    let field = |x: &[f64], s: &mut [f64]| {
        let mut gain = [0.0];
        score.evaluate(x, &mut gain, s);
        s.iter_mut().for_each(|s| *s *= gain[0]);
    };
    VectorField::new(process.green().clone(), 1.0, field).unwrap()
}

#[test]
fn a_support_of_codimension_one_lets_some_lines_through() {
    // Atoms on the line: the flux to the heavy one passes through the light one, and every line would stop at the first it meets.
    let process = KilledBrownianMotion::new(1, 1.0, 0.1).unwrap();
    let points = DMatrix::from_column_slice(1, 3, &[0.0, 1.0, 2.5]);
    let weights = [0.75, 0.05, 0.2];
    let measure = EmpiricalMeasure::weighted(points, &weights).unwrap();
    let score = EmpiricalScore::new(&process, measure.clone()).unwrap();
    let surface = PointsOnLine::new(&process, &measure).unwrap();
    let starts = deaths(&process, 10_000, |u| measure.point(cell(&weights, u)).to_vec());
    let bounded = field(&process, &score);
    let step = Flux::new(&bounded);
    let control = Contraction::new(0.15).unwrap();
    let rule = FluxCrossing::new(surface, 2e-3).unwrap();
    let e = Sampler::new(&process, &step, &control).killing("crossing", &rule).run(&starts, 1).unwrap();
    assert_law(&counts(&e, &measure), &weights);
    // A density on a circle in the plane that is nearly nothing on one side: lines pass in there.
    let density = |angle: f64| (0.02 + f64::exp(3.0 * (angle.cos() - 1.0))) / 1.652_479_961;
    let process = KilledBrownianMotion::new(2, 1.0, 0.05).unwrap();
    let score = CircleScore::new(&process, 1.0, density).unwrap();
    let fine: Vec<f64> = (0..4000).map(|i| density(TAU * (f64::from(i) + 0.5) / 4000.0)).collect();
    let total: f64 = fine.iter().sum();
    assert!((total * TAU / 4000.0 - 1.0).abs() < 1e-6, "{}", total * TAU / 4000.0);
    let law: Vec<f64> = fine.chunks(200).map(|c| c.iter().sum::<f64>() / total).collect();
    let starts = deaths(&process, 4_000, |u| {
        let angle = TAU * (cell(&fine, u) as f64 + 0.5) / 4000.0;
        vec![angle.cos(), angle.sin()]
    });
    let bounded = field(&process, &score);
    let step = Flux::new(&bounded);
    let rule = FluxCrossing::new(Curve { score: &score, density }, 4e-3).unwrap();
    let e = Sampler::new(&process, &step, &control).killing("crossing", &rule).run(&starts, 1).unwrap();
    assert_eq!(e.exit_counts()[0].1, 4_000, "{:?}", e.exit_counts());
    let bins = |e: &Ensemble| {
        let mut counts = vec![0; 20];
        for x in e.points.column_iter() {
            counts[((x[1].atan2(x[0]) / TAU).rem_euclid(1.0) * 20.0) as usize % 20] += 1;
        }
        counts
    };
    assert_law(&bins(&e), &law);
    // The first meeting is the wrong place.
    let first = DistanceToSupport::new(|x: &[f64]| (x[0].hypot(x[1]) - 1.0).abs(), 0.01).unwrap();
    let e = Sampler::new(&process, &step, &control)
        .killing("first", &first)
        .run(&starts.columns(0, 2_000).into_owned(), 1)
        .unwrap();
    let (statistic, _) = chi_square(&bins(&e), &law);
    assert!(statistic > 100.0, "{statistic}");
}

#[test]
fn residual_noise_is_the_distance_and_passes_over_a_balance() {
    let process = KilledBrownianMotion::new(4, 1.0, 0.1).unwrap();
    let pair = DMatrix::from_column_slice(4, 2, &[1.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0]);
    let score = EmpiricalScore::new(&process, EmpiricalMeasure::new(pair).unwrap()).unwrap();
    let rule = ResidualNoise::new(&process, 0.01).unwrap();
    let step = Flux::new(&score);
    let control = Contraction::new(0.3).unwrap();
    let sampler = Sampler::new(&process, &step, &control).killing("noise", &rule);
    // Next to the middle between the atoms, and next to one of them.
    let starts = DMatrix::from_column_slice(4, 2, &[1e-3, 0.0, 0.0, 0.0, 0.991, 0.0, 0.0, 0.0]);
    let e = sampler.run(&starts, 1).unwrap();
    assert!(e.evaluations[0] > 10 && e.evaluations[1] == 1, "{:?}", e.evaluations);
    assert!((e.points[(0, 0)] - 1.0).abs() < 0.011, "{}", e.points);
    // With noise, a crossing between two looks is seen: particles stop at δ and not far inside.
    let euler = EulerMaruyama::new(&score);
    let control = ScoreAdaptive::new(0.2, 0.0).unwrap();
    let starts = DMatrix::from_fn(4, 500, |i, _| if i == 0 { 1.3 } else { 0.0 });
    let e = Sampler::new(&process, &euler, &control).killing("noise", &rule).run(&starts, 1).unwrap();
    let mut distances: Vec<f64> =
        e.points.column_iter().map(|x| f64::hypot(x[0].abs() - 1.0, x.rows(1, 3).norm())).collect();
    distances.sort_by(f64::total_cmp);
    assert!(distances[250] > 0.007 && distances[250] < 0.013 && distances[499] < 0.02, "{distances:?}");
    assert_eq!(rule.delta(), 0.01);
}

#[test]
fn impossible_parameters_are_refused() {
    let line = KilledBrownianMotion::new(1, 1.0, 0.1).unwrap();
    let process = KilledBrownianMotion::new(2, 1.0, 0.1).unwrap();
    let score = EmpiricalScore::new(&process, atoms(2)).unwrap();
    assert_eq!(ResidualNoise::new(&line, 0.1).unwrap_err(), Error::NotPolar { codimension: 1 });
    assert!(matches!(
        ResidualNoise::new(&process, 0.0).unwrap_err(),
        Error::NotPositive { name: "delta", .. }
    ));
    assert!(matches!(Contraction::new(-1.0).unwrap_err(), Error::NotPositive { name: "eta", .. }));
    let refused = AdaptiveFlux::new(&score, f64::NAN).err().unwrap();
    assert!(matches!(refused, Error::NotPositive { name: "rtol", .. }));
}
