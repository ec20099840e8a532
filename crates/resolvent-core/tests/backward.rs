//! The backward sampler against the exact law: end points, lifetimes, killing rules, and what must not matter.

mod common;

use common::{KOLMOGOROV, assert_law, assert_mean, kolmogorov, mean};
use nalgebra::DMatrix;
use rand::RngExt;
use rand_distr::StandardNormal;
use resolvent_core::killing::{
    DistanceToData, DistanceToSupport, ExponentialTime, FixedSteps, FixedTime, L2Score, SupScore,
};
use resolvent_core::random::{Purpose, stream};
use resolvent_core::step::{Bridge, EulerMaruyama, PosteriorBridge};
use resolvent_core::{
    EmpiricalMeasure, EmpiricalScore, Ensemble, Error, Exit, FixedStep, KilledBrownianMotion, KillingRule,
    Oracle, Sampler, ScoreAdaptive, Step,
};

struct Problem {
    process: KilledBrownianMotion,
    measure: EmpiricalMeasure,
    score: EmpiricalScore,
    start: Vec<f64>,
}

/// Five unequal normal atoms and a start at one and a half times their scale.
fn problem(d: usize, rate: f64) -> Problem {
    let mut rng = stream(2, Purpose::Experiment, d as u64);
    let points = DMatrix::from_fn(d, 5, |_, _| rng.sample(StandardNormal));
    let start = (0..d).map(|_| 1.5 * rng.sample::<f64, _>(StandardNormal)).collect();
    let process = KilledBrownianMotion::new(d, 1.0, rate).unwrap();
    let measure = EmpiricalMeasure::weighted(points, &[1.0, 2.0, 1.0, 0.5, 1.5]).unwrap();
    let score = EmpiricalScore::new(&process, measure.clone()).unwrap();
    Problem { process, measure, score, start }
}

impl Problem {
    fn starts(&self, n: usize) -> DMatrix<f64> {
        DMatrix::from_fn(self.start.len(), n, |i, _| self.start[i])
    }

    /// How many particles ended nearest to each atom.
    fn counts(&self, ensemble: &Ensemble) -> Vec<usize> {
        let mut counts = vec![0; self.measure.len()];
        for x in ensemble.points.column_iter() {
            let distance = |i: &usize| (self.measure.points().column(*i) - x).norm_squared();
            let nearest = (0..counts.len()).min_by(|a, b| distance(a).total_cmp(&distance(b))).unwrap();
            counts[nearest] += 1;
        }
        counts
    }
}

/// One atom at the origin, so that every law is radial.
fn single(d: usize, rate: f64) -> Problem {
    let process = KilledBrownianMotion::new(d, 1.0, rate).unwrap();
    let measure = EmpiricalMeasure::new(DMatrix::zeros(d, 1)).unwrap();
    let score = EmpiricalScore::new(&process, measure.clone()).unwrap();
    let mut start = vec![0.0; d];
    start[0] = 1.0;
    Problem { process, measure, score, start }
}

#[test]
fn the_oracle_has_the_law_it_states() {
    let p = problem(3, 0.2);
    let oracle = Oracle::new(p.process.clone(), p.measure.clone()).unwrap();
    let deaths = oracle.draw(&p.starts(20_000), 8).unwrap();
    let mut counts = vec![0; 5];
    deaths.atoms.iter().for_each(|&i| counts[i] += 1);
    assert_law(&counts, &oracle.end_law(&p.start));
    let law = oracle.lifetime_law(&p.start);
    assert!(kolmogorov(&deaths.lifetimes, |t| law.cdf(t)) < KOLMOGOROV);
    assert_mean(&deaths.lifetimes, law.mean());
    // R4b: the mean lifetime is -d/dr log u.
    let log_u = |rate: f64| {
        let process = KilledBrownianMotion::new(3, 1.0, rate).unwrap();
        EmpiricalScore::new(&process, p.measure.clone()).unwrap().log_density(&p.start)
    };
    let h = 1e-5;
    let derivative = -(log_u(0.2 + h) - log_u(0.2 - h)) / (2.0 * h);
    assert!((derivative / law.mean() - 1.0).abs() < 1e-8, "{derivative} {}", law.mean());
}

