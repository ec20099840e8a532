//! The reverse diffusion sampler.

use super::super::linear::{LinearScheme, Row};
use super::interval::Interval;
use crate::error::Result;
use crate::schedule::Grid;

/// The reverse SDE discretised as the forward one is (Song et al. 2021, appendix E, eq. 46): for a forward step x = a
/// x' + √q ε, a = α/α', q = σ² - a² σ'², back by x' = (2 - a) x + q s + √q ε with the score s = (α D - x)/σ². A last
/// step to the clean level adds no noise. One evaluation a step.
///
/// Under a variance exploding schedule a = 1 and q = σ² - σ'² (their Algorithm 2), the same as [`ddpm`](super::ddpm)
/// with the large variance; under a variance preserving one a = √(1 - β), q = β (their Algorithm 3).
///
/// # Errors
/// If a coefficient is not finite, for levels at the limits of `f64`.
pub fn reverse_diffusion(grid: &Grid) -> Result<LinearScheme> {
    let stage = |interval: Interval| {
        let Interval { from, to, .. } = interval;
        let forward = interval.transition_variance();
        let pull = forward / from.sigma.powi(2);
        let noise = if to.sigma == 0.0 { 0.0 } else { forward.sqrt() };
        let x = 2.0 - interval.shrink() - pull;
        interval.stage(Row { x, denoised: [pull * from.alpha, 0.0, 0.0], noise, ..Row::default() })
    };
    LinearScheme::new(*grid.start(), Interval::all(grid).map(stage).collect())
}
