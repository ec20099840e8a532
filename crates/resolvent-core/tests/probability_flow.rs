//! The probability flow against flow maps and laws known in closed form.

mod common;

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use common::{KOLMOGOROV, kolmogorov};
use nalgebra::{DMatrix, DVector};
use resolvent_core::diffusion::{Dispersion, Field};
use resolvent_core::horizon::{FinalDenoise, HorizonSampler, ProbabilityFlow};
use resolvent_core::marginal::{Denoiser, Diffused, GaussianMixture, MarginalScore};
use resolvent_core::schedule::{Edm, Schedule, SubVp, Ve, VpLinear, diffuse, prior};
use resolvent_core::{Error, Exit};

fn mixture() -> GaussianMixture {
    GaussianMixture::one_dimensional(&[0.3, 0.7], &[-2.0, 1.5], &[0.6, 0.3]).unwrap()
}

/// N(m, C) at α, σ has the covariance α² C + σ²; along an eigenvector of C the flow is affine.
fn assert_gaussian_map<S: Schedule>(schedule: &S) {
    let axes = DMatrix::from_row_slice(2, 2, &[0.6, -0.8, 0.8, 0.6]);
    let variances = DVector::from_row_slice(&[2.0, 0.1]);
    let mean = DVector::from_row_slice(&[1.0, -2.0]);
    let covariance = &axes * DMatrix::from_diagonal(&variances) * axes.transpose();
    let law = GaussianMixture::gaussian(&mean, covariance).unwrap();
    let score = Diffused { schedule, denoiser: &law };
    let t_min = 1e-3;
    let to_noise = ProbabilityFlow::to_noise(schedule, &score, t_min).unwrap();
    let from_noise = ProbabilityFlow::from_noise(schedule, &score, t_min).unwrap();
    let (clean, noisy) = (schedule.level(t_min), schedule.level(schedule.horizon()));
    for x in [[0.3, -1.0], [2.5, 0.4]] {
        let x = DVector::from_row_slice(&x);
        let mut along = axes.transpose() * (&x - &mean * clean.alpha);
        for (u, v) in along.iter_mut().zip(&variances) {
            let at = |l: resolvent_core::schedule::Level| l.alpha * l.alpha * v + l.sigma * l.sigma;
            *u *= (at(noisy) / at(clean)).sqrt();
        }
        let exact = &mean * noisy.alpha + &axes * along;
        // Some tens of steps, each within the tolerance.
        for (tolerance, allowed) in [(1e-5, 1e-3), (1e-10, 1e-8)] {
            let there = to_noise.tolerances(tolerance, tolerance).unwrap().map(x.as_slice()).unwrap();
            let error = (DVector::from_vec(there.place) - &exact).norm() / (1.0 + exact.norm());
            assert!(error < allowed && there.exit == Exit::Horizon, "{error} at {tolerance}");
            let back = from_noise.tolerances(tolerance, tolerance).unwrap().map(exact.as_slice()).unwrap();
            let error = (DVector::from_vec(back.place) - &x).norm();
            assert!(error < allowed && back.exit == Exit::Horizon, "{error} at {tolerance}, back");
        }
    }
}

#[test]
fn a_gaussian_is_carried_by_the_affine_map() {
    assert_gaussian_map(&VpLinear::default());
    assert_gaussian_map(&SubVp::default());
    assert_gaussian_map(&Ve::default());
    assert_gaussian_map(&Edm::default());
}

/// The marginals of dX = X dW from exp(m + √v N): log X_t is N(m - t/2, v + t).
struct LogNormal {
    mean: f64,
    variance: f64,
}

impl MarginalScore for LogNormal {
    fn dim(&self) -> usize {
        1
    }

    fn evaluate(&self, t: f64, points: &[f64], scores: &mut [f64]) {
        for (s, x) in scores.iter_mut().zip(points) {
            *s = -(1.0 + (x.ln() - self.mean + 0.5 * t) / (self.variance + t)) / x;
        }
    }
}

