//! The reverse drifts R1 and R2, term by term.

use resolvent_core::diffusion::{Diffusion, Dispersion};
use resolvent_core::reversal::{ode_drift, sde_drift};

/// A diffusion with every term present: b = 2x + t, σ = |x_0| e.g., div Σ = (2 x_0, 0).
struct Curved;

impl Diffusion for Curved {
    fn drift(&self, t: f64, x: &[f64], out: &mut [f64]) {
        out.iter_mut().zip(x).for_each(|(b, x)| *b = 2.0 * x + t);
    }

    fn dispersion(&self, _t: f64, x: &[f64]) -> Dispersion {
        Dispersion::Scalar(x[0].abs())
    }

    fn divergence(&self, _t: f64, x: &[f64], out: &mut [f64]) {
        out.copy_from_slice(&[2.0 * x[0], 0.0]);
    }
}

#[test]
fn both_reversals_have_all_their_terms() {
    let (x, t, score) = ([3.0, -1.0], 0.5, [0.2, 0.7]);
    let mut sde = score;
    sde_drift(&Curved, t, &x, &mut sde, &mut [0.0; 2]);
    let mut ode = score;
    ode_drift(&Curved, t, &x, &mut ode, &mut [0.0; 2]);
    for (found, exact) in sde.iter().zip([-6.5 + 6.0 + 9.0 * 0.2, 1.5 + 9.0 * 0.7]) {
        assert!((found - exact).abs() < 1e-14);
    }
    for (found, exact) in ode.iter().zip([-6.5 + 3.0 + 4.5 * 0.2, 1.5 + 4.5 * 0.7]) {
        assert!((found - exact).abs() < 1e-14);
    }
}
