//! The one-step schemes against hand formulas, and the runs made of them against closed forms. Orders of convergence are
//! measured in the tests of the facade.

mod common;

use std::ops::ControlFlow;
use std::sync::Mutex;

use common::{KOLMOGOROV, assert_mean, kolmogorov};
use nalgebra::{DMatrix, DVector};
use resolvent_core::diffusion::{Diffusion, Dispersion, Field, Langevin};
use resolvent_core::horizon::{AdaptiveSde, Method, Observation, Simulation};
use resolvent_core::integrate::{
    EulerMaruyama, Heun, Increments, Integrator, Milstein, RungeKutta4, Scratch, Sra1,
};
use resolvent_core::marginal::{Diffused, GaussianMixture};
use resolvent_core::reversal::{ReverseOde, ReverseSde};
use resolvent_core::schedule::VpLinear;
use resolvent_core::{Ensemble, Error, Exit, HorizonSampler};
use statrs::distribution::{ContinuousCDF, Normal};

/// dX_i = (0.3 - X_i) dt + (0.5 X_i + t) dW_i.
fn diagonal() -> impl Diffusion {
    Field::new(
        |_t, x: &[f64], out: &mut [f64]| out.iter_mut().zip(x).for_each(|(b, x)| *b = 0.3 - x),
        |t, x: &[f64], out: &mut Dispersion| {
            *out = Dispersion::Diagonal(DVector::from_iterator(x.len(), x.iter().map(|x| 0.5 * x + t)));
        },
    )
}

/// Zero drift and the given dispersion.
fn noise(dispersion: impl Fn(f64, &[f64], &mut Dispersion) + Sync) -> impl Diffusion {
    Field::new(|_t, _x: &[f64], out: &mut [f64]| out.fill(0.0), dispersion)
}

/// dX = -X dt + √2 dW.
fn ornstein_uhlenbeck() -> impl Diffusion {
    Langevin::new(1.0, |x: &[f64], out: &mut [f64]| out.iter_mut().zip(x).for_each(|(b, x)| *b = -x)).unwrap()
}

fn one_step(
    scheme: &dyn Integrator,
    diffusion: &dyn Diffusion,
    (t, dt): (f64, f64),
    dim: usize,
    (dw, dz): (&[f64], &[f64]),
    start: &[f64],
) -> Vec<f64> {
    let mut points = start.to_vec();
    scheme.step(diffusion, t, dt, dim, Increments { dw, dz }, &mut points, &mut Scratch::default());
    points
}

#[test]
fn a_milstein_step_is_the_hand_formula() {
    let (t, dt, x, dw) = (0.2, 0.1, [1.0, -2.0, 0.4, 0.7], [0.3, -0.1, 0.05, 0.5]);
    let scheme = Milstein::new(&diagonal(), t, &x[..2]).unwrap();
    let found = one_step(&scheme, &diagonal(), (t, dt), 2, (&dw, &[]), &x);
    for i in 0..4 {
        let sigma = 0.5 * x[i] + t;
        let exact = x[i] + (0.3 - x[i]) * dt + sigma * dw[i] + 0.5 * sigma * 0.5 * (dw[i] * dw[i] - dt);
        assert!((found[i] - exact).abs() < 1e-10, "{} for {exact}", found[i]);
    }
}

