//! The units: the design of the benchmark, and how each is measured.

use anyhow::Result;
use nalgebra::DMatrix;
use resolvent::core::{EmpiricalMeasure, Oracle};
use resolvent::data::Law;

use super::Settings;
use super::arena::Arena;
use super::judge::{Cell, Counter, Judge};
use super::places::{Place, Target};
use super::quality::Quality;
use super::rules::Rule;
use super::stepping::Stepping;
use super::{images, mixture};
use crate::experiment::Context;

/// Apart from each other: the data that starts come from, the exact draws that ends are compared with, and the sample that rules
/// plug in.
const REFERENCE: u64 = 0x5bd1_e995_0000_0001;
const SAMPLE: u64 = 0x27d4_eb2f_0000_0002;
/// Between the seeds of two units.
const STRIDE: u64 = 0x9e37_79b9_7f4a_7c15;

/// What is measured in one go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Task {
    /// Every rule with one score and one step.
    Rules { place: Place, quality: Quality, stepping: Stepping },
    /// Every threshold of two decades, with the exact score.
    Thresholds { place: Place },
    /// Data with a density.
    Mixture { stepping: Stepping },
    /// Images, with the exact score of a set of them or the network's.
    Images { learned: bool, stepping: Stepping },
}

/// A task with its seed.
#[derive(Clone, Copy, Debug)]
pub(in crate::experiments) struct Unit {
    pub(super) task: Task,
    pub(super) seed: usize,
}

impl Unit {
    fn name(&self) -> String {
        let task = match self.task {
            Task::Rules { place, quality, stepping } => {
                format!("{}.{}.{}", place.stem(), quality.name(), stepping.stem())
            }
            Task::Thresholds { place } => format!("{}.thresholds", place.stem()),
            Task::Mixture { stepping } => format!("mixture.{}", stepping.stem()),
            Task::Images { learned, stepping } => {
                format!("images.{}.{}", if learned { "learned" } else { "exact" }, stepping.stem())
            }
        };
        format!("{task}.seed-{}", self.seed)
    }
}

/// The supports on which one factor is changed at a time.
pub(super) fn elsewhere(settings: &Settings) -> Vec<Place> {
    let circles = settings.dimensions.iter().map(|dim| Place::Circle(*dim));
    circles
        .filter(|place| !Place::FULL.contains(place))
        .chain(if settings.surfaces { vec![Place::Torus, Place::SwissRoll] } else { Vec::new() })
        .collect()
}

/// The whole design, by seed last.
pub(super) fn units(settings: &Settings) -> Vec<(String, Unit)> {
    let mut tasks = Vec::new();
    for place in Place::FULL {
        for quality in Quality::ALL {
            for stepping in Stepping::BY_SCORE {
                tasks.push((Task::Rules { place, quality, stepping }, settings.seeds));
            }
        }
        let exact = Task::Rules { place, quality: Quality::Exact, stepping: Stepping::Posterior };
        tasks.push((exact, settings.seeds));
        tasks.push((Task::Thresholds { place }, settings.seeds));
    }
    for place in elsewhere(settings) {
        for stepping in [Stepping::Euler, Stepping::Bridge] {
            tasks.push((Task::Rules { place, quality: Quality::Exact, stepping }, settings.seeds));
        }
    }
    for stepping in [Stepping::Euler, Stepping::Bridge] {
        tasks.push((Task::Mixture { stepping }, settings.seeds));
        for learned in [false, true] {
            tasks.push((Task::Images { learned, stepping }, settings.image_seeds));
        }
    }
    let units = tasks.into_iter().flat_map(|(task, seeds)| (0..seeds).map(move |seed| Unit { task, seed }));
    units.map(|unit| (unit.name(), unit)).collect()
}

