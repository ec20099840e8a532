//! The one reverse drift behind both kinds of horizon.
//!
//! With a deterministic horizon the score is that of the marginal at the current time (Anderson 1982, Stoch. Proc. Appl.
//! 12:313); with a random one it is that of the occupation density of the killed process (Nagasawa 1964, Nagoya
//! Math. J. 24:177). The formula is the same.

use crate::diffusion::{Diffusion, Dispersion};
use crate::marginal::MarginalScore;

/// Scratch for one particle in R^d.
#[derive(Debug, Clone)]
pub struct Work {
    pub(crate) vector: Vec<f64>,
    pub(crate) noise: Vec<f64>,
    pub(crate) dispersion: Dispersion,
}

impl Work {
    /// Scratch for R^`dim`.
    pub fn new(dim: usize) -> Self {
        Self { vector: vec![0.0; dim], noise: vec![0.0; dim], dispersion: Dispersion::default() }
    }
}

/// R1: score ← -b + div Σ + Σ score, the drift of the reverse SDE at (t, x).
///
/// `score` (d) holds ∇ log w(x) on entry and the drift on return.
pub fn sde_drift<D: Diffusion + ?Sized>(
    diffusion: &D,
    t: f64,
    x: &[f64],
    score: &mut [f64],
    work: &mut Work,
) {
    combine(diffusion, t, x, 1.0, score, work);
}

/// R2: score ← -b + ½ div Σ + ½ Σ score, the drift of the reverse ordinary differential equation at (t, x): the
/// probability flow for a deterministic horizon (Song et al. 2021), the flux flow for a random one.
///
/// `score` (d) holds ∇ log w(x) on entry and the drift on return.
pub fn ode_drift<D: Diffusion + ?Sized>(
    diffusion: &D,
    t: f64,
    x: &[f64],
    score: &mut [f64],
    work: &mut Work,
) {
    combine(diffusion, t, x, 0.5, score, work);
}

fn combine<D: Diffusion + ?Sized>(
    diffusion: &D,
    t: f64,
    x: &[f64],
    factor: f64,
    score: &mut [f64],
    Work { vector, dispersion, .. }: &mut Work,
) {
    diffusion.dispersion(t, x, dispersion);
    dispersion.apply_covariance(score, vector);
    diffusion.divergence(t, x, vector);
    for (s, w) in score.iter_mut().zip(&*vector) {
        *s = factor * (*s + w);
    }
    diffusion.drift(t, x, vector);
    for (s, w) in score.iter_mut().zip(&*vector) {
        *s -= w;
    }
}

/// The reversal of a diffusion from the horizon T: a diffusion too, in the backward time s = T - t, with the drift R1
/// and the dispersion of the forward one, both taken at T - s.
///
/// Its [span](Diffusion::span) is that of the forward one seen from T: [0, T] for a schedule with the horizon T. Schemes that evaluate at the end of a step
/// ask for the score at s = T too, which data without a density do not have: stop short of it.
#[derive(Debug)]
pub struct ReverseSde<'a, D: ?Sized, S: ?Sized> {
    /// The forward diffusion.
    pub diffusion: &'a D,
    /// The score of its marginals.
    pub score: &'a S,
    /// T, where it starts.
    pub horizon: f64,
}

impl<D: Diffusion + ?Sized, S: MarginalScore + ?Sized> Diffusion for ReverseSde<'_, D, S> {
    fn drift(&self, t: f64, x: &[f64], out: &mut [f64]) {
        self.drifts(t, x.len(), x, out);
    }

    fn dispersion(&self, t: f64, x: &[f64], out: &mut Dispersion) {
        self.diffusion.dispersion(self.horizon - t, x, out);
    }

    fn divergence(&self, t: f64, x: &[f64], out: &mut [f64]) {
        self.diffusion.divergence(self.horizon - t, x, out);
    }

    fn drifts(&self, t: f64, dim: usize, points: &[f64], out: &mut [f64]) {
        let (t, mut work) = (self.horizon - t, Work::new(dim));
        self.score.evaluate(t, points, out);
        for (x, out) in points.chunks_exact(dim).zip(out.chunks_exact_mut(dim)) {
            sde_drift(self.diffusion, t, x, out, &mut work);
        }
    }

    fn span(&self) -> (f64, f64) {
        reversed(self.diffusion.span(), self.horizon)
    }
}

/// The probability flow of a diffusion from the horizon T, in the backward time s = T - t: a diffusion without noise
/// whose drift is R2 at T - s. As to the times, see [`ReverseSde`].
#[derive(Debug)]
pub struct ReverseOde<'a, D: ?Sized, S: ?Sized> {
    /// The forward diffusion.
    pub diffusion: &'a D,
    /// The score of its marginals.
    pub score: &'a S,
    /// T, where it starts.
    pub horizon: f64,
}

impl<D: Diffusion + ?Sized, S: MarginalScore + ?Sized> Diffusion for ReverseOde<'_, D, S> {
    fn drift(&self, t: f64, x: &[f64], out: &mut [f64]) {
        self.drifts(t, x.len(), x, out);
    }

    fn dispersion(&self, _t: f64, _x: &[f64], out: &mut Dispersion) {
        *out = Dispersion::Scalar(0.0);
    }

    fn drifts(&self, t: f64, dim: usize, points: &[f64], out: &mut [f64]) {
        let (t, mut work) = (self.horizon - t, Work::new(dim));
        self.score.evaluate(t, points, out);
        for (x, out) in points.chunks_exact(dim).zip(out.chunks_exact_mut(dim)) {
            ode_drift(self.diffusion, t, x, out, &mut work);
        }
    }

    fn span(&self) -> (f64, f64) {
        reversed(self.diffusion.span(), self.horizon)
    }
}

/// The backward times of the forward ones from `start` to `end`.
fn reversed((start, end): (f64, f64), horizon: f64) -> (f64, f64) {
    (horizon - end, horizon - start)
}