#[test]
fn milstein_refuses_noise_that_does_not_commute() {
    let x = [0.4, -1.3, 2.0];
    let full = |a: f64| DMatrix::from_row_slice(3, 3, &[1.0, a, 0.0, 0.3, 1.0, 0.0, 0.0, 0.1, 2.0]);
    let scalar = noise(|_t, x: &[f64], out: &mut Dispersion| *out = Dispersion::Scalar(1.0 + x[1] * x[1]));
    let crossed = noise(|_t, x: &[f64], out: &mut Dispersion| {
        *out = Dispersion::Diagonal(DVector::from_column_slice(&[1.0, 1.0, 2.0 + x[0].sin()]));
    });
    let curved = noise(move |_t, x: &[f64], out: &mut Dispersion| *out = Dispersion::Full(full(x[0].cos())));
    let refused: [&dyn Diffusion; 3] = [&scalar, &crossed, &curved];
    for diffusion in refused {
        assert!(matches!(Milstein::new(diffusion, 0.5, &x), Err(Error::NoncommutingNoise { .. })));
        let span = (0.0, 1.0);
        assert!(matches!(
            AdaptiveSde::new(diffusion, 3, span, 0.1, 0.1),
            Err(Error::NoncommutingNoise { .. })
        ));
    }
    let constant = noise(move |t, _x: &[f64], out: &mut Dispersion| *out = Dispersion::Full(full(t)));
    let own = diagonal();
    let accepted: [&dyn Diffusion; 2] = [&constant, &own];
    for diffusion in accepted {
        Milstein::new(diffusion, 0.5, &x).unwrap();
        AdaptiveSde::new(diffusion, 3, (0.0, 1.0), 0.1, 0.1).unwrap();
    }
    // In one dimension every noise commutes.
    Milstein::new(&scalar_1d(), 0.5, &x[..1]).unwrap();
}

fn scalar_1d() -> impl Diffusion {
    noise(|_t, x: &[f64], out: &mut Dispersion| *out = Dispersion::Scalar(1.0 + x[0] * x[0]))
}

/// With b = λ x + c t and σ = s_0 + s_1 t the Itô-Taylor expansion to order 1.5 (Kloeden and Platen 1992, 10.4) is
/// x + b h + σ ΔW + σ' (h ΔW - ΔZ) + λ σ ΔZ + (c + λ b) h²/2, and what is left over is of order h^{5/2}.
#[test]
fn an_sra1_step_agrees_with_the_expansion_to_order_one_and_a_half() {
    let (lambda, c, s0, s1, t, x) = (-1.3, 0.7, 0.9, 0.4, 0.5, 1.1);
    let diffusion = Field::new(
        |t, x: &[f64], out: &mut [f64]| out[0] = lambda * x[0] + c * t,
        |t, _x: &[f64], out: &mut Dispersion| *out = Dispersion::Scalar(s0 + s1 * t),
    );
    let error = |h: f64| {
        let (w, z) = (0.8 * h.sqrt(), -0.3 * h.powf(1.5));
        let found = one_step(&Sra1, &diffusion, (t, h), 1, (&[w], &[z]), &[x])[0];
        let (b, sigma) = (lambda * x + c * t, s0 + s1 * t);
        let expansion =
            x + b * h + sigma * w + s1 * (h * w - z) + lambda * sigma * z + 0.5 * h * h * (c + lambda * b);
        (found - expansion).abs()
    };
    for h in [1e-2, 1e-3] {
        let order = (error(h) / error(h / 8.0)).log2() / 3.0;
        assert!((order - 2.5).abs() < 0.1, "the remainder has order {order}");
    }
}

/// The mean of Heun's step and that of the exact solution of dX = -X dt + √2 dW agree to h³, its variance too.
#[test]
fn a_heun_step_is_exact_to_second_order_in_mean_and_variance() {
    let diffusion = ornstein_uhlenbeck();
    for h in [0.02, 0.01] {
        let at = |w: f64| one_step(&Heun, &diffusion, (0.0, h), 1, (&[w], &[]), &[1.5])[0];
        // The step is linear in ΔW.
        let (mean, slope) = (at(0.0), at(1.0) - at(0.0));
        assert!((mean - 1.5 * f64::exp(-h)).abs() < 1.5 * h.powi(3) / 5.0);
        assert!((slope * slope * h - (1.0 - f64::exp(-2.0 * h))).abs() < h.powi(3));
    }
}

