//! `singular-score`: data on a curve, where the score explodes as the noise vanishes.

mod cost;
mod distance;
mod energy;
mod rice;
mod steps;

use std::f64::consts::PI;

use anyhow::{Result, ensure};
use nalgebra::DMatrix;
use resolvent::core::Schedule;
use resolvent::core::marginal::UniformSphere;
use resolvent::core::schedule::Grid;
use resolvent::data::Circle;
use serde::{Deserialize, Serialize};

use super::reverse_time::critical_z;
use crate::experiment::{Context, Experiment};
use crate::outcome::Outcome;

/// Radius R of the circle: the unit of length.
const RADIUS: f64 = 1.0;
/// Significance of the largest of several comparisons.
const SIGNIFICANCE: f64 = 1e-3;

/// The circle in R² and in R²⁰.
pub(crate) struct SingularScore;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// Dimensions d around the circle; the codimension d - 1 should be odd.
    dims: Vec<usize>,
    /// Draws from p_σ at every σ.
    draws: usize,
    /// Thirds of a decade between the largest σ, the radius, and the smallest.
    thirds: usize,
    /// Data, at equal distances and drawn, that the empirical score knows.
    data: usize,
    /// Samples of a run.
    samples: usize,
    /// Levels of the deterministic runs.
    levels: usize,
    /// Steps of Euler-Maruyama.
    steps: usize,
    /// The levels σ_min at which sampling ends, descending.
    ends: Vec<f64>,
    /// Particles of the adaptive solver.
    particles: usize,
}

impl Experiment for SingularScore {
    type Settings = Settings;

    fn name(&self) -> &'static str {
        "singular-score"
    }

    fn summary(&self) -> &'static str {
        "data on a circle in R² and R²⁰: score, samples and cost as the noise left at the end vanishes"
    }

    fn seconds(&self) -> u32 {
        6
    }

    fn full(&self) -> Settings {
        Settings {
            dims: vec![2, 20],
            draws: 20_000,
            thirds: 9,
            data: 300,
            samples: 4_000,
            levels: 80,
            steps: 200,
            ends: vec![0.3, 0.1, 0.03, 0.01, 3e-3, 1e-3],
            particles: 100,
        }
    }

    fn quick(&self) -> Settings {
        Settings { draws: 3_000, samples: 500, particles: 20, ..self.full() }
    }

    fn run(&self, settings: &Settings, context: &Context) -> Result<Outcome> {
        ensure!(!settings.dims.is_empty(), "setting `dims` is empty");
        for &dim in &settings.dims {
            ensure!(dim >= 2 && dim % 2 == 0, "setting `dims`: {dim} is not even");
        }
        ensure!(settings.thirds >= 6, "setting `thirds` = {}: at least 6", settings.thirds);
        ensure!(settings.data >= 20, "setting `data` = {}: at least 20", settings.data);
        ensure!(settings.particles >= 2, "setting `particles` = {}: at least 2", settings.particles);
        ensure!(settings.levels >= 3, "setting `levels` = {}: at least 3", settings.levels);
        ensure!(
            settings.ends.iter().all(|end| (1e-5..1.0).contains(end)),
            "setting `ends`: between 1e-5 and 1"
        );
        let mut outcome = Outcome::default();
        energy::run(settings, context, &mut outcome)?;
        context.proceed()?;
        distance::run(settings, context, &mut outcome)?;
        context.proceed()?;
        steps::run(settings, context, &mut outcome)?;
        context.proceed()?;
        cost::run(settings, context, &mut outcome)?;
        outcome.notes = NOTES.map(String::from).to_vec();
        Ok(outcome)
    }
}

const NOTES: [&str; 3] = [
    "Across the curve the exact denoiser gives 0, so that every step that is exact for a D that does not change (DDIM, Heun, the \
     DPM-Solvers) shrinks these coordinates to σ_min exactly, on any grid. Stability across the curve is a matter of \
     Euler-Maruyama and of what else takes the score itself for constant over a step.",
    "Across the curve the probability flow is dx/dt = x/(2t) at the end of VP, without a scale of its own, and every decade of t costs an \
     adaptive solver the same as long as its tolerance is relative. In time σ (EDM) the paths become straight lines and a decade costs less; \
     it is not free, for the error of a stage is divided by the σ at its end.",
    "The score of n data forgets the curve where σ falls below their distance: its energy is then that of a law on atoms, and what \
     is sampled are the data. With data drawn at random gaps of all sizes blur the change.",
];

/// z that the largest of `count` standard normal numbers in modulus exceeds with probability at most the significance.
fn critical(count: usize) -> Result<f64> {
    critical_z(SIGNIFICANCE, count)
}

/// The circle in R^`dim` as a law to denoise.
fn denoiser(dim: usize) -> Result<UniformSphere> {
    Ok(UniformSphere::new(1, RADIUS, dim)?)
}

/// The circle in R^`dim` as a law to draw from.
fn circle(dim: usize) -> Result<Circle> {
    Ok(Circle::new(RADIUS, dim)?)
}

/// `count` points of the circle at equal distances.
fn equidistant(dim: usize, count: usize) -> DMatrix<f64> {
    DMatrix::from_fn(dim, count, |row, k| {
        let angle = 2.0 * PI * k as f64 / count as f64;
        match row {
            0 => RADIUS * angle.cos(),
            1 => RADIUS * angle.sin(),
            _ => 0.0,
        }
    })
}

/// The grid of Karras et al. 2022 from σ/α = `start` to `end`, without the clean end after it.
fn karras_to(schedule: &dyn Schedule, levels: usize, start: f64, end: f64) -> Result<Grid> {
    let grid = Grid::karras(schedule, levels, end, start, 7.0)?;
    Ok(Grid::new(grid.levels()[..levels].to_vec())?)
}