#[test]
fn oracle_paths_are_bridges() {
    let p = problem(2, 0.2);
    let oracle = Oracle::new(p.process.clone(), p.measure.clone()).unwrap();
    let mut rng = stream(4, Purpose::Oracle, 0);
    let target = p.measure.point(1)[0];
    let (mut centred, mut squares) = (Vec::new(), Vec::new());
    for _ in 0..20_000 {
        let path = oracle.path(&p.start, 1, 2.0, &[0.0, 0.5, 1.2, 2.0, 3.0], &mut rng).unwrap();
        assert_eq!(path.point(0), p.start);
        assert_eq!((path.point(3), path.point(4)), (p.measure.point(1), p.measure.point(1)));
        let z = path.point(2)[0] - (p.start[0] + 0.6 * (target - p.start[0]));
        centred.push(z);
        squares.push(z * z);
    }
    assert_mean(&centred, 0.0);
    assert_mean(&squares, 1.2 * 0.8 / 2.0);
    let error = oracle.path(&p.start, 1, 2.0, &[0.5, 0.2], &mut rng).unwrap_err();
    assert_eq!(error, Error::Times { index: 1, value: 0.2 });
}

#[test]
fn the_posterior_bridge_is_exact_at_any_step_size() {
    for (d, rate, eta) in
        [(1, 0.3, 0.7), (2, 0.2, 1.0), (3, 0.2, 1.0), (3, 0.2, 0.3), (8, 0.05, 2.0), (32, 0.02, 1.0)]
    {
        let p = problem(d, rate);
        let n = 20_000;
        let control = ScoreAdaptive::new(eta, 0.01 * p.measure.smallest_gap()).unwrap().ignoring_spread();
        let step = PosteriorBridge::new(&p.score);
        let ensemble = Sampler::new(&p.process, &step, &control).run(&p.starts(n), 6).unwrap();
        let oracle = Oracle::new(p.process.clone(), p.measure.clone()).unwrap();
        assert_eq!(ensemble.exit_counts()[0], ("lifetime".into(), n));
        assert!(ensemble.points.column_iter().all(|x| p.measure.points().column_iter().any(|y| x == y)));
        assert_law(&p.counts(&ensemble), &oracle.end_law(&p.start));
        let law = oracle.lifetime_law(&p.start);
        let ks = kolmogorov(&ensemble.lifetimes, |t| law.cdf(t));
        assert!(ks < KOLMOGOROV, "d = {d}, eta = {eta}: {ks}");
        // The test would see ten percent of scale.
        assert!(kolmogorov(&ensemble.lifetimes, |t| law.cdf(1.1 * t)) > KOLMOGOROV, "d = {d}");
    }
}

#[test]
fn the_mean_bridge_is_exact_for_one_atom() {
    for d in [1, 2, 5] {
        let p = single(d, 0.4);
        let control = ScoreAdaptive::new(0.6, 0.02).unwrap();
        let step = Bridge::new(&p.score);
        let ensemble = Sampler::new(&p.process, &step, &control).run(&p.starts(20_000), 1).unwrap();
        let law = Oracle::new(p.process.clone(), p.measure.clone()).unwrap().lifetime_law(&p.start);
        assert!(kolmogorov(&ensemble.lifetimes, |t| law.cdf(t)) < KOLMOGOROV);
    }
}

