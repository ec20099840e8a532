//! Linear diffusions with a quadratic killing rate: moments, occupation density, death, and the reversal R1.

mod common;

use common::{KOLMOGOROV, kolmogorov, two_sample};
use nalgebra::{DMatrix, DVector};
use resolvent_core::affine::{Affine, ConstantLinearSde};
use resolvent_core::diffusion::{Diffusion, Dispersion};
use resolvent_core::killed::{EulerDeaths, GaussianOccupation, KilledLinear, QuadraticRate, draw_deaths};
use resolvent_core::killing::Hazard;
use resolvent_core::schedule::Level;
use resolvent_core::step::EulerMaruyama;
use resolvent_core::{
    Error, FixedStep, GaussianMixture, KilledBrownianMotion, KilledDiffusion, Sampler, Score,
};
use statrs::function::erf::erfc;

fn vector(values: [f64; 2]) -> DVector<f64> {
    DVector::from_column_slice(&values)
}

/// By its rows.
fn matrix(rows: [[f64; 2]; 2]) -> DMatrix<f64> {
    DMatrix::from_row_slice(2, 2, rows.as_flattened())
}

/// A rotation with contraction and a push, anisotropic noise that is not aligned with it, killed faster away from (0.5, -0.3).
fn swirl() -> KilledLinear {
    KilledLinear::new(
        matrix([[-0.2, -0.9], [0.7, -0.1]]),
        vector([0.3, -0.1]),
        Dispersion::Full(matrix([[0.8, 0.0], [0.3, 0.5]])),
        QuadraticRate::new(0.05, vector([0.5, -0.3]), matrix([[0.4, 0.1], [0.1, 0.2]])).unwrap(),
    )
    .unwrap()
}

fn two_clouds() -> GaussianMixture {
    let covariances = [matrix([[0.3, 0.1], [0.1, 0.2]]), matrix([[0.1, 0.0], [0.0, 0.4]])];
    GaussianMixture::new(&[0.4, 0.6], matrix([[1.5, -1.0], [0.5, -1.0]]), covariances).unwrap()
}

#[test]
fn survivors_solve_the_equations_of_their_moments() {
    let process = swirl();
    let (f, c) = (matrix([[-0.2, -0.9], [0.7, -0.1]]), vector([0.3, -0.1]));
    let sigma: DMatrix<f64> = matrix([[0.64, 0.24], [0.24, 0.34]]);
    let (q, centre) = (matrix([[0.4, 0.1], [0.1, 0.2]]), vector([0.5, -0.3]));
    type State = (f64, DVector<f64>, DMatrix<f64>);
    let slope = |(_, m, p): &State| -> State {
        let away = m - &centre;
        let rate = 0.05 + 0.5 * (away.dot(&(&q * &away)) + (&q * p).trace());
        let mean = &f * m + &c - p * &q * &away;
        (-rate, mean, &f * p + p * f.transpose() + &sigma - p * &q * p)
    };
    let moved = |a: &State, h: f64, k: &State| (a.0 + h * k.0, &a.1 + &k.1 * h, &a.2 + &k.2 * h);
    let mean = vector([1.5, 0.5]);
    for covariance in [DMatrix::zeros(2, 2), matrix([[0.3, 0.1], [0.1, 0.2]])] {
        let mut state: State = (0.0, mean.clone(), covariance.clone());
        let h = 1e-3;
        for step in 1..=6_000 {
            let k1 = slope(&state);
            let k2 = slope(&moved(&state, 0.5 * h, &k1));
            let k3 = slope(&moved(&state, 0.5 * h, &k2));
            let k4 = slope(&moved(&state, h, &k3));
            for (weight, k) in [(1.0, k1), (2.0, k2), (2.0, k3), (1.0, k4)] {
                state = moved(&state, weight * h / 6.0, &k);
            }
            if [1, 37, 6_000].contains(&step) {
                let alive = process.survivors(f64::from(step) * h, &mean, &covariance);
                assert!((alive.log_mass - state.0).abs() < 1e-11, "{} {}", alive.log_mass, state.0);
                assert!((alive.mean - &state.1).amax() < 1e-11);
                assert!((alive.covariance - &state.2).amax() < 1e-11);
            }
        }
    }
}

