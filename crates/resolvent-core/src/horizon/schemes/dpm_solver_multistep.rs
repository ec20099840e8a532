//! DPM-Solver++ with memory.

use super::super::linear::{LinearScheme, Row};
use super::interval::{Interval, phi};
use crate::error::Result;
use crate::schedule::Grid;

/// How a step of second order uses the change of D.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SecondOrder {
    /// D in the middle of the step (Lu et al. 2022b, Algorithm 2).
    #[default]
    Midpoint,
    /// D linear in λ over the step (the "heun" type of the field's software).
    Heun,
}

/// Choices of a multistep solver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Multistep {
    /// The second order.
    pub second_order: SecondOrder,
    /// Is the last step of a grid of fewer than 15 steps of first order? It steadies short runs (Lu et al. 2022b). A
    /// step to the clean level always is.
    pub lower_order_final: bool,
}

impl Default for Multistep {
    /// The midpoint, with a last step of first order on short grids.
    fn default() -> Self {
        Self { second_order: SecondOrder::Midpoint, lower_order_final: true }
    }
}

/// DPM-Solver++(2M) (Lu et al. 2022b, Algorithm 2) for the probability flow: x' = (σ'/σ) x + α' (1 - e^{-h}) (D + ½
/// D_1) with D_1 = (D - D_-)/ρ, ρ = h_-/h, h = λ' - λ, and a minus sign for the step before. The first step is of
/// first order. One evaluation a step.
///
/// # Errors
/// If a coefficient is not finite, for levels at the limits of `f64`.
pub fn dpm_solver_pp_2m(grid: &Grid, options: Multistep) -> Result<LinearScheme> {
    multistep(grid, options, false)
}

/// SDE-DPM-Solver++(2M) (Lu et al. 2022b, the section on diffusion SDEs) for the reverse SDE:
/// x' = (σ'/σ) e^{-h} x + α' (1 - e^{-2h}) (D + ½ D_1) + σ' √(1 - e^{-2h}) ε. One evaluation a step.
///
/// # Errors
/// If a coefficient is not finite, for levels at the limits of `f64`.
pub fn sde_dpm_solver_pp_2m(grid: &Grid, options: Multistep) -> Result<LinearScheme> {
    multistep(grid, options, true)
}

/// Both are x' = (σ'/σ) e^{-(κ-1)h} x + α' ∫_0^h κ e^{-κ(h-s)} D(λ + s) ds + noise, the SDE with κ = 2, the flow with
/// κ = 1, and D(λ + s) = D + (s/h) D_1.
fn multistep(grid: &Grid, options: Multistep, stochastic: bool) -> Result<LinearScheme> {
    let kappa = if stochastic { 2.0 } else { 1.0 };
    let short = options.lower_order_final && grid.steps() < 15;
    let mut before: Option<f64> = None;
    let stages = Interval::all(grid).map(|interval| {
        let Interval { step, to, .. } = interval;
        let h = interval.gain();
        let weight = -(-kappa * h).exp_m1();
        let x = interval.decay() * if stochastic { f64::exp(-h) } else { 1.0 };
        let noise = if stochastic { to.sigma * (-(-2.0 * h).exp_m1()).sqrt() } else { 0.0 };
        let last = step + 1 == grid.steps();
        let mut denoised = [to.alpha * weight, 0.0, 0.0];
        if let Some(h_before) = before
            && !(last && (short || to.sigma == 0.0))
        {
            let change = match options.second_order {
                SecondOrder::Midpoint => 0.5 * weight,
                SecondOrder::Heun => kappa * h * phi(-kappa * h)[1],
            };
            let share = to.alpha * change * h / h_before;
            denoised = [denoised[0] + share, -share, 0.0];
        }
        before = Some(h);
        interval.stage(Row { x, denoised, noise, ..Row::default() })
    });
    LinearScheme::new(*grid.start(), stages.collect())
}
