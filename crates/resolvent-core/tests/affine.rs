//! Gaussian transitions against closed forms and Lyapunov's equation; marginals of affine SDEs against their own densities.

use nalgebra::{DMatrix, DVector};
use resolvent_core::affine::{Affine, ConstantLinearSde, Isotropic, LinearSde, Transition};
use resolvent_core::diffusion::{Diffusion, Dispersion};
use resolvent_core::marginal::{AffineMarginal, Diffused, GaussianMixture, MarginalScore, NoisyDensity};
use resolvent_core::schedule::{Edm, Level, OrnsteinUhlenbeck, Schedule, SubVp, Ve, VpLinear};
use resolvent_core::{EmpiricalMeasure, Error};

fn matrix<const R: usize, const C: usize>(rows: [[f64; C]; R]) -> DMatrix<f64> {
    DMatrix::from_fn(R, C, |i, j| rows[i][j])
}

fn vector<const N: usize>(entries: [f64; N]) -> DVector<f64> {
    DVector::from_column_slice(&entries)
}

/// The largest difference, relative to the largest entry.
fn gap(found: &DMatrix<f64>, exact: &DMatrix<f64>) -> f64 {
    (found - exact).amax() / exact.amax().max(1e-300)
}

fn assert_transitions_agree(found: &Transition, exact: &Transition, tolerance: f64, what: &str) {
    assert!(gap(&found.matrix, &exact.matrix) < tolerance, "{what}: matrix {found:?}, expected {exact:?}");
    let offset = (&found.offset - &exact.offset).amax();
    assert!(offset <= tolerance * exact.offset.amax().max(1e-3), "{what}: {found:?}, expected {exact:?}");
    let covariance = gap(&found.covariance, &exact.covariance);
    assert!(covariance < tolerance, "{what}: covariance {found:?}, expected {exact:?}");
    assert_eq!(found.covariance, found.covariance.transpose(), "{what}");
}

/// F of a rotation with speed w and decay a, and its transition with c and noise σ I.
fn rotating(a: f64, w: f64, c: DVector<f64>, sigma: f64) -> ConstantLinearSde {
    ConstantLinearSde::new(matrix([[-a, -w], [w, -a]]), c, DMatrix::from_diagonal_element(2, 2, sigma))
        .unwrap()
}

fn rotated(a: f64, w: f64, c: &DVector<f64>, sigma: f64, t: f64) -> Transition {
    let (sin, cos) = (w * t).sin_cos();
    let turned = matrix([[cos, -sin], [sin, cos]]) * f64::exp(-a * t);
    let rest = matrix([[-a, -w], [w, -a]]).try_inverse().unwrap() * c * -1.0;
    let offset = &rest - &turned * &rest;
    let variance = sigma * sigma * -f64::exp_m1(-2.0 * a * t) / (2.0 * a);
    Transition { matrix: turned, offset, covariance: DMatrix::from_diagonal_element(2, 2, variance) }
}

/// Undamped oscillator q' = p, p' = -w² q + noise σ: noise enters the momentum alone.
fn oscillator(w: f64, sigma: f64) -> ConstantLinearSde {
    let noise = matrix([[0.0, 0.0], [0.0, sigma]]);
    ConstantLinearSde::new(matrix([[0.0, 1.0], [-w * w, 0.0]]), vector([0.0, 0.0]), noise).unwrap()
}

fn oscillated(w: f64, sigma: f64, t: f64) -> Transition {
    let (sin, cos) = (w * t).sin_cos();
    let square = sigma * sigma;
    let wave = (2.0 * w * t).sin() / (4.0 * w);
    let (own, cross, speed) =
        (square / (w * w) * (0.5 * t - wave), square * sin * sin / (2.0 * w * w), square * (0.5 * t + wave));
    Transition {
        matrix: matrix([[cos, sin / w], [-w * sin, cos]]),
        offset: vector([0.0, 0.0]),
        covariance: matrix([[own, cross], [cross, speed]]),
    }
}

