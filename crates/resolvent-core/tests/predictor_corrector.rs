//! Predictor-corrector sampling: the Langevin moves against closed forms, the end law, the accounts.

mod common;

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use common::{KOLMOGOROV, kolmogorov, mean};
use nalgebra::{DMatrix, DVector};
use resolvent_core::Error;
use resolvent_core::horizon::{
    Churn, HorizonSampler, Method, Norms, PredictorCorrector, ddim, heun, reverse_diffusion,
};
use resolvent_core::marginal::{Denoiser, GaussianMixture};
use resolvent_core::schedule::{Grid, Level, Schedule, Ve, VpLinear, diffuse, prior};

fn mixture() -> GaussianMixture {
    GaussianMixture::one_dimensional(&[0.3, 0.7], &[-2.0, 1.5], &[0.6, 0.3]).unwrap()
}

/// N(0, v I) in R^d.
fn gaussian(dim: usize, variance: f64) -> GaussianMixture {
    GaussianMixture::gaussian(&DVector::zeros(dim), DMatrix::identity(dim, dim) * variance).unwrap()
}

fn squares(points: &DMatrix<f64>) -> Vec<f64> {
    points.iter().map(|x| x * x).collect()
}

/// Under N(0, v) at the level, a move is x <- (1 - ε/v) x + √(2ε) z with ε = 2 c snr² σ²: the variance after any number of
/// moves is known. The levels are far apart, so that c = (α_i/α_{i-1})² counts.
#[test]
fn moves_have_the_stated_size() {
    let schedule = VpLinear::default();
    let law = gaussian(1, 0.5);
    let grid = Grid::from_times(&schedule, &[0.6, 0.3, 0.1]).unwrap();
    let levels = grid.levels();
    let (snr, moves) = (0.4_f64, 2);
    let method = PredictorCorrector::corrector_only(&grid, &law).snr(snr).unwrap();
    let method = method.corrector_steps(moves).unwrap();
    let mut variance = 4.0;
    for (i, level) in levels.iter().enumerate() {
        let next = levels.get(i + 1).map_or(1.0, |next| next.alpha);
        let size = 2.0 * (level.alpha / next).powi(2) * snr * snr * level.sigma * level.sigma;
        let at_level = level.alpha * level.alpha * 0.5 + level.sigma * level.sigma;
        for _ in 0..moves {
            variance = (1.0 - size / at_level).powi(2) * variance + 2.0 * size;
        }
    }
    let starts = prior(&schedule, 1, 100_000, 1) * 2.0;
    let ended = HorizonSampler::new(&method).run(&starts, 2).unwrap();
    common::assert_mean(&squares(&ended.points), variance);
    assert!(ended.evaluations.iter().all(|e| *e == 6) && method.evaluations() == 6);
}

/// From 0 one move has the variance 2ε, and ε shows the calibrated ratio: over N(0, v_0) at a level where the law is
/// N(0, v) the ratio of mean norms is v/√v_0.
#[test]
fn calibrated_moves_use_ratios_of_means() {
    let (dim, data, start, snr) = (20, 0.5, 3.0_f64, 0.2_f64);
    let law = gaussian(dim, data);
    let level = Level { time: 1.0, alpha: 1.0, sigma: 1.5 };
    let grid = Grid::new(vec![level, Level::CLEAN]).unwrap();
    let method = PredictorCorrector::corrector_only(&grid, &law).snr(snr).unwrap();
    let method = method.calibrated(&gaussian(dim, start).sample(4_000, 5), 6).unwrap();
    let ended = HorizonSampler::new(&method).run(&DMatrix::zeros(dim, 4_000), 7).unwrap();
    let variance = 4.0 * snr * snr * (data + 1.5 * 1.5_f64).powi(2) / start;
    let (found, error) = mean(&squares(&ended.points));
    // The pilot's ratio has a relative error of 1/√(4000 · 20) or so, twice.
    assert!((found - variance).abs() < 4.0 * (error + 0.007 * variance), "{found}, expected {variance}");
}