/// On the line the flow keeps quantiles, whatever σ(x) is.
#[test]
fn geometric_brownian_motion_is_carried_by_quantiles() {
    let diffusion = Field::new(
        |_t, _x: &[f64], out: &mut [f64]| out[0] = 0.0,
        |_t, x: &[f64], out: &mut Dispersion| *out = Dispersion::Scalar(x[0]),
    );
    let score = LogNormal { mean: 0.4, variance: 0.25 };
    let flow = ProbabilityFlow::new(&diffusion, &score, 0.0, 2.0).unwrap().tolerances(1e-9, 1e-9).unwrap();
    for x in [0.5_f64, 1.5, 4.0] {
        let exact = (0.4 - 1.0 + (2.25_f64 / 0.25).sqrt() * (x.ln() - 0.4)).exp();
        let found = flow.map(&[x]).unwrap().place[0];
        assert!((found / exact - 1.0).abs() < 1e-6, "{found}, expected {exact}");
    }
}

fn assert_end_law<S: Schedule>(schedule: &S, t_min: f64) {
    let law = mixture();
    let score = Diffused { schedule, denoiser: &law };
    let flow = ProbabilityFlow::from_noise(schedule, &score, t_min).unwrap();
    let starts = diffuse(&schedule.level(schedule.horizon()), &law.sample(20_000, 1), 2);
    let ended = HorizonSampler::new(&flow).run(&starts, 3).unwrap();
    assert!(ended.exits.iter().all(|exit| *exit == Exit::Horizon));
    let level = schedule.level(t_min);
    let statistic = kolmogorov(ended.points.as_slice(), |x| law.cdf(&level, x));
    assert!(statistic < KOLMOGOROV, "{statistic}");
}

#[test]
fn the_end_law_is_the_mixture() {
    assert_end_law(&VpLinear::default(), 1e-3);
    assert_end_law(&SubVp::default(), 1e-3);
    assert_end_law(&Ve::default(), 1e-5);
}

#[test]
fn the_way_to_noise_and_back_is_the_identity() {
    let (schedule, law) = (
        VpLinear::default(),
        GaussianMixture::new(
            &[0.5, 0.3, 0.2],
            DMatrix::from_row_slice(2, 3, &[-2.0, 1.0, 0.0, 0.0, 1.0, -3.0]),
            vec![DMatrix::from_row_slice(2, 2, &[0.3, 0.1, 0.1, 0.2]); 3],
        )
        .unwrap(),
    );
    let score = Diffused { schedule: &schedule, denoiser: &law };
    let data = law.sample(50, 4);
    for (tolerance, allowed) in [(1e-5, 1e-2), (1e-10, 1e-6)] {
        let there = ProbabilityFlow::to_noise(&schedule, &score, 1e-3).unwrap();
        let there = there.tolerances(tolerance, tolerance).unwrap();
        let back = ProbabilityFlow::from_noise(&schedule, &score, 1e-3).unwrap();
        let back = back.tolerances(tolerance, tolerance).unwrap();
        let noise = HorizonSampler::new(&there).run(&data, 0).unwrap().points;
        assert!((&noise - &data).amax() > 0.5);
        let again = HorizonSampler::new(&back).run(&noise, 0).unwrap().points;
        let error = (&again - &data).amax();
        assert!(error < allowed, "{error} at {tolerance}");
    }
}

/// Counts the points at which it is asked.
struct Counted<'a> {
    score: &'a dyn MarginalScore,
    count: AtomicUsize,
}

impl MarginalScore for Counted<'_> {
    fn dim(&self) -> usize {
        self.score.dim()
    }

    fn evaluate(&self, t: f64, points: &[f64], scores: &mut [f64]) {
        self.count.fetch_add(points.len() / self.dim(), Relaxed);
        self.score.evaluate(t, points, scores);
    }
}

