//! The corrected bridge step: exact for one atom, of second order for several, and what must not matter.

mod common;

use common::{KOLMOGOROV, assert_law, kolmogorov};
use nalgebra::DMatrix;
use rand::RngExt;
use rand_distr::StandardNormal;
use resolvent_core::random::{Purpose, stream};
use resolvent_core::step::{Bridge, CorrectedBridge};
use resolvent_core::{
    EmpiricalMeasure, EmpiricalScore, Ensemble, FixedStep, KilledBrownianMotion, Oracle, Sampler,
    ScoreAdaptive, Step, StepControl,
};

/// Weighted data and a start.
struct Problem {
    process: KilledBrownianMotion,
    score: EmpiricalScore,
    start: Vec<f64>,
}

/// The share of the first of two atoms.
const SHARE: f64 = 0.8;

/// Two data at ±e_1 and a start above the middle between them.
fn two_atoms(d: usize) -> Problem {
    let process = KilledBrownianMotion::new(d, 1.0, 0.05).unwrap();
    let mut points = DMatrix::zeros(d, 2);
    (points[(0, 0)], points[(0, 1)]) = (1.0, -1.0);
    let measure = EmpiricalMeasure::weighted(points, &[SHARE, 1.0 - SHARE]).unwrap();
    let score = EmpiricalScore::new(&process, measure).unwrap();
    let mut start = vec![0.0; d];
    start[1] = 1.5;
    Problem { process, score, start }
}

/// Five unequal normal atoms and a start at their scale.
fn five_atoms(d: usize, sigma: f64) -> Problem {
    let mut rng = stream(2, Purpose::Experiment, d as u64);
    let points = DMatrix::from_fn(d, 5, |_, _| rng.sample(StandardNormal));
    let start = (0..d).map(|_| rng.sample(StandardNormal)).collect();
    let process = KilledBrownianMotion::new(d, sigma, 0.1).unwrap();
    let measure = EmpiricalMeasure::weighted(points, &[1.0, 2.0, 1.0, 0.5, 1.5]).unwrap();
    let score = EmpiricalScore::new(&process, measure).unwrap();
    Problem { process, score, start }
}

impl Problem {
    fn oracle(&self) -> Oracle {
        Oracle::new(self.process.clone(), self.score.measure().clone()).unwrap()
    }

    fn run(&self, step: &dyn Step, control: &dyn StepControl, n: usize, seed: u64) -> Ensemble {
        let starts = DMatrix::from_fn(self.start.len(), n, |i, _| self.start[i]);
        Sampler::new(&self.process, step, control).run(&starts, seed).unwrap()
    }

    /// The share of the first atom less what it should be.
    fn bias(&self, step: &dyn Step, eta: f64, n: usize) -> f64 {
        let control = ScoreAdaptive::new(eta, 0.02).unwrap().second_order();
        let ends = self.run(step, &control, n, 3).points;
        ends.row(0).iter().filter(|x| **x > 0.0).count() as f64 / n as f64 - SHARE
    }
}

#[test]
fn exact_for_one_atom_at_any_step() {
    let n = 20_000;
    for (d, sigma) in [(1, 1.0), (2, 0.7), (3, 1.0), (8, 2.0)] {
        let process = KilledBrownianMotion::new(d, sigma, 0.4).unwrap();
        let measure = EmpiricalMeasure::new(DMatrix::zeros(d, 1)).unwrap();
        let score = EmpiricalScore::new(&process, measure.clone()).unwrap();
        let mut starts = DMatrix::zeros(d, n);
        starts.row_mut(0).fill(1.0);
        let law = Oracle::new(process.clone(), measure).unwrap().lifetime_law(starts.column(0).as_slice());
        let adaptive = ScoreAdaptive::new(0.6, 0.02).unwrap();
        let fixed = FixedStep::new(0.1 * law.mean()).unwrap();
        for (name, control) in [
            ("adaptive", &adaptive as &dyn StepControl),
            ("second order", &adaptive.second_order()),
            ("fixed", &fixed),
        ] {
            let step = CorrectedBridge::new(&score);
            let ensemble = Sampler::new(&process, &step, control).run(&starts, 1).unwrap();
            assert_eq!(ensemble.exit_counts()[0].1, n, "d = {d}, {name}");
            let ks = kolmogorov(&ensemble.lifetimes, |t| law.cdf(t));
            assert!(ks < KOLMOGOROV, "d = {d}, {name}: {ks}");
            assert!(ensemble.points.column_iter().all(|x| x.norm() < 1e-9), "d = {d}, {name}");
        }
        // One atom: nothing turns, so a step is a life.
        let step = CorrectedBridge::new(&score);
        let ensemble = Sampler::new(&process, &step, &adaptive.second_order()).run(&starts, 1).unwrap();
        assert!(ensemble.mean_evaluations() < 1.01, "d = {d}: {}", ensemble.mean_evaluations());
    }
}