#[test]
fn runge_kutta_4_is_for_diffusions_without_noise() {
    let starts = DMatrix::from_element(1, 10, 1.0);
    let ensemble = |diffusion: &dyn Diffusion| {
        let run = Simulation::uniform(diffusion, &RungeKutta4, 1, (0.0, 1.0), 10).unwrap();
        HorizonSampler::new(&run).run(&starts, 1).unwrap()
    };
    let noisy = ensemble(&ornstein_uhlenbeck());
    assert!(noisy.exits.iter().all(|exit| *exit == Exit::Diverged { step: 0 }));
    assert_eq!(noisy.points, starts);
    let still = ensemble(&Field::new(
        |_t, x: &[f64], out: &mut [f64]| out[0] = -x[0],
        |_t, _x: &[f64], out: &mut Dispersion| *out = Dispersion::Scalar(0.0),
    ));
    assert!(still.points.iter().all(|x| (x - f64::exp(-1.0)).abs() < 1e-6));
    assert!(still.evaluations.iter().all(|evaluations| *evaluations == 40));
}

/// Puts (ΔW, ΔZ) of the first coordinate where the particle is.
struct Reveal;

impl Integrator for Reveal {
    fn step(
        &self,
        _diffusion: &dyn Diffusion,
        _t: f64,
        _dt: f64,
        dim: usize,
        increments: Increments<'_>,
        points: &mut [f64],
        _scratch: &mut Scratch,
    ) {
        for (x, (w, z)) in points
            .chunks_exact_mut(dim)
            .zip(increments.dw.chunks_exact(dim).zip(increments.dz.chunks_exact(dim)))
        {
            x.copy_from_slice(&[w[0], z[0]]);
        }
    }

    fn needs_area(&self) -> bool {
        true
    }
}

#[test]
fn increments_have_their_joint_law() {
    let (dt, n) = (0.3_f64, 100_000);
    let diffusion = ornstein_uhlenbeck();
    let run = Simulation::uniform(&diffusion, &Reveal, 2, (1.0, 1.0 + dt), 1).unwrap();
    let ensemble = HorizonSampler::new(&run).run(&DMatrix::zeros(2, n), 3).unwrap();
    let products = |f: fn(f64, f64) -> f64| -> Vec<f64> {
        ensemble.points.column_iter().map(|x| f(x[0], x[1])).collect()
    };
    assert_mean(&products(|w, _| w), 0.0);
    assert_mean(&products(|_, z| z), 0.0);
    assert_mean(&products(|w, _| w * w), dt);
    assert_mean(&products(|w, z| w * z), 0.5 * dt.powi(2));
    assert_mean(&products(|_, z| z * z), dt.powi(3) / 3.0);
}

#[test]
fn a_simulation_is_the_same_whatever_the_batch_and_tells_what_it_does() {
    let diffusion = diagonal();
    let milstein = Milstein::new(&diffusion, 0.0, &[1.0, 2.0]).unwrap();
    let schemes: [&dyn Integrator; 4] = [&EulerMaruyama, &milstein, &Heun, &Sra1];
    let starts = DMatrix::from_fn(2, 50, |i, j| 0.1 * (i + j) as f64);
    for scheme in schemes {
        let run = Simulation::uniform(&diffusion, scheme, 2, (0.5, 1.5), 8).unwrap();
        let small = HorizonSampler::new(&run).batch(7).paths(3).run(&starts, 5).unwrap();
        assert_eq!(small.lifetimes, [1.0; 50]);
        let seen = Mutex::new(Vec::new());
        let observer = |o: &Observation<'_>| {
            assert!(o.denoised.is_empty() && o.points.len() == 2 * o.particles.len());
            seen.lock().unwrap().push((o.step, o.time));
            ControlFlow::Continue(())
        };
        let large = HorizonSampler::new(&run).batch(50).run_observed(&starts, 5, &observer).unwrap();
        assert_eq!(small.points, large.points);
        assert!(small.evaluations.iter().all(|count| *count == 8 * scheme.evaluations()));
        let expected: Vec<_> = (0..8).map(|k| (k, 0.5 + 0.125 * k as f64)).collect();
        assert_eq!(seen.into_inner().unwrap(), expected);
        let path = &small.paths[2];
        assert_eq!((path.times.len(), path.times[8]), (9, 1.0));
        assert_eq!(path.point(8), small.points.column(2).as_slice());
    }
}

