//! The reverse drifts R1 and R2, term by term.

use nalgebra::{DMatrix, DVector};
use resolvent_core::diffusion::{Diffusion, Dispersion, Field, divergence_error};
use resolvent_core::marginal::MarginalScore;
use resolvent_core::reversal::{ReverseOde, ReverseSde, Work, ode_drift, sde_drift};

/// A diffusion with every term present: b = 2x + t, σ = |x_0| I, div Σ = (2 x_0, 0).
struct Curved;

impl Diffusion for Curved {
    fn drift(&self, t: f64, x: &[f64], out: &mut [f64]) {
        out.iter_mut().zip(x).for_each(|(b, x)| *b = 2.0 * x + t);
    }

    fn dispersion(&self, _t: f64, x: &[f64], out: &mut Dispersion) {
        *out = Dispersion::Scalar(x[0].abs());
    }

    fn divergence(&self, _t: f64, x: &[f64], out: &mut [f64]) {
        out.copy_from_slice(&[2.0 * x[0], 0.0]);
    }
}

#[test]
fn both_reversals_have_all_their_terms() {
    let (x, t, score) = ([3.0, -1.0], 0.5, [0.2, 0.7]);
    let mut sde = score;
    sde_drift(&Curved, t, &x, &mut sde, &mut Work::new(2));
    let mut ode = score;
    ode_drift(&Curved, t, &x, &mut ode, &mut Work::new(2));
    for (found, exact) in sde.iter().zip([-6.5 + 6.0 + 9.0 * 0.2, 1.5 + 9.0 * 0.7]) {
        assert!((found - exact).abs() < 1e-14);
    }
    for (found, exact) in ode.iter().zip([-6.5 + 3.0 + 4.5 * 0.2, 1.5 + 4.5 * 0.7]) {
        assert!((found - exact).abs() < 1e-14);
    }
}

/// The score -x/t of Brownian motion from the origin.
struct Kernel;

impl MarginalScore for Kernel {
    fn dim(&self) -> usize {
        2
    }

    fn evaluate(&self, t: f64, points: &[f64], scores: &mut [f64]) {
        scores.iter_mut().zip(points).for_each(|(s, x)| *s = -x / t);
    }
}

/// σ = [[1 + t, x_0], [0, x_1]]: Σ = [[(1 + t)² + x_0², x_0 x_1], [x_0 x_1, x_1²]], div Σ = (3 x_0, 3 x_1).
fn sheared() -> impl Diffusion {
    Field::new(
        |t, x: &[f64], out: &mut [f64]| out.copy_from_slice(&[x[1] - t, x[0] * x[1]]),
        |t, x: &[f64], out: &mut Dispersion| {
            *out = Dispersion::Full(DMatrix::from_row_slice(2, 2, &[1.0 + t, x[0], 0.0, x[1]]));
        },
    )
    .with_divergence(|_t, x: &[f64], out: &mut [f64]| out.copy_from_slice(&[3.0 * x[0], 3.0 * x[1]]))
}

#[test]
fn the_reverse_diffusions_take_everything_at_the_forward_time() {
    let forward = sheared();
    let (horizon, s) = (2.0, 0.75);
    let t: f64 = 1.25;
    let points = [0.5, -2.0, 1.5, 0.3];
    assert!(divergence_error(&forward, t, &points[..2]) < 1e-9);
    let sde = ReverseSde { diffusion: &forward, score: &Kernel, horizon };
    let ode = ReverseOde { diffusion: &forward, score: &Kernel, horizon };
    let (mut with_noise, mut flow) = ([0.0; 4], [0.0; 4]);
    sde.drifts(s, 2, &points, &mut with_noise);
    ode.drifts(s, 2, &points, &mut flow);
    for (k, x) in points.chunks_exact(2).enumerate() {
        let (a, b) = (x[0], x[1]);
        let drift = [b - t, a * b];
        let score = [-a / t, -b / t];
        let sigma =
            [((1.0 + t).powi(2) + a * a) * score[0] + a * b * score[1], a * b * score[0] + b * b * score[1]];
        for i in 0..2 {
            let exact = -drift[i] + 3.0 * x[i] + sigma[i];
            assert!((with_noise[2 * k + i] - exact).abs() < 1e-13);
            let exact = -drift[i] + 1.5 * x[i] + 0.5 * sigma[i];
            assert!((flow[2 * k + i] - exact).abs() < 1e-13);
        }
        let mut one = [0.0; 2];
        sde.drift(s, x, &mut one);
        assert_eq!(one, with_noise[2 * k..2 * k + 2]);
        let (mut reverse, mut there) = (Dispersion::default(), Dispersion::default());
        sde.dispersion(s, x, &mut reverse);
        forward.dispersion(t, x, &mut there);
        assert_eq!(reverse, there);
        assert!(divergence_error(&sde, s, x) < 1e-9);
        ode.dispersion(s, x, &mut reverse);
        assert!(reverse.is_zero());
    }
}

/// A diffusion with b = ½ div Σ + ½ Σ ∇ log p is reversible with stationary law p: run backward it is itself, and its
/// probability flow stands still. Without the div Σ term neither would be so.
#[test]
fn a_reversible_diffusion_is_its_own_reversal() {
    // p is the standard normal law; σ_i² = 1 + x_i² + ½ sin x_j.
    let square = |x: &[f64], i: usize| 1.0 + x[i] * x[i] + 0.5 * x[1 - i].sin();
    let diffusion = Field::new(
        move |_t, x: &[f64], out: &mut [f64]| {
            (0..2).for_each(|i| out[i] = x[i] - 0.5 * square(x, i) * x[i]);
        },
        move |_t, x: &[f64], out: &mut Dispersion| {
            *out = Dispersion::Diagonal(DVector::from_fn(2, |i, _| square(x, i).sqrt()));
        },
    );
    for x in [[0.3, -1.2], [2.0, 0.4]] {
        let minus: Vec<f64> = x.iter().map(|x| -x).collect();
        let (mut reverse, mut flow, mut drift) = (minus.clone(), minus, [0.0; 2]);
        sde_drift(&diffusion, 0.0, &x, &mut reverse, &mut Work::new(2));
        ode_drift(&diffusion, 0.0, &x, &mut flow, &mut Work::new(2));
        diffusion.drift(0.0, &x, &mut drift);
        for i in 0..2 {
            assert!((reverse[i] - drift[i]).abs() < 1e-9, "{} for {}", reverse[i], drift[i]);
            assert!(flow[i].abs() < 1e-9, "the flow moves by {}", flow[i]);
        }
    }
}
