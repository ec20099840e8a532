//! `flux`: the deterministic counterpart of the backward process carries the law of the dead back to the data.

mod density;
mod figures;
mod lines;
mod problem;
mod runs;

use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};

use self::density::Density;
use self::problem::Problem;
use self::runs::{Judged, Scheme};
use crate::experiment::{Context, Experiment};
use crate::outcome::{Check, Outcome, Table, cells};

/// The excess over the Monte-Carlo expectation that is allowed at the full size.
const EXCESS: f64 = 0.005;
/// With fewer particles, the excess that a right sampler has at most once in so many runs (McDiarmid's bound).
const RUNS: f64 = 100.0;
/// Significance of every test of fit.
const SIGNIFICANCE: f64 = 1e-4;

/// The experiment.
pub(super) struct Flux;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    /// Dimensions of the atoms.
    atom_dims: Vec<usize>,
    /// Dimensions of the circle, 3 or more.
    circle_dims: Vec<usize>,
    /// Particles of each run that is checked.
    particles: usize,
    /// Particles of each run of the table.
    table_particles: usize,
    /// Killing rate r.
    rate: f64,
    /// Cells of the circle.
    bins: usize,
    /// Evaluations a particle is given.
    cap: usize,
    /// δ as a share of the smallest gap between atoms, and of the radius of the circle.
    delta: f64,
    /// Heun's steps, in the logarithm of the distance.
    heun: f64,
    /// Steps of the two-step method.
    multistep: f64,
    /// Tolerance of the adaptive steps.
    rtol: f64,
    /// Steps of both methods in the table.
    etas: Vec<f64>,
    /// Tolerances in the table.
    rtols: Vec<f64>,
    /// Killing rate for data with a density.
    density_rate: f64,
    /// Particles for data with a density.
    density_particles: usize,
    /// Steps of Heun's method there.
    density_eta: f64,
}

impl Experiment for Flux {
    type Settings = Settings;

    fn name(&self) -> &'static str {
        "flux"
    }

    fn summary(&self) -> &'static str {
        "The flux flow: lines of -J end in the data with the law of the data, on atoms, a circle and a density"
    }

    fn seconds(&self) -> u32 {
        90
    }

    fn full(&self) -> Settings {
        Settings {
            atom_dims: vec![2, 3, 8, 32],
            circle_dims: vec![3, 8, 32],
            particles: 100_000,
            table_particles: 10_000,
            rate: 0.05,
            bins: 20,
            cap: 50,
            delta: 0.02,
            heun: 0.5,
            multistep: 0.4,
            rtol: 0.01,
            etas: vec![1.0, 0.7, 0.5, 0.3],
            rtols: vec![0.3, 0.1, 0.03, 0.01],
            density_rate: 0.02,
            density_particles: 50_000,
            density_eta: 0.2,
        }
    }

    fn quick(&self) -> Settings {
        Settings {
            particles: 1_500,
            table_particles: 300,
            etas: vec![0.7, 0.3],
            rtols: vec![0.1, 0.01],
            density_particles: 1_500,
            ..self.full()
        }
    }

    fn run(&self, settings: &Settings, context: &Context) -> Result<Outcome> {
        let smallest = settings.circle_dims.iter().min();
        ensure!(
            smallest.is_none_or(|d| *d >= 3),
            "setting `circle_dims` must be at least 3: in dimension 2 a circle has codimension 1, and a line that meets it \
             ends there only with the probability of the surface density over the incoming flux"
        );
        ensure!(settings.bins >= 2, "setting `bins` must be at least 2");
        ensure!(settings.particles >= 100, "setting `particles` must be at least 100");
        let mut outcome = Outcome::default();
        let mut problems = Vec::new();
        for &dim in &settings.atom_dims {
            problems.push(Problem::atoms(dim, settings, context.seed)?);
        }
        for &dim in &settings.circle_dims {
            problems.push(Problem::circle(dim, settings)?);
        }
        let progress = context.progress(problems.len() as u64 + 1, "flux");
        let mut checked = checked_table(settings);
        let mut swept = swept_table(settings);
        let mut sweeps = Vec::new();
        for problem in &problems {
            let starts = problem.starts(settings.particles, context.seed)?;
            for scheme in Scheme::checked(settings) {
                context.proceed()?;
                let judged = scheme.judge(problem, &starts, settings, context.seed)?;
                checked.push(judged.row(problem, scheme));
                outcome.checks.push(judged.check(problem, scheme, settings));
            }
            let few = starts.columns(0, settings.table_particles.min(settings.particles)).into_owned();
            for scheme in Scheme::swept(settings) {
                context.proceed()?;
                let judged = scheme.judge(problem, &few, settings, context.seed)?;
                swept.push(judged.row(problem, scheme));
                sweeps.push((problem.name.clone(), scheme, judged));
            }
            progress.inc(1);
        }
        outcome.tables.push(checked);
        outcome.tables.push(swept);
        let mut killed = density_table(settings);
        for density in [Density::line(settings)?, Density::plane(settings)?] {
            context.proceed()?;
            let fit = density.run(settings, context.seed)?;
            let critical = resolvent::metrics::ks_critical(
                settings.density_particles,
                SIGNIFICANCE / fit.statistics.len() as f64,
            )?;
            for (coordinate, statistic) in fit.statistics.iter().enumerate() {
                killed.push(cells![
                    density.name,
                    coordinate + 1,
                    *statistic,
                    critical,
                    fit.mean_evaluations,
                    fit.most_evaluations
                ]);
            }
            outcome.checks.push(Check::at_most(
                format!("{}: end law, KS, largest coordinate", density.name),
                fit.statistics.iter().fold(0.0, |a, s| f64::max(a, *s)),
                critical,
                "lines of -J are killed at the rate α/u per unit of τ (R2, R13); critical value at 1e-4 over all coordinates",
            ));
            outcome.checks.push(Check::at_most(
                format!("{}: particles not killed by the hazard", density.name),
                fit.left as f64,
                0.0,
                "every line is killed",
            ));
            outcome.figures.extend(fit.figure);
        }
        outcome.tables.push(killed);
        outcome.figures.extend(figures::errors(&sweeps)?);
        outcome.figures.extend(lines::figures(settings, context.seed)?);
        outcome.notes = NOTES.map(String::from).to_vec();
        progress.inc(1);
        Ok(outcome)
    }
}