#[test]
fn evaluations_are_counted_and_observed() {
    let (schedule, law) = (VpLinear::default(), mixture());
    let score = Diffused { schedule: &schedule, denoiser: &law };
    let counted = Counted { score: &score, count: AtomicUsize::new(0) };
    let flow = ProbabilityFlow::from_noise(&schedule, &counted, 1e-3).unwrap();
    let observed = AtomicUsize::new(0);
    let ensemble = HorizonSampler::new(&flow)
        .paths(2)
        .run_observed(&prior(&schedule, 1, 20, 5), 6, &|seen| {
            observed.fetch_add(seen.particles.len(), Relaxed);
            let level = schedule.level(seen.time);
            let mut denoised = [0.0];
            law.denoise(&level, seen.points, &mut denoised);
            assert_eq!(seen.sigma, level.sigma);
            assert!((seen.denoised[0] - denoised[0]).abs() < 1e-9 * (1.0 + denoised[0].abs()));
            ControlFlow::Continue(())
        })
        .unwrap();
    let total: usize = ensemble.evaluations.iter().sum();
    assert_eq!((total, total), (counted.count.into_inner(), observed.into_inner()));
    // Six to an attempted step beside those of the first, and fewer than the field's figure of a few hundred.
    assert!(ensemble.evaluations.iter().all(|e| e % 6 == 3 && *e < 400), "{:?}", ensemble.evaluations);
    let last = ensemble.paths[0].times.len() - 1;
    assert!((ensemble.paths[0].times[last] - (1.0 - 1e-3)).abs() < 1e-12);
}

#[test]
fn a_final_step_leads_to_the_denoised_point() {
    let (schedule, law) = (VpLinear::default(), mixture());
    let score = Diffused { schedule: &schedule, denoiser: &law };
    let flow = ProbabilityFlow::from_noise(&schedule, &score, 0.05).unwrap();
    let starts = prior(&schedule, 1, 40, 3);
    let plain = HorizonSampler::new(&flow).run(&starts, 1).unwrap();
    let level = schedule.level(0.05);
    let method = FinalDenoise::new(&flow, &law, level).unwrap();
    let ended = HorizonSampler::new(&method).batch(7).run(&starts, 1).unwrap();
    let mut denoised = plain.points.clone();
    law.denoise(&level, plain.points.as_slice(), denoised.as_mut_slice());
    assert_eq!(ended.points, denoised);
    assert!(ended.evaluations.iter().zip(&plain.evaluations).all(|(ended, plain)| *ended == plain + 1));
    assert_eq!(ended.lifetimes, plain.lifetimes);
    let plane = GaussianMixture::gaussian(&DVector::zeros(2), DMatrix::identity(2, 2)).unwrap();
    assert!(matches!(
        FinalDenoise::new(&flow, &plane, level),
        Err(Error::Dimension { name: "denoiser", .. })
    ));
}

#[test]
fn chunks_change_nothing() {
    let (schedule, law) = (VpLinear::default(), mixture());
    let score = Diffused { schedule: &schedule, denoiser: &law };
    let flow = ProbabilityFlow::from_noise(&schedule, &score, 1e-3).unwrap();
    let starts = prior(&schedule, 1, 40, 5);
    let whole = HorizonSampler::new(&flow).run(&starts, 6).unwrap();
    for batch in [1, 7] {
        let chunked = HorizonSampler::new(&flow).batch(batch).run(&starts, 6).unwrap();
        assert_eq!((&whole.points, &whole.evaluations), (&chunked.points, &chunked.evaluations));
    }
}

/// A score that is no number beyond `time` on its way down from the horizon.
struct Broken {
    time: f64,
}

impl MarginalScore for Broken {
    fn dim(&self) -> usize {
        1
    }

    fn evaluate(&self, t: f64, points: &[f64], scores: &mut [f64]) {
        for (s, x) in scores.iter_mut().zip(points) {
            *s = if t < self.time { f64::NAN } else { -x };
        }
    }
}

