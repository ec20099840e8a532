//! DDIM.

use super::super::linear::{LinearScheme, Row};
use super::interval::Interval;
use crate::error::{Error, Result};
use crate::schedule::Grid;

/// DDIM (Song, Meng and Ermon 2021, eq. 12 and 16): x' = α' D + √(σ'² - v²) ε̂ + v ε with v² = η² (σ'/σ)² (σ² -
/// (α/α')² σ'²), η² times the variance of x' given x and x_0. η = 0 is the probability flow, exact for a D that does
/// not change; η = 1 the ancestral step of DDPM. One evaluation a step.
///
/// # Errors
/// If `eta` lies outside [0, 1].
pub fn ddim(grid: &Grid, eta: f64) -> Result<LinearScheme> {
    if !(0.0..=1.0).contains(&eta) {
        return Err(Error::Outside { name: "eta", low: 0.0, high: 1.0, value: eta });
    }
    let stage = |interval: Interval| {
        let Interval { to, .. } = interval;
        let noise = eta * interval.decay() * interval.transition_variance().sqrt();
        // v <= σ', with equality for η = 1 and r' << r, where rounding may overshoot.
        let predicted_noise = ((to.sigma - noise) * (to.sigma + noise)).max(0.0).sqrt();
        interval.stage(Row { denoised: [to.alpha, 0.0, 0.0], predicted_noise, noise, ..Row::default() })
    };
    LinearScheme::new(*grid.start(), Interval::all(grid).map(stage).collect())
}
