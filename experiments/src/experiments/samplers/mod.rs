//! `samplers`: the samplers of the deterministic horizon at equal numbers of evaluations, with exact scores.

mod convergence;
mod figures;
pub(super) mod laws;
mod methods;

use anyhow::{Result, ensure};
use nalgebra::DMatrix;
use resolvent::core::Exit;
use resolvent::metrics::{Estimate, Order, mean, sliced_wasserstein};
use serde::{Deserialize, Serialize};

use self::convergence::Convergence;
use self::figures::{Cloud, SHOWN, SHOWN_AT};
use self::laws::{Target, targets};
use self::methods::{Effort, Sampler};
use crate::experiment::{Context, Experiment};
use crate::outcome::{Check, Outcome, Table, cells};

/// Seventeen samplers on five laws.
pub(crate) struct Samplers;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// Data that stand for a law without a closed form.
    data: usize,
    /// Samples of a run, and draws that they are compared with.
    samples: usize,
    /// Runs of each kind.
    seeds: usize,
    /// Directions of the sliced Wasserstein distance.
    projections: usize,
    /// Pairs of sets of draws for the floor.
    floors: usize,
    /// Starts of the deterministic solvers whose convergence is measured.
    starts: usize,
    /// Numbers of evaluations, ascending.
    evaluations: Vec<usize>,
    /// Tolerances of the adaptive probability flow, descending.
    flow_tolerances: Vec<f64>,
    /// Tolerances of the adaptive reverse SDE, descending.
    sde_tolerances: Vec<f64>,
}

/// A sampler at one effort, over all seeds.
struct Measured {
    sampler: Sampler,
    effort: Effort,
    /// Mean over particles and seeds.
    evaluations: f64,
    most_evaluations: usize,
    distance: Estimate,
    lost: usize,
}

/// Everything measured on one law.
struct Report {
    target: Target,
    measured: Vec<Measured>,
    floor: Estimate,
    /// The deviation of a single floor.
    scatter: f64,
    /// The law, and the samplers that are shown at each number of evaluations in turn.
    clouds: Vec<Cloud>,
    convergence: Vec<Convergence>,
}

impl Report {
    /// The standard error of a distance over all seeds, less the floor, for exact samples.
    fn error(&self, settings: &Settings) -> f64 {
        self.scatter * (1.0 / settings.seeds as f64 + 1.0 / settings.floors as f64).sqrt()
    }
}

impl Experiment for Samplers {
    type Settings = Settings;

