//! `hazard`: data with a density are not hit, they are met at a rate (R13).

mod checks;
mod entrance;
mod figures;
mod learned;
mod line;
mod plane;
mod pointed;
mod runs;
mod tables;

use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};

use self::line::Line;
use self::runs::Deaths;
use crate::experiment::{Context, Experiment};
use crate::outcome::Outcome;

/// The experiment.
pub(super) struct Hazard;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    /// Particles of every run on the line.
    particles: usize,
    /// Killing rate r of the forward process.
    rate: f64,
    /// Diffusion σ.
    sigma: f64,
    /// The mixture on the line: weights,
    weights: Vec<f64>,
    /// means
    means: Vec<f64>,
    /// and standard deviations.
    deviations: Vec<f64>,
    /// Step of Euler-Maruyama (time).
    dt: f64,
    /// Longer steps, to be compared.
    coarser: Vec<f64>,
    /// Data, and as many killed samples, that a hazard is learned from.
    samples: usize,
    /// Degrees of the polynomials that are tried,
    degrees: Vec<usize>,
    /// and bandwidths of radial bumps.
    bandwidths: Vec<f64>,
    /// Where all forward paths of the h-transform die.
    point: f64,
    /// Particles die by the first-entrance rule within this distance of the middle 95 % of a component, or of a datum.
    delta: f64,
    /// Data that the distance to data is taken from.
    data: usize,
    /// Particles in the plane,
    plane_particles: usize,
    /// their step (time)
    plane_dt: f64,
    /// and the rate at which the forward process dies there.
    plane_rate: f64,
}

impl Experiment for Hazard {
    type Settings = Settings;

    fn name(&self) -> &'static str {
        "hazard"
    }

    fn summary(&self) -> &'static str {
        "Data with a density: killed at the rate alpha/u, exact and learned, beside the first entrance; with h = 1 and a point"
    }

    fn seconds(&self) -> u32 {
        120
    }

    fn full(&self) -> Settings {
        Settings {
            particles: 50_000,
            rate: 0.02,
            sigma: 1.0,
            weights: vec![0.3, 0.7],
            means: vec![-5.0, 5.0],
            deviations: vec![2.0, 2.0],
            dt: 0.1,
            coarser: vec![0.5, 2.0, 8.0],
            samples: 20_000,
            degrees: vec![2, 4, 6, 8],
            bandwidths: vec![1.5, 3.0],
            point: 2.0,
            delta: 0.1,
            data: 1_000,
            plane_particles: 20_000,
            plane_dt: 0.05,
            plane_rate: 0.1,
        }
    }

    fn quick(&self) -> Settings {
        Settings {
            particles: 2_500,
            dt: 0.25,
            coarser: vec![2.0],
            samples: 4_000,
            degrees: vec![6],
            bandwidths: vec![3.0],
            plane_particles: 1_000,
            plane_dt: 0.1,
            ..self.full()
        }
    }

    fn run(&self, settings: &Settings, context: &Context) -> Result<Outcome> {
        ensure!(settings.particles >= 100, "setting `particles` must be at least 100");
        ensure!(settings.plane_particles >= 100, "setting `plane_particles` must be at least 100");
        let candidates = settings.degrees.len() + settings.bandwidths.len();
        ensure!(candidates > 0, "settings `degrees` and `bandwidths` are both empty: nothing to learn with");
        // Beside those that are learned and the coarser ones: exact, two entrances, a clock and the point.
        let runs = settings.particles * (5 + candidates + settings.coarser.len()) + settings.plane_particles;
        let progress = context.progress(runs as u64, "backward paths");
        let line = Line::new(settings)?;
        let runs = runs::Runs::new(&line, settings, context, &progress)?;
        let learned = learned::learn(&line, settings, context.seed)?;
        let report = Report {
            exact: runs.exact(settings.dt)?,
            coarser: settings.coarser.iter().map(|dt| runs.exact(*dt)).collect::<Result<_>>()?,
            learned_deaths: learned.iter().map(|ratio| runs.learned(ratio)).collect::<Result<_>>()?,
            best: learned::best(&learned),
            entrance: runs.entrance()?,
            near_data: runs.near_data()?,
            clock: runs.clock()?,
            pointed: runs.pointed()?,
            plane: plane::run(settings, context, &progress)?,
            entrance_law: entrance::Entrance::new(&line, settings.delta)?,
            learned,
            line,
        };
        Ok(Outcome {
            checks: checks::checks(&report, settings)?,
            tables: tables::tables(&report, settings)?,
            figures: figures::figures(&report, settings)?,
            notes: NOTES.map(String::from).to_vec(),
        })
    }
}

/// Everything measured.
struct Report {
    line: Line,
    exact: Deaths,
    coarser: Vec<Deaths>,
    learned: Vec<learned::Learned>,
    learned_deaths: Vec<Deaths>,
    /// Index of the one that predicts best what it has not seen.
    best: usize,
    entrance: Deaths,
    near_data: Deaths,
    clock: Deaths,
    entrance_law: entrance::Entrance,
    pointed: Deaths,
    plane: plane::Plane,
}

const NOTES: [&str; 4] = [
    "The rule that is right for data of codimension two and more, death at the first entrance, is wrong for data with a density: \
     most particles start among the data and die at once. The rate makes them go on for as long as the forward process lived.",
    "The learned rate is chosen by its loss on samples held out, never by the law of the deaths. It is an extrapolation beyond the \
     samples, cut from above at the largest value that it takes at one of them: a rate too high where there are no data would kill \
     particles there, one too low only lets them walk on until they meet the data.",
    "The score is the exact one throughout, so that only the rate is learned.",
    "With the forward process conditioned to die at a point every backward path starts there: no start law has to be drawn or \
     approximated, and the same rule, with h h~ in place of u, gives back the data law.",
];
