//! Killing by local time on supports of codimension one against the exact laws of end point and lifetime.

mod common;

use std::f64::consts::PI;

use common::{KOLMOGOROV, assert_law, assert_mean, kolmogorov, mean};
use nalgebra::DMatrix;
use resolvent_core::htransform::{Sphere, TransformScore};
use resolvent_core::killing::{
    DistanceToSupport, Hypersurface, Increment, LocalTime, PointsOnLine, Shell, no_local_time,
};
use resolvent_core::marginal::{NoisyDensity, UniformSphere};
use resolvent_core::schedule::Level;
use resolvent_core::step::EulerMaruyama;
use resolvent_core::{
    EmpiricalMeasure, EmpiricalScore, Ensemble, Error, FixedStep, KilledBrownianMotion, KillingRule,
    LifetimeLaw, Oracle, Sampler, Score,
};

/// n particles from (start, 0, .., 0) by Euler-Maruyama under one rule, all of which it kills.
fn run(
    process: &KilledBrownianMotion,
    score: &dyn Score,
    start: f64,
    n: usize,
    dt: f64,
    rule: &dyn KillingRule,
) -> Ensemble {
    let (step, control) = (EulerMaruyama::new(score), FixedStep::new(dt).unwrap());
    let mut starts = DMatrix::zeros(process.dim(), n);
    starts.row_mut(0).fill(start);
    let ensemble = Sampler::new(process, &step, &control).killing("rule", rule).run(&starts, 3).unwrap();
    assert_eq!(ensemble.exit_counts()[0].1, n);
    ensemble
}

/// Weighted points on a line.
struct Line {
    process: KilledBrownianMotion,
    measure: EmpiricalMeasure,
    score: EmpiricalScore,
    surface: PointsOnLine,
}

impl Line {
    fn new(points: &[f64], weights: &[f64], sigma: f64, rate: f64) -> Self {
        let process = KilledBrownianMotion::new(1, sigma, rate).unwrap();
        let points = DMatrix::from_row_slice(1, points.len(), points);
        let measure = EmpiricalMeasure::weighted(points, weights).unwrap();
        let score = EmpiricalScore::new(&process, measure.clone()).unwrap();
        let surface = PointsOnLine::new(&process, &measure).unwrap();
        Self { process, measure, score, surface }
    }

    fn exact(&self, start: f64) -> (Vec<f64>, LifetimeLaw) {
        let oracle = Oracle::new(self.process.clone(), self.measure.clone()).unwrap();
        (oracle.end_law(&[start]), oracle.lifetime_law(&[start]))
    }
}

#[test]
fn one_point_on_the_line_is_exact_at_any_step() {
    let (line, n, start) = (Line::new(&[0.3], &[1.0], 1.5, 0.4), 20_000, 1.8);
    for dt in [0.5, 0.05] {
        let rule = LocalTime::new(line.surface.clone()).resolution(10.0).unwrap();
        let ensemble = run(&line.process, &line.score, start, n, dt, &rule);
        assert!(ensemble.points.iter().all(|x| *x == 0.3));
        let (_, law) = line.exact(start);
        // How many die in the first, second, .. hundredth stretch of five steps, and after that.
        let stretch = |t: f64| ((t / (5.0 * dt)) as usize).min(100);
        let mut counts = vec![0; 101];
        ensemble.lifetimes.iter().for_each(|t| counts[stretch(*t)] += 1);
        let cdf = |k: usize| if k > 100 { 1.0 } else { law.cdf(k as f64 * 5.0 * dt) };
        assert_law(&counts, &(0..=100).map(|k| cdf(k + 1) - cdf(k)).collect::<Vec<_>>());
    }
}

#[test]
fn points_on_the_line() {
    let (line, n, start) = (Line::new(&[-1.0, 1.0, 0.4], &[0.5, 0.3, 0.2], 1.0, 0.5), 10_000, 0.1);
    let (ends, law) = line.exact(start);
    let run = |increment: Increment, resolution: f64| {
        let rule = LocalTime::new(line.surface.clone()).increment(increment).resolution(resolution).unwrap();
        run(&line.process, &line.score, start, n, resolution * resolution, &rule)
    };
    let ensemble = run(Increment::Tanaka, 0.1);
    let at = |i: usize| ensemble.points.iter().filter(|x| **x == line.measure.points()[i]).count();
    assert_law(&[at(0), at(1), at(2)], &ends);
    let sample = ensemble.lifetimes;
    assert!(kolmogorov(&sample, |t| law.cdf(t)) < KOLMOGOROV);
    // The test would see five percent of scale.
    assert!(kolmogorov(&sample, |t| law.cdf(1.05 * t)) > KOLMOGOROV);
    // With the local time of the bridge the drift after a crossing is wrong: an error that shrinks with the step.
    let coarse = kolmogorov(&run(Increment::Bridge, 0.3).lifetimes, |t| law.cdf(t));
    let fine = kolmogorov(&run(Increment::Bridge, 0.06).lifetimes, |t| law.cdf(t));
    assert!(coarse > KOLMOGOROV && fine < 0.5 * coarse, "{coarse} {fine}");
}

