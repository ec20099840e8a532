//! `space-dependent`: reversal where σ depends on x.

mod line;
mod plane;
mod slip;

use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};

use crate::experiment::{Context, Experiment};
use crate::outcome::Outcome;

/// Probability that a right program fails any of the [`TESTS`] of fit of the experiment (Bonferroni).
const SIGNIFICANCE: f64 = 1e-3;
/// Tests of fit on the line and in the plane.
const TESTS: usize = line::TESTS + plane::TESTS;
/// Largest discretisation error, found by halving the step, as a share of the critical value to which it is added: a
/// scheme that does not converge must not widen its own bound.
const LARGEST_ALLOWANCE: f64 = 0.5;

/// Reversal with and without the div Σ term.
pub(super) struct SpaceDependent;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    /// Particles on the line.
    particles: usize,
    /// Steps on the line.
    steps: usize,
    /// Horizon T on the line.
    horizon: f64,
    /// Rate of return θ of Y = asinh X.
    theta: f64,
    /// Noise σ of Y.
    sigma: f64,
    /// Mean of Y_0.
    mean: f64,
    /// Standard deviation of Y_0.
    deviation: f64,
    /// Particles in the plane.
    plane_particles: usize,
    /// Steps to a lag in the plane.
    lag_steps: usize,
    /// Length of a lag in the plane.
    lag: f64,
    /// Horizon in the plane, in lags: long enough for a wrong law to settle.
    lags: usize,
    /// Angular velocity ω of the rotation in the plane.
    omega: f64,
    /// κ, by which the noise along the radius grows outward.
    kappa: f64,
}

impl Experiment for SpaceDependent {
    type Settings = Settings;

    fn name(&self) -> &'static str {
        "space-dependent"
    }

    fn summary(&self) -> &'static str {
        "σ depends on x: reversal with and without div Σ, on the line in transit and in the plane with a rotation"
    }

    fn seconds(&self) -> u32 {
        45
    }

    fn full(&self) -> Settings {
        Settings {
            particles: 50_000,
            steps: 500,
            horizon: 1.0,
            theta: 1.0,
            sigma: 0.8,
            mean: 0.7,
            deviation: 0.5,
            plane_particles: 10_000,
            lag_steps: 80,
            lag: 0.25,
            lags: 32,
            omega: 1.0,
            kappa: 2.0,
        }
    }

    fn quick(&self) -> Settings {
        Settings { particles: 2_000, steps: 150, plane_particles: 500, lag_steps: 40, ..self.full() }
    }

    fn run(&self, settings: &Settings, context: &Context) -> Result<Outcome> {
        for (name, n) in [("particles", settings.particles), ("plane_particles", settings.plane_particles)] {
            ensure!(n >= 100, "setting `{name}` must be at least 100");
        }
        for (name, x) in [("sigma", settings.sigma), ("deviation", settings.deviation), ("lag", settings.lag)]
        {
            ensure!(x > 0.0, "setting `{name}` must be positive");
        }
        ensure!(settings.steps >= line::TIMES, "setting `steps` must be at least {}", line::TIMES);
        ensure!(settings.kappa >= 0.0, "setting `kappa` must not be negative");
        ensure!(settings.lags > plane::LAGS, "setting `lags` must be more than {}", plane::LAGS);
        let progress = context.progress(2, self.name());
        let mut outcome = line::line(settings, context)?;
        progress.inc(1);
        let plane = plane::plane(settings, context)?;
        progress.inc(1);
        outcome.checks.extend(plane.checks);
        outcome.tables.extend(plane.tables);
        outcome.figures.extend(plane.figures);
        outcome.notes.push(
            "The process in the plane starts in its stationary law, so its reversal has the same law at all times: what tells \
             the two apart is the sense of rotation. Without div Σ the rotation is right and the law is not."
                .into(),
        );
        Ok(outcome)
    }
}
