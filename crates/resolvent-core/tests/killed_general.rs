//! Killed diffusions simulated forward: where and when they die.

mod common;

use common::{KOLMOGOROV, assert_mean, kolmogorov, mean, two_sample};
use nalgebra::{DMatrix, DVector};
use resolvent_core::affine::ConstantLinearSde;
use resolvent_core::diffusion::{Diffusion, Dispersion, Field};
use resolvent_core::killed::{
    EulerDeaths, GaussianOccupation, Killed, KilledLinear, QuadraticRate, Thinning, draw_deaths,
};
use resolvent_core::{Error, Exit, GaussianMixture, KilledBrownianMotion, KilledDiffusion};

/// dX = -X dt + dW.
fn ornstein_uhlenbeck() -> ConstantLinearSde {
    let one = DMatrix::from_element(1, 1, 1.0);
    ConstantLinearSde::new(-&one, DVector::zeros(1), one).unwrap()
}

/// The same, killed at the rate 0.1 + (x - 0.5)².
fn quadratic() -> KilledLinear {
    let one = DMatrix::from_element(1, 1, 1.0);
    let rate = QuadraticRate::new(0.1, DVector::from_element(1, 0.5), &one * 2.0).unwrap();
    KilledLinear::new(-one, DVector::zeros(1), Dispersion::Scalar(1.0), rate).unwrap()
}

#[test]
fn brownian_motion_at_a_constant_rate_is_exact_at_any_step() {
    let process = KilledBrownianMotion::new(1, 1.5, 0.3).unwrap();
    let ensemble = EulerDeaths::new(&process, 4.0).unwrap().run(&DMatrix::zeros(1, 20_000), 5).unwrap();
    assert!(kolmogorov(&ensemble.lifetimes, |t| -f64::exp_m1(-0.3 * t)) < KOLMOGOROV);
    let k = process.green().decay();
    let radii: Vec<f64> = ensemble.points.iter().map(|x| x.abs()).collect();
    assert!(kolmogorov(&radii, |rho| -f64::exp_m1(-k * rho)) < KOLMOGOROV);
    assert!(
        kolmogorov(&radii, |rho| -f64::exp_m1(-1.05 * k * rho)) > KOLMOGOROV,
        "the test sees 5 % of scale"
    );
    assert!(ensemble.exits.iter().all(|e| *e == Exit::Killed { rule: 0 }));
    let few = EulerDeaths::new(&process, 4.0).unwrap().run(&DMatrix::zeros(1, 7), 5).unwrap();
    assert_eq!(few.points, ensemble.points.columns(0, 7).into_owned());
    assert_eq!(few.lifetimes, ensemble.lifetimes[..7]);
}

#[test]
fn the_error_is_of_the_first_order_in_the_step() {
    let process = quadratic();
    let law = GaussianMixture::one_dimensional(&[1.0], &[1.2], &[0.3]).unwrap();
    let occupation = GaussianOccupation::new(&process, law.clone(), 1e-9).unwrap();
    // E X² at death is ∫ r u x².
    let h = 0.01;
    let second: f64 = (-700..=700)
        .map(|i| {
            let x = f64::from(i) * h;
            h * process.rate(&[x]) * occupation.log_density(&[x]).exp() * x * x
        })
        .sum();
    let n = 400_000;
    let starts = law.sample(n, 11);
    let errors = |dt: f64| {
        let ensemble = EulerDeaths::new(&process, dt).unwrap().run(&starts, 12).unwrap();
        let squares: Vec<f64> = ensemble.points.iter().map(|x| x * x).collect();
        let (life, noise) = mean(&ensemble.lifetimes);
        let (square, jitter) = mean(&squares);
        [(life - occupation.mean_lifetime(), noise), (square - second, jitter)]
    };
    let (coarse, fine, exact) = (errors(0.4), errors(0.2), errors(0.01));
    for i in 0..2 {
        let ((a, noise), (b, _), (c, _)) = (coarse[i], fine[i], exact[i]);
        // Halving the step halves the error, within the noise of the two; at small steps nothing is left of it.
        assert!(a.abs() > 20.0 * noise, "the error is seen: {a} +- {noise}");
        assert!((b - 0.5 * a).abs() < 0.2 * a.abs() + 4.0 * noise, "{a} {b} +- {noise}");
        assert!(c.abs() < 0.05 * a.abs() + 4.0 * noise, "{c} +- {noise}");
    }
}

#[test]
fn thinning_is_exact() {
    // At a constant rate well below the bound the lifetime is exponential.
    let constant = Killed::new(1, ornstein_uhlenbeck(), |_: &[f64]| 0.4).unwrap();
    let starts = DMatrix::from_element(1, 10_000, 0.8);
    let ensemble = Thinning::new(&constant, 2.0).unwrap().run(&starts, 3).unwrap();
    assert!(kolmogorov(&ensemble.lifetimes, |t| -f64::exp_m1(-0.4 * t)) < KOLMOGOROV);
    // Against small steps, where the rate falls off.
    let rate = |x: &[f64]| 0.05 + 0.6 / (1.0 + 4.0 * x[0] * x[0]);
    let process = Killed::new(1, ornstein_uhlenbeck(), rate).unwrap();
    let thinned = Thinning::new(&process, 0.65).unwrap().run(&starts, 3).unwrap();
    let stepped = EulerDeaths::new(&process, 0.01).unwrap().run(&starts, 4).unwrap();
    assert!(two_sample(thinned.points.as_slice(), stepped.points.as_slice()) < KOLMOGOROV);
    assert!(two_sample(&thinned.lifetimes, &stepped.lifetimes) < KOLMOGOROV);
    let coarse = EulerDeaths::new(&process, 1.0).unwrap().run(&starts, 5).unwrap();
    assert!(two_sample(thinned.points.as_slice(), coarse.points.as_slice()) > KOLMOGOROV);
}

