//! DPM-Solver++ without memory.

use super::super::linear::{LinearScheme, Row, Stage};
use super::interval::Interval;
use crate::error::Result;
use crate::schedule::{Grid, Schedule};

/// DPM-Solver++(2S) (Lu et al. 2022b, Algorithm 1 with r = 1/2) for the probability flow: every step goes by first
/// order to the level half-way in λ, and then all the way from its start with the D found there: x' = (σ'/σ) x + α'
/// (1 - e^{-h}) D''. A step to the clean level is of first order. Two evaluations a step, one in a step to the clean
/// level.
///
/// # Errors
/// If `schedule` has no level between two levels of `grid`.
pub fn dpm_solver_pp_2s(schedule: &(impl Schedule + ?Sized), grid: &Grid) -> Result<LinearScheme> {
    let mut stages = Vec::new();
    for interval in Interval::all(grid) {
        let Interval { step, from, to } = interval;
        if to.sigma == 0.0 {
            stages.push(interval.stage(interval.first_order()));
            continue;
        }
        let middle = schedule.level(schedule.time_of_ratio((from.ratio() * to.ratio()).sqrt()));
        // A grid refuses a level that is not between the two.
        Grid::new(vec![from, middle, to])?;
        let [first, second] = pair(Interval { to: middle, ..interval }, Interval { step, from: middle, to });
        stages.extend([Stage { reached: None, ..first }, second]);
    }
    LinearScheme::new(*grid.start(), stages)
}

/// DPM-Solver++(2S) with levels of `grid` itself in the middle (the singlestep solver of the field's software): steps
/// go in pairs, the first by first order, the second over the whole pair: from the first level, with D_1 = (D'' -
/// D)/r and r the place in λ of the middle level, x' = (σ'/σ) x + α' (1 - e^{-h}) (D + ½ D_1). A step left over is of
/// first order, and so are the last two steps of an even number if `lower_order_final` is set or the grid ends clean.
/// One evaluation a step.
///
/// # Errors
/// If a coefficient is not finite, for levels at the limits of `f64`.
pub fn dpm_solver_pp_2s_on_grid(grid: &Grid, lower_order_final: bool) -> Result<LinearScheme> {
    let steps: Vec<Interval> = Interval::all(grid).collect();
    let clean = steps[steps.len() - 1].to.sigma == 0.0;
    let paired = steps.len() - usize::from(lower_order_final || clean);
    let mut stages = Vec::with_capacity(steps.len());
    for chunk in steps.chunks(2) {
        match *chunk {
            [first, second] if second.step < paired => stages.extend(pair(first, second)),
            _ => stages.extend(chunk.iter().map(|interval| interval.stage(interval.first_order()))),
        }
    }
    LinearScheme::new(*grid.start(), stages)
}

/// Two steps: `first` by first order, then both at once from the start of `first`.
fn pair(first: Interval, second: Interval) -> [Stage; 2] {
    let whole = Interval { to: second.to, ..first };
    let change = 0.5 * whole.gain() / first.gain();
    let Row { x, denoised: [weight, ..], .. } = whole.first_order();
    let denoised = [weight * change, weight * (1.0 - change), 0.0];
    let next = Row { anchor: x, denoised, ..Row::default() };
    let hold = Row { x: 1.0, ..Row::default() };
    [Stage { anchor: Some(hold), ..first.stage(first.first_order()) }, second.stage(next)]
}
