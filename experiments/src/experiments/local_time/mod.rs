//! `local-time`: data of codimension one, where the backward process does not die at its first entrance.

mod problem;
mod report;
mod rules;

use anyhow::{Result, ensure};
use resolvent::core::killing::Increment;
use serde::{Deserialize, Serialize};

use crate::experiment::{Context, Experiment};
use crate::outcome::Outcome;
use problem::{Data, Problem};
use rules::{Deaths, Rule};

/// Local time on points of a line, a circle in the plane and a sphere in space.
pub(crate) struct LocalTimes;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// Killing rate r.
    rate: f64,
    /// Particles of every run.
    particles: usize,
    /// Noise of the longest step next to the data.
    resolution: f64,
    /// The distance at which the distance rule takes the data for entered.
    delta: f64,
    /// Noise of the longest step, for the refinement.
    refinement: Vec<f64>,
    /// Points that stand for the circle where end points are drawn from the posterior.
    atoms: usize,
}

impl Experiment for LocalTimes {
    type Settings = Settings;

    fn name(&self) -> &'static str {
        "local-time"
    }

    fn summary(&self) -> &'static str {
        "data of codimension 1: death by local time, not at the first entrance, in d = 1, 2, 3"
    }

    fn seconds(&self) -> u32 {
        45
    }

    fn full(&self) -> Settings {
        Settings {
            rate: 0.5,
            particles: 10_000,
            resolution: 0.08,
            delta: 1e-3,
            refinement: vec![0.6, 0.4, 0.28, 0.2, 0.14, 0.1],
            atoms: 1_000,
        }
    }

    fn quick(&self) -> Settings {
        Settings { particles: 1_000, resolution: 0.1, refinement: vec![0.6, 0.3], atoms: 300, ..self.full() }
    }

    fn run(&self, settings: &Settings, context: &Context) -> Result<Outcome> {
        ensure!(settings.particles >= 100, "setting `particles` = {}: at least 100", settings.particles);
        ensure!(!settings.refinement.is_empty(), "setting `refinement` is empty");
        ensure!(settings.atoms >= 100, "setting `atoms` = {}: at least 100", settings.atoms);
        let problems = [
            (Data::Point, 1.0),
            (Data::Two, 0.4),
            (Data::Sphere(2), 0.4),
            (Data::Sphere(2), 1.8),
            (Data::Sphere(3), 1.6),
        ];
        let refined = [(Data::Point, 1.0), (Data::Sphere(2), 1.8)];
        let problem = |(data, start): &(Data, f64)| Problem::new(*data, settings.rate, *start);
        let problems = problems.iter().map(problem).collect::<Result<Vec<_>>>()?;
        let rules = |problem: &Problem| Rule::ALL.into_iter().filter(|rule| rule.exists(problem)).count();
        let runs = problems.iter().map(rules).sum::<usize>() + 2 * refined.len() * settings.refinement.len();
        let progress = context.progress((runs * settings.particles) as u64, "local-time");
        let mut seeds = 0..;
        let mut run = |problem: &Problem, rule: Rule, resolution: f64| -> Result<Deaths> {
            let index = seeds.next().expect("endless");
            Deaths::new(problem, rule, resolution, settings, context, index, &progress)
        };
        let mut deaths = Vec::new();
        for problem in &problems {
            for rule in Rule::ALL.into_iter().filter(|rule| rule.exists(problem)) {
                deaths.push((problem, run(problem, rule, settings.resolution)?));
            }
        }
        let refined = refined.iter().map(problem).collect::<Result<Vec<_>>>()?;
        let mut refinement = Vec::new();
        for problem in &refined {
            for increment in [Increment::Tanaka, Increment::Bridge] {
                for &resolution in &settings.refinement {
                    let deaths = run(problem, Rule::LocalTime(increment), resolution)?;
                    refinement.push((problem, resolution, deaths));
                }
            }
        }
        report::outcome(&problems, &deaths, &refinement, settings)
    }
}
