//! div Σ by finite differences.

use super::{Diffusion, Dispersion};

/// out ← div Σ(t, x) by central differences of fourth order, for diffusions whose divergence is not at hand and for
/// checking one that is. Four evaluations of σ for each coordinate, in places up to 1.5e-3 max(1, |x_i|) away: σ must be
/// defined there, and smooth on that scale; the error is then about 1e-12 relative to Σ / max(1, |x|).
pub fn finite_divergence<D: Diffusion + ?Sized>(diffusion: &D, t: f64, x: &[f64], out: &mut [f64]) {
    let d = x.len();
    let (mut at, mut row, mut work) = (x.to_vec(), vec![0.0; d], vec![0.0; d]);
    let mut dispersion = Dispersion::default();
    out.fill(0.0);
    for j in 0..d {
        // The step balances the truncation h⁴ against the rounding ε / h.
        let h = f64::EPSILON.powf(0.2) * x[j].abs().max(1.0);
        for (shift, weight) in [(-2.0, 1.0), (-1.0, -8.0), (1.0, 8.0), (2.0, -1.0)] {
            at[j] = x[j] + shift * h;
            diffusion.dispersion(t, &at, &mut dispersion);
            // Column j of Σ is Σ e_j.
            row.fill(0.0);
            row[j] = 1.0;
            dispersion.apply_covariance(&mut row, &mut work);
            out.iter_mut().zip(&row).for_each(|(o, s)| *o += weight * s / (12.0 * h));
        }
        at[j] = x[j];
    }
}

/// The largest difference between the divergence that `diffusion` states at (t, x) and that of
/// [`finite_divergence`], relative to max(1, |div Σ|).
pub fn divergence_error<D: Diffusion + ?Sized>(diffusion: &D, t: f64, x: &[f64]) -> f64 {
    let (mut stated, mut found) = (vec![0.0; x.len()], vec![0.0; x.len()]);
    diffusion.divergence(t, x, &mut stated);
    finite_divergence(diffusion, t, x, &mut found);
    let scale = found.iter().fold(1.0, |a: f64, v| a.max(v.abs()));
    stated.iter().zip(&found).fold(0.0, |a: f64, (s, f)| a.max((s - f).abs())) / scale
}