#[test]
fn constant_coefficients_have_their_closed_form() {
    let c = vector([0.7, -2.0]);
    for t in [1e-6, 0.01, 0.3, 2.0, 25.0, 1_000.0] {
        let found = rotating(0.4, 3.0, c.clone(), 0.9).transition(1.5, 1.5 + t);
        // At long times the angle itself is only known to rounding.
        let exact = rotated(0.4, 3.0, &c, 0.9, (1.5 + t) - 1.5);
        assert!((&found.matrix - &exact.matrix).amax() < 1e-13 * t.max(1.0), "matrix at {t}");
        let found = Transition { matrix: exact.matrix.clone(), ..found };
        assert_transitions_agree(&found, &exact, 1e-12, &format!("rotation, {t}"));
    }
    for t in [0.01, 0.3, 2.0, 25.0, 400.0] {
        let found = oscillator(1.7, 0.6).transition(0.0, t);
        assert_transitions_agree(&found, &oscillated(1.7, 0.6, t), 1e-12 * t.max(1.0), "oscillator");
    }
    // Noise far smaller or larger than the drift costs no digits.
    for sigma in [1e-12, 1e9] {
        let found = oscillator(1.7, sigma).transition(0.0, 0.3);
        assert_transitions_agree(&found, &oscillated(1.7, sigma, 0.3), 1e-12, "size of the noise");
    }
}

#[test]
fn integrated_moments_have_their_closed_form() {
    let c = vector([0.7, -2.0]);
    let rotating = LinearSde::new(
        2,
        (0.0, 30.0),
        |_, out| out.copy_from(&matrix([[-0.4, -3.0], [3.0, -0.4]])),
        |_, out| out.copy_from(&vector([0.7, -2.0])),
        |_, out| out.fill_with_identity(),
    )
    .unwrap();
    for (from, to) in [(0.0, 1e-3), (0.5, 1.0), (2.0, 30.0)] {
        // Of an exponentially small matrix the absolute tolerance leaves fewer digits.
        let (found, exact) = (rotating.transition(from, to), rotated(0.4, 3.0, &c, 1.0, to - from));
        assert!((&found.matrix - &exact.matrix).amax() < 1e-11, "matrix from {from} to {to}");
        let found = Transition { matrix: exact.matrix.clone(), ..found };
        assert_transitions_agree(&found, &exact, 1e-10, &format!("rotation from {from} to {to}"));
    }
    let oscillator = LinearSde::new(
        2,
        (0.0, 10.0),
        |_, out| out.copy_from(&matrix([[0.0, 1.0], [-2.89, 0.0]])),
        |_, _| {},
        |_, out| out[(1, 1)] = 0.6,
    )
    .unwrap();
    for t in [0.01, 0.3, 2.0, 10.0] {
        assert_transitions_agree(
            &oscillator.transition(0.0, t),
            &oscillated(1.7, 0.6, t),
            1e-10,
            "oscillator",
        );
    }
    // dX = (-X + cos t) dt + √2 t dW from 0: the mean is (cos t + sin t - e^-t)/2, the variance t² - t + (1 - e^-2t)/2.
    let forced = LinearSde::new(
        1,
        (0.0, 20.0),
        |_, out| out[(0, 0)] = -1.0,
        |t, out| out[0] = t.cos(),
        |t, out| out[(0, 0)] = 2.0_f64.sqrt() * t,
    )
    .unwrap();
    for t in [0.1_f64, 1.0, 7.0, 20.0] {
        let found = forced.transition(0.0, t);
        let exact = Transition {
            matrix: matrix([[(-t).exp()]]),
            offset: vector([0.5 * (t.cos() + t.sin() - (-t).exp())]),
            covariance: matrix([[t * t - t - 0.5 * (-2.0 * t).exp_m1()]]),
        };
        assert!((found.matrix[(0, 0)] - exact.matrix[(0, 0)]).abs() < 1e-12);
        let found = Transition { matrix: exact.matrix.clone(), ..found };
        assert_transitions_agree(&found, &exact, 1e-9, &format!("forced, {t}"));
    }
}

