//! When the backward process dies: killing rules on four supports, with the exact score.

mod calibration;
mod checks;
mod deaths;
mod figures;
mod rules;
mod supports;
mod tables;

use std::f64::consts::TAU;
use std::ops::{ControlFlow, Range};

use anyhow::{Result, ensure};
use resolvent::core::Path;
use serde::{Deserialize, Serialize};

use self::deaths::Deaths;
use self::rules::{Rule, Run};
use self::supports::Target;
use crate::experiment::{Context, Experiment};
use crate::outcome::Outcome;
use crate::progress::Progress;

/// Places at which scores are compared and thresholds located.
const PLACES: usize = 200;
/// Controls get a share of the particles: those that reached the support before the clock rang cost evaluations to the cap.
const CONTROL_SHARE: usize = 4;
/// Paths shown.
const PATHS: usize = 5;
/// Distances to the support that they start from.
const MODERATE: Range<f64> = 0.7..1.6;
/// Their steps are that many times shorter: a picture shows every corner.
const FINER: f64 = 20.0;

/// The experiment.
pub(super) struct Killing;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    /// Particles from the start law; controls get a quarter.
    particles: usize,
    /// Step of Euler-Maruyama in local time scales, for rules with a threshold and for controls.
    eta: f64,
    /// Step of the mean bridge in local time scales.
    bridge_eta: f64,
    /// Killing rate on each support.
    rates: Vec<f64>,
    /// Killing distance on each support, of radius 1 but for the atoms, which are about 8 apart.
    deltas: Vec<f64>,
    /// Spacing of the quadrature over the killing distance.
    spacing: f64,
    /// How unequal the law on circle and sphere is: the distance from the centre of the point whose harmonic measure it is.
    concentration: f64,
    /// Size of the sample that the distance to data is taken from.
    data: usize,
    /// Evaluations a particle is given under rules that look at the score or the support.
    cap: usize,
    /// Evaluations a particle is given under controls.
    control_cap: usize,
}

/// Everything measured on one support.
struct Report {
    target: Target,
    deaths: Vec<Deaths>,
    quadrature_error: Option<f64>,
    sup_level: [f64; 3],
    mean_start: f64,
    /// The mean lifetime left at δ, in units of 1/r.
    remainder: f64,
}

impl Experiment for Killing {
    type Settings = Settings;

    fn name(&self) -> &'static str {
        "killing"
    }

    fn summary(&self) -> &'static str {
        "When the backward process dies: killing rules and controls on circle, sphere and atoms, with the exact score"
    }

    fn seconds(&self) -> u32 {
        240
    }

    fn full(&self) -> Settings {
        Settings {
            particles: 3_000,
            eta: 0.1,
            bridge_eta: 0.2,
            rates: vec![1.0, 2.0, 2.5, 0.5],
            deltas: vec![0.03, 0.03, 0.2, 0.1],
            spacing: 1.0 / 3.0,
            concentration: 0.5,
            data: 1_000,
            cap: 3_000,
            control_cap: 600,
        }
    }

    fn quick(&self) -> Settings {
        Settings {
            particles: 600,
            deltas: vec![0.05, 0.05, 0.25, 0.1],
            data: 500,
            cap: 2_000,
            control_cap: 300,
            ..self.full()
        }
    }

    fn run(&self, settings: &Settings, context: &Context) -> Result<Outcome> {
        ensure!(settings.particles >= 100, "setting `particles` must be at least 100");
        let targets = supports::targets(settings)?;
        let runs: usize = targets
            .iter()
            .flat_map(|target| Rule::ALL.into_iter().filter(|rule| rule.exists(target)))
            .map(|rule| particles(rule, settings))
            .sum();
        let progress = context.progress(runs as u64, "killing rules");
        let mut reports = Vec::with_capacity(targets.len());
        for target in targets {
            reports.push(report(target, settings, context, &progress)?);
        }
        let [circle, .., atoms] = &reports[..] else { unreachable!("there are four supports") };
        let scatter = calibration::l2_scatter(&atoms.target, settings.particles, context.seed)?;
        let paths = paths(&circle.target, settings, context.seed)?;
        Ok(Outcome {
            checks: checks::checks(&reports, &scatter, settings.particles)?,
            tables: tables::tables(&reports, &scatter)?,
            figures: figures::figures(&reports, &paths)?,
            notes: NOTES.map(String::from).to_vec(),
        })
    }
}