#[test]
fn without_curvature_survivors_move_as_if_they_were_all() {
    let (f, c) = (matrix([[-0.2, -0.9], [0.7, 0.1]]), vector([0.3, -0.1]));
    let noise = matrix([[0.8, 0.0], [0.3, 0.5]]);
    let rate = QuadraticRate::constant(2, 0.3).unwrap();
    let process = KilledLinear::new(f.clone(), c.clone(), Dispersion::Full(noise.clone()), rate).unwrap();
    let sde = ConstantLinearSde::new(f, c, noise).unwrap();
    let (mean, covariance) = (vector([1.5, 0.5]), matrix([[0.3, 0.1], [0.1, 0.2]]));
    for t in [1e-9, 0.01, 1.0, 20.0] {
        let alive = process.survivors(t, &mean, &covariance);
        let (m, p) = sde.transition(0.0, t).moments(&mean, &covariance);
        assert!((alive.log_mass + 0.3 * t).abs() < 1e-13 * (1.0 + t));
        assert!((alive.mean - &m).amax() < 1e-12 * m.amax());
        assert!((alive.covariance - &p).amax() < 1e-12 * p.amax());
    }
}

#[test]
fn brownian_motion_on_the_line_in_closed_form() {
    for (sigma, rate) in [(1.0_f64, 0.02_f64), (0.5, 3.0)] {
        let (weights, means, deviations) = ([0.3, 0.7], [-5.0, 5.0], [2.0, 0.7]);
        let law = GaussianMixture::one_dimensional(&weights, &means, &deviations).unwrap();
        let process = KilledLinear::brownian(&KilledBrownianMotion::new(1, sigma, rate).unwrap()).unwrap();
        let occupation = GaussianOccupation::new(&process, law.clone(), 1e-9).unwrap();
        // The Laplace kernel e^(-k |x|) / (k σ²) smoothed by a Gaussian.
        let k = (2.0 * rate).sqrt() / sigma;
        let smoothed = |x: f64, s: f64| {
            let tail = |x: f64| {
                f64::exp(0.5 * (k * s).powi(2) - k * x) * erfc((k * s * s - x) / (s * 2.0_f64.sqrt()))
            };
            0.5 * (tail(x) + tail(-x)) / (k * sigma * sigma)
        };
        for i in -30..=30 {
            let x = 0.5 * f64::from(i);
            let exact: f64 = (0..2).map(|j| weights[j] * smoothed(x - means[j], deviations[j])).sum();
            assert!((occupation.log_density(&[x]) - exact.ln()).abs() < 2e-9, "{x}");
            let hazard = law.log_density(&[x]) - exact.ln();
            assert!((occupation.log_hazard(&[x]) - hazard).abs() < 2e-9, "{x}");
        }
        assert!((occupation.mean_lifetime() * rate - 1.0).abs() < 1e-9);
        assert!((occupation.mean_death() - 1.0).abs() < 1e-9);
    }
}