#[test]
fn matrices_that_do_not_commute_keep_liouvilles_formula() {
    // F(t) = [[-sin t, t], [1, -2]]: log det M = ∫ tr F, whatever the order of the factors.
    let sde = LinearSde::new(
        2,
        (0.0, 3.0),
        |t, out| out.copy_from(&matrix([[-t.sin(), t], [1.0, -2.0]])),
        |t, out| out[0] = t,
        |t, out| out.copy_from(&matrix([[1.0, t], [0.0, 0.2]])),
    )
    .unwrap();
    for (from, to) in [(0.0_f64, 3.0_f64), (0.5, 2.0)] {
        let exact = (to.cos() - from.cos()) - 2.0 * (to - from);
        let found = sde.transition(from, to).matrix.determinant().ln();
        assert!((found - exact).abs() < 1e-10, "{found}, {exact}");
    }
    let parts = sde.transition(0.0, 1.1).then(&sde.transition(1.1, 3.0));
    assert_transitions_agree(&parts, &sde.transition(0.0, 3.0), 1e-10, "composition");
}

#[test]
fn a_schedule_is_the_affine_sde_of_its_rates() {
    let schedules: [(&str, Box<dyn Schedule>); 5] = [
        ("vp", Box::new(VpLinear::default())),
        ("sub-vp", Box::new(SubVp::default())),
        ("ve", Box::new(Ve::default())),
        ("edm", Box::new(Edm::new(5.0).unwrap())),
        ("ou", Box::new(OrnsteinUhlenbeck::new(0.7, 1.3, 4.0).unwrap())),
    ];
    for (name, schedule) in schedules {
        let horizon = schedule.horizon();
        let rates = LinearSde::new(
            2,
            (0.0, horizon),
            |t, out| out.fill_diagonal(schedule.rates(t).drift),
            |_, _| {},
            |t, out| out.fill_diagonal(schedule.rates(t).noise.sqrt()),
        )
        .unwrap();
        let closed = Isotropic::new(&*schedule, 2).unwrap();
        for (from, to) in [(0.0, 0.1), (0.1, 0.3), (0.2, 1.0), (0.0, 1.0)] {
            let (from, to) = (from * horizon, to * horizon);
            let (found, exact) = (rates.transition(from, to), closed.transition(from, to));
            assert_transitions_agree(&found, &exact, 1e-9, &format!("{name} from {from} to {to}"));
        }
        let parts = closed.transition(0.0, 0.3 * horizon).then(&closed.transition(0.3 * horizon, horizon));
        assert_transitions_agree(&parts, &closed.transition(0.0, horizon), 1e-12, name);
        let level = schedule.level(horizon);
        let whole = closed.transition(0.0, horizon);
        assert!((whole.matrix[(0, 0)] / level.alpha - 1.0).abs() < 1e-14, "{name}");
    }
}

#[test]
fn transitions_compose() {
    let sde = rotating(0.2, 1.3, vector([1.0, 0.4]), 0.5);
    let whole = sde.transition(0.0, 3.0);
    let parts = sde.transition(0.0, 0.7).then(&sde.transition(0.7, 3.0));
    assert_transitions_agree(&parts, &whole, 1e-13, "rotation");
    assert_eq!(whole.then(&Transition::identity(2)), whole);
    for still in [sde.transition(2.0, 2.0), oscillator(1.0, 1.0).transition(0.0, 0.0)] {
        assert_transitions_agree(&still, &Transition::identity(2), 1e-15, "no time");
        assert_eq!(still.covariance.amax(), 0.0);
    }
}

