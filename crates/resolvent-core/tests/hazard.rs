//! Killing at a rate against closed forms: the law of the lifetime, of the place, and the reversal of data with a density.

mod common;

use common::{KOLMOGOROV, assert_mean, kolmogorov};
use nalgebra::DMatrix;
use rand::RngExt;
use rand_distr::Exp1;
use resolvent_core::killing::{ExponentialTime, Hazard};
use resolvent_core::random::{Purpose, Stream, stream};
use resolvent_core::reversal::Work;
use resolvent_core::step::{EulerMaruyama, Fate};
use resolvent_core::{
    Batch, Ensemble, Error, Exit, FixedStep, KilledBrownianMotion, KillingRule, Local, Sampler, Score, Step,
};
use statrs::distribution::{ChiSquared, ContinuousCDF};

/// A score on the line, given as a function.
struct Line<F>(F);

impl<F: Fn(f64) -> f64 + Sync> Score for Line<F> {
    fn dim(&self) -> usize {
        1
    }

    fn evaluate(&self, points: &[f64], gains: &mut [f64], displacements: &mut [f64]) {
        gains.fill(1.0);
        displacements.iter_mut().zip(points).for_each(|(s, x)| *s = (self.0)(*x));
    }
}

fn run(score: &dyn Score, dt: f64, rules: &[&dyn KillingRule], starts: &DMatrix<f64>) -> Ensemble {
    let process = KilledBrownianMotion::new(1, 1.0, 0.5).unwrap();
    let (step, control) = (EulerMaruyama::new(score), FixedStep::new(dt).unwrap());
    let sampler = Sampler::new(&process, &step, &control);
    rules.iter().fold(sampler, |sampler, rule| sampler.killing("rule", *rule)).run(starts, 5).unwrap()
}

/// Without a score a particle is Brownian motion, and Euler-Maruyama exact.
const STILL: Line<fn(f64) -> f64> = Line(|_| 0.0);

#[test]
fn a_constant_rate_is_an_exponential_clock_at_any_step() {
    let starts = DMatrix::zeros(1, 20_000);
    let rate = 0.7;
    for (dt, share) in [(0.3, 0.1), (0.3, 1.0), (1e6, 1.0), (1e6, 0.03)] {
        let rule = Hazard::new(|_: &[f64]| f64::ln(rate)).share(share).unwrap();
        let e = run(&STILL, dt, &[&rule], &starts);
        assert_eq!(e.exit_counts()[0].1, 20_000);
        let ks = kolmogorov(&e.lifetimes, |t| -f64::exp_m1(-rate * t));
        assert!(ks < KOLMOGOROV, "dt = {dt}, share = {share}: {ks}");
        // Two looks for a particle that lives less than a step; in the mean one more for every share of the clock.
        let looks = 2.0 + f64::max(1.0 / (rate * dt), 1.0 / share);
        assert!(e.mean_evaluations() < looks, "{}", e.mean_evaluations());
    }
}

/// Brownian motion from 0 killed at the rate ω²x²/2 lives longer than t with probability cosh(ωt)^{-1/2} (Cameron and Martin
/// 1945), and given that it dies at t, at Y, Y² ω/tanh(ωt) is chi-square with three degrees of freedom: its density is
/// proportional to y² N(y; 0, tanh(ωt)/ω).
#[test]
fn a_rate_that_varies_kills_at_its_time_and_its_place() {
    let omega: f64 = 1.3;
    let starts = DMatrix::zeros(1, 50_000);
    let rule = Hazard::new(|x: &[f64]| f64::ln(0.5 * (omega * x[0]).powi(2)));
    let e = run(&STILL, 0.1, &[&rule], &starts);
    let ks = kolmogorov(&e.lifetimes, |t| 1.0 - f64::cosh(omega * t).powf(-0.5));
    assert!(ks < KOLMOGOROV, "lifetime: {ks}");
    let place: Vec<f64> =
        (0..starts.len()).map(|i| e.points[i].powi(2) * omega / f64::tanh(omega * e.lifetimes[i])).collect();
    let law = ChiSquared::new(3.0).unwrap();
    let ks = kolmogorov(&place, |y| law.cdf(y));
    assert!(ks < KOLMOGOROV, "place: {ks}");
    // The tests would see three percent of time and of place.
    assert!(kolmogorov(&e.lifetimes, |t| 1.0 - f64::cosh(1.03 * omega * t).powf(-0.5)) > KOLMOGOROV);
    assert!(kolmogorov(&place, |y| law.cdf(1.03 * 1.03 * y)) > KOLMOGOROV);
}

/// Moves exactly along dx/dt = -x.
struct Contraction;

impl Step for Contraction {
    fn evaluate(&self, batch: &mut Batch) {
        batch.gains.fill(1.0);
        batch.displacements.fill(0.0);
    }

    fn advance(
        &self,
        at: &Local<'_>,
        dt: f64,
        _rng: &mut Stream,
        next: &mut [f64],
        _carry: &mut [f64],
        _work: &mut Work,
    ) -> Fate {
        next[0] = at.point[0] * f64::exp(-dt);
        Fate::Alive
    }

    fn is_flow(&self) -> bool {
        true
    }
}