#[test]
fn a_rate_above_its_bound_is_an_error_that_names_the_place() {
    let process = Killed::new(1, ornstein_uhlenbeck(), |x: &[f64]| 0.2 + x[0] * x[0]).unwrap();
    let starts = DMatrix::zeros(1, 500);
    let refused = || Thinning::new(&process, 1.0).unwrap().run(&starts, 3).unwrap_err();
    let Error::RateBound { rate, bound, place } = refused() else { panic!("another error") };
    assert!(bound == 1.0 && rate > bound && rate == 0.2 + place[0] * place[0]);
    assert_eq!(refused(), refused());
}

#[test]
fn noise_that_depends_on_the_place() {
    // dX = ½ X dt + √(1 + X²) dW is X = sinh(W + asinh X_0): the death of sinh is that of Brownian motion.
    let diffusion = Field::new(
        |_t, x: &[f64], out: &mut [f64]| out[0] = 0.5 * x[0],
        |_t, x: &[f64], out: &mut Dispersion| *out = Dispersion::Scalar((1.0 + x[0] * x[0]).sqrt()),
    );
    let process = Killed::new(1, diffusion, |_: &[f64]| 2.0).unwrap();
    let ensemble = EulerDeaths::new(&process, 1e-3).unwrap().run(&DMatrix::zeros(1, 10_000), 8).unwrap();
    let radii: Vec<f64> = ensemble.points.iter().map(|x| x.asinh().abs()).collect();
    assert!(kolmogorov(&radii, |rho| -f64::exp_m1(-2.0 * rho)) < KOLMOGOROV);
    let mut divergence = [0.0];
    process.divergence(0.0, &[0.7], &mut divergence);
    assert!((divergence[0] - 1.4).abs() < 1e-9);
}

#[test]
fn nothing_is_dropped() {
    // Particles that come above 1 have no rate; the others die or reach the cap.
    let rate = |x: &[f64]| if x[0] > 1.0 { f64::NAN } else { 0.1 };
    let process = Killed::new(1, ornstein_uhlenbeck(), rate).unwrap();
    let starts = DMatrix::zeros(1, 2_000);
    let ensemble = EulerDeaths::new(&process, 0.1).unwrap().cap(50).run(&starts, 2).unwrap();
    let counts = ensemble.exit_counts();
    assert_eq!(counts.iter().map(|(_, n)| n).sum::<usize>(), 2_000);
    assert!(counts[..3].iter().all(|(_, n)| *n > 50), "{counts:?}");
    for ((exit, time), x) in ensemble.exits.iter().zip(&ensemble.lifetimes).zip(&ensemble.points) {
        assert!(*exit != Exit::StepCap || (time - 5.0).abs() < 1e-12);
        assert!(*exit == Exit::Killed { rule: 0 } || *x <= 1.0, "left at a place that has a rate");
    }
    let constant = Killed::new(1, ornstein_uhlenbeck(), |_: &[f64]| 0.01).unwrap();
    let capped = Thinning::new(&constant, 1.0).unwrap().cap(3).run(&starts, 2).unwrap();
    assert!(capped.exits.iter().filter(|e| **e == Exit::StepCap).count() > 1_800);
}

#[test]
fn drawn_deaths_are_those_of_the_process() {
    let process = KilledBrownianMotion::new(2, 1.0, 0.5).unwrap();
    let starts = DMatrix::from_element(2, 10_000, 0.3);
    let ensemble = draw_deaths(&process, &starts, 9).unwrap();
    let (places, lifetimes) = process.deaths(&starts, 9).unwrap();
    assert_eq!((&ensemble.points, &ensemble.lifetimes), (&places, &lifetimes));
    assert_mean(&lifetimes, 2.0);
}

#[test]
fn impossible_parameters_are_refused() {
    let constant = |r: f64| Killed::new(1, ornstein_uhlenbeck(), move |_: &[f64]| r);
    assert!(matches!(constant(-1.0), Err(Error::Negative { name: "rate", .. })));
    assert!(matches!(constant(f64::NAN), Err(Error::Negative { name: "rate", .. })));
    let wide = Killed::new(2, ornstein_uhlenbeck(), |_: &[f64]| 1.0);
    assert!(matches!(wide, Err(Error::Dimension { name: "dispersion", expected: 2, found: 1 })));
    let process = constant(1.0).unwrap();
    assert!(matches!(EulerDeaths::new(&process, 0.0), Err(Error::NotPositive { name: "dt", .. })));
    assert!(matches!(Thinning::new(&process, f64::INFINITY), Err(Error::NotPositive { name: "bound", .. })));
    let simulation = EulerDeaths::new(&process, 0.1).unwrap();
    assert!(matches!(simulation.run(&DMatrix::zeros(2, 1), 0), Err(Error::Dimension { name: "starts", .. })));
    let nowhere = DMatrix::from_element(1, 1, f64::NAN);
    assert!(matches!(simulation.run(&nowhere, 0), Err(Error::NotFinite { name: "starts", .. })));
    assert!(matches!(
        simulation.cap(0).run(&DMatrix::zeros(1, 1), 0),
        Err(Error::TooSmall { name: "cap", .. })
    ));
}