#[test]
fn what_does_not_arrive_is_counted() {
    let schedule = VpLinear::default();
    let starts = prior(&schedule, 1, 10, 5);
    for time in [0.5, 2.0] {
        let score = Broken { time };
        let flow = ProbabilityFlow::from_noise(&schedule, &score, 1e-3).unwrap();
        let ensemble = HorizonSampler::new(&flow).run(&starts, 0).unwrap();
        assert!(ensemble.exits.iter().all(|exit| matches!(exit, Exit::Diverged { .. })));
        assert!(ensemble.points.iter().all(|x| x.is_finite()));
        assert!(ensemble.evaluations.iter().all(|e| (1..=10_000).contains(e)));
    }
    let law = mixture();
    let score = Diffused { schedule: &schedule, denoiser: &law };
    let flow = ProbabilityFlow::from_noise(&schedule, &score, 1e-3).unwrap().cap(30).unwrap();
    let ensemble = HorizonSampler::new(&flow).run(&starts, 0).unwrap();
    assert!(ensemble.exits.iter().all(|exit| *exit == Exit::StepCap));
    assert!(ensemble.evaluations.iter().all(|e| (20..=30).contains(e)));
    // A single point as data has no density, and no score, without noise.
    struct Point;
    impl MarginalScore for Point {
        fn dim(&self) -> usize {
            1
        }
        fn evaluate(&self, t: f64, points: &[f64], scores: &mut [f64]) {
            let variance = VpLinear::default().level(t).sigma.powi(2);
            scores.iter_mut().zip(points).for_each(|(s, x)| *s = -x / variance);
        }
    }
    let flow = ProbabilityFlow::to_noise(&schedule, &Point, 0.0).unwrap();
    assert_eq!(flow.map(&[0.1]).unwrap().exit, Exit::Diverged { step: 0 });
}

#[test]
fn an_observer_stops_the_run() {
    let (schedule, law) = (VpLinear::default(), mixture());
    let score = Diffused { schedule: &schedule, denoiser: &law };
    let flow = ProbabilityFlow::from_noise(&schedule, &score, 1e-3).unwrap();
    let stopped = HorizonSampler::new(&flow).run_observed(&prior(&schedule, 1, 5, 5), 0, &|seen| {
        if seen.step == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert!(matches!(stopped, Err(Error::Interrupted { finished: 0, total: 5 })));
}

#[test]
fn impossible_parameters_are_refused() {
    let (schedule, law) = (VpLinear::default(), mixture());
    let score = Diffused { schedule: &schedule, denoiser: &law };
    for end in [-0.1, 1.0, f64::NAN] {
        let refused = ProbabilityFlow::from_noise(&schedule, &score, end);
        assert!(matches!(refused, Err(Error::OutsideHorizon { end: 1.0, .. })));
        assert!(ProbabilityFlow::to_noise(&schedule, &score, end).is_err());
    }
    assert!(matches!(
        ProbabilityFlow::new(&schedule, &score, 0.1, f64::INFINITY),
        Err(Error::Negative { name: "to", .. })
    ));
    for (from, to) in [(0.1, 1.001), (2.0, 0.5)] {
        let refused = ProbabilityFlow::new(&schedule, &score, from, to).err();
        assert_eq!(refused, Some(Error::OutsideHorizon { value: from.max(to), start: 0.0, end: 1.0 }));
    }
    let flow = ProbabilityFlow::new(&schedule, &score, 0.1, 0.9).unwrap();
    assert!(matches!(flow.tolerances(0.0, 1e-5), Err(Error::NotPositive { name: "rtol", .. })));
    assert!(matches!(flow.tolerances(1e-5, f64::NAN), Err(Error::NotPositive { name: "atol", .. })));
    assert!(matches!(flow.cap(5), Err(Error::TooSmall { name: "cap", .. })));
    assert!(matches!(flow.map(&[0.0, 1.0]), Err(Error::Dimension { name: "x", .. })));
    assert!(matches!(flow.map(&[f64::NAN]), Err(Error::NotFinite { name: "x", .. })));
}