#[test]
fn the_stationary_law_solves_lyapunovs_equation_and_stays() {
    // A damped oscillator: by equipartition q has variance temperature/w², p the temperature, without correlation.
    let (w, damping, temperature) = (1.3, 0.5, 0.8_f64);
    let oscillator = ConstantLinearSde::new(
        matrix([[0.0, 1.0], [-w * w, -damping]]),
        vector([0.0, 0.0]),
        matrix([[0.0, 0.0], [0.0, (2.0 * damping * temperature).sqrt()]]),
    )
    .unwrap();
    let (mean, covariance) = oscillator.stationary().unwrap();
    assert_eq!(mean.amax(), 0.0);
    assert!(gap(&covariance, &matrix([[temperature / (w * w), 0.0], [0.0, temperature]])) < 1e-13);
    // A matrix that is far from normal, with one slow direction.
    let slow = matrix([[-1.0, 8.0, 0.0], [0.0, -0.01, 3.0], [0.2, 0.0, -2.0]]);
    let noise = matrix([[1.0, 0.0, 0.0], [0.5, 0.0, 0.0], [-1.0, 2.0, 0.1]]);
    let offset = vector([1.0, -0.5, 0.1]);
    let error = ConstantLinearSde::new(slow, offset.clone(), noise.clone()).unwrap().stationary();
    assert!(matches!(error, Err(Error::Outside { value, .. }) if value > 0.0), "{error:?}");
    let slow = matrix([[-1.0, 8.0, 0.0], [0.0, -0.01, 3.0], [-0.002, 0.0, -2.0]]);
    let sde = ConstantLinearSde::new(slow.clone(), offset.clone(), noise.clone()).unwrap();
    let (mean, covariance) = sde.stationary().unwrap();
    let residual = &slow * &covariance + &covariance * slow.transpose() + &noise * noise.transpose();
    assert!(residual.amax() < 1e-12 * covariance.amax(), "{residual}");
    assert!((&slow * &mean + &offset).amax() < 1e-12 * mean.amax());
    let (later, spread) = sde.transition(0.0, 5.0).moments(&mean, &covariance);
    assert!((later - &mean).amax() < 1e-12 * mean.amax());
    assert!(gap(&spread, &covariance) < 1e-12);
}

#[test]
fn draws_have_the_moments_of_the_transition_and_stay_where_no_noise_reaches() {
    let n = 200_000;
    let transition = oscillator(1.7, 0.6).transition(0.0, 1.0);
    let x = vector([1.0, -0.5]);
    let points = DMatrix::from_fn(2, n, |i, _| x[i]);
    let drawn = transition.draw(&points, 11).unwrap();
    let (mean, covariance) = transition.moments(&x, &DMatrix::zeros(2, 2));
    for i in 0..2 {
        let found = drawn.row(i).sum() / n as f64;
        let error = (covariance[(i, i)] / n as f64).sqrt();
        assert!((found - mean[i]).abs() < 4.0 * error, "mean {found}, expected {}", mean[i]);
        for j in 0..=i {
            let found = (0..n).map(|k| (drawn[(i, k)] - mean[i]) * (drawn[(j, k)] - mean[j])).sum::<f64>();
            let (own, cross) = (covariance[(i, i)] * covariance[(j, j)], covariance[(i, j)]);
            let error = ((own + cross * cross) / n as f64).sqrt();
            assert!((found / n as f64 - cross).abs() < 4.0 * error, "covariance {i} {j}: {found}");
        }
    }
    // A particle does not know how many others there are.
    let few = transition.draw(&points.columns(0, 5).into_owned(), 11).unwrap();
    assert_eq!(few, drawn.columns(0, 5).into_owned());
    // Noise of rank one: the law lies on a line.
    let line = vector([0.6, 0.8]);
    let flat = Transition { covariance: &line * line.transpose() * 4.0, ..Transition::identity(2) };
    for column in flat.draw(&points.columns(0, 1_000).into_owned(), 3).unwrap().column_iter() {
        let away = column - &x;
        assert!((away[0] * line[1] - away[1] * line[0]).abs() < 1e-6, "{away}");
    }
    // The noise knows nothing of the data that the same seed gave.
    let law = GaussianMixture::one_dimensional(&[0.3, 0.7], &[-5.0, 5.0], &[2.0, 2.0]).unwrap();
    let data = law.sample(n, 11);
    let unit = Transition { covariance: DMatrix::identity(1, 1), ..Transition::identity(1) };
    let noise = unit.draw(&data, 11).unwrap() - &data;
    let error = (data.norm_squared() / n as f64 / n as f64).sqrt();
    assert!((data.dot(&noise) / n as f64).abs() < 4.0 * error, "{}", data.dot(&noise) / n as f64);
    let still = Transition::identity(2).draw(&points.columns(0, 3).into_owned(), 1).unwrap();
    assert_eq!(still, points.columns(0, 3).into_owned());
}