const NOTES: [&str; 5] = [
    "The law on circle and sphere is the harmonic measure of a point within. Under the uniform law start, drift and rules are \
     symmetric, and every rule, controls included, has the right end law.",
    "In codimension 2 the score and the distance stop particles at the right place but too early: from δ on some particles \
     still wander off before they die, and the mean lifetime left falls only like 1/log(1/δ). Rules that draw the lifetime do \
     not lose it. For the same reason the sup rule's mark depends on the density along the support there.",
    "The L² norm is calibrated for the mean distance of a start: who starts further away dies too early, who starts nearer too \
     late, beside the scatter of R14. In codimension 2 its mean is not logarithmic, and it is left out.",
    "A control that rings after the support was reached finds the particle caught there; it has then used all its evaluations \
     and is counted as never killed.",
    "The distance to data misses particles that reach the support in a gap of the sample wider than 2δ: they are never killed.",
];

/// How many particles a rule is given.
fn particles(rule: Rule, settings: &Settings) -> usize {
    if rule.is_control() { settings.particles / CONTROL_SHARE } else { settings.particles }
}

/// Runs every rule on one support.
fn report(target: Target, settings: &Settings, context: &Context, progress: &Progress) -> Result<Report> {
    let starts = target.starts(settings.particles, context.seed)?;
    let distances = target.distances(&starts);
    let observer = |ended: usize| {
        progress.inc(ended as u64);
        if context.interrupted() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let promised = target.remainders(&starts)?;
    let (mut deaths, mut steps) = (Vec::<Deaths>::new(), 1);
    for rule in Rule::ALL.into_iter().filter(|rule| rule.exists(&target)) {
        context.proceed()?;
        let starts = starts.columns(0, particles(rule, settings)).into_owned();
        let run = Run {
            target: &target,
            settings,
            starts: &starts,
            steps,
            seed: context.seed,
            observer: &observer,
        };
        let death = Deaths::new(rule, &target, &starts, &promised, &run.ensemble(rule)?)?;
        if rule == Rule::Sup {
            steps = death.evaluations.value.round() as usize;
        }
        deaths.push(death);
    }
    let (feet, normals) = target.normals(PLACES, context.seed)?;
    let remainders = target.remainders(&(feet + normals * target.delta))?;
    Ok(Report {
        remainder: remainders.iter().sum::<f64>() / PLACES as f64,
        quadrature_error: target.quadrature_error(PLACES, context.seed)?,
        sup_level: calibration::sup_level(&target, PLACES, context.seed)?,
        mean_start: distances.iter().sum::<f64>() / distances.len() as f64,
        deaths,
        target,
    })
}

/// A few backward paths on the circle under the sup rule, from starts at moderate distance all around it.
fn paths(target: &Target, settings: &Settings, seed: u64) -> Result<Vec<Path>> {
    let starts = target.starts(settings.particles, seed)?;
    let distances = target.distances(&starts);
    let sector = |i: usize| {
        let turn = starts[(1, i)].atan2(starts[(0, i)]) / TAU + 0.5;
        ((PATHS as f64 * turn) as usize).min(PATHS - 1)
    };
    let moderate =
        |i: &usize| MODERATE.contains(&distances[*i]) && starts[(0, *i)].hypot(starts[(1, *i)]) > 1.0;
    let chosen: Vec<_> =
        (0..PATHS).filter_map(|k| (0..starts.ncols()).filter(moderate).find(|&i| sector(i) == k)).collect();
    let starts = starts.select_columns(&chosen);
    let run =
        Run { target, settings, starts: &starts, steps: 1, seed, observer: &|_| ControlFlow::Continue(()) };
    run.paths(FINER)
}