#[test]
fn a_lost_particle_stays_at_its_last_finite_place_and_is_counted() {
    // dX = X² dt explodes at time 1/x.
    let diffusion = Field::new(
        |_t, x: &[f64], out: &mut [f64]| out[0] = x[0] * x[0],
        |_t, _x: &[f64], out: &mut Dispersion| *out = Dispersion::Scalar(0.0),
    );
    let starts = DMatrix::from_row_slice(1, 2, &[0.5, 3.0]);
    let run = Simulation::uniform(&diffusion, &EulerMaruyama, 1, (0.0, 1.0), 1_000).unwrap();
    let adaptive = AdaptiveSde::new(&diffusion, 1, (0.0, 1.0), 1e-3, 1e-3).unwrap().cap(500).unwrap();
    let methods: [&dyn Method; 2] = [&run, &adaptive];
    for method in methods {
        let finite = |o: &Observation<'_>| {
            assert!(!o.denoised.iter().chain(o.points).any(|v| v.is_nan()));
            ControlFlow::Continue(())
        };
        let ensemble = HorizonSampler::new(method).run_observed(&starts, 1, &finite).unwrap();
        assert_eq!(ensemble.exits[0], Exit::Horizon);
        assert!((ensemble.points[0] - 1.0).abs() < 0.01);
        assert!(matches!(ensemble.exits[1], Exit::Diverged { .. } | Exit::StepCap), "{:?}", ensemble.exits);
        assert!(ensemble.points[1].is_finite() && ensemble.points[1] > 10.0);
    }
}

#[test]
fn times_outside_the_span_are_refused() {
    let (schedule, law) =
        (VpLinear::default(), GaussianMixture::one_dimensional(&[1.0], &[0.0], &[1.0]).unwrap());
    let score = Diffused { schedule: &schedule, denoiser: &law };
    let sde = ReverseSde { diffusion: &schedule, score: &score, horizon: 0.75 };
    let ode = ReverseOde { diffusion: &schedule, score: &score, horizon: 0.75 };
    assert_eq!(Diffusion::span(&schedule), (0.0, 1.0));
    assert_eq!((sde.span(), ode.span()), ((-0.25, 0.75), (-0.25, 0.75)));
    assert_eq!(ornstein_uhlenbeck().span(), (f64::NEG_INFINITY, f64::INFINITY));
    let run = |diffusion: &dyn Diffusion, start, end| {
        let simulation = Simulation::uniform(diffusion, &EulerMaruyama, 1, (start, end), 3).map(drop);
        let adaptive = AdaptiveSde::new(diffusion, 1, (start, end), 0.1, 0.1).map(drop);
        assert_eq!(simulation, adaptive);
        simulation
    };
    for (diffusion, (start, end)) in
        [(&schedule as &dyn Diffusion, (0.0, 1.0)), (&sde, (-0.25, 0.75)), (&ode, (-0.25, 0.75))]
    {
        run(diffusion, start, end).unwrap();
        run(diffusion, start - 1e-14, end + 1e-14).unwrap();
        let early = Error::OutsideHorizon { value: start - 0.01, start, end };
        assert_eq!(run(diffusion, start - 0.01, end), Err(early));
        let late = Error::OutsideHorizon { value: end + 1e-9, start, end };
        assert_eq!(run(diffusion, start, end + 1e-9), Err(late));
    }
    run(&ornstein_uhlenbeck(), -1e6, 1e6).unwrap();
    let late = run(&ode, 0.0, 1.5).unwrap_err().to_string();
    assert_eq!(late, "time 1.5 lies outside the horizon from -0.25 to 0.75");
}

