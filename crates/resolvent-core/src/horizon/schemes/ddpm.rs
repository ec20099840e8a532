//! Ancestral sampling.

use super::super::linear::{LinearScheme, Row};
use super::interval::Interval;
use crate::error::Result;
use crate::schedule::Grid;

/// The variance of an ancestral step; q = σ² - (α/α')² σ'² is that of the forward step (DDPM's β).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Variance {
    /// q σ'²/σ², that of x' given x and x_0 (DDPM's β̃): right for data that are one point.
    #[default]
    Small,
    /// q: right, under a variance preserving schedule, for standard normal data.
    Large,
}

/// Ancestral sampling (Ho, Jain and Abbeel 2020, eq. 6-7 and Algorithm 2): x' = α' (q/σ²) D + (α/α') (σ'²/σ²) x + √v
/// ε, the mean of x' given x and x_0 = D, with q = σ² - (α/α')² σ'² and v by `variance`. A last step to the clean
/// level adds no noise. One evaluation a step.
///
/// With x + q s = (α/α') times that mean, [`Variance::Large`] is ancestral sampling for a variance preserving
/// schedule in Song et al. 2021 (eq. 4), and [`Variance::Small`] that for a variance exploding one (eq. 47, SMLD).
///
/// # Errors
/// If a coefficient is not finite, for levels at the limits of `f64`.
pub fn ddpm(grid: &Grid, variance: Variance) -> Result<LinearScheme> {
    let stage = |interval: Interval| {
        let Interval { from, to, .. } = interval;
        let forward = interval.transition_variance();
        let noise = match variance {
            _ if to.sigma == 0.0 => 0.0,
            Variance::Small => interval.decay() * forward.sqrt(),
            Variance::Large => forward.sqrt(),
        };
        let denoised = [to.alpha * forward / from.sigma.powi(2), 0.0, 0.0];
        interval.stage(Row {
            x: interval.shrink() * interval.decay().powi(2),
            denoised,
            noise,
            ..Row::default()
        })
    };
    LinearScheme::new(*grid.start(), Interval::all(grid).map(stage).collect())
}