    fn name(&self) -> &'static str {
        "samplers"
    }

    fn summary(&self) -> &'static str {
        "quality against evaluations for seventeen samplers of the deterministic horizon, on five laws with exact scores"
    }

    fn seconds(&self) -> u32 {
        130
    }

    fn full(&self) -> Settings {
        Settings {
            data: 500,
            samples: 1_000,
            seeds: 3,
            projections: 64,
            floors: 40,
            starts: 100,
            evaluations: vec![5, 10, 20, 50, 100],
            flow_tolerances: vec![1e-1, 1e-3, 1e-5],
            sde_tolerances: vec![0.5, 0.2, 0.1],
        }
    }

    fn quick(&self) -> Settings {
        Settings {
            data: 100,
            samples: 200,
            seeds: 2,
            projections: 32,
            evaluations: vec![10, 100],
            flow_tolerances: vec![1e-5],
            sde_tolerances: vec![0.5],
            ..self.full()
        }
    }

    fn run(&self, settings: &Settings, context: &Context) -> Result<Outcome> {
        ensure!(settings.seeds >= 2, "setting `seeds` = {}: at least 2", settings.seeds);
        ensure!(settings.floors >= 2, "setting `floors` = {}: at least 2", settings.floors);
        ensure!(settings.starts >= 1, "setting `starts` = {}: at least 1", settings.starts);
        ensure!(settings.samples >= 2, "setting `samples` = {}: at least 2", settings.samples);
        ensure!(
            settings.evaluations.iter().all(|budget| (5..=1000).contains(budget)),
            "setting `evaluations`: between 5 and 1000 each"
        );
        ensure!(!settings.evaluations.is_empty(), "setting `evaluations` is empty");
        let runs: usize = Sampler::ALL.iter().map(|sampler| efforts(*sampler, settings).len()).sum();
        let targets = targets(settings.data, context.seed)?;
        let progress = context.progress((targets.len() * runs * settings.seeds) as u64, "samplers");
        let mut reports = Vec::new();
        for target in targets {
            let (floor, scatter) = floor(&target, settings, context)?;
            let mut measured = Vec::with_capacity(runs);
            for sampler in Sampler::ALL {
                for effort in efforts(sampler, settings) {
                    measured.push(measure(&target, sampler, effort, settings, context)?);
                    progress.inc(settings.seeds as u64);
                }
            }
            let clouds = clouds(&target, settings, context)?;
            let convergence =
                convergence::convergence(&target, settings.starts, seed(context, Use::Convergence, 0))?;
            reports.push(Report { target, measured, floor, scatter, clouds, convergence });
        }
        let converged = reports.iter().map(|report| (report.target.name, report.convergence.as_slice()));
        let mut tables = vec![convergence::table(converged, settings.starts)];
        tables.extend(reports.iter().map(|report| table(report, settings)));
        Ok(Outcome {
            checks: checks(&reports),
            tables,
            figures: figures::figures(&reports, settings.samples, settings.seeds)?,
            notes: NOTES.map(String::from).to_vec(),
        })
    }
}

const NOTES: [&str; 4] = [
    "Swiss roll, checkerboard and tree are the empirical measure of their data, centred, with deviation 0.5 per coordinate; its \
     denoiser is known exactly, and the draws that samples are compared with come from the same data. The 25 Gaussians and the \
     circle are in closed form.",
    "Under VE and VP the last evaluation is the denoising step; Karras grids and DDPM betas end clean by themselves. Heun and \
     2S evaluate twice a step but for the last.",
    "Samplers of one seed are compared with the same draws, and those that start at the same level start from the same noise. An \
     error bar is that of one sampler alone; that of the difference of two was not measured.",
    "The circle hardly tests a deterministic solver: by symmetry it keeps the angle of its start, and the last step from a low level \
     to the clean end leads to the circle. What is left to be wrong is the radius, where the last level is high; in the table of \
     convergence no run ends clean.",
];

/// Independent seeds for everything drawn.
#[derive(Clone, Copy)]
enum Use {
    Run = 1,
    Reference,
    Floor,
    FloorAgain,
    Directions,
    Convergence,
}

/// The seed of use number `k`. User seeds next to each other do not share any.
fn seed(context: &Context, purpose: Use, k: usize) -> u64 {
    let base = context.seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    base.wrapping_add(100_000 * purpose as u64 + k as u64)
}

fn efforts(sampler: Sampler, settings: &Settings) -> Vec<Effort> {
    let tolerances = |list: &[f64]| list.iter().map(|&tolerance| Effort::Tolerance(tolerance)).collect();
    match sampler {
        Sampler::ProbabilityFlow => tolerances(&settings.flow_tolerances),
        Sampler::AdaptiveSde => tolerances(&settings.sde_tolerances),
        _ => settings.evaluations.iter().map(|&budget| Effort::Evaluations(budget)).collect(),
    }
}

fn distance(a: &DMatrix<f64>, b: &DMatrix<f64>, settings: &Settings, seed: u64) -> Result<f64> {
    Ok(sliced_wasserstein(a, b, settings.projections, Order::One, seed)?.value)
}

/// The distance of two sets of draws, and its deviation.
fn floor(target: &Target, settings: &Settings, context: &Context) -> Result<(Estimate, f64)> {
    let floors = (0..settings.floors)
        .map(|k| {
            let draws = |purpose| target.sample(settings.samples, seed(context, purpose, k));
            let directions = seed(context, Use::Directions, settings.seeds + k);
            distance(&draws(Use::Floor), &draws(Use::FloorAgain), settings, directions)
        })
        .collect::<Result<Vec<_>>>()?;
    let floor = mean(&floors)?;
    Ok((floor, floor.standard_error * (settings.floors as f64).sqrt()))
}