/// A step that crosses both points would not be seen: the rule by itself takes shorter ones.
#[test]
fn points_close_together() {
    let (line, n, start) = (Line::new(&[-0.1, 0.1], &[0.5, 0.5], 1.0, 0.5), 2_000, 1.0);
    let (ends, law) = line.exact(start);
    let rule = LocalTime::new(line.surface.clone());
    let ensemble = run(&line.process, &line.score, start, n, 1.0, &rule);
    let left = ensemble.points.iter().filter(|x| **x < 0.0).count();
    assert_law(&[left, n - left], &ends);
    assert!(kolmogorov(&ensemble.lifetimes, |t| law.cdf(t)) < KOLMOGOROV);
    let gaps = [-0.3, 0.3, 1.6].map(|x| Line::new(&[-1.0, 0.0, 3.0], &[1.0; 3], 1.0, 0.5).surface.gap(&[x]));
    assert_eq!(gaps, [1.0, 1.0, 3.0]);
}

/// From the point itself R11 is Gamma(1/2, rate r).
#[test]
fn a_start_on_the_point() {
    let (line, rate) = (Line::new(&[0.3], &[1.0], 1.5, 0.4), 0.4);
    let rule = LocalTime::new(line.surface.clone()).resolution(10.0).unwrap();
    let ensemble = run(&line.process, &line.score, 0.3, 10_000, 0.01, &rule);
    assert_mean(&ensemble.lifetimes, 0.5 / rate);
}

#[test]
fn paths_end_where_the_particle_died() {
    let line = Line::new(&[0.3], &[1.0], 1.5, 0.4);
    let rule = LocalTime::new(line.surface.clone());
    let (step, control) = (EulerMaruyama::new(&line.score), FixedStep::new(0.1).unwrap());
    let sampler = Sampler::new(&line.process, &step, &control).killing("rule", &rule);
    let ensemble = sampler.paths(5).final_denoise(true).run(&DMatrix::from_element(1, 20, 1.0), 3).unwrap();
    for (i, path) in ensemble.paths.iter().enumerate() {
        assert_eq!(path.times.last(), Some(&ensemble.lifetimes[i]));
        assert_eq!((path.points.last(), ensemble.points[i]), (Some(&0.3), 0.3));
        assert!(path.times.windows(2).all(|pair| pair[0] <= pair[1]));
    }
}

#[test]
fn the_first_hit_comes_too_early() {
    let (sigma, rate, start, n) = (1.5, 0.4, 1.2, 10_000);
    let line = Line::new(&[0.0], &[1.0], sigma, rate);
    let decay = line.process.green().decay();
    let rule = LocalTime::new(line.surface.clone());
    let deaths = run(&line.process, &line.score, start, n, 0.05, &rule).lifetimes;
    let delta = 1e-3;
    let entrance = DistanceToSupport::new(|x: &[f64]| x[0].abs(), delta).unwrap();
    let hits = run(&line.process, &line.score, start, n, 0.05, &entrance).lifetimes;
    // The drift towards the point is σ² times the decay.
    let expected = start / (decay * sigma * sigma);
    assert_mean(&deaths, expected + 0.5 / rate);
    let (hit, error) = mean(&hits);
    let slack = delta / (decay * sigma * sigma);
    assert!((hit - expected).abs() < 4.0 * error + slack, "{hit} {error} {expected}");
}

/// A distribution function by the midpoint rule on a grid of `cells`, from a density given up to a factor.
struct Tabulated {
    from: f64,
    to: f64,
    sums: Vec<f64>,
}

impl Tabulated {
    fn new(from: f64, to: f64, density: impl Fn(f64) -> f64) -> Self {
        let cells = 4_000;
        let mut sums = vec![0.0];
        for k in 0..cells {
            sums.push(sums[k] + density(from + (to - from) * (k as f64 + 0.5) / f64::from(4_000)));
        }
        Self { from, to, sums }
    }