#[test]
fn a_density_needs_noise_in_every_direction() {
    let transition = oscillator(1.7, 0.6).transition(0.0, 1.0);
    let (x, y) = ([1.0, -0.5], [0.3, 0.2]);
    let mut mean = [0.0; 2];
    transition.mean_into(&x, &mut mean);
    let away = vector([y[0] - mean[0], y[1] - mean[1]]);
    let inverse = transition.covariance.clone().try_inverse().unwrap();
    let square = (away.transpose() * inverse * &away)[(0, 0)];
    let determinant = transition.covariance.determinant();
    let exact = -0.5 * square - (std::f64::consts::TAU * determinant.sqrt()).ln();
    assert!((transition.log_density(&x, &y).unwrap() - exact).abs() < 1e-11);
    let line = matrix([[1.0, 2.0], [2.0, 4.0]]);
    for covariance in [DMatrix::zeros(2, 2), line] {
        let flat = Transition { covariance, ..Transition::identity(2) };
        assert!(matches!(flat.log_density(&x, &y), Err(Error::Covariance { .. })));
    }
    assert!(matches!(transition.log_density(&[0.0], &y), Err(Error::Dimension { .. })));
}

#[test]
fn the_diffusion_is_the_derivative_of_the_transition() {
    let pull = matrix([[-1.0, 0.5], [0.3, -0.2]]);
    let noise = matrix([[1.0, 0.0], [0.7, 0.3]]);
    let constant = ConstantLinearSde::new(pull.clone(), vector([0.4, -0.1]), noise.clone()).unwrap();
    let linear = LinearSde::new(
        2,
        (0.0, 1.0),
        |t, out| out.copy_from(&(&pull * (1.0 + t))),
        |t, out| out.copy_from(&vector([0.4, -0.1 * t])),
        |t, out| out.copy_from(&(&noise * (1.0 - t))),
    )
    .unwrap();
    let schedule = VpLinear::default();
    let isotropic = Isotropic::new(&schedule, 2).unwrap();
    let processes: [&dyn Affine; 3] = [&constant, &linear, &isotropic];
    let (t, h, x) = (0.4, 1e-5, [0.8, -1.7]);
    for (index, process) in processes.into_iter().enumerate() {
        let transition = process.transition(t, t + h);
        let (mut mean, mut drift, mut dispersion) = ([0.0; 2], [0.0; 2], Dispersion::default());
        transition.mean_into(&x, &mut mean);
        process.drift(t, &x, &mut drift);
        process.dispersion(t, &x, &mut dispersion);
        for i in 0..2 {
            assert!(((mean[i] - x[i]) / h - drift[i]).abs() < 1e-3, "drift of process {index}");
        }
        assert!(
            gap(&(transition.covariance / h), &dispersion.covariance(2)) < 1e-3,
            "noise of process {index}"
        );
        let mut batch = [0.0; 4];
        process.drifts(t, 2, &[x[0], x[1], 5.0, 6.0], &mut batch);
        assert_eq!(batch[..2], drift);
    }
}

/// Two anisotropic components in the plane.
fn mixture() -> GaussianMixture {
    let means = matrix([[-1.0, 2.0], [0.5, -1.5]]);
    let covariances = [matrix([[0.5, 0.2], [0.2, 0.3]]), matrix([[0.1, 0.0], [0.0, 0.8]])];
    GaussianMixture::new(&[0.3, 0.7], means, covariances).unwrap()
}

fn points() -> EmpiricalMeasure {
    let points = matrix([[-1.0, 2.0, 0.3, 0.4], [0.5, -1.5, 0.0, 1.0]]);
    EmpiricalMeasure::weighted(points, &[0.1, 0.5, 0.15, 0.25]).unwrap()
}