#[test]
fn the_end_law_converges_at_second_order() {
    // The order is told from the bias at one step size and at half of it; between first and second order lies 1.5.
    let n = 100_000;
    let error = f64::sqrt(SHARE * (1.0 - SHARE) / n as f64);
    let p = two_atoms(8);
    let (first, second) = (Bridge::new(&p.score), CorrectedBridge::new(&p.score));
    let order = |step: &dyn Step| {
        let (coarse, fine) = (p.bias(step, 0.4, n), p.bias(step, 0.2, n));
        let uncertainty = f64::hypot(error / coarse, error / fine) / f64::ln(2.0);
        ((coarse / fine).log2(), uncertainty)
    };
    let (order_1, uncertainty_1) = order(&first);
    let (order_2, uncertainty_2) = order(&second);
    assert!(order_1 + 2.0 * uncertainty_1 < 1.5, "bridge: {order_1} +- {uncertainty_1}");
    assert!(order_2 - 2.0 * uncertainty_2 > 1.5, "corrected: {order_2} +- {uncertainty_2}");
}

#[test]
fn lifetimes_and_end_points_have_the_exact_law() {
    let n = 20_000;
    for (d, sigma) in [(3, 1.0), (3, 0.5), (8, 2.0), (32, 1.0)] {
        let p = five_atoms(d, sigma);
        let (law, end_law) = (p.oracle().lifetime_law(&p.start), p.oracle().end_law(&p.start));
        let points = p.score.measure().points();
        let run = |step: &dyn Step, eta: f64| {
            let floor = 0.01 * p.score.measure().smallest_gap();
            p.run(step, &ScoreAdaptive::new(eta, floor).unwrap().second_order(), n, 5)
        };
        let step = CorrectedBridge::new(&p.score);
        let ks = kolmogorov(&run(&step, 0.1).lifetimes, |t| law.cdf(t));
        assert!(ks < KOLMOGOROV, "d = {d}: {ks}");
        if d < 32 {
            // The same steps uncorrected are seen to be wrong.
            let ks = kolmogorov(&run(&Bridge::new(&p.score), 0.1).lifetimes, |t| law.cdf(t));
            assert!(ks > KOLMOGOROV, "d = {d}: {ks}");
        }
        let mut counts = [0; 5];
        for x in run(&step, 0.04).points.column_iter() {
            let distance = |i: &usize| (points.column(*i) - x).norm();
            counts[(0..5).min_by(|a, b| distance(a).total_cmp(&distance(b))).unwrap()] += 1;
        }
        assert_law(&counts, &end_law);
    }
}

#[test]
fn the_unit_of_length_does_not_matter() {
    // Brownian scaling: lengths times 4 and σ times 4 leave all times as they are.
    let run = |scale: f64| {
        let process = KilledBrownianMotion::new(3, scale, 0.25).unwrap();
        let points = DMatrix::from_column_slice(3, 2, &[scale, 0.0, 0.0, -scale, 0.0, 0.0]);
        let score = EmpiricalScore::new(&process, EmpiricalMeasure::new(points).unwrap()).unwrap();
        let control = ScoreAdaptive::new(0.2, 0.02 * scale).unwrap().second_order();
        let mut starts = DMatrix::zeros(3, 500);
        starts.row_mut(1).fill(1.5 * scale);
        Sampler::new(&process, &CorrectedBridge::new(&score), &control).run(&starts, 9).unwrap()
    };
    let (one, four) = (run(1.0), run(4.0));
    for (a, b) in one.lifetimes.iter().zip(&four.lifetimes) {
        assert!((a - b).abs() < 1e-6 * a, "{a} {b}");
    }
    assert!((4.0 * one.points - four.points).amax() < 1e-4);
}

#[test]
fn the_same_particle_whatever_the_batch() {
    let p = two_atoms(3);
    let (step, control) =
        (CorrectedBridge::new(&p.score), ScoreAdaptive::new(0.2, 0.02).unwrap().second_order());
    let starts = DMatrix::from_fn(3, 300, |i, _| p.start[i]);
    let run = |batch| Sampler::new(&p.process, &step, &control).batch(batch).run(&starts, 4).unwrap();
    let (one, many) = (run(1), run(300));
    assert_eq!(one.points, many.points);
    assert_eq!(one.lifetimes, many.lifetimes);
    assert_eq!(one.evaluations, many.evaluations);
}