    fn cdf(&self, x: f64) -> f64 {
        let cells = self.sums.len() - 1;
        let place = ((x - self.from) / (self.to - self.from)).clamp(0.0, 1.0) * cells as f64;
        let k = (place as usize).min(cells - 1);
        (self.sums[k] + (place - k as f64) * (self.sums[k + 1] - self.sums[k])) / self.sums[cells]
    }
}

#[test]
fn uniform_spheres() {
    for (d, sigma, start, resolution) in [(2, 1.0, 0.4, 0.1), (2, 0.8, 1.8, 0.1), (3, 1.3, 1.6, 0.1)] {
        let rate = 0.5;
        let process = KilledBrownianMotion::new(d, sigma, rate).unwrap();
        let sphere = Sphere::new(&process, 1.0).unwrap();
        let rule = LocalTime::new(Shell::new(&sphere)).resolution(resolution).unwrap();
        let score = TransformScore::new(&process, &sphere, 10.0).unwrap();
        let ensemble = run(&process, &score, start, 10_000, (resolution / sigma).powi(2), &rule);
        assert!(ensemble.points.column_iter().all(|x| (x.norm() - 1.0).abs() < 1e-12));
        // R10: proportional to the Green kernel.
        let ends = Tabulated::new(0.0, PI, |angle| {
            let rho = (start * start + 1.0 - 2.0 * start * angle.cos()).sqrt();
            process.green().log_value(rho).exp() * angle.sin().powi(d as i32 - 2)
        });
        let angles: Vec<f64> = ensemble.points.row(0).iter().map(|c| c.clamp(-1.0, 1.0).acos()).collect();
        let ks = kolmogorov(&angles, |angle| ends.cdf(angle));
        assert!(ks < KOLMOGOROV, "d = {d}, start {start}: angle {ks}");
        // The lifetime has the density e^{-rt} p_t/u, p_t the law of the sphere under noise.
        let sphere = UniformSphere::new(d - 1, 1.0, d).unwrap();
        let mut x = vec![0.0; d];
        x[0] = start;
        let lifetimes = Tabulated::new(f64::ln(1e-5), f64::ln(1e3), |log_t| {
            let (t, mut log_density) = (log_t.exp(), [0.0]);
            let level = Level { time: t, alpha: 1.0, sigma: sigma * t.sqrt() };
            sphere.log_densities(&level, &x, &mut log_density);
            t * f64::exp(log_density[0] - rate * t)
        });
        let ks = kolmogorov(&ensemble.lifetimes, |t| lifetimes.cdf(t.ln()));
        assert!(ks < KOLMOGOROV, "d = {d}, start {start}: lifetime {ks}");
        assert!(kolmogorov(&ensemble.lifetimes, |t| lifetimes.cdf((1.1 * t).ln())) > KOLMOGOROV);
    }
}

/// In R³ the occupation density on the sphere is (1 - e^{-2aR})/a over its surface, on the line (1 + e^{-2aR})/a over two.
#[test]
fn rates_in_closed_form() {
    let (sigma, rate, radius) = (1.3, 0.7, 0.6);
    let space = KilledBrownianMotion::new(3, sigma, rate).unwrap();
    let a = f64::sqrt(2.0 * rate);
    let expected = sigma * a / -f64::exp_m1(-2.0 * a * radius / sigma);
    let shell = Shell::new(&Sphere::new(&space, radius).unwrap());
    assert!((shell.rate(&[0.0; 3]) / expected - 1.0).abs() < 1e-12);
    let line = Line::new(&[-radius, radius], &[1.0, 1.0], sigma, rate);
    let expected = sigma * a / (1.0 + f64::exp(-2.0 * a * radius / sigma));
    assert!((line.surface.rate(&[-0.2]) / expected - 1.0).abs() < 1e-12);
    let shell = Shell::new(&Sphere::new(&line.process, radius).unwrap());
    assert!((shell.rate(&[0.0]) / expected - 1.0).abs() < 1e-12);
}

#[test]
fn what_local_time_cannot_do_it_says() {
    let process = KilledBrownianMotion::new(2, 1.0, 0.5).unwrap();
    let measure = EmpiricalMeasure::new(DMatrix::zeros(2, 1)).unwrap();
    let error = PointsOnLine::new(&process, &measure).unwrap_err();
    assert!(matches!(error, Error::NoLocalTime { codimension: 2, .. }));
    assert!(error.to_string().contains("polar"));
    assert!(no_local_time(1).to_string().contains("signed distance"));
    assert!(no_local_time(0).to_string().contains("hazard"));
    let rule = LocalTime::new(Shell::new(&Sphere::new(&process, 1.0).unwrap()));
    assert!(matches!(rule.resolution(f64::NAN), Err(Error::NotPositive { name: "resolution", .. })));
}
