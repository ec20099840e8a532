//! Heun's method of EDM.

use super::super::linear::{LinearScheme, Row, Stage};
use super::Churn;
use super::interval::Interval;
use crate::error::Result;
use crate::schedule::Grid;

/// Heun's method for dy/dr = (y - D)/r, y = x/α, r = σ/α, after `churn` (Karras et al. 2022, Algorithms 1 and 2): the
/// step of [`euler`](super::euler), then once more with the mean of the slopes at both ends. A last step to the clean
/// level is Euler's. Second order in the largest step in r without churn; two evaluations a step, one in a step to
/// the clean level.
///
/// # Errors
/// If a parameter of `churn` is out of its range.
pub fn heun(grid: &Grid, churn: Churn) -> Result<LinearScheme> {
    churn.check()?;
    let stages = Interval::all(grid).flat_map(|interval| {
        let (raised, perturbation) = churn.raise(&interval.from, grid.steps());
        let interval = Interval { from: raised, ..interval };
        let Interval { step, from, to } = interval;
        let euler = Stage { perturbation, ..interval.stage(interval.first_order()) };
        if to.sigma == 0.0 {
            return vec![euler];
        }
        // y' = y + ½ (r' - r) ((y - D)/r + (y'' - D'')/r'), y'' the point that Euler's step leads to.
        let half = -0.5 * interval.drop();
        let (first, second) = (half / from.ratio(), half / to.ratio());
        let anchor = (1.0 + first) / interval.shrink();
        let denoised = [-second * to.alpha, -first * to.alpha, 0.0];
        let next = Row { x: second, anchor, denoised, ..Row::default() };
        let hold = Row { x: 1.0, ..Row::default() };
        vec![Stage { anchor: Some(hold), reached: None, ..euler }, Stage::simple(step, to, next, to)]
    });
    LinearScheme::new(*grid.start(), stages.collect())
}