/// Small moves leave the law at the level as it is.
#[test]
fn small_moves_leave_the_law() {
    let (schedule, law) = (VpLinear::default(), mixture());
    let level = schedule.level(0.1);
    let grid = Grid::new(vec![level, Level::CLEAN]).unwrap();
    let method = PredictorCorrector::corrector_only(&grid, &law).snr(0.05).unwrap();
    let method = method.corrector_steps(400).unwrap();
    let starts = diffuse(&level, &law.sample(10_000, 1), 2);
    let statistic = |points: &DMatrix<f64>| kolmogorov(points.as_slice(), |x| law.cdf(&level, x));
    let kept = statistic(&HorizonSampler::new(&method).run(&starts, 3).unwrap().points);
    assert!(kept < KOLMOGOROV, "{kept}");
    // Particles with steps of their own move elsewhere.
    let own = method.norms(Norms::Particle);
    let own = statistic(&HorizonSampler::new(&own).run(&starts, 3).unwrap().points);
    assert!(own > 5.0 * KOLMOGOROV, "{own}");
}

/// With ε = 2 (snr |z|/|s|)² the noise has 1 + 2/d times the temperature of the drift and the time runs as 1/|s|²: the law
/// of small moves is proportional to |s|² p^{d/(d+2)}. For p = N(0, v I) its mean of |x|² is v (d + 2)²/d.
#[test]
fn the_law_of_moves_with_norms_of_their_own() {
    let (dim, sigma) = (10, 1.0);
    let law = gaussian(dim, 1.0);
    let grid = Grid::new(vec![Level { time: 1.0, alpha: 1.0, sigma }, Level::CLEAN]).unwrap();
    let method = PredictorCorrector::corrector_only(&grid, &law).norms(Norms::Particle);
    let starts = gaussian(dim, 2.0).sample(4_000, 1);
    let moved = |snr: f64, moves: usize| {
        let method = method.clone().corrector_steps(moves).unwrap().norms(Norms::Particle).snr(snr).unwrap();
        let ended = HorizonSampler::new(&method).run(&starts, 3).unwrap();
        mean(&ended.points.column_iter().map(|x| x.norm_squared()).collect::<Vec<_>>())
    };
    let (found, error) = moved(0.05, 1_000);
    let expected = 2.0 * 144.0 / 10.0;
    // The moves are small, not infinitely so: a hundredth.
    assert!(
        (found - expected).abs() < 4.0 * error + 0.01 * expected,
        "{found} +- {error}, expected {expected}"
    );
}

/// Fifteen steps of the predictor alone miss the law; corrector moves at the same levels mend it by more than the error
/// of the two distances.
fn assert_improved<S: Schedule>(schedule: &S, t_min: f64) {
    let (law, n) = (mixture(), 40_000);
    let grid = Grid::uniform_log_snr(schedule, 15, t_min).unwrap();
    let predictor = reverse_diffusion(&grid).unwrap();
    let starts = diffuse(grid.start(), &law.sample(n, 1), 2);
    let last = schedule.level(t_min);
    let distance = |method: &dyn Method| {
        let ended = HorizonSampler::new(method).run(&starts, 3).unwrap();
        kolmogorov(ended.points.as_slice(), |x| law.cdf(&last, x))
    };
    let alone = distance(&predictor.with(&law));
    let method = PredictorCorrector::new(&predictor, &law).unwrap().corrector_steps(5).unwrap();
    let corrected = distance(&method);
    let reference = diffuse(grid.start(), &law.sample(500, 4), 5);
    let calibrated = distance(&method.calibrated(&reference, 6).unwrap());
    for corrected in [corrected, calibrated] {
        assert!(corrected + 2.0 * KOLMOGOROV < alone, "{corrected}, without the corrector {alone}");
    }
}

#[test]
fn the_corrector_improves_the_end_law() {
    assert_improved(&VpLinear::default(), 1e-2);
    assert_improved(&Ve::default(), 0.3);
}