#[test]
fn the_occupation_density_balances_source_flow_and_death() {
    let (process, law) = (swirl(), two_clouds());
    let occupation = GaussianOccupation::new(&process, law.clone(), 1e-9).unwrap();
    assert!((occupation.mean_death() - 1.0).abs() < 1e-9);
    let (f, sigma): (DMatrix<f64>, DMatrix<f64>) =
        (matrix([[-0.2, -0.9], [0.7, -0.1]]), matrix([[0.64, 0.24], [0.24, 0.34]]));
    let u = |x: &DVector<f64>| occupation.log_density(x.as_slice()).exp();
    let h = 2e-3;
    for point in [[1.5, 0.5], [0.0, 0.0], [-1.0, 0.8], [2.2, -1.4], [-2.5, -1.0]] {
        let x = vector(point);
        let at = |shift: [f64; 2]| u(&(&x + vector(shift) * h));
        // Differences of fourth order.
        let line = |e: [f64; 2]| [-2.0, -1.0, 0.0, 1.0, 2.0].map(|k: f64| at([k * e[0], k * e[1]]));
        let first = |[a, b, _, c, d]: [f64; 5]| (a - 8.0 * b + 8.0 * c - d) / (12.0 * h);
        let second = |[a, b, m, c, d]: [f64; 5]| (16.0 * (b + c) - (a + d) - 30.0 * m) / (12.0 * h * h);
        let gradient = vector([first(line([1.0, 0.0])), first(line([0.0, 1.0]))]);
        let (xx, yy) = (second(line([1.0, 0.0])), second(line([0.0, 1.0])));
        let xy = 0.25 * (second(line([1.0, 1.0])) - second(line([1.0, -1.0])));
        let value = u(&x);
        let mut slope = [0.0; 2];
        let log = occupation.log_density_and_gradient(&point, &mut slope);
        assert_eq!(log, occupation.log_density(&point));
        assert!((gradient.clone() / value - vector(slope)).amax() < 1e-7);
        // ½ tr(Σ D²u) - div(b u) - r u + α = 0.
        let mut drift = [0.0; 2];
        process.drift(0.0, &point, &mut drift);
        let noise = 0.5 * (sigma[(0, 0)] * xx + 2.0 * sigma[(0, 1)] * xy + sigma[(1, 1)] * yy);
        let flow = drift[0] * gradient[0] + drift[1] * gradient[1] + f.trace() * value;
        let source = law.log_density(&point).exp();
        let balance = noise - flow - KilledDiffusion::rate(&process, &point) * value + source;
        assert!(balance.abs() < 1e-6 * value.max(source), "{point:?}: {balance} of {source}");
    }
}

/// The distribution function of the lifetime from `law`.
fn lifetime_cdf(process: &KilledLinear, law: &GaussianMixture, t: f64) -> f64 {
    let dead = |k: usize| {
        let mean = law.means().column(k).into_owned();
        -process.survivors(t, &mean, &law.component_covariance(k)).log_mass.exp_m1()
    };
    law.weights().iter().enumerate().map(|(k, w)| w * dead(k)).sum()
}

#[test]
fn deaths_are_drawn_from_their_law() {
    // On the line, from a point: r u is the law of the place.
    let rate = QuadraticRate::new(0.1, DVector::from_element(1, 0.5), DMatrix::from_element(1, 1, 2.0));
    let process = KilledLinear::new(
        DMatrix::from_element(1, 1, -0.3),
        DVector::from_element(1, 0.2),
        Dispersion::Scalar(1.0),
        rate.unwrap(),
    )
    .unwrap();
    let law = GaussianMixture::one_dimensional(&[1.0], &[1.2], &[0.05]).unwrap();
    let occupation = GaussianOccupation::new(&process, law.clone(), 1e-8).unwrap();
    let deaths = draw_deaths(&process, &law.sample(10_000, 1), 2).unwrap();
    let h = 0.005;
    let mut cumulative = vec![0.0];
    for i in -1_000..1_000 {
        let x = (f64::from(i) + 0.5) * h;
        let density = process.rate(&[x]) * occupation.log_density(&[x]).exp();
        cumulative.push(cumulative[cumulative.len() - 1] + h * density);
    }
    assert!((cumulative[2_000] - 1.0).abs() < 1e-6);
    let cdf = |x: f64| {
        let place = (x / h + 1_000.0).clamp(0.0, 1_999.0);
        let (k, u) = (place as usize, place.fract());
        (1.0 - u) * cumulative[k] + u * cumulative[k + 1]
    };
    assert!(kolmogorov(deaths.points.as_slice(), cdf) < KOLMOGOROV);
    assert!(kolmogorov(deaths.points.as_slice(), |x| cdf(x + 0.04)) > KOLMOGOROV, "the test sees a shift");
    assert!(kolmogorov(&deaths.lifetimes, |t| lifetime_cdf(&process, &law, t)) < KOLMOGOROV);
    // In the plane, against a simulation by small steps.
    let (process, law) = (swirl(), two_clouds());
    let starts = law.sample(5_000, 3);
    let drawn = draw_deaths(&process, &starts, 4).unwrap();
    let stepped = EulerDeaths::new(&process, 0.01).unwrap().run(&starts, 5).unwrap();
    for ensemble in [&drawn, &stepped] {
        assert!(kolmogorov(&ensemble.lifetimes, |t| lifetime_cdf(&process, &law, t)) < KOLMOGOROV);
    }
    for direction in [[1.0, 0.0], [0.0, 1.0], [0.7, -0.7]] {
        let along = |points: &DMatrix<f64>| (vector(direction).transpose() * points).as_slice().to_vec();
        assert!(two_sample(&along(&drawn.points), &along(&stepped.points)) < KOLMOGOROV);
    }
}