#[test]
fn a_dispersion_of_another_dimension_is_refused() {
    let shapes = [
        Dispersion::Diagonal(DVector::from_element(2, 1.0)),
        Dispersion::Full(DMatrix::identity(2, 2)),
        Dispersion::Full(DMatrix::identity(3, 2)),
    ];
    for shape in shapes {
        let diffusion = noise(move |_t, _x: &[f64], out: &mut Dispersion| out.clone_from(&shape));
        let refused = Some(Error::Dimension { name: "dispersion", expected: 3, found: 2 });
        assert_eq!(Simulation::uniform(&diffusion, &EulerMaruyama, 3, (0.0, 1.0), 5).err(), refused);
        assert_eq!(AdaptiveSde::new(&diffusion, 3, (0.0, 1.0), 0.1, 0.1).err(), refused);
    }
    let fitting =
        noise(|_t, _x: &[f64], out: &mut Dispersion| *out = Dispersion::Full(DMatrix::identity(3, 3)));
    assert!(AdaptiveSde::new(&fitting, 3, (0.0, 1.0), 0.1, 0.1).is_ok());
}

#[test]
fn impossible_runs_are_refused() {
    let diffusion = ornstein_uhlenbeck();
    let simulation = |times: Vec<f64>| Simulation::new(&diffusion, &Heun, 1, times).err();
    assert_eq!(simulation(vec![0.0]), Some(Error::TooSmall { name: "times", least: 2, value: 1 }));
    assert_eq!(
        simulation(vec![0.0, 1.0, 1.0]),
        Some(Error::NotAscending { name: "times", index: 2, value: 1.0 })
    );
    assert!(Simulation::uniform(&diffusion, &Heun, 1, (0.0, 1.0), 0).is_err());
    assert!(Simulation::uniform(&diffusion, &Heun, 0, (0.0, 1.0), 1).is_err());
    let adaptive = |dim, span, rtol, atol| AdaptiveSde::new(&diffusion, dim, span, rtol, atol).err();
    assert_eq!(adaptive(0, (0.0, 1.0), 0.1, 0.1), Some(Error::TooSmall { name: "dim", least: 1, value: 0 }));
    assert_eq!(
        adaptive(1, (1.0, 0.5), 0.1, 0.1),
        Some(Error::NotAscending { name: "times", index: 1, value: 0.5 })
    );
    assert!(adaptive(1, (f64::NAN, 0.5), 0.1, 0.1).is_some());
    assert_eq!(adaptive(1, (0.0, 1.0), 0.0, 0.1), Some(Error::NotPositive { name: "rtol", value: 0.0 }));
    assert_eq!(adaptive(1, (0.0, 1.0), 0.1, -1.0), Some(Error::NotPositive { name: "atol", value: -1.0 }));
    let fine = || AdaptiveSde::new(&diffusion, 1, (0.0, 1.0), 0.1, 0.1).unwrap();
    assert!(fine().first_step(0.0).is_err() && fine().cap(1).is_err());
}

/// `n` particles from 1.5 with adaptive steps of the given tolerance, the first as long as the whole way; and the
/// share of the steps tried that was rejected.
fn adaptive(diffusion: &dyn Diffusion, end: f64, n: usize, tolerance: f64) -> (Ensemble, f64) {
    let method =
        AdaptiveSde::new(diffusion, 1, (0.0, end), tolerance, tolerance).unwrap().first_step(end).unwrap();
    let ensemble = HorizonSampler::new(&method).paths(n).run(&DMatrix::from_element(1, n, 1.5), 11).unwrap();
    assert!(ensemble.exits.iter().all(|exit| *exit == Exit::Horizon));
    // An accepted step costs two evaluations, a rejected one one.
    let accepted: usize = ensemble.paths.iter().map(|path| path.times.len() - 1).sum();
    let rejected = ensemble.evaluations.iter().sum::<usize>() - 2 * accepted;
    (ensemble, rejected as f64 / (accepted + rejected) as f64)
}

#[test]
fn rejected_steps_do_not_bias_an_adaptive_run() {
    let (end, n) = (1.2, 40_000);
    let (ensemble, rejected) = adaptive(&ornstein_uhlenbeck(), end, n, 0.01);
    assert!(rejected > 0.15, "the test needs rejections, {rejected} of the steps are");
    let (mean, variance) = (1.5 * f64::exp(-end), 1.0 - f64::exp(-2.0 * end));
    let sample = ensemble.points.as_slice();
    let squares: Vec<f64> = sample.iter().map(|x| (x - mean).powi(2)).collect();
    assert_mean(sample, mean);
    assert_mean(&squares, variance);
    let law = Normal::new(mean, variance.sqrt()).unwrap();
    assert!(kolmogorov(sample, |x| law.cdf(x)) < KOLMOGOROV);
}