/// Moves of no size leave the predictor alone.
#[test]
fn the_predictor_is_that_of_the_table() {
    let (schedule, law) = (VpLinear::default(), mixture());
    let predictor = ddim(&Grid::uniform_time(&schedule, 20, 1e-3).unwrap(), 0.0).unwrap();
    let starts = prior(&schedule, 1, 50, 1);
    let method = PredictorCorrector::new(&predictor, &law).unwrap().snr(1e-9).unwrap().final_denoise();
    let found = HorizonSampler::new(&method).run(&starts, 2).unwrap();
    let table = predictor.final_denoise();
    let expected = HorizonSampler::new(&table.with(&law)).run(&starts, 2).unwrap();
    assert!((found.points - expected.points).amax() < 1e-6);
    assert_eq!(found.lifetimes[0], expected.lifetimes[0]);
}

/// Counts the points that it denoises.
struct Counted<'a> {
    law: &'a GaussianMixture,
    count: AtomicUsize,
}

impl Denoiser for Counted<'_> {
    fn dim(&self) -> usize {
        self.law.dim()
    }

    fn denoise(&self, level: &Level, points: &[f64], denoised: &mut [f64]) {
        self.count.fetch_add(points.len() / self.dim(), Relaxed);
        self.law.denoise(level, points, denoised);
    }
}

#[test]
fn evaluations_are_counted_and_chunks_change_nothing() {
    let (schedule, law) = (VpLinear::default(), mixture());
    let predictor = reverse_diffusion(&Grid::uniform_time(&schedule, 10, 1e-3).unwrap()).unwrap();
    let starts = prior(&schedule, 1, 30, 1);
    for calibrated in [false, true] {
        let counted = Counted { law: &law, count: AtomicUsize::new(0) };
        let mut method = PredictorCorrector::new(&predictor, &counted).unwrap();
        method = method.corrector_steps(2).unwrap().final_denoise();
        if calibrated {
            method = method.calibrated(&prior(&schedule, 1, 40, 8), 9).unwrap();
            assert_eq!(counted.count.swap(0, Relaxed), 40 * method.evaluations());
        }
        let observed = AtomicUsize::new(0);
        let whole = HorizonSampler::new(&method)
            .run_observed(&starts, 2, &|seen| {
                observed.fetch_add(seen.particles.len(), Relaxed);
                std::ops::ControlFlow::Continue(())
            })
            .unwrap();
        assert_eq!(method.evaluations(), 10 + 20 + 1);
        assert!(whole.evaluations.iter().all(|e| *e == method.evaluations()));
        assert_eq!(counted.count.load(Relaxed), 30 * method.evaluations());
        assert_eq!(observed.into_inner(), 30 * method.evaluations());
        for batch in [1, 7] {
            let chunked = HorizonSampler::new(&method).batch(batch).run(&starts, 2).unwrap();
            assert_eq!(whole.points, chunked.points);
        }
    }
}

#[test]
fn impossible_parameters_are_refused() {
    let (schedule, law) = (VpLinear::default(), mixture());
    let grid = Grid::uniform_time(&schedule, 5, 1e-3).unwrap();
    let method = PredictorCorrector::new(&reverse_diffusion(&grid).unwrap(), &law).unwrap();
    for snr in [0.0, -0.1, f64::NAN, f64::INFINITY] {
        assert!(matches!(method.clone().snr(snr), Err(Error::NotPositive { name: "snr", .. })));
    }
    let none = method.clone().corrector_steps(0);
    assert!(matches!(none, Err(Error::TooSmall { name: "corrector_steps", .. })));
    let stages = PredictorCorrector::new(&heun(&grid, Churn::NONE).unwrap(), &law);
    assert!(matches!(stages, Err(Error::Predictor { step: 0 })));
    let wrong = method.clone().calibrated(&DMatrix::zeros(2, 3), 0);
    assert!(matches!(wrong, Err(Error::Dimension { name: "starts", .. })));
    assert!(matches!(method.calibrated(&DMatrix::zeros(1, 0), 0), Err(Error::TooSmall { .. })));
}
