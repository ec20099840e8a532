//! Euler-Maruyama for the reverse SDE.

use super::super::linear::{LinearScheme, Row};
use super::interval::Interval;
use crate::error::{Error, Result};
use crate::schedule::{Grid, Rates, Schedule};

/// Euler-Maruyama for the reverse SDE (R1) of dX = f X dt + g dW through the times of `grid` (Song et al. 2021, eq.
/// 6): x' = x + (-f x + g² s)(t - t') + g √(t - t') ε, f and g at t, with the score s = (α D - x)/σ². The last step
/// adds noise too. One evaluation a step.
///
/// It is [`Simulation`](super::super::Simulation) of the [`ReverseSde`](crate::reversal::ReverseSde) by
/// [`EulerMaruyama`](crate::integrate::EulerMaruyama) as a table.
///
/// # Errors
/// If the times of `grid` do not descend, or a step starts outside the horizon of `schedule`.
pub fn euler_maruyama(schedule: &(impl Schedule + ?Sized), grid: &Grid) -> Result<LinearScheme> {
    let horizon = schedule.horizon();
    let stages = Interval::all(grid).map(|interval| {
        let Interval { step, from, to } = interval;
        if !(0.0..=horizon).contains(&from.time) {
            return Err(Error::OutsideHorizon { value: from.time, start: 0.0, end: horizon });
        }
        let dt = from.time - to.time;
        if dt.is_nan() || dt <= 0.0 {
            return Err(Error::Ascending { name: "times", index: step + 1, value: to.time });
        }
        let Rates { drift, noise } = schedule.rates(from.time);
        let pull = noise * dt / from.sigma.powi(2);
        let denoised = [pull * from.alpha, 0.0, 0.0];
        let row = Row { x: 1.0 - drift * dt - pull, denoised, noise: (noise * dt).sqrt(), ..Row::default() };
        Ok(interval.stage(row))
    });
    LinearScheme::new(*grid.start(), stages.collect::<Result<_>>()?)
}