const PLACES: [f64; 10] = [0.0, 0.0, -1.3, 0.7, 2.0, -1.0, 0.4, 1.9, -3.0, -2.5];

fn assert_score_is_the_gradient<A: Affine>(marginal: &AffineMarginal<'_, A>, t: f64) {
    let mut scores = [0.0; 10];
    marginal.evaluate(t, &PLACES, &mut scores);
    let h = 1e-3;
    for (i, score) in scores.iter().enumerate() {
        let log_density = |shift: f64| {
            let (mut places, mut out) = (PLACES, [0.0; 5]);
            places[i] += shift * h;
            marginal.log_densities(t, &places, &mut out);
            out[i / 2]
        };
        let exact = (8.0 * (log_density(1.0) - log_density(-1.0)) - log_density(2.0) + log_density(-2.0))
            / (12.0 * h);
        assert!((score - exact).abs() < 1e-8 * exact.abs().max(1.0), "at {t}, {i}: {score}, {exact}");
    }
}

#[test]
fn scores_are_the_gradients_of_log_densities() {
    let oscillator = oscillator(1.7, 1.5);
    let rotating = rotating(0.3, 2.0, vector([0.5, 0.0]), 0.8);
    for t in [0.5, 1.0, 4.0] {
        assert_score_is_the_gradient(&AffineMarginal::of_mixture(&oscillator, mixture()).unwrap(), t);
        assert_score_is_the_gradient(&AffineMarginal::of_points(&oscillator, points()).unwrap(), t);
        assert_score_is_the_gradient(&AffineMarginal::of_mixture(&rotating, mixture()).unwrap(), t);
        assert_score_is_the_gradient(&AffineMarginal::of_points(&rotating, points()).unwrap(), t);
    }
}

#[test]
fn the_density_of_carried_points_is_the_mean_of_transition_densities() {
    let oscillator = oscillator(1.7, 0.5);
    let (data, t) = (points(), 0.8);
    let marginal = AffineMarginal::of_points(&oscillator, data.clone()).unwrap();
    let transition = oscillator.transition(0.0, t);
    let (mut found, mut law) = ([0.0; 5], [0.0; 5]);
    marginal.log_densities(t, &PLACES, &mut found);
    marginal.law(t).unwrap().log_densities(&Level::CLEAN, &PLACES, &mut law);
    for (x, (found, law)) in PLACES.chunks_exact(2).zip(found.iter().zip(law)) {
        let logs: Vec<f64> = (0..data.len())
            .map(|i| data.log_weights()[i] + transition.log_density(data.point(i), x).unwrap())
            .collect();
        // Far out the densities themselves underflow.
        let peak = logs.iter().fold(f64::NEG_INFINITY, |a, l| a.max(*l));
        let exact = peak + logs.iter().map(|l| (l - peak).exp()).sum::<f64>().ln();
        assert!((found - exact).abs() < 1e-11 * exact.abs().max(1.0), "{found}, {exact}");
        assert!((law - exact).abs() < 1e-11 * exact.abs().max(1.0), "{law}, {exact}");
    }
}

#[test]
fn under_a_schedule_the_marginal_is_the_diffused_law() {
    let schedule = VpLinear::default();
    let process = Isotropic::new(&schedule, 2).unwrap();
    let (law, t) = (mixture(), 0.4);
    let affine = AffineMarginal::of_mixture(&process, law.clone()).unwrap();
    let diffused = Diffused { schedule: &schedule, denoiser: &law };
    let (mut found, mut exact) = ([0.0; 10], [0.0; 10]);
    affine.evaluate(t, &PLACES, &mut found);
    diffused.evaluate(t, &PLACES, &mut exact);
    for (found, exact) in found.iter().zip(exact) {
        assert!((found - exact).abs() < 1e-11 * exact.abs().max(1.0), "{found}, {exact}");
    }
    let (mut found, mut exact) = ([0.0; 5], [0.0; 5]);
    affine.log_densities(t, &PLACES, &mut found);
    law.log_densities(&schedule.level(t), &PLACES, &mut exact);
    for (found, exact) in found.iter().zip(exact) {
        assert!((found - exact).abs() < 1e-11 * exact.abs().max(1.0), "{found}, {exact}");
    }
}

