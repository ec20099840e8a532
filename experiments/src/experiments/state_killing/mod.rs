//! `state-killing`: reversal of diffusions that are killed at a rate that depends on the place, and are not self-dual.

mod figures;
mod line;
mod plane;
mod trial;

use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};

use crate::experiment::{Context, Experiment};
use crate::outcome::Outcome;

/// Significance of every test of fit: of the few dozen, all hold in 99.7 of 100 runs of a right program.
const SIGNIFICANCE: f64 = 1e-4;
/// The coarsest step of the refinement in steps of the run itself; the others are its halves.
const COARSEST: f64 = 16.0;
/// The error of the step, extrapolated from the coarsest, as a share of the critical value.
const LARGEST_BIAS: f64 = 0.5;

/// Killing that depends on the state.
pub(super) struct StateKilling;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    /// Particles of every run forward and backward.
    particles: usize,
    /// Particles of the runs with longer steps.
    refined_particles: usize,
    /// Particles of the runs with a wrong drift.
    wrong_particles: usize,
    /// Length of a step, forward and backward.
    dt: f64,
    /// Angular velocity ω of the rotation in the plane.
    omega: f64,
    /// Contraction θ in the plane.
    theta: f64,
    /// Cells of the grid on which u is computed on the line.
    cells: usize,
}

impl Experiment for StateKilling {
    type Settings = Settings;

    fn name(&self) -> &'static str {
        "state-killing"
    }

    fn summary(&self) -> &'static str {
        "killing at a rate r(x), drift that is no gradient, noise that depends on x: R1 leads back to the data, self-dual or not"
    }

    fn seconds(&self) -> u32 {
        90
    }

    fn full(&self) -> Settings {
        Settings {
            particles: 50_000,
            refined_particles: 10_000,
            wrong_particles: 2_000,
            dt: 0.005,
            omega: 1.0,
            theta: 0.2,
            cells: 8_000,
        }
    }

    fn quick(&self) -> Settings {
        Settings {
            particles: 2_000,
            refined_particles: 1_000,
            wrong_particles: 500,
            dt: 0.01,
            cells: 2_000,
            ..self.full()
        }
    }

    fn run(&self, settings: &Settings, context: &Context) -> Result<Outcome> {
        for (name, n) in [
            ("particles", settings.particles),
            ("refined_particles", settings.refined_particles),
            ("wrong_particles", settings.wrong_particles),
        ] {
            ensure!(n >= 100, "setting `{name}` must be at least 100");
        }
        ensure!(settings.dt > 0.0, "setting `dt` must be positive");
        ensure!(
            settings.theta > 0.0,
            "setting `theta` must be positive: without contraction there is no stationary law"
        );
        let progress = context.progress(2, self.name());
        let mut outcome = plane::plane(settings, context)?;
        progress.inc(1);
        let line = line::line(settings, context)?;
        progress.inc(1);
        outcome.checks.extend(line.checks);
        outcome.tables.extend(line.tables);
        outcome.figures.extend(line.figures);
        outcome.notes.push(
            "In the plane u is a quadrature over Gaussians, exact moments at every node; on the line it solves a system of three \
             diagonals. The backward starts are places of death of a simulation of its own."
                .into(),
        );
        Ok(outcome)
    }
}