#[test]
fn the_spread_of_the_posterior_limits_the_step() {
    // Two equally far atoms in high dimension with unequal weights: the mean bridge picks the wrong shares unless the
    // step heeds the spread.
    let d = 1000;
    let process = KilledBrownianMotion::new(d, 1.0, 0.01).unwrap();
    let mut points = DMatrix::zeros(d, 2);
    (points[(0, 0)], points[(0, 1)]) = (20.0, -20.0);
    let measure = EmpiricalMeasure::weighted(points, &[0.7, 0.3]).unwrap();
    let score = EmpiricalScore::new(&process, measure).unwrap();
    let mut starts = DMatrix::zeros(d, 2_000);
    starts.row_mut(1).fill(40.0);
    let share = |control: ScoreAdaptive| {
        let step = Bridge::new(&score);
        let ensemble = Sampler::new(&process, &step, &control).run(&starts, 2).unwrap();
        ensemble.points.row(0).iter().filter(|x| **x > 0.0).count() as f64 / 2_000.0
    };
    let control = ScoreAdaptive::new(0.2, 0.4).unwrap();
    // Four standard errors, and the declared error of the mean bridge in total variation; then ten standard errors.
    let error = f64::sqrt(0.7 * 0.3 / 2_000.0);
    assert!((share(control) - 0.7).abs() < 4.0 * error + 0.03);
    assert!((share(control.ignoring_spread()) - 0.7).abs() > 10.0 * error);
}

/// Runs Euler-Maruyama with one rule from distance 1 of a single atom.
fn run_rule(p: &Problem, eta: f64, rule: &dyn KillingRule, n: usize) -> Ensemble {
    let step = EulerMaruyama::new(&p.score);
    let control = ScoreAdaptive::new(eta, 0.0).unwrap();
    Sampler::new(&p.process, &step, &control).killing("rule", rule).run(&p.starts(n), 4).unwrap()
}

#[test]
fn distance_rules_stop_at_the_distance_and_at_the_time() {
    for d in [3, 10] {
        let p = single(d, 0.3);
        let delta = 0.05;
        let lifetime = |rho: f64| p.process.green().lifetime(rho).mean();
        // Strong Markov: the lifetime from 1 is the time to reach delta plus the lifetime from delta.
        let expected = lifetime(1.0) - lifetime(delta);
        let sup = SupScore::at_distance(&p.process, d, delta).unwrap();
        let data = DistanceToData::new(&p.process, p.measure.clone(), delta).unwrap();
        let support =
            DistanceToSupport::new(|x: &[f64]| x.iter().map(|x| x * x).sum::<f64>().sqrt(), delta).unwrap();
        for rule in [&sup as &dyn KillingRule, &data, &support] {
            let ensemble = run_rule(&p, 0.02, rule, 4_000);
            assert_eq!(ensemble.exit_counts()[0].1, 4_000);
            let (distance, _) = mean(&ensemble.points.column_iter().map(|x| x.norm()).collect::<Vec<_>>());
            // A particle may be seen on either side of the mark, by the rules' tolerance of 5 %.
            assert!((distance / delta - 1.0).abs() < 0.05, "d = {d}: {distance}");
            let (time, error) = mean(&ensemble.lifetimes);
            // One percent is what Euler-Maruyama may be off at eta = 0.02.
            assert!(
                (time - expected).abs() < 4.0 * error + 0.01 * expected,
                "d = {d}: {time} {error} {expected}"
            );
        }
    }
}

