//! "Time Reversal of SDEs", curriculum page, 2026.

use nalgebra::DMatrix;
use rand::RngExt;
use resolvent::core::affine::{Affine, Isotropic};
use resolvent::core::diffusion::Diffusion;
use resolvent::core::horizon::Simulation;
use resolvent::core::integrate::EulerMaruyama;
use resolvent::core::marginal::Diffused;
use resolvent::core::reversal::{ReverseOde, ReverseSde};
use resolvent::core::schedule::{OrnsteinUhlenbeck, Schedule, diffuse};
use resolvent::core::{GaussianMixture, HorizonSampler};
use resolvent::metrics;

use crate::numerics::{assert_apart, assert_close, gauss, reverse_sde, rng, solve};

#[test]
fn the_tape_played_backwards_has_the_law_of_the_backward_sde() {
    // A mixture of two Gaussians under dX = -½X dt + dW, whose stationary law is N(0, 1). Two functionals of
    // the whole path: the displacement and the largest distance from 0.
    const STEPS: usize = 400;
    let (horizon, n) = (1.5, 10_000);
    let dt = horizon / STEPS as f64;
    let forward = OrnsteinUhlenbeck::new(0.5, 1.0, horizon).unwrap();
    let (weights, means) = ([0.3, 0.7], [-2.0, 1.0]);
    let data = GaussianMixture::one_dimensional(&weights, &means, &[0.3, 0.3]).unwrap();
    let mut rng = rng(21);
    let mut draw = |_, _| means[usize::from(rng.random::<f64>() >= 0.3)] + 0.3 * gauss(&mut rng);
    let [starts, others] = [0; 2].map(|_| DMatrix::from_fn(1, n, &mut draw));
    // The tape: exact transitions, read from its end.
    let step = Isotropic::new(&forward, 1).unwrap().transition(0.0, dt);
    let mut tapes = vec![starts.as_slice().to_vec()];
    for k in 0..STEPS {
        let now = DMatrix::from_row_slice(1, n, &tapes[k]);
        tapes.push(step.draw(&now, 100 + k as u64).unwrap().as_slice().to_vec());
    }
    let functionals = |at: &dyn Fn(usize, usize) -> f64| -> (Vec<f64>, Vec<f64>) {
        let farthest = |i| (0..=STEPS).map(|k| at(i, k).abs()).fold(0.0, f64::max);
        ((0..n).map(|i| at(i, 0) - at(i, STEPS)).collect(), (0..n).map(farthest).collect())
    };
    let tape = functionals(&|i, k| tapes[STEPS - k][i]);
    // The backward SDE and the probability flow, from fresh draws of p_T.
    let ends = diffuse(&forward.level(horizon), &others, 22);
    let score = Diffused { schedule: &forward, denoiser: &data };
    let run = |diffusion: &dyn Diffusion| {
        let method = Simulation::uniform(diffusion, &EulerMaruyama, 1, (0.0, horizon), STEPS).unwrap();
        let paths = HorizonSampler::new(&method).paths(n).run(&ends, 23).unwrap().paths;
        functionals(&|i, k| paths[i].points[k])
    };
    let sde = run(&ReverseSde { diffusion: &forward, score: &score, horizon });
    let ode = run(&ReverseOde { diffusion: &forward, score: &score, horizon });
    // Significance 1e-4 each, and a hundredth for the Euler scheme.
    let critical = metrics::ks_critical(n / 2, 1e-4).unwrap() + 0.01;
    for (tape, sde, ode) in [(&tape.0, &sde.0, &ode.0), (&tape.1, &sde.1, &ode.1)] {
        let same = metrics::ks_two_sample(tape, sde).unwrap().statistic;
        assert!(same < critical, "{same} against {critical}");
        // The test can tell a process with the same marginals and another law: the probability flow.
        let other = metrics::ks_two_sample(tape, ode).unwrap().statistic;
        assert!(other > 1.5 * critical, "{other}");
    }
}

#[test]
fn more_than_one_drift_runs_the_marginals_backwards() {
    // Isotropic Gaussian data in the plane, N(0, 0.3 I), under dX = -½X dt + dW. A rotation ω J x has no
    // divergence against p_t, so adding it to the reverse drift changes no marginal; it turns the joint law.
    let (start, horizon) = (0.3, 1.2);
    let forward = OrnsteinUhlenbeck::new(0.5, 1.0, horizon).unwrap();
    let variance = |t: f64| 1.0 + (start - 1.0) * f64::exp(-t);
    let end = variance(horizon);
    // State: covariance of Y (xx, xy, yy), and the factor of E[Y_s | Y_0] = M Y_0 (its first column).
    let run = |omega: f64| {
        solve([end, 0.0, end, 1.0, 0.0], 0.0, horizon, |s, [xx, xy, yy, m, k]| {
            let t = horizon - s;
            let c = reverse_sde(&forward, t, &[1.0, 0.0], &[-1.0 / variance(t), 0.0])[0];
            [
                2.0 * c * xx - 2.0 * omega * xy + 1.0,
                2.0 * c * xy + omega * (xx - yy),
                2.0 * c * yy + 2.0 * omega * xy + 1.0,
                c * m - omega * k,
                c * k + omega * m,
            ]
        })
    };
    let (plain, turned) = (run(0.0), run(1.5));
    for state in [plain, turned] {
        assert_close(state[0], start, 1e-8);
        assert_close(state[1], 0.0, 1e-8);
        assert_close(state[2], start, 1e-8);
    }
    // Only the first has the forward process's covariance of X_0 and X_T.
    assert_close(plain[3] * end, start * f64::exp(-0.5 * horizon), 1e-8);
    assert_apart(turned[3] * end, start * f64::exp(-0.5 * horizon), 0.1);
}