/// A score given as a vector, with the gain one.
struct Plain<F>(F);

impl<F: Fn(&[f64], &mut [f64]) + Sync> Score for Plain<F> {
    fn dim(&self) -> usize {
        2
    }

    fn evaluate(&self, points: &[f64], gains: &mut [f64], displacements: &mut [f64]) {
        gains.fill(1.0);
        for (x, v) in points.chunks_exact(2).zip(displacements.chunks_exact_mut(2)) {
            (self.0)(x, v);
        }
    }
}

/// The largest statistic of the end law against α along three lines, and that of the lifetime, for `n` particles.
fn backward(
    score: &dyn Score,
    process: &KilledLinear,
    occupation: &GaussianOccupation,
    n: usize,
) -> [f64; 2] {
    let law = occupation.data();
    let starts = draw_deaths(process, &law.sample(n, 21), 22).unwrap().points;
    let (step, control) = (EulerMaruyama::new(score), FixedStep::new(0.01).unwrap());
    let hazard = Hazard::new(|x: &[f64]| occupation.log_hazard(x));
    // Fifty units of time.
    assert!(lifetime_cdf(process, law, 50.0) > 1.0 - 1e-6);
    let sampler = Sampler::new(process, &step, &control).killing("hazard", &hazard).cap(5_000);
    let ensemble = sampler.run(&starts, 23).unwrap();
    let ends = [[1.0, 0.0], [0.0, 1.0], [0.7, -0.7]].map(|direction| {
        let line = DMatrix::from_row_slice(1, 2, &direction);
        let along = law.affine(&line, &DVector::zeros(1), &DMatrix::zeros(1, 1)).unwrap();
        kolmogorov((line * &ensemble.points).as_slice(), |x| along.cdf(&Level::CLEAN, x))
    });
    let life = kolmogorov(&ensemble.lifetimes, |t| lifetime_cdf(process, law, t));
    [ends.into_iter().fold(0.0, f64::max), life]
}