#[test]
fn moments_of_the_marginal_are_those_of_the_transition() {
    let rotating = rotating(0.3, 2.0, vector([0.5, 0.0]), 0.8);
    let data = mixture();
    let marginal = AffineMarginal::of_mixture(&rotating, data.clone()).unwrap();
    let (mean, covariance) = rotating.transition(0.0, 1.3).moments(&data.mean(), &data.covariance());
    let law = marginal.law(1.3).unwrap();
    assert!((law.mean() - mean).amax() < 1e-13);
    assert!(gap(&law.covariance(), &covariance) < 1e-13);
    // At time 0 it is the data.
    let (mut found, mut exact) = ([0.0; 5], [0.0; 5]);
    marginal.log_densities(0.0, &PLACES, &mut found);
    data.log_densities(&Level::CLEAN, &PLACES, &mut exact);
    for (found, exact) in found.iter().zip(exact) {
        assert!((found - exact).abs() < 1e-12 * exact.abs().max(1.0), "{found}, {exact}");
    }
}

#[test]
fn points_have_no_density_before_the_noise_reaches_every_direction() {
    let oscillator = oscillator(1.7, 0.5);
    let marginal = AffineMarginal::of_points(&oscillator, points()).unwrap();
    let stuck = ConstantLinearSde::new(
        matrix([[-1.0, 0.0], [0.0, -1.0]]),
        vector([0.0, 0.0]),
        matrix([[1.0, 0.0], [1.0, 0.0]]),
    )
    .unwrap();
    let on_a_line = AffineMarginal::of_points(&stuck, points()).unwrap();
    for (marginal, t) in [(&marginal, 0.0), (&on_a_line, 0.0), (&on_a_line, 1.0)] {
        assert!(matches!(marginal.law(t), Err(Error::Covariance { .. })));
        let (mut scores, mut logs) = ([0.0; 10], [0.0; 5]);
        marginal.evaluate(t, &PLACES, &mut scores);
        marginal.log_densities(t, &PLACES, &mut logs);
        assert!(scores.iter().chain(&logs).all(|v| v.is_nan()));
    }
    assert!(marginal.law(1e-3).is_ok());
}

#[test]
fn a_score_does_not_depend_on_what_was_asked_before() {
    let rotating = rotating(0.3, 2.0, vector([0.5, 0.0]), 0.8);
    let marginal = AffineMarginal::of_points(&rotating, points()).unwrap();
    let at = |t: f64| {
        let mut scores = [0.0; 10];
        marginal.evaluate(t, &PLACES, &mut scores);
        scores
    };
    let first = at(0.5);
    for k in 0..200 {
        at(1.0 + 0.01 * f64::from(k));
    }
    assert_eq!(at(0.5), first);
    assert_eq!(at(0.5), first);
    let mut alone = [0.0; 2];
    marginal.evaluate(0.5, &PLACES[2..4], &mut alone);
    assert_eq!(alone, first[2..4]);
}

