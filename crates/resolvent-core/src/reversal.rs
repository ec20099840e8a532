//! The one reverse drift behind both kinds of horizon.
//!
//! With a deterministic horizon the score is that of the marginal at the current time (Anderson 1982, Stoch. Proc. Appl.
//! 12:313); with a random one it is that of the occupation density of the killed process (Nagasawa 1964, Nagoya
//! Math. J. 24:177). The formula is the same.

use crate::diffusion::Diffusion;

/// R1: score ← -b + div Σ + Σ score, the drift of the reverse SDE at (t, x).
///
/// `score` holds ∇ log w(x) on entry and the drift on return; `work` is scratch; all have length d.
pub fn sde_drift(diffusion: &impl Diffusion, t: f64, x: &[f64], score: &mut [f64], work: &mut [f64]) {
    combine(diffusion, t, x, 1.0, score, work);
}

/// R2: score ← -b + ½ div Σ + ½ Σ score, the drift of the reverse ordinary differential equation at (t, x): the
/// probability flow for a deterministic horizon (Song et al. 2021), the flux flow for a random one.
///
/// `score` holds ∇ log w(x) on entry and the drift on return; `work` is scratch; all have length d.
pub fn ode_drift(diffusion: &impl Diffusion, t: f64, x: &[f64], score: &mut [f64], work: &mut [f64]) {
    combine(diffusion, t, x, 0.5, score, work);
}

fn combine(diffusion: &impl Diffusion, t: f64, x: &[f64], factor: f64, score: &mut [f64], work: &mut [f64]) {
    diffusion.dispersion(t, x).apply_covariance(score);
    diffusion.divergence(t, x, work);
    for (s, w) in score.iter_mut().zip(&*work) {
        *s = factor * (*s + w);
    }
    diffusion.drift(t, x, work);
    for (s, w) in score.iter_mut().zip(&*work) {
        *s -= w;
    }
}