/// Measures one unit.
pub(super) fn measure(unit: &Unit, settings: &Settings, context: &Context) -> Result<Vec<Cell>> {
    let seed = context.seed.wrapping_add(STRIDE.wrapping_mul(1 + unit.seed as u64));
    let run = Run { settings, context, seed };
    match unit.task {
        Task::Rules { place, quality, stepping } => {
            let planned = |arena: &Arena<'_>| arena.all(&Rule::ALL);
            run.on(place, quality, stepping, planned)
        }
        Task::Thresholds { place } => run.on(place, Quality::Exact, Stepping::Euler, thresholds),
        Task::Mixture { stepping } => mixture::measure(&run, stepping),
        Task::Images { learned, stepping } => images::measure(&run, learned, stepping),
    }
}

/// What every unit is given.
pub(super) struct Run<'a> {
    pub(super) settings: &'a Settings,
    pub(super) context: &'a Context,
    pub(super) seed: u64,
}

impl Run<'_> {
    /// Exact draws of `law` that ends are compared with.
    pub(super) fn reference(&self, law: &dyn Law, n: usize) -> DMatrix<f64> {
        law.sample(n, self.seed ^ REFERENCE)
    }

    /// A sample of `law` for the rules that plug it in.
    pub(super) fn plugged_in(&self, law: &dyn Law) -> Result<EmpiricalMeasure> {
        Ok(EmpiricalMeasure::new(law.sample(self.settings.data, self.seed ^ SAMPLE))?)
    }

    /// The floor, and what `work` makes of the arena on `place`.
    fn on(
        &self,
        place: Place,
        quality: Quality,
        stepping: Stepping,
        work: impl FnOnce(&Arena<'_>) -> Result<Vec<Cell>>,
    ) -> Result<Vec<Cell>> {
        let Self { settings, context, seed } = *self;
        let target = place.target(settings)?;
        let Target { process, law, support, .. } = &target;
        let (starts, _) = process.deaths(&law.sample(settings.particles, seed), seed)?;
        let sample = self.plugged_in(law)?;
        let counter = target
            .end_law
            .map(|cells| -> Counter<'_> { Box::new(move |points: &DMatrix<f64>| cells.counts(law, points)) });
        let judge = Judge {
            reference: self.reference(law, settings.reference),
            scale: target.scale,
            delta: target.delta,
            rate: process.rate(),
            support: Some(&**support),
            counter,
        };
        let oracle = Oracle::new(process.clone(), target.score.measure().clone())?;
        let exact = oracle.draw(&starts, seed)?;
        let ends = law.points().select_columns(&exact.atoms);
        let mut cells = vec![judge.floor(&starts, &ends, Some(&exact.lifetimes))?];
        let distances = starts.column_iter().map(|x| support.distance(x.as_slice()));
        let from = distances.sum::<f64>() / starts.ncols() as f64;
        let rest = quality.with(&target, settings, seed, |score| {
            work(&Arena {
                process,
                score,
                posterior: Some(&target.score),
                heeds_spread: true,
                stepping,
                control: None,
                sample: &sample,
                support: Some(&**support),
                oracle: Some(&oracle),
                hazard: None,
                learned_hazard: None,
                codimension: support.codimension(),
                planes: support.intrinsic_dim().max(1),
                from: Some(from),
                caps: (settings.cap, settings.control_cap),
                starts: &starts,
                judge: &judge,
                settings,
                context,
                seed,
            })
        })?;
        cells.extend(rest);
        Ok(cells)
    }
}

/// Every rule with a threshold at every threshold: the lifetime with the bridge, the others with Euler-Maruyama.
fn thresholds(arena: &Arena<'_>) -> Result<Vec<Cell>> {
    let mut cells = Vec::new();
    for rule in Rule::ALL.into_iter().filter(|rule| rule.has_threshold()) {
        let stepping = if rule == Rule::Lifetime { Stepping::Bridge } else { Stepping::Euler };
        for &factor in &arena.settings.factors {
            let arena = Arena { stepping, ..*arena };
            if arena.has(rule) {
                cells.push(arena.run(rule, factor, 0)?);
            }
        }
    }
    Ok(cells)
}
