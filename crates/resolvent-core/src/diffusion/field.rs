//! A diffusion given by functions.

use super::{Diffusion, Dispersion, finite_divergence};

/// dX = b(t, X) dt + σ(t, X) dW from the functions b and σ. The divergence of Σ is taken by
/// [finite differences](finite_divergence) unless it is [given](Self::with_divergence).
///
/// ```
/// use resolvent_core::diffusion::{Diffusion, Dispersion, Field, divergence_error};
/// // Geometric Brownian motion: σ = x, div Σ = 2x.
/// let field = Field::new(
///     |_t, x: &[f64], out: &mut [f64]| out[0] = 0.1 * x[0],
///     |_t, x: &[f64], out: &mut Dispersion| *out = Dispersion::Scalar(x[0]),
/// );
/// let mut divergence = [0.0];
/// field.divergence(0.0, &[3.0], &mut divergence);
/// assert!((divergence[0] - 6.0).abs() < 1e-9);
/// let exact = field.with_divergence(|_t, x: &[f64], out: &mut [f64]| out[0] = 2.0 * x[0]);
/// assert!(divergence_error(&exact, 0.0, &[3.0]) < 1e-9);
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Field<B, S, V = FiniteDifferences> {
    drift: B,
    dispersion: S,
    divergence: V,
}

/// The divergence of Σ is computed from σ.
#[derive(Debug, Clone, Copy)]
pub struct FiniteDifferences;

impl<B, S> Field<B, S>
where
    B: Fn(f64, &[f64], &mut [f64]) + Sync,
    S: Fn(f64, &[f64], &mut Dispersion) + Sync,
{
    /// `drift(t, x, out)` writes b(t, x) (d), `dispersion(t, x, out)` writes σ(t, x).
    pub fn new(drift: B, dispersion: S) -> Self {
        Self { drift, dispersion, divergence: FiniteDifferences }
    }

    /// The same diffusion with div Σ from `divergence(t, x, out)` (d).
    pub fn with_divergence<V: Fn(f64, &[f64], &mut [f64]) + Sync>(self, divergence: V) -> Field<B, S, V> {
        Field { drift: self.drift, dispersion: self.dispersion, divergence }
    }
}

impl<B, S> Diffusion for Field<B, S, FiniteDifferences>
where
    B: Fn(f64, &[f64], &mut [f64]) + Sync,
    S: Fn(f64, &[f64], &mut Dispersion) + Sync,
{
    fn drift(&self, t: f64, x: &[f64], out: &mut [f64]) {
        (self.drift)(t, x, out);
    }

    fn dispersion(&self, t: f64, x: &[f64], out: &mut Dispersion) {
        (self.dispersion)(t, x, out);
    }

    fn divergence(&self, t: f64, x: &[f64], out: &mut [f64]) {
        finite_divergence(self, t, x, out);
    }
}

impl<B, S, V> Diffusion for Field<B, S, V>
where
    B: Fn(f64, &[f64], &mut [f64]) + Sync,
    S: Fn(f64, &[f64], &mut Dispersion) + Sync,
    V: Fn(f64, &[f64], &mut [f64]) + Sync,
{
    fn drift(&self, t: f64, x: &[f64], out: &mut [f64]) {
        (self.drift)(t, x, out);
    }

    fn dispersion(&self, t: f64, x: &[f64], out: &mut Dispersion) {
        (self.dispersion)(t, x, out);
    }

    fn divergence(&self, t: f64, x: &[f64], out: &mut [f64]) {
        (self.divergence)(t, x, out);
    }
}
