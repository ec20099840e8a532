//! Euler's method for the probability flow in the noise level, plain, ancestral and with churn.

use super::super::linear::{LinearScheme, Stage};
use super::ddim;
use super::interval::Interval;
use crate::error::{Error, Result, nonnegative};
use crate::schedule::{Grid, Level};

/// Euler's method for dy/dr = (y - D)/r, the probability flow of y = x/α in the noise level r = σ/α (Karras et al.
/// 2022, eq. 1 and 3): y' = y + (r' - r)(y - D)/r. This is [`ddim`] with η = 0. One evaluation a step.
///
/// # Errors
/// If a coefficient is not finite, for levels at the limits of `f64`.
pub fn euler(grid: &Grid) -> Result<LinearScheme> {
    ddim(grid, 0.0)
}

/// Euler's method down to a lower level than the next, and noise up to it: y' = y + (u - r)(y - D)/r + √(r'² - u²) ε
/// with r'² - u² = η² r'² (r² - r'²)/r² (the "Euler ancestral" sampler of the field's software). This is [`ddim`]
/// with η, and at η = 1 [`ddpm`](super::ddpm) with the small variance. One evaluation a step.
///
/// # Errors
/// If `eta` lies outside [0, 1].
pub fn euler_ancestral(grid: &Grid, eta: f64) -> Result<LinearScheme> {
    ddim(grid, eta)
}

/// As [`euler`], raising the noise level before the step by fresh noise: [`heun`](super::heun) without its
/// correction.
///
/// # Errors
/// If a parameter of `churn` is out of its range.
pub fn euler_churned(grid: &Grid, churn: Churn) -> Result<LinearScheme> {
    churn.check()?;
    let stage = |interval: Interval| {
        let (raised, perturbation) = churn.raise(&interval.from, grid.steps());
        let next = Interval { from: raised, ..interval }.first_order();
        Stage { perturbation, ..Stage::simple(interval.step, raised, next, interval.to) }
    };
    LinearScheme::new(*grid.start(), Interval::all(grid).map(stage).collect())
}

/// How much noise is added before a step (Karras et al. 2022, Algorithm 2): levels r in [`s_min`, `s_max`] are raised
/// to (1 + γ) r with γ = min(`s_churn`/n, √2 - 1) for n steps.
///
/// α stays as it is when the noise is raised. The time of a raised level is (1 + γ) t, right for σ(t) = t; a denoiser
/// that reads α and σ does not see it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Churn {
    /// Total amount >= 0.
    pub s_churn: f64,
    /// The smallest level to be raised, >= 0.
    pub s_min: f64,
    /// The largest level to be raised, >= `s_min`; may be infinite.
    pub s_max: f64,
    /// Factor >= 0 of the noise added; 1 is exact.
    pub s_noise: f64,
}

impl Churn {
    /// No churn: the deterministic sampler.
    pub const NONE: Self = Self { s_churn: 0.0, s_min: 0.0, s_max: f64::INFINITY, s_noise: 1.0 };

    /// Churn of amount `s_churn` at all levels.
    pub fn everywhere(s_churn: f64) -> Self {
        Self { s_churn, ..Self::NONE }
    }

    /// Are the parameters in range?
    pub(super) fn check(&self) -> Result<()> {
        nonnegative("s_churn", self.s_churn)?;
        nonnegative("s_min", self.s_min)?;
        nonnegative("s_noise", self.s_noise)?;
        let (low, high) = (self.s_min, f64::INFINITY);
        if (low..=high).contains(&self.s_max) {
            Ok(())
        } else {
            Err(Error::Outside { name: "s_max", low, high, value: self.s_max })
        }
    }

    /// The raised level, and the standard deviation of the noise that leads there from `level`.
    pub(super) fn raise(&self, level: &Level, steps: usize) -> (Level, f64) {
        let within = (self.s_min..=self.s_max).contains(&level.ratio());
        let factor = (self.s_churn / steps as f64).min(std::f64::consts::SQRT_2 - 1.0);
        let gamma = if within { factor } else { 0.0 };
        let raised = Level { time: level.time * (1.0 + gamma), sigma: level.sigma * (1.0 + gamma), ..*level };
        (raised, self.s_noise * level.sigma * (gamma * (2.0 + gamma)).sqrt())
    }
}
