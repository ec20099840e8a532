//! Convergence orders against a declared table.

mod flow;
mod killed;
mod strong;
mod weak;

use resolvent::core::horizon::{
    Churn, Multistep, UniPc, ddim, dpm_solver_pp_2m, dpm_solver_pp_2s, heun, unipc,
};
use resolvent::core::integrate::{EulerMaruyama, Heun, RungeKutta4, Sra1};

/// What the order is that of.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    /// The mean distance from the solution on the same Brownian path.
    Strong,
    /// The error of a mean.
    Weak,
    /// The error at the end of a flow.
    Global,
}

use Kind::{Global, Strong, Weak};

/// A scheme on a problem, the order declared, and how to measure the errors.
struct Declared {
    name: &'static str,
    kind: Kind,
    order: f64,
    measure: fn() -> Vec<Measured>,
}

/// The error at one step size, and what is not known of it.
#[derive(Debug, Clone, Copy)]
struct Measured {
    step: f64,
    error: f64,
    noise: f64,
}

/// How far a measured slope may be off, and the least number of step sizes.
const TOLERANCE: f64 = 0.15;
const SIZES: usize = 5;

const fn declare(name: &'static str, kind: Kind, order: f64, measure: fn() -> Vec<Measured>) -> Declared {
    Declared { name, kind, order, measure }
}

const TABLE: &[Declared] = &[
    declare("Euler-Maruyama, multiplicative noise", Strong, 0.5, || strong::geometric(&EulerMaruyama, 1)),
    declare("Euler-Maruyama, additive noise", Strong, 1.0, || strong::additive(&EulerMaruyama)),
    declare("Milstein, scalar noise", Strong, 1.0, || strong::milstein(1)),
    declare("Milstein, diagonal noise", Strong, 1.0, || strong::milstein(2)),
    declare("Heun, multiplicative noise", Strong, 0.5, || strong::geometric(&Heun, 1)),
    declare("Heun, additive noise", Strong, 1.0, || strong::additive(&Heun)),
    declare("SRA1, additive noise", Strong, 1.5, || strong::additive(&Sra1)),
    declare("Euler-Maruyama, multiplicative noise", Weak, 1.0, || weak::multiplicative(&EulerMaruyama)),
    declare("Milstein, multiplicative noise", Weak, 1.0, weak::milstein),
    declare("Heun, multiplicative noise", Weak, 1.0, || weak::multiplicative(&Heun)),
    declare("Euler-Maruyama, additive noise", Weak, 1.0, || weak::additive(&EulerMaruyama)),
    declare("Heun, additive noise", Weak, 2.0, || weak::additive(&Heun)),
    declare("Euler-Maruyama towards one atom, killed", Weak, 1.0, killed::euler_maruyama),
    declare("Euler-Maruyama without noise", Global, 1.0, || flow::integrator(&EulerMaruyama)),
    declare("Heun without noise", Global, 2.0, || flow::integrator(&Heun)),
    declare("SRA1 without noise", Global, 2.0, || flow::integrator(&Sra1)),
    declare("Runge-Kutta 4", Global, 4.0, || flow::integrator(&RungeKutta4)),
    declare("DDIM", Global, 1.0, || flow::scheme(|_, grid| ddim(grid, 0.0))),
    declare("EDM Heun", Global, 2.0, || flow::scheme(|_, grid| heun(grid, Churn::NONE))),
    declare("DPM-Solver++(2M)", Global, 2.0, || {
        flow::scheme(|_, grid| dpm_solver_pp_2m(grid, Multistep::default()))
    }),
    declare("DPM-Solver++(2S)", Global, 2.0, || flow::scheme(dpm_solver_pp_2s)),
    declare("UniPC of order 2", Global, 2.0, || flow::scheme(|_, grid| unipc(grid, UniPc::default()))),
];

#[test]
fn strong_orders() {
    check(Strong);
}

#[test]
fn weak_orders() {
    check(Weak);
}

#[test]
fn global_orders() {
    check(Global);
}

fn check(kind: Kind) {
    let mut wrong = Vec::new();
    for Declared { name, order, measure, .. } in TABLE.iter().filter(|row| row.kind == kind) {
        let measured = measure();
        assert!(measured.len() >= SIZES, "{name}: {} step sizes", measured.len());
        let slope = slope(&measured);
        println!("{kind:?} {name}: {slope:.3}, declared {order}");
        for Measured { step, error, noise } in measured {
            println!("    step {step:.3e}: {error:.3e} +- {noise:.1e}");
        }
        if slope.is_nan() || (slope - order).abs() >= TOLERANCE {
            wrong.push(format!("{name}: {slope:.3}, declared {order}"));
        }
    }
    assert!(wrong.is_empty(), "{kind:?}: {wrong:?}");
}

/// Least squares of log error on log step, weighted by what the noise leaves known of the logarithm.
fn slope(measured: &[Measured]) -> f64 {
    let (mut weight, mut sx, mut sy, mut sxx, mut sxy) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for Measured { step, error, noise } in measured {
        let (w, x, y) = ((error / noise).powi(2), step.ln(), error.ln());
        weight += w;
        sx += w * x;
        sy += w * y;
        sxx += w * x * x;
        sxy += w * x * y;
    }
    (weight * sxy - sx * sy) / (weight * sxx - sx * sx)
}
