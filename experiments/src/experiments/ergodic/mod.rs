//! `ergodic`: the killed Ornstein-Uhlenbeck process, its kernel, its reversal and its start.

mod figures;
mod kernel;
mod process;
mod runs;
mod start;

use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};

use self::process::Problem;
use self::runs::Runs;
use crate::experiment::{Context, Experiment};
use crate::outcome::{Check, Outcome};

/// Significance of a whole family of tests of fit.
const SIGNIFICANCE: f64 = 1e-3;

/// An ergodic diffusion killed at a small rate dies in its stationary law, and runs back from there.
pub(crate) struct Ergodic;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// Dimensions d, 2 or more: in dimension 1 points are not polar.
    dims: Vec<usize>,
    /// Weights of the atoms, which are drawn from the stationary law.
    weights: Vec<f64>,
    /// Killing rate r of the runs, θ = 1 and σ² = 2.
    rate: f64,
    /// Particles of the exact runs.
    particles: usize,
    /// Particles of the runs of Euler-Maruyama.
    euler_particles: usize,
    /// Step sizes η of Euler-Maruyama, descending; the last is held to its declared accuracy.
    eta: Vec<f64>,
    /// Where those runs stop, in units of the smallest gap between atoms.
    delta: f64,
    /// Killing rates of the start law's way to the stationary law, descending by tens.
    rates: Vec<f64>,
    /// Draws from the stationary law that measure it.
    draws: usize,
    /// Cells of the coarsest grid that the kernel in dimension 1 is compared on; the others have twice and four times as many.
    cells: usize,
}

impl Experiment for Ergodic {
    type Settings = Settings;

    fn name(&self) -> &'static str {
        "ergodic"
    }

    fn summary(&self) -> &'static str {
        "the killed Ornstein-Uhlenbeck process: kernel, reversal from weighted atoms, and the start as r -> 0"
    }

    fn seconds(&self) -> u32 {
        60
    }

    fn full(&self) -> Settings {
        Settings {
            dims: vec![2, 3, 10],
            weights: vec![1.0, 2.0, 1.0, 0.5, 1.5],
            rate: 0.5,
            particles: 50_000,
            euler_particles: 2_000,
            eta: vec![0.2, 0.1, 0.05],
            delta: 0.05,
            rates: vec![10.0, 1.0, 0.1, 0.01, 1e-3],
            draws: 20_000,
            cells: 1_000,
        }
    }

    fn quick(&self) -> Settings {
        Settings {
            particles: 2_000,
            euler_particles: 200,
            eta: vec![0.2, 0.1],
            draws: 500,
            cells: 500,
            ..self.full()
        }
    }

    fn run(&self, settings: &Settings, context: &Context) -> Result<Outcome> {
        ensure!(settings.dims.iter().all(|&d| d > 1), "dims = {:?}: all must be above 1", settings.dims);
        ensure!(!settings.eta.is_empty() && !settings.dims.is_empty(), "dims and eta must not be empty");
        ensure!(settings.rates.len() > 1, "rates = {:?}: two at least", settings.rates);
        let work = settings.dims.len() * (settings.eta.len() + settings.rates.len() + 2);
        let progress = context.progress(work as u64, "ergodic");
        let kernel = kernel::compare(settings, context)?;
        let mut outcome = Outcome { checks: kernel.checks, tables: vec![kernel.table], ..Outcome::default() };
        let (mut runs, mut starts) = (Vec::new(), Vec::new());
        for &dim in &settings.dims {
            let problem = Problem::new(dim, settings, context.seed)?;
            runs.push(Runs::of(&problem, settings, context, &progress)?);
            starts.push(start::measure(&problem, settings, context, &progress)?);
        }
        runs::checks(&runs, settings, &mut outcome.checks)?;
        start::checks(&starts, settings, &mut outcome.checks);
        outcome.tables.extend([runs::exact_table(&runs, settings), runs::euler_table(&runs, settings)]);
        outcome.tables.push(start::table(&starts, settings));
        outcome.figures = figures::all(&runs, &starts, settings, context)?;
        outcome.notes = vec![
            "The exact run needs no time step: from where the process died it draws the end point by R10 and the lifetime \
             between the two places from the integrand of the kernel (R6)."
                .into(),
            "Euler-Maruyama stops within δ of an atom. In low dimension it does not die there for sure: the chance to end \
             elsewhere is of the order of δ^(d-2), and falls like 1/log(1/δ) in d = 2, so `nearest atom` is biased \
             towards light atoms however fine the steps. Completed by one posterior draw of end point and lifetime from \
             where it stopped, its law is right at any δ, and what is left is the error of the step."
                .into(),
        ];
        Ok(outcome)
    }
}

/// The claim that a family of tests fits: its smallest p-value, against the significance shared among them.
fn fits(name: &str, p_values: &[f64], source: &str) -> Check {
    let smallest = p_values.iter().copied().fold(1.0, f64::min);
    let source = format!("{source}; the smallest of {} p-values, corrected for their number", p_values.len());
    Check::at_least(name, smallest, SIGNIFICANCE / p_values.len() as f64, source)
}
