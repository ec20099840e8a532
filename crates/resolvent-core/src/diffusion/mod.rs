//! Forward diffusions dX = b(t, X) dt + σ(t, X) dW.

/// The matrix σ(t, x).
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Dispersion {
    /// σ times the identity.
    Scalar(f64),
}

impl Dispersion {
    /// v ← σ v, in place.
    pub fn apply(&self, v: &mut [f64]) {
        match *self {
            Self::Scalar(sigma) => v.iter_mut().for_each(|v| *v *= sigma),
        }
    }

    /// v ← Σ v with Σ = σ σᵀ, in place.
    pub fn apply_covariance(&self, v: &mut [f64]) {
        match *self {
            Self::Scalar(sigma) => v.iter_mut().for_each(|v| *v *= sigma * sigma),
        }
    }
}

/// A diffusion dX = b(t, X) dt + σ(t, X) dW on R^d with Σ = σ σᵀ. A homogeneous one ignores `t`.
pub trait Diffusion: Sync {
    /// out ← b(t, x); both of length d.
    fn drift(&self, t: f64, x: &[f64], out: &mut [f64]);

    /// σ(t, x).
    fn dispersion(&self, t: f64, x: &[f64]) -> Dispersion;

    /// out ← div Σ(t, x), (div Σ)_i = Σ_j ∂_j Σ_ij; zero where σ does not depend on x.
    fn divergence(&self, _t: f64, _x: &[f64], out: &mut [f64]) {
        out.fill(0.0);
    }
}