/// Along a flow the time of death is a function of the clock, which the test draws again from the particle's stream.
#[test]
fn along_a_flow_death_is_of_second_order_in_the_step() {
    let process = KilledBrownianMotion::new(1, 1.0, 0.5).unwrap();
    let starts = DMatrix::from_element(1, 2_000, 2.0);
    // Growing: 1/x, used up by t as (e^t - 1)/2. Falling: 1 + x², used up by t as t + 2 (1 - e^{-2t}).
    type Case = (fn(f64) -> f64, fn(f64) -> f64);
    let cases: [Case; 2] =
        [(|x| 1.0 / x, |t| 0.5 * f64::exp_m1(t)), (|x| 1.0 + x * x, |t| t - 2.0 * f64::exp_m1(-2.0 * t))];
    for (rate, used) in cases {
        let rule = Hazard::new(|x: &[f64]| rate(x[0]).ln()).share(1.0).unwrap();
        let error = |dt: f64| {
            let control = FixedStep::new(dt).unwrap();
            let e = Sampler::new(&process, &Contraction, &control)
                .killing("rule", &rule)
                .run(&starts, 3)
                .unwrap();
            let gap = |i: usize| {
                let clock: f64 = stream(3, Purpose::Killing, i as u64).sample(Exp1);
                assert!((e.points[i] - 2.0 * f64::exp(-e.lifetimes[i])).abs() < 1e-12);
                (used(e.lifetimes[i]) - clock).abs()
            };
            (0..starts.len()).map(gap).fold(0.0, f64::max)
        };
        let errors = [0.08, 0.04, 0.02, 0.01].map(error);
        for pair in errors.windows(2) {
            assert!((3.0..5.0).contains(&(pair[0] / pair[1])), "{errors:?}");
        }
        assert!(errors[3] < 1e-3, "{errors:?}");
    }
}

/// R13 on the line, all in closed form: from the law with density (b/2) e^{-b|x|} and killed at r = a²/2,
/// u = b²/(b² - a²) (e^{-a|x|}/a - e^{-b|x|}/b).
#[test]
fn data_with_a_density_come_back() {
    let (r, b) = (0.5, 2.0);
    let a = f64::sqrt(2.0 * r);
    let n = 50_000;
    let process = KilledBrownianMotion::new(1, 1.0, r).unwrap();
    let data = DMatrix::from_fn(1, n, |_, i| {
        let mut rng = stream(7, Purpose::Data, i as u64);
        let length = rng.sample::<f64, _>(Exp1) / b;
        if rng.random::<bool>() { length } else { -length }
    });
    let (starts, _) = process.deaths(&data, 8).unwrap();
    let terms = |x: f64| (f64::exp(-a * x.abs()), f64::exp(-b * x.abs()));
    let u = |x: f64| {
        let (slow, fast) = terms(x);
        b * b / (b * b - a * a) * (slow / a - fast / b)
    };
    let score = Line(|x: f64| {
        let (slow, fast) = terms(x);
        -x.signum() * (slow - fast) / (slow / a - fast / b)
    });
    let law = |x: f64| if x < 0.0 { 0.5 * f64::exp(b * x) } else { 1.0 - 0.5 * f64::exp(-b * x) };
    let kolmogorovs = |log_rate: &(dyn Fn(f64) -> f64 + Sync)| {
        let rule = Hazard::new(|x: &[f64]| log_rate(x[0]));
        let e = run(&score, 0.01, &[&rule], &starts);
        assert_eq!(e.exit_counts()[0].1, n);
        (kolmogorov(e.points.as_slice(), law), kolmogorov(&e.lifetimes, |t| -f64::exp_m1(-r * t)))
    };
    let exact = |x: f64| f64::ln(0.5 * b / u(x)) - b * x.abs();
    let (place, lifetime) = kolmogorovs(&exact);
    assert!(place < KOLMOGOROV && lifetime < KOLMOGOROV, "{place} {lifetime}");
    // The lifetime would show a rate that is a tenth too high; the place, the right rate on average and everywhere.
    assert!(kolmogorovs(&|x| exact(x) + f64::ln(1.1)).1 > 2.0 * KOLMOGOROV);
    assert!(kolmogorovs(&|_| f64::ln(r)).0 > 2.0 * KOLMOGOROV);
}

#[test]
fn the_first_of_several_rules_kills() {
    let n = 20_000;
    let (rate, other) = (0.6, 0.9);
    let (hazard, clock) = (Hazard::new(|_: &[f64]| f64::ln(rate)), ExponentialTime::new(other).unwrap());
    let e = run(&STILL, 0.5, &[&hazard, &clock], &DMatrix::zeros(1, n));
    assert!(kolmogorov(&e.lifetimes, |t| -f64::exp_m1(-(rate + other) * t)) < KOLMOGOROV);
    let first: Vec<f64> = (0..n).map(|i| f64::from(u8::from(e.exit_code(i) == 0))).collect();
    assert_mean(&first, rate / (rate + other));
}

#[test]
fn extreme_rates_do_what_they_say() {
    let starts = DMatrix::from_element(1, 10, 1.0);
    let at_once = run(&STILL, 0.1, &[&Hazard::new(|_: &[f64]| f64::INFINITY)], &starts);
    assert!(at_once.lifetimes.iter().all(|t| *t == 0.0) && at_once.evaluations.iter().all(|n| *n == 1));
    for rate in [f64::NEG_INFINITY, f64::NAN] {
        let never = run(&STILL, 0.1, &[&Hazard::new(|_: &[f64]| rate)], &starts);
        assert!(never.exits.iter().all(|e| *e == Exit::StepCap));
    }
    for share in [0.0, -1.0, 1.5, f64::NAN] {
        let error = Hazard::new(|_: &[f64]| 0.0).share(share).err().unwrap();
        assert!(matches!(error, Error::Outside { name: "share", .. }));
    }
}
