//! `killing-benchmark`: which rule should kill the backward process, with which step, on which data, under which error of the score.

mod analysis;
mod arena;
mod checks;
mod figures;
mod images;
mod judge;
mod mixture;
mod notes;
mod places;
mod quality;
mod rules;
mod stepping;
mod tables;
mod units;

use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};

use self::analysis::Study;
use self::judge::Cell;
use self::units::Unit;
use crate::experiment::Context;
use crate::outcome::Outcome;
use crate::sweep::Sweep;

/// The experiment.
pub(super) struct KillingBenchmark;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    /// Particles of a run; a setting has one run for each seed.
    particles: usize,
    /// Seeds. Errors on the page are standard errors over them.
    seeds: usize,
    /// Exact draws that the ends of a run are compared with.
    reference: usize,
    /// Points of the sample that the rules plug in that look for the nearest datum or tangent plane.
    data: usize,
    /// Neighbours that a tangent plane is laid through.
    neighbours: usize,
    /// Step of Euler-Maruyama in local time scales,
    eta: f64,
    /// of the bridges,
    bridge_eta: f64,
    /// and of the flux flow in logarithms of the distance.
    flux_eta: f64,
    /// Distance δ at which rules kill on curves of radius 1,
    curve_delta: f64,
    /// on surfaces,
    surface_delta: f64,
    /// and at atoms, which are about 8 apart.
    atom_delta: f64,
    /// Spacing of the points that stand for the law on a curve, over δ,
    curve_spacing: f64,
    /// and on a surface.
    surface_spacing: f64,
    /// Thresholds over δ, for the curves of error against evaluations.
    factors: Vec<f64>,
    /// Relative error of the displacement of the biased score.
    bias: f64,
    /// Relative size of the frozen noise of the noisy score, and the length over which it varies.
    noise: f64,
    noise_length: f64,
    /// The clipped score has the norm at most that it should have at this many δ.
    clip: f64,
    /// The smoothed score is that of data smoothed over this many δ.
    smoothing: f64,
    /// Dimensions of the space around the circle.
    dimensions: Vec<usize>,
    /// Whether torus and swiss roll are among the supports.
    surfaces: bool,
    /// Particles of a run with the mixture that has a density,
    mixture_particles: usize,
    /// and its step of Euler-Maruyama (time).
    mixture_dt: f64,
    /// Data, and as many killed samples, that the hazard is learned from.
    hazard_samples: usize,
    /// Images that are the data of the exact score: glyphs, or with --data the first ones there,
    images: usize,
    /// particles of a run with images,
    image_particles: usize,
    /// their seeds,
    image_seeds: usize,
    /// their δ per pixel (values from -1 to 1)
    image_delta: f64,
    /// the evaluations that each is given with the learned score,
    image_cap: usize,
    /// and the dimension of the family they come from, for its tangent planes and its codimension.
    image_dimension: usize,
    /// Images of --data that the learned score is of. A folder with spatial.safetensors and told.safetensors, or nothing: the glyph
    /// networks of the program, and with --data ones trained in the run in so many steps (0: as the recipes for MNIST have it).
    image_data: usize,
    networks: String,
    training_steps: u64,
    /// Evaluations a particle is given under a rule that looks where it is,
    cap: usize,
    /// and under one that waits for a clock.
    control_cap: usize,
}

impl Sweep for KillingBenchmark {
    type Settings = Settings;
    type Unit = Unit;
    type Measured = Vec<Cell>;

    fn name(&self) -> &'static str {
        "killing-benchmark"
    }

    fn summary(&self) -> &'static str {
        "Which rule should kill the backward process: thirteen rules by step, support and error of the score, ranked over seeds"
    }

    fn seconds(&self) -> u32 {
        1200
    }

    fn full(&self) -> Settings {
        Settings {
            particles: 100,
            seeds: 10,
            reference: 400,
            data: 500,
            neighbours: 12,
            eta: 0.1,
            bridge_eta: 0.2,
            flux_eta: 0.25,
            curve_delta: 0.05,
            surface_delta: 0.25,
            atom_delta: 0.1,
            curve_spacing: 0.6,
            surface_spacing: 0.75,
            factors: vec![0.1, 0.316, 1.0, 3.16, 10.0],
            bias: -0.2,
            noise: 0.3,
            noise_length: 0.5,
            clip: 2.0,
            smoothing: 1.0,
            dimensions: vec![3, 32, 128, 784],
            surfaces: true,
            mixture_particles: 200,
            mixture_dt: 0.02,
            hazard_samples: 4_000,
            images: 200,
            image_particles: 64,
            image_seeds: 5,
            image_delta: 0.03,
            image_cap: 100,
            image_dimension: 7,
            image_data: 4000,
            networks: String::new(),
            training_steps: 0,
            cap: 1_200,
            control_cap: 300,
        }
    }

    fn quick(&self) -> Settings {
        Settings {
            particles: 12,
            seeds: 3,
            reference: 60,
            data: 60,
            eta: 0.2,
            bridge_eta: 0.4,
            flux_eta: 0.5,
            curve_delta: 0.2,
            surface_delta: 0.5,
            curve_spacing: 1.0,
            surface_spacing: 1.0,
            factors: vec![0.1, 1.0, 10.0],
            dimensions: vec![3],
            surfaces: false,
            mixture_particles: 40,
            mixture_dt: 0.1,
            hazard_samples: 200,
            images: 30,
            image_particles: 4,
            image_seeds: 1,
            image_cap: 3,
            image_data: 200,
            training_steps: 20,
            cap: 600,
            control_cap: 25,
            ..self.full()
        }
    }

    fn units(&self, settings: &Settings) -> Result<Vec<(String, Unit)>> {
        settings.check()?;
        Ok(units::units(settings))
    }

    fn measure(&self, unit: &Unit, settings: &Settings, context: &Context) -> Result<Vec<Cell>> {
        units::measure(unit, settings, context)
    }

    fn conclude(&self, settings: &Settings, measured: Vec<(Unit, Vec<Cell>)>) -> Result<Outcome> {
        let study = Study::new(settings, measured);
        Ok(Outcome {
            checks: checks::checks(&study)?,
            tables: tables::tables(&study)?,
            figures: figures::figures(&study)?,
            notes: notes::notes(&study)?,
        })
    }
}

impl Settings {
    fn check(&self) -> Result<()> {
        for (name, value, least) in [
            ("particles", self.particles, 10),
            ("image_particles", self.image_particles, 4),
            ("mixture_particles", self.mixture_particles, 10),
            ("seeds", self.seeds, 2),
            ("image_seeds", self.image_seeds, 1),
            ("reference", self.reference, 4),
            ("images", self.images, 4),
            ("factors", self.factors.len(), 2),
        ] {
            ensure!(value >= least, "setting `{name}` must be at least {least}, got {value}");
        }
        ensure!(
            self.image_data >= self.images,
            "setting `image_data` must be at least `images` = {}",
            self.images
        );
        ensure!((1..784).contains(&self.image_dimension), "setting `image_dimension`: from 1 to 783");
        ensure!(self.dimensions.iter().all(|dim| *dim >= 3), "setting `dimensions`: at least 3 each");
        let ascending = self.factors.windows(2).all(|pair| pair[0] < pair[1]);
        ensure!(ascending && self.factors[0] > 0.0, "setting `factors` must be positive and ascend");
        Ok(())
    }
}
