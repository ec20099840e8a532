//! Brownian motion without a clock: transient in dimension 3 and above, recurrent and refused below.

mod common;

use common::{KOLMOGOROV, assert_law, kolmogorov};
use nalgebra::DMatrix;
use rand_distr::Distribution;
use resolvent_core::killed::draw_deaths;
use resolvent_core::killing::SupScore;
use resolvent_core::random::{Purpose, stream};
use resolvent_core::step::{Bridge, PosteriorBridge};
use resolvent_core::{
    EmpiricalMeasure, EmpiricalScore, Error, Exit, KilledBrownianMotion, Oracle, Sampler, ScoreAdaptive,
};
use statrs::distribution::{ContinuousCDF, Gamma};
use statrs::function::gamma::ln_gamma;

const DIMS: [usize; 5] = [3, 4, 7, 100, 784];

fn process(dim: usize, sigma: f64, rate: f64) -> KilledBrownianMotion {
    KilledBrownianMotion::new(dim, sigma, rate).unwrap()
}

#[test]
fn the_kernel_is_newtonian() {
    for d in DIMS {
        for sigma in [1.0, 0.4] {
            let (process, nu) = (process(d, sigma, 0.0), 0.5 * d as f64 - 1.0);
            let green = process.green();
            for rho in [1e-6, 0.3, 2.0, 1e4] {
                // ∫ (2πσ²t)^{-d/2} e^{-ρ²/(2σ²t)} dt on the axis of log t, around its mode.
                let log_p = |log_t: f64| {
                    let t = log_t.exp() * sigma * sigma;
                    log_t - 0.5 * d as f64 * (std::f64::consts::TAU * t).ln() - 0.5 * rho * rho / t
                };
                let mode = (rho * rho / (2.0 * nu * sigma * sigma)).ln();
                let h = 0.1 / nu.sqrt();
                let sum: f64 =
                    (-1200..1200).map(|i| f64::exp(log_p(mode + h * f64::from(i)) - log_p(mode))).sum();
                let exact = log_p(mode) + (h * sum).ln();
                let value = green.log_value(rho);
                assert!(
                    (value - exact).abs() < 1e-12 * exact.abs().max(1.0),
                    "d = {d}, {rho}: {value} {exact}"
                );
                assert!((green.gain(rho) * rho * rho / (2.0 * nu) - 1.0).abs() < 1e-15);
                assert!((green.score_norm(rho) * rho / (2.0 * nu) - 1.0).abs() < 1e-15);
                assert!((green.radius_of_gain(green.gain(rho)) / rho - 1.0).abs() < 1e-15);
                assert!((green.radius_of_score(green.score_norm(rho)) / rho - 1.0).abs() < 1e-15);
            }
            assert_eq!((green.decay(), green.distance_cdf(3.0)), (0.0, 0.0));
        }
    }
}

#[test]
fn it_is_the_limit_of_small_rates() {
    for d in DIMS {
        let (zero, small) = (process(d, 0.7, 0.0), process(d, 0.7, 1e-16));
        for rho in [1e-3, 0.5, 20.0] {
            let (a, b) = (zero.green(), small.green());
            // The next term is of order aρ (d = 3).
            let close = |x: f64, y: f64| assert!((x - y).abs() < 2e-6 * x.abs().max(1.0), "d = {d}: {x} {y}");
            close(a.log_value(rho), b.log_value(rho));
            close(a.gain(rho) * rho * rho, b.gain(rho) * rho * rho);
            close(a.radius_of_gain(5.0), b.radius_of_gain(5.0));
            close(a.radius_of_score(5.0), b.radius_of_score(5.0));
            for t in [0.1, 1.0, 5.0] {
                let t = t * rho * rho / d as f64;
                close(a.lifetime(rho).cdf(t), b.lifetime(rho).cdf(t));
            }
        }
    }
}