#[test]
fn the_reversal_leads_back_to_the_data_though_nothing_is_symmetric() {
    let (process, law) = (swirl(), two_clouds());
    let occupation = GaussianOccupation::new(&process, law, 1e-6).unwrap();
    let [ends, life] = backward(&occupation, &process, &occupation, 5_000);
    assert!(ends < KOLMOGOROV && life < KOLMOGOROV, "{ends} {life}");
    // Taken for symmetric with respect to its stationary law m, the process would be reversed by b + Σ ∇ log(u/m).
    let (mean, covariance) = process.sde().stationary().unwrap();
    let (attraction, diffusion) =
        (covariance.try_inverse().unwrap(), process.sde().transition(0.0, 1e-9).covariance / 1e-9);
    let noise = diffusion.try_inverse().unwrap();
    let taken = Plain(|x: &[f64], out: &mut [f64]| {
        occupation.log_density_and_gradient(x, out);
        let mut drift = [0.0; 2];
        process.drift(0.0, x, &mut drift);
        let back = &attraction * (DVector::from_column_slice(x) - &mean) + &noise * vector(drift) * 2.0;
        out.iter_mut().zip(&back).for_each(|(o, b)| *o += b);
    });
    let [ends, life] = backward(&taken, &process, &occupation, 1_000);
    assert!(ends > KOLMOGOROV && life > KOLMOGOROV, "{ends} {life}");
}

#[test]
fn a_process_that_lives_for_ever_is_refused() {
    let constant = |rate| QuadraticRate::constant(2, rate).unwrap();
    let still =
        |rate| KilledLinear::new(DMatrix::zeros(2, 2), DVector::zeros(2), Dispersion::Scalar(1.0), rate);
    assert!(matches!(still(constant(0.0)), Err(Error::NeverKilled)));
    // Killed along one coordinate it dies, if it moves along it.
    let stripe = QuadraticRate::new(0.0, DVector::zeros(2), matrix([[1.0, 0.0], [0.0, 0.0]])).unwrap();
    assert!(still(stripe.clone()).is_ok());
    let along = Dispersion::Diagonal(vector([0.0, 1.0]));
    let process = KilledLinear::new(DMatrix::zeros(2, 2), DVector::zeros(2), along, stripe);
    assert!(matches!(process, Err(Error::NeverKilled)));
    // Pushed off the place where the rate vanishes, but for a particle that the push cannot move.
    let stripe = QuadraticRate::new(0.0, DVector::zeros(2), matrix([[1.0, 0.0], [0.0, 0.0]])).unwrap();
    let push = matrix([[0.0, 1.0], [0.0, 0.0]]);
    let process = KilledLinear::new(push, vector([1.0, 0.0]), Dispersion::Scalar(0.0), stripe).unwrap();
    assert!(draw_deaths(&process, &DMatrix::zeros(2, 3), 1).is_ok());
    let rest = DMatrix::from_column_slice(2, 1, &[0.0, -1.0]);
    assert_eq!(draw_deaths(&process, &rest, 1).unwrap_err(), Error::Immortal);
    let free = KilledBrownianMotion::new(3, 1.0, 0.0).unwrap();
    assert!(matches!(KilledLinear::brownian(&free), Err(Error::NeverKilled)));
}

#[test]
fn impossible_parameters_are_refused() {
    let curved = |rows| QuadraticRate::new(0.1, DVector::zeros(2), matrix(rows));
    assert!(matches!(curved([[1.0, 0.0], [0.0, -0.1]]), Err(Error::Curvature { .. })));
    assert!(matches!(curved([[1.0, 0.3], [0.0, 1.0]]), Err(Error::Curvature { .. })));
    assert!(matches!(QuadraticRate::constant(2, -1.0), Err(Error::Negative { name: "least rate", .. })));
    let rate = QuadraticRate::constant(3, 1.0).unwrap();
    let process = KilledLinear::new(DMatrix::zeros(2, 2), DVector::zeros(2), Dispersion::Scalar(1.0), rate);
    assert!(matches!(process, Err(Error::Dimension { name: "rate", expected: 2, found: 3 })));
    let line = GaussianMixture::one_dimensional(&[1.0], &[0.0], &[1.0]).unwrap();
    let occupation = GaussianOccupation::new(&swirl(), line, 1e-6);
    assert!(matches!(occupation, Err(Error::Dimension { name: "data", .. })));
    let occupation = GaussianOccupation::new(&swirl(), two_clouds(), 0.0);
    assert!(matches!(occupation, Err(Error::Outside { name: "tolerance", .. })));
}