const NOTES: [&str; 4] = [
    "Starts are exact draws of the law r u: a point of the data moved by Brownian motion to its death. Particles that have not \
     come near the data after the number of evaluations allowed are stopped where they are and judged there with the others.",
    "No step overshoots the data, so the distance δ at which a line ends costs log(1/δ)/η evaluations and does not enter the end \
     law: the denoised point is on the support.",
    "Lines that start near the border between two basins, or at a place where the pulls of the data balance, take the most \
     evaluations.",
    "The time of the flow is not a lifetime: near polar data it tells what the distance was.",
];

fn checked_table(settings: &Settings) -> Table {
    Table::new(
        "end law",
        format!(
            "{} particles from the law r u, r = {}, σ = 1; a particle gets at most {} evaluations. Five unequal normal atoms (0.5 to 2 \
             shares of 6), or a density on the unit circle (two von Mises humps over a floor), {} cells. Excess is the total variation \
             distance to the law of the data less its Monte-Carlo expectation.",
            settings.particles, settings.rate, settings.cap, settings.bins
        ),
        &COLUMNS,
    )
}

fn swept_table(settings: &Settings) -> Table {
    Table::new(
        "end law against steps",
        format!("As above, {} particles.", settings.table_particles.min(settings.particles)),
        &COLUMNS,
    )
}

const COLUMNS: [&str; 10] = [
    "problem",
    "method",
    "η or rtol",
    "total variation",
    "standard error",
    "Monte-Carlo expectation",
    "excess",
    "mean evaluations",
    "most evaluations",
    "stopped by the cap",
];

fn density_table(settings: &Settings) -> Table {
    Table::new(
        "data with a density",
        format!(
            "{} particles, r = {}, killed along the line at the rate α/u per unit of τ; Heun's method, η = {}. KS distance of each \
             coordinate of the end points to the law of the data.",
            settings.density_particles, settings.density_rate, settings.density_eta
        ),
        &["data", "coordinate", "KS", "critical KS", "mean evaluations", "most evaluations"],
    )
}

impl Judged {
    fn row(&self, problem: &Problem, scheme: Scheme) -> Vec<serde_json::Value> {
        cells![
            problem.name.clone(),
            scheme.name(),
            scheme.parameter(),
            self.distance.value,
            self.distance.standard_error,
            self.expected,
            self.distance.value - self.expected,
            self.mean_evaluations,
            self.most_evaluations,
            self.capped,
        ]
    }

    fn check(&self, problem: &Problem, scheme: Scheme, settings: &Settings) -> Check {
        let by_chance = f64::sqrt(RUNS.ln() / (2.0 * settings.particles as f64));
        Check::at_most(
            format!("{}, {}: end law, total variation", problem.name, scheme.name()),
            self.distance.value,
            self.expected + by_chance.max(EXCESS),
            format!(
                "lines of -J carry r u to the data (R2), at <= {} evaluations a particle; Monte-Carlo expectation + {}, or with fewer \
                 than 92,104 particles what chance exceeds once in {RUNS} runs",
                settings.cap, EXCESS
            ),
        )
    }
}