#[test]
fn lifetimes_are_inverse_gamma() {
    for d in DIMS {
        let (nu, rho, sigma) = (0.5 * d as f64 - 1.0, 1.7, 0.6);
        let law = process(d, sigma, 0.0).green().lifetime(rho);
        let gamma = Gamma::new(nu, 1.0).unwrap();
        let scale = rho * rho / (2.0 * sigma * sigma);
        let cdf = |t: f64| gamma.sf(scale / t);
        let log_density = |t: f64| {
            let g: f64 = scale / t;
            nu * g.ln() - g - t.ln() - ln_gamma(nu)
        };
        for t in [0.2, 0.8, 1.0, 1.3, 6.0] {
            let t = t * scale / nu;
            assert!((law.cdf(t) - cdf(t)).abs() < 1e-11, "d = {d}, t = {t}: {} {}", law.cdf(t), cdf(t));
            assert!((law.log_density(t) - log_density(t)).abs() < 1e-10 * nu.max(1.0), "d = {d}, t = {t}");
        }
        if d > 4 {
            assert!((law.mean() / (scale / (nu - 1.0)) - 1.0).abs() < 1e-14);
        } else {
            assert_eq!(law.mean(), f64::INFINITY);
        }
        let mut rng = stream(5, Purpose::Experiment, d as u64);
        let sample: Vec<f64> = (0..40_000).map(|_| law.sample(&mut rng)).collect();
        assert!(kolmogorov(&sample, cdf) < KOLMOGOROV, "d = {d}");
        let wrong = |t: f64| cdf(t * (1.0 + 0.1 / nu.sqrt()));
        assert!(kolmogorov(&sample, wrong) > KOLMOGOROV, "d = {d}: the test sees a tenth of the spread");
    }
}

#[test]
fn backward_steps_are_exact_without_a_clock() {
    for d in [3, 5, 16] {
        let points = DMatrix::from_fn(d, 4, |i, j| f64::from((3 * i + 5 * j) as u32 % 7) / 3.0 - 1.0);
        let measure = EmpiricalMeasure::weighted(points, &[1.0, 2.0, 0.5, 1.0]).unwrap();
        let process = process(d, 1.3, 0.0);
        let score = EmpiricalScore::new(&process, measure.clone()).unwrap();
        let oracle = Oracle::new(process.clone(), measure.clone()).unwrap();
        let (n, start) = (20_000, DMatrix::from_element(d, 20_000, 0.4));
        let control = ScoreAdaptive::new(1.0, 0.01 * measure.smallest_gap()).unwrap().ignoring_spread();
        let step = PosteriorBridge::new(&score);
        let run = Sampler::new(&process, &step, &control).run(&start, 3).unwrap();
        assert!(run.exits.iter().all(|e| *e == Exit::Killed { rule: 0 }));
        let x = start.column(0);
        let law = oracle.lifetime_law(x.as_slice());
        assert!(kolmogorov(&run.lifetimes, |t| law.cdf(t)) < KOLMOGOROV, "d = {d}");
        let counts: Vec<usize> = (0..4)
            .map(|i| run.points.column_iter().filter(|p| *p == measure.points().column(i)).count())
            .collect();
        assert_eq!(counts.iter().sum::<usize>(), n);
        assert_law(&counts, &oracle.end_law(x.as_slice()));
        // Scores and step lengths are the limits: the same noise gives the same path.
        let few = start.columns(0, 50).into_owned();
        let limit = KilledBrownianMotion::new(d, 1.3, 1e-20).unwrap();
        let limit_score = EmpiricalScore::new(&limit, measure.clone()).unwrap();
        let control = ScoreAdaptive::new(0.2, 0.05).unwrap();
        let a = Sampler::new(&process, &Bridge::new(&score), &control).paths(50).run(&few, 4).unwrap();
        let b = Sampler::new(&limit, &Bridge::new(&limit_score), &control).paths(50).run(&few, 4).unwrap();
        assert_eq!(a.evaluations, b.evaluations);
        for (p, q) in a.lifetimes.iter().zip(&b.lifetimes) {
            assert!((p / q - 1.0).abs() < 1e-4, "{p} {q}");
        }
    }
}

#[test]
fn what_needs_a_clock_is_refused() {
    for dim in [1, 2] {
        let error = KilledBrownianMotion::new(dim, 1.0, 0.0).unwrap_err();
        assert_eq!(error, Error::Recurrent { dim });
        assert!(error.to_string().contains("recurrent"), "{error}");
    }
    let process = process(3, 1.0, -0.0);
    assert_eq!(process.rate(), 0.0);
    assert_eq!(SupScore::at_distance(&process, 2, 0.1).unwrap_err(), Error::Recurrent { dim: 2 });
    assert!((SupScore::at_distance(&process, 3, 0.1).unwrap().threshold() - 10.0).abs() < 1e-12);
    let mut rng = stream(1, Purpose::Experiment, 0);
    assert_eq!(process.deaths(&DMatrix::zeros(3, 2), 1).unwrap_err(), Error::Immortal);
    assert_eq!(draw_deaths(&process, &DMatrix::zeros(3, 2), 1).unwrap_err(), Error::Immortal);
    assert_eq!(process.path(&[0.0; 3], 0.1, &mut rng).unwrap_err(), Error::Immortal);
    let mut place = [0.0; 3];
    assert_eq!(process.death_into(&[1.0; 3], &mut rng, &mut place), f64::INFINITY);
    assert!(place.iter().all(|x| x.is_nan()));
}