#[test]
fn the_crossing_between_two_looks_is_seen() {
    // The bridge step is exact for one atom, so only the detection can be wrong.
    let p = single(3, 0.3);
    let rule = DistanceToSupport::new(|x: &[f64]| x.iter().map(|x| x * x).sum::<f64>().sqrt(), 0.3).unwrap();
    let step = Bridge::new(&p.score);
    let control = FixedStep::new(0.05).unwrap();
    let ensemble =
        Sampler::new(&p.process, &step, &control).killing("rule", &rule).run(&p.starts(20_000), 4).unwrap();
    // A step of a quarter of the gap dies in the atom with probability Q(1/2, 8) = 6e-5; a hundred of them with 1 %.
    assert!(ensemble.exit_counts()[0].1 < 200, "{:?}", ensemble.exit_counts());
    // Seen only when inside at a look, particles would be inside by 0.5826 σ √dt on average (Chernoff 1965), 2.9 % of the
    // radius for steps of 5 % of it. Half of that is allowed.
    let (distance, _) = mean(&ensemble.points.column_iter().map(|x| x.norm()).collect::<Vec<_>>());
    assert!((distance / 0.3 - 1.0).abs() < 0.0146, "{distance}");
    let lifetime = |rho: f64| p.process.green().lifetime(rho).mean();
    let (time, error) = mean(&ensemble.lifetimes);
    let expected = lifetime(1.0) - lifetime(0.3);
    assert!((time - expected).abs() < 4.0 * error + 0.01 * expected, "{time} +- {error}, {expected}");
}

#[test]
fn long_steps_do_not_kill_from_afar() {
    // Steps of a whole time scale look at a small ball from far away: an estimate of the crossing that took the ball for a
    // half-space would kill most particles there.
    for (d, delta) in [(2, 1e-2), (3, 1e-3), (3, 1e-6), (6, 1e-3)] {
        let p = single(d, 0.3);
        let rule = DistanceToData::new(&p.process, p.measure.clone(), delta).unwrap();
        let step = PosteriorBridge::new(&p.score);
        let control = ScoreAdaptive::new(1.0, 0.1 * delta).unwrap();
        let ensemble = Sampler::new(&p.process, &step, &control)
            .killing("rule", &rule)
            .run(&p.starts(2_000), 3)
            .unwrap();
        let killed = (0..2_000).filter(|&i| ensemble.exit_code(i) == 1);
        let (by_rule, far) = killed.fold((0, 0), |(n, far), i| {
            (n + 1, far + usize::from(ensemble.points.column(i).norm() > 1.5 * delta))
        });
        // The others die in the datum within a step: with probability Q(ν, 8) <= 0.003 in each of some fifty.
        assert!(by_rule > 1_700, "d = {d}, delta = {delta}: {by_rule} by the rule");
        assert!(far < 40, "d = {d}, delta = {delta}: {far} of {by_rule} beyond 1.5 delta");
    }
}

#[test]
fn the_l2_norm_stops_on_average_where_it_is_calibrated() {
    // r -> 0: log(rho_0/rho) at norm M is normal with mean M²/(2(d-2)) and standard deviation M/(d-2).
    let d = 8;
    let p = single(d, 1e-9);
    let (from, to) = (1.0, 0.02);
    let rule = L2Score::at_distance(&p.process, d, from, to).unwrap();
    let ensemble = run_rule(&p, 0.02, &rule, 8_000);
    let logs: Vec<f64> = ensemble.points.column_iter().map(|x| -x.norm().ln()).collect();
    let (l, error) = mean(&logs);
    let exact = f64::ln(from / to);
    assert!((l - exact).abs() < 4.0 * error + 0.01 * exact, "{l} +- {error}, {exact}");
    let deviation = error * f64::sqrt(8_000.0);
    // Four standard errors of a standard deviation, and 2 % for the step.
    let allowed = 4.0 / f64::sqrt(2.0 * 8_000.0) + 0.02;
    assert!((deviation / f64::sqrt(2.0 * exact / 6.0) - 1.0).abs() < allowed, "{deviation}");
    assert!((rule.norm().powi(2) - 12.0 * exact).abs() < 1e-9);
}

#[test]
fn controls_stop_when_told() {
    let p = problem(3, 0.2);
    let e = run_rule(&p, 0.1, &FixedTime::new(0.3).unwrap(), 50);
    assert!(e.lifetimes.iter().all(|t| (t - 0.3).abs() < 1e-12));
    let e = run_rule(&p, 0.1, &FixedSteps::new(7), 50);
    assert!(e.evaluations.iter().all(|n| *n == 8));
    let e = run_rule(&p, 0.5, &ExponentialTime::new(4.0).unwrap(), 20_000);
    assert!(kolmogorov(&e.lifetimes, |t| -f64::exp_m1(-4.0 * t)) < KOLMOGOROV);
}