fn measure(
    target: &Target,
    sampler: Sampler,
    effort: Effort,
    settings: &Settings,
    context: &Context,
) -> Result<Measured> {
    let (mut distances, mut evaluations, mut most, mut lost) = (Vec::new(), 0.0, 0, 0);
    for k in 0..settings.seeds {
        context.proceed()?;
        let ensemble =
            sampler.run(target.denoiser.as_ref(), effort, settings.samples, seed(context, Use::Run, k))?;
        let reference = target.sample(settings.samples, seed(context, Use::Reference, k));
        let directions = seed(context, Use::Directions, k);
        distances.push(distance(&ensemble.points, &reference, settings, directions)?);
        evaluations += ensemble.mean_evaluations() / settings.seeds as f64;
        most = most.max(ensemble.evaluations.iter().copied().max().unwrap_or(0));
        lost += ensemble.exits.iter().filter(|exit| **exit != Exit::Horizon).count();
    }
    Ok(Measured { sampler, effort, evaluations, most_evaluations: most, distance: mean(&distances)?, lost })
}

fn clouds(target: &Target, settings: &Settings, context: &Context) -> Result<Vec<Cloud>> {
    let reference = target.sample(settings.samples, seed(context, Use::Reference, settings.seeds));
    let mut clouds = vec![Cloud { points: reference }];
    for (sampler, _) in SHOWN {
        for budget in SHOWN_AT {
            let run = seed(context, Use::Run, settings.seeds);
            let effort = Effort::Evaluations(budget);
            let ensemble = sampler.run(target.denoiser.as_ref(), effort, settings.samples, run)?;
            clouds.push(Cloud { points: ensemble.points });
        }
    }
    Ok(clouds)
}

fn checks(reports: &[Report]) -> Vec<Check> {
    let mut checks: Vec<Check> = reports
        .iter()
        .filter_map(|report| convergence::check(report.target.name, &report.convergence))
        .collect();
    let rows = || reports.iter().flat_map(|report| &report.measured);
    let excess = rows().filter_map(|row| match row.effort {
        Effort::Evaluations(budget) => Some(row.most_evaluations as f64 - budget as f64),
        Effort::Tolerance(_) => None,
    });
    checks.push(Check::at_most(
        "evaluations of a particle beyond the budget, the largest",
        excess.fold(f64::NEG_INFINITY, f64::max),
        0.0,
        "equal numbers of evaluations",
    ));
    checks.push(Check::at_most(
        "particles diverged or given up, all runs",
        rows().map(|row| row.lost).sum::<usize>() as f64,
        0.0,
        "exact scores are finite above σ = 0",
    ));
    checks
}

fn table(report: &Report, settings: &Settings) -> Table {
    let mut table = Table::new(
        report.target.name,
        format!(
            "Sliced Wasserstein distance W₁ to draws from the law. Floor, the distance of two sets of draws: {:.6} ± {:.6}, \
             deviation {:.6}. Above the floor: in standard errors that the difference has for exact samples.",
            report.floor.value, report.floor.standard_error, report.scatter
        ),
        &["sampler", "grid", "tolerance", "evaluations", "distance", "error", "above the floor", "lost"],
    );
    let error = report.error(settings);
    for row in &report.measured {
        let tolerance = match row.effort {
            Effort::Evaluations(_) => None,
            Effort::Tolerance(tolerance) => Some(tolerance),
        };
        table.push(cells![
            row.sampler.name(),
            row.sampler.grid(),
            tolerance,
            row.evaluations,
            row.distance.value,
            row.distance.standard_error,
            (row.distance.value - report.floor.value) / error,
            row.lost,
        ]);
    }
    table
}
