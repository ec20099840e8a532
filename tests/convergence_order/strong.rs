//! Strong errors: coarse and fine steps on the same Brownian paths.

use nalgebra::{DMatrix, DVector};
use rand::RngExt;
use rand_distr::StandardNormal;
use resolvent::core::diffusion::{Diffusion, Dispersion, Field};
use resolvent::core::integrate::{Increments, Integrator, Milstein, Scratch, Sra1};
use resolvent::core::random::{Purpose, stream};
use resolvent::metrics;

use crate::Measured;

/// Numbers of steps over the time from 0 to 1.
const STEPS: [usize; 6] = [16, 32, 64, 128, 256, 512];
/// dX_i = 0.2 X_i dt + s_i X_i dW_i from 1, with X_i = exp((0.2 - s_i²/2) t + s_i W_i).
const VOLATILITY: [f64; 2] = [0.6, 0.9];

/// A scheme for geometric Brownian motion in R^`dim` against the solution.
pub(crate) fn geometric(scheme: &dyn Integrator, dim: usize) -> Vec<Measured> {
    let exact =
        |w: &[f64]| w.iter().zip(VOLATILITY).map(|(w, s)| f64::exp(0.2 - 0.5 * s * s + s * w)).collect();
    errors(scheme, &motion(), dim, (2_000, 512), Some(&exact))
}

/// Milstein's scheme for geometric Brownian motion.
pub(crate) fn milstein(dim: usize) -> Vec<Measured> {
    geometric(&Milstein::new(&motion(), 0.0, &[1.0, 1.0][..dim]).unwrap(), dim)
}

fn motion() -> impl Diffusion {
    Field::new(
        |_t, x: &[f64], out: &mut [f64]| out.iter_mut().zip(x).for_each(|(b, x)| *b = 0.2 * x),
        |_t, x: &[f64], out: &mut Dispersion| {
            *out = match x {
                [x] => Dispersion::Scalar(VOLATILITY[0] * x),
                _ => Dispersion::Diagonal(DVector::from_fn(x.len(), |i, _| VOLATILITY[i] * x[i])),
            };
        },
    )
    .with_divergence(|_t, x: &[f64], out: &mut [f64]| {
        out.iter_mut().zip(x.iter().zip(VOLATILITY)).for_each(|(v, (x, s))| *v = 2.0 * s * s * x);
    })
}

/// A scheme for a nonlinear drift with a full matrix σ(t) in the plane, against SRA1 with much smaller steps.
pub(crate) fn additive(scheme: &dyn Integrator) -> Vec<Measured> {
    let diffusion = Field::new(
        |t, x: &[f64], out: &mut [f64]| {
            out[0] = (2.0 * x[1]).sin() - x[0] + t;
            out[1] = (x[0] + x[1]).cos();
        },
        |t, _x: &[f64], out: &mut Dispersion| {
            let rows = [1.0 + 0.5 * (3.0 * t).sin(), 0.3, -0.4 * t, 0.8];
            *out = Dispersion::Full(DMatrix::from_row_slice(2, 2, &rows));
        },
    );
    errors(scheme, &diffusion, 2, (1_000, 4_096), None)
}

/// A run with steps of `factor` fine ones, and the increments of the step it is in.
struct Run {
    factor: usize,
    points: Vec<f64>,
    dw: Vec<f64>,
    dz: Vec<f64>,
}

impl Run {
    /// Goes on by one fine step of length `dt` to the time `k` + 1 of them.
    fn advance(
        &mut self,
        scheme: &dyn Integrator,
        diffusion: &dyn Diffusion,
        (k, dt, dim): (usize, f64, usize),
        fine: Increments<'_>,
    ) {
        // ∫ (W - W(t)) over adjoining pieces: each adds its own, and its length times the increment before it.
        for ((w, z), (dw, dz)) in self.dw.iter_mut().zip(&mut self.dz).zip(fine.dw.iter().zip(fine.dz)) {
            *z += dz + dt * *w;
            *w += dw;
        }
        if (k + 1).is_multiple_of(self.factor) {
            let (t, length) = ((k + 1 - self.factor) as f64 * dt, self.factor as f64 * dt);
            let increments = Increments { dw: &self.dw, dz: &self.dz };
            let scratch = &mut Scratch::default();
            scheme.step(diffusion, t, length, dim, increments, &mut self.points, scratch);
            self.dw.fill(0.0);
            self.dz.fill(0.0);
        }
    }
}

/// X(1) from W(1), both of one path.
type Exact<'a> = &'a dyn Fn(&[f64]) -> Vec<f64>;

/// Mean distances at time 1 from `exact`(W(1)), or from SRA1 on the finest steps, over `n` paths from (1, 1, ..).
fn errors(
    scheme: &dyn Integrator,
    diffusion: &dyn Diffusion,
    dim: usize,
    (n, finest): (usize, usize),
    exact: Option<Exact<'_>>,
) -> Vec<Measured> {
    let size = n * dim;
    let run = |steps: usize| Run {
        factor: finest / steps,
        points: vec![1.0; size],
        dw: vec![0.0; size],
        dz: vec![0.0; size],
    };
    let mut runs = STEPS.map(run);
    let mut reference = run(finest);
    let mut rng = stream(1, Purpose::Experiment, 0);
    let dt = 1.0 / finest as f64;
    let (mut dw, mut dz, mut whole) = (vec![0.0; size], vec![0.0; size], vec![0.0; size]);
    for k in 0..finest {
        for ((w, z), total) in dw.iter_mut().zip(&mut dz).zip(&mut whole) {
            let (a, b): (f64, f64) = (rng.sample(StandardNormal), rng.sample(StandardNormal));
            *w = dt.sqrt() * a;
            // Given ΔW, ΔZ has the mean ½ dt ΔW and the variance dt³/12.
            *z = 0.5 * dt * *w + (dt.powi(3) / 12.0).sqrt() * b;
            *total += *w;
        }
        let fine = Increments { dw: &dw, dz: &dz };
        for run in &mut runs {
            run.advance(scheme, diffusion, (k, dt, dim), fine);
        }
        if exact.is_none() {
            reference.advance(&Sra1, diffusion, (k, dt, dim), fine);
        }
    }
    if let Some(exact) = exact {
        reference.points = whole.chunks_exact(dim).flat_map(exact).collect();
    }
    let measured = runs.iter().map(|run| {
        let pairs = run.points.chunks_exact(dim).zip(reference.points.chunks_exact(dim));
        let distance =
            |(x, y): (&[f64], &[f64])| x.iter().zip(y).map(|(x, y)| (x - y).powi(2)).sum::<f64>().sqrt();
        let mean = metrics::mean(&pairs.map(distance).collect::<Vec<_>>()).unwrap();
        Measured { step: run.factor as f64 * dt, error: mean.value, noise: mean.standard_error }
    });
    measured.collect()
}