#[test]
fn the_first_rule_that_kills_does_and_is_named() {
    let p = single(5, 0.3);
    let (near, far) = (SupScore::new(300.0).unwrap(), SupScore::new(6.0).unwrap());
    let step = Bridge::new(&p.score);
    let control = ScoreAdaptive::new(0.2, 1e-3).unwrap();
    let e = Sampler::new(&p.process, &step, &control)
        .killing("near", &near)
        .killing("far", &far)
        .run(&p.starts(200), 1)
        .unwrap();
    assert_eq!(e.exit_names(), ["lifetime", "near", "far", "step-cap", "diverged", "horizon"]);
    assert_eq!(e.exit_counts()[2].1, 200);
}

#[test]
fn nothing_is_lost_silently() {
    let p = problem(3, 0.2);
    let rule = FixedSteps::new(1_000_000);
    let step = EulerMaruyama::new(&p.score);
    let control = ScoreAdaptive::new(0.1, 0.0).unwrap();
    let sampler = Sampler::new(&p.process, &step, &control).killing("steps", &rule);
    let capped = sampler.cap(5).run(&p.starts(10), 0).unwrap();
    assert!(capped.exits.iter().all(|e| *e == Exit::StepCap) && capped.evaluations.iter().all(|n| *n == 5));
    // Steps much too long throw particles out to infinity.
    let wild = FixedStep::new(1e300).unwrap();
    let diverged =
        Sampler::new(&p.process, &step, &wild).killing("steps", &rule).run(&p.starts(10), 0).unwrap();
    assert!(diverged.exits.iter().all(|e| matches!(e, Exit::Diverged { .. })));
    assert_eq!(diverged.exit_counts()[diverged.rules.len() + 1], ("diverged".into(), 10));
}

#[test]
fn the_same_particle_whatever_the_batch_and_the_threads() {
    for d in [3, 40] {
        let p = problem(d, 0.05);
        let floor = 0.01 * p.measure.smallest_gap();
        let control = ScoreAdaptive::new(0.2, floor).unwrap();
        let (bridge, posterior) = (Bridge::new(&p.score), PosteriorBridge::new(&p.score));
        let euler = EulerMaruyama::new(&p.score);
        let (sup, time) =
            (SupScore::at_distance(&p.process, d, 0.1).unwrap(), ExponentialTime::new(0.1).unwrap());
        for step in [&bridge as &dyn Step, &posterior, &euler] {
            let run = |batch: usize, threads: usize, n: usize| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                let sampler =
                    Sampler::new(&p.process, step, &control).killing("sup", &sup).killing("time", &time);
                let sampler = sampler.batch(batch).paths(3);
                pool.install(|| sampler.run(&p.starts(n), 9).unwrap())
            };
            let reference = run(100, 1, 100);
            for (batch, threads) in [(1, 2), (7, 1), (32, 2), (usize::MAX, 2)] {
                let other = run(batch, threads, 100);
                assert_eq!(other.points, reference.points);
                assert_eq!(other.lifetimes, reference.lifetimes);
                assert_eq!(other.evaluations, reference.evaluations);
                assert_eq!(other.paths, reference.paths);
            }
            assert_eq!(run(5, 2, 20).points, reference.points.columns(0, 20).into_owned());
        }
    }
}

#[test]
fn a_path_leads_from_the_start_to_the_end() {
    let p = problem(3, 0.2);
    let control = ScoreAdaptive::new(0.2, 0.01).unwrap();
    let step = Bridge::new(&p.score);
    let e = Sampler::new(&p.process, &step, &control).paths(4).run(&p.starts(6), 9).unwrap();
    assert_eq!(e.paths.len(), 4);
    for (i, path) in e.paths.iter().enumerate() {
        assert_eq!((path.point(0), path.times[0]), (&p.start[..], 0.0));
        let last = path.times.len() - 1;
        assert_eq!((path.times[last], last), (e.lifetimes[i], e.evaluations[i]));
        assert_eq!(path.point(last), e.points.column(i).as_slice());
    }
}