#[test]
fn bad_input_is_refused() {
    let square = || DMatrix::<f64>::identity(2, 2);
    let none = |_: f64, _: &mut DVector<f64>| {};
    let unit = |_: f64, out: &mut DMatrix<f64>| out.fill_with_identity();
    let new = ConstantLinearSde::new;
    assert!(matches!(new(DMatrix::zeros(0, 0), vector([]), DMatrix::zeros(0, 0)), Err(Error::Empty { .. })));
    assert!(matches!(new(square(), vector([1.0]), square()), Err(Error::Dimension { name: "matrix", .. })));
    let narrow = DMatrix::zeros(2, 1);
    assert!(matches!(
        new(square(), vector([1.0, 0.0]), narrow),
        Err(Error::Dimension { name: "dispersion", .. })
    ));
    let broken = matrix([[1.0, f64::NAN], [0.0, 1.0]]);
    assert!(matches!(
        new(broken, vector([1.0, 0.0]), square()),
        Err(Error::NotFinite { name: "matrix", .. })
    ));
    let infinite = vector([1.0, f64::INFINITY]);
    assert!(matches!(new(square(), infinite, square()), Err(Error::NotFinite { name: "offset", .. })));
    // Brownian motion has no stationary law, nor has rotation without decay.
    let free = new(DMatrix::zeros(2, 2), vector([0.0, 0.0]), square()).unwrap();
    assert!(matches!(free.stationary(), Err(Error::Outside { value: 0.0, .. })));
    assert!(oscillator(1.0, 1.0).stationary().is_err());
    assert!(matches!(LinearSde::new(0, (0.0, 1.0), unit, none, unit), Err(Error::TooSmall { .. })));
    for interval in [(1.0, 1.0), (0.0, f64::NAN), (f64::NEG_INFINITY, 0.0)] {
        assert!(matches!(LinearSde::new(2, interval, unit, none, unit), Err(Error::NotAscending { .. })));
    }
    let broken = |_: f64, out: &mut DMatrix<f64>| out[(1, 0)] = f64::NAN;
    assert!(matches!(
        LinearSde::new(2, (0.0, 1.0), broken, none, unit),
        Err(Error::NotFinite { name: "matrix", point: 0, coordinate: 1, .. })
    ));
    let large = |_: f64, out: &mut DMatrix<f64>| *out = DMatrix::identity(3, 3);
    assert!(matches!(
        LinearSde::new(2, (0.0, 1.0), large, none, unit),
        Err(Error::Dimension { name: "matrix", expected: 2, found: 3 })
    ));
    let (mut dispersion, switched) = (Dispersion::default(), |t: f64, out: &mut DMatrix<f64>| {
        out[if t < 0.5 { 0 } else { 3 }] = 1.0;
    });
    let sde = LinearSde::new(2, (0.0, 1.0), unit, none, switched).unwrap();
    [0.2, 0.7].into_iter().for_each(|t| sde.dispersion(t, &[0.0, 0.0], &mut dispersion));
    assert_eq!(dispersion, Dispersion::Full(matrix([[0.0, 0.0], [0.0, 1.0]])), "nothing is left of before");
    // A pole within the interval.
    let pole = |t: f64, out: &mut DMatrix<f64>| out.fill_diagonal(-1.0 / (t - 0.5));
    assert!(matches!(LinearSde::new(2, (0.0, 1.0), pole, none, unit), Err(Error::NotFinite { .. })));
    assert!(Isotropic::new(&VpLinear::default(), 0).is_err());
    // There is no law of the past given the present.
    let schedule = VpLinear::default();
    let linear = LinearSde::new(2, (0.0, 1.0), unit, none, unit).unwrap();
    let isotropic = Isotropic::new(&schedule, 2).unwrap();
    for sde in [&linear as &dyn Affine, &free, &isotropic] {
        let past = sde.transition(0.5, 0.4);
        let entries = past.matrix.iter().chain(&past.offset).chain(&past.covariance);
        assert!(entries.clone().count() == 10 && entries.clone().all(|v| v.is_nan()));
        assert_eq!(sde.transition(0.5, 0.5), Transition::identity(2));
    }
    assert_eq!((linear.span(), isotropic.span()), ((0.0, 1.0), (0.0, 1.0)));
    let three = GaussianMixture::isotropic(&[1.0], DMatrix::zeros(3, 1), &[1.0]).unwrap();
    assert!(matches!(AffineMarginal::of_mixture(&free, three), Err(Error::Dimension { name: "data", .. })));
    let three = EmpiricalMeasure::new(DMatrix::zeros(3, 1)).unwrap();
    assert!(matches!(AffineMarginal::of_points(&free, three), Err(Error::Dimension { .. })));
    assert!(Transition::identity(2).draw(&DMatrix::zeros(3, 1), 0).is_err());
}