#[test]
fn an_adaptive_run_with_multiplicative_noise_solves_the_ito_equation() {
    // Geometric Brownian motion, dX = 0.2 X dt + 0.9 X dW: log X is normal.
    let diffusion = Field::new(
        |_t, x: &[f64], out: &mut [f64]| out[0] = 0.2 * x[0],
        |_t, x: &[f64], out: &mut Dispersion| *out = Dispersion::Scalar(0.9 * x[0]),
    )
    .with_divergence(|_t, x: &[f64], out: &mut [f64]| out[0] = 2.0 * 0.81 * x[0]);
    let (ensemble, rejected) = adaptive(&diffusion, 1.0, 10_000, 0.01);
    assert!(rejected > 0.15, "the test needs rejections, {rejected} of the steps are");
    let law = Normal::new(1.5_f64.ln() + 0.2 - 0.405, 0.9).unwrap();
    assert!(kolmogorov(ensemble.points.as_slice(), |x| law.cdf(x.ln())) < KOLMOGOROV);
}

#[test]
fn the_error_of_an_adaptive_run_follows_its_tolerance() {
    let still = Field::new(
        |t, x: &[f64], out: &mut [f64]| out[0] = -x[0] * (1.0 + f64::sin(5.0 * t)),
        |_t, _x: &[f64], out: &mut Dispersion| *out = Dispersion::Scalar(0.0),
    );
    let exact = 1.5 * f64::exp(-2.0 - (1.0 - f64::cos(10.0)) / 5.0);
    let mut last = (f64::INFINITY, 0.0);
    for tolerance in [1e-2, 1e-3, 1e-4, 1e-5] {
        let (ensemble, _) = adaptive(&still, 2.0, 1, tolerance);
        let (error, evaluations) = ((ensemble.points[0] - exact).abs(), ensemble.mean_evaluations());
        assert!(error < 10.0 * tolerance && error < last.0 / 3.0, "error {error} at tolerance {tolerance}");
        assert!(evaluations > 1.5 * last.1);
        last = (error, evaluations);
    }
}

#[test]
fn an_adaptive_run_is_the_same_whatever_the_batch_and_counts_all_evaluations() {
    let diffusion = ornstein_uhlenbeck();
    let method = AdaptiveSde::new(&diffusion, 2, (0.0, 1.0), 0.05, 0.05).unwrap().first_step(1.0).unwrap();
    let starts = DMatrix::from_fn(2, 40, |i, j| (i + j) as f64);
    let seen = Mutex::new(vec![0; 40]);
    let observer = |o: &Observation<'_>| {
        assert!(o.particles.len() == 1 && o.points.len() == 2 && (0.0..=1.0).contains(&o.time));
        seen.lock().unwrap()[o.particles.start] += 1;
        ControlFlow::Continue(())
    };
    let small = HorizonSampler::new(&method).batch(3).run_observed(&starts, 5, &observer).unwrap();
    let large = HorizonSampler::new(&method).batch(40).run(&starts, 5).unwrap();
    assert_eq!(small.points, large.points);
    assert_eq!(seen.into_inner().unwrap(), small.evaluations);
    assert!(small.lifetimes.iter().all(|t| *t == 1.0));
    let stop = HorizonSampler::new(&method).run_observed(&starts, 5, &|_| ControlFlow::Break(()));
    assert!(matches!(stop, Err(Error::Interrupted { .. })));
    // The cap ends a run, and is not passed.
    let method = AdaptiveSde::new(&diffusion, 2, (0.0, 1.0), 1e-4, 1e-4).unwrap().cap(20).unwrap();
    let capped = HorizonSampler::new(&method).run(&starts, 5).unwrap();
    assert!(capped.exits.iter().all(|exit| *exit == Exit::StepCap));
    assert!(capped.evaluations.iter().all(|count| (19..=20).contains(count)));
}