#[test]
fn an_observer_counts_and_can_stop() {
    use std::ops::ControlFlow;
    use std::sync::atomic::{AtomicUsize, Ordering};
    let p = problem(3, 0.2);
    let control = ScoreAdaptive::new(0.2, 0.01).unwrap();
    let step = Bridge::new(&p.score);
    let sampler = Sampler::new(&p.process, &step, &control).batch(10);
    let seen = AtomicUsize::new(0);
    let observer = |n: usize| {
        seen.fetch_add(n, Ordering::Relaxed);
        ControlFlow::Continue(())
    };
    sampler.run_observed(&p.starts(35), 0, &observer).unwrap();
    assert_eq!(seen.into_inner(), 35);
    let stopped = sampler.run_observed(&p.starts(35), 0, &|_| ControlFlow::Break(())).unwrap_err();
    assert!(matches!(stopped, Error::Interrupted { total: 35, .. }));
}

#[test]
fn a_start_on_a_datum_dies_there_at_once() {
    let p = problem(4, 0.2);
    let start = DMatrix::from_column_slice(4, 1, p.measure.point(2));
    let control = ScoreAdaptive::new(0.2, 0.01).unwrap();
    let (bridge, euler) = (Bridge::new(&p.score), EulerMaruyama::new(&p.score));
    let sup = SupScore::new(100.0).unwrap();
    let by_lifetime = Sampler::new(&p.process, &bridge, &control).run(&start, 0).unwrap();
    let by_score = Sampler::new(&p.process, &euler, &control).killing("sup", &sup).run(&start, 0).unwrap();
    for e in [by_lifetime, by_score] {
        assert_eq!((e.points, e.evaluations[0]), (start.clone(), 1));
        assert!(e.lifetimes[0] < 1e-200);
    }
}

#[test]
fn impossible_runs_are_refused() {
    let p = problem(3, 0.2);
    let (bridge, euler) = (Bridge::new(&p.score), EulerMaruyama::new(&p.score));
    let control = ScoreAdaptive::new(0.2, 0.01).unwrap();
    let refuse = |sampler: Sampler<'_>, starts: &DMatrix<f64>| sampler.run(starts, 0).unwrap_err();
    let new = |step| Sampler::new(&p.process, step, &control);
    assert_eq!(refuse(new(&euler as &dyn Step), &p.starts(1)), Error::NoKillingRule);
    assert!(matches!(refuse(new(&bridge).batch(0), &p.starts(1)), Error::TooSmall { name: "batch", .. }));
    assert!(matches!(
        refuse(new(&bridge), &DMatrix::zeros(4, 1)),
        Error::Dimension { expected: 3, found: 4, .. }
    ));
    let mut nan = p.starts(3);
    nan[(1, 2)] = f64::NAN;
    assert!(matches!(refuse(new(&bridge), &nan), Error::NotFinite { point: 2, coordinate: 1, .. }));
    assert!(matches!(SupScore::at_distance(&p.process, 1, 0.1), Err(Error::NotPolar { codimension: 1 })));
    assert!(matches!(
        SupScore::at_distance(&p.process, 4, 0.1),
        Err(Error::Codimension { codimension: 4, dim: 3 })
    ));
    assert!(matches!(KilledBrownianMotion::new(3, 1e40, 1.0), Err(Error::OutOfRange { name: "sigma", .. })));
    assert!(matches!(ScoreAdaptive::new(0.0, 0.1), Err(Error::NotPositive { name: "eta", .. })));
    assert!(matches!(EmpiricalMeasure::weighted(DMatrix::zeros(2, 2), &[0.0, 0.0]), Err(Error::NoMass)));
}
