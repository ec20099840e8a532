//! Annealed Langevin dynamics.

use super::super::linear::{LinearScheme, Row, Stage};
use crate::error::{Result, at_least, positive};
use crate::schedule::{Grid, Level};

/// Annealed Langevin dynamics (Song and Ermon 2019, Algorithm 1): at every noisy level of `grid` in turn `moves` >= 1
/// moves y += ½ ε_i s + √ε_i z with the score s of that level and ε_i = `step` r_i²/r_L², r_L the lowest noisy level;
/// `step` > 0 in the units of y². One evaluation a move.
///
/// y = x/α, so that the levels of any schedule will do; with α = 1 it is x. The end is at the lowest noisy level:
/// [`LinearScheme::final_denoise`] leads from there to the data. A move contracts D by step/(2 r_L²), which ought to
/// be well below 1: the law that the moves leave invariant is only then close to that of the level.
///
/// # Errors
/// If there is no move, or `step` is not positive and finite.
pub fn annealed_langevin(grid: &Grid, step: f64, moves: usize) -> Result<LinearScheme> {
    positive("step", step)?;
    at_least("moves", 1, moves)?;
    let noisy: Vec<Level> = grid.levels().iter().copied().filter(|level| level.sigma > 0.0).collect();
    let rate = step / noisy[noisy.len() - 1].ratio().powi(2);
    let mut stages = Vec::with_capacity(moves * noisy.len());
    for (index, level) in noisy.iter().enumerate() {
        for k in 1..=moves {
            // The last move at a level hands y over in the units of the next.
            let alpha = noisy.get(index + usize::from(k == moves)).unwrap_or(level).alpha;
            let reached = Level { alpha, sigma: level.ratio() * alpha, ..*level };
            let next = Row {
                x: (1.0 - 0.5 * rate) * alpha / level.alpha,
                denoised: [0.5 * rate * alpha, 0.0, 0.0],
                noise: rate.sqrt() * reached.sigma,
                ..Row::default()
            };
            stages.push(Stage::simple(index, *level, next, reached));
        }
    }
    LinearScheme::new(*grid.start(), stages)
}
