//! `digits`: noisy and masked images carried back to the data by the backward process started at the image.

mod ambiguous;
mod ball;
mod images;
mod method;
mod sweep;
mod trials;

use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};

use self::ambiguous::Ambiguous;
use self::images::Images;
use self::method::{Ends, Method};
use self::trials::Trial;
use super::corruption::{Corruption, Fill};
use crate::experiment::{Context, Experiment};
use crate::outcome::{Check, Figure, Outcome};

/// Significance of every test of fit.
const SIGNIFICANCE: f64 = 1e-3;

/// Projection of damaged images by the backward process of killed Brownian motion in R^784.
pub(crate) struct Digits;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// Images that are the data.
    n_data: usize,
    /// Images held out as inputs.
    n_held_out: usize,
    /// Held-out images measured for each kind of damage.
    n_inputs: usize,
    /// Of these, images shown.
    n_shown: usize,
    /// Backward samples of each input.
    n_samples: usize,
    /// Standard deviations of the noise.
    noise_levels: Vec<f64>,
    /// What stands in for hidden pixels: `mean` of the data or `background`.
    fill: Fill,
    /// Killing rate r.
    rate: f64,
    /// Step size η of the posterior-bridge.
    posterior_eta: f64,
    /// Step size η of the bridge.
    bridge_eta: f64,
    /// Noise on every pixel below which nothing is resolved: δ = resolution · √d.
    resolution: f64,
    /// Noise levels of the sweep.
    sweep_levels: Vec<f64>,
    /// Images at each of them.
    sweep_inputs: usize,
    /// Particles of the posterior-bridge from each ambiguous input.
    particles: usize,
    /// Particles of the bridge from each ambiguous input.
    bridge_particles: usize,
    /// An input is ambiguous when no end point has a larger weight.
    ambiguous_weight: f64,
    /// Shares ε of the data in the ball of R16; one that is too small stands for the nearest datum.
    ball_masses: Vec<f64>,
    /// Margins δ of R16.
    ball_margins: Vec<f64>,
}

impl Experiment for Digits {
    type Settings = Settings;

    fn name(&self) -> &'static str {
        "digits"
    }

    fn summary(&self) -> &'static str {
        "noisy and masked images carried back to the data from where they are, without retraining"
    }

    fn seconds(&self) -> u32 {
        200
    }

    fn full(&self) -> Settings {
        Settings {
            n_data: 8000,
            n_held_out: 2000,
            n_inputs: 64,
            n_shown: 6,
            n_samples: 4,
            noise_levels: vec![0.5, 1.5, 3.0],
            fill: Fill::Mean,
            rate: 0.01,
            posterior_eta: 0.5,
            bridge_eta: 0.2,
            resolution: 0.01,
            sweep_levels: vec![0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4],
            sweep_inputs: 32,
            particles: 2000,
            bridge_particles: 200,
            ambiguous_weight: 0.6,
            ball_masses: vec![1e-4, 1e-2],
            ball_margins: vec![0.01, 0.02, 0.1],
        }
    }

    fn quick(&self) -> Settings {
        Settings {
            n_data: 2000,
            n_held_out: 200,
            n_inputs: 32,
            sweep_levels: vec![0.1, 0.4, 1.6, 6.4],
            sweep_inputs: 16,
            particles: 500,
            bridge_particles: 100,
            ..self.full()
        }
    }

    fn run(&self, settings: &Settings, context: &Context) -> Result<Outcome> {
        settings.validate()?;
        let images = Images::load(settings.n_data, settings.n_held_out, context)?;
        let method = Method::new(&images, settings, context)?;
        let noise = settings.noise_levels.iter().map(|&level| Corruption::Noise(level));
        let corruptions: Vec<Corruption> = Corruption::MASKS.into_iter().chain(noise).collect();
        let mut trials = Vec::new();
        for (tag, &corruption) in corruptions.iter().enumerate() {
            context.proceed()?;
            trials.push(Trial::run(corruption, tag, &images, &method, settings, context)?);
        }
        let ambiguous = Ambiguous::find(&corruptions, &images, &method, settings, context)?;
        let (sweep_runs, sweep_figures, sweep_table) =
            sweep::run(corruptions.len() + 1, &images, &method, settings, context)?;

        let exact: Vec<&Ends> = trials
            .iter()
            .map(|trial| &trial.posterior)
            .chain([&ambiguous.posterior])
            .chain(&sweep_runs)
            .collect();
        let (law_checks, law_table) = ambiguous.laws(&images, &method)?;
        let (ball_checks, ball_table) = ball::bounds(&ambiguous, &method, settings)?;
        let (masked, noisy) = trials.split_at(Corruption::MASKS.len());
        let caption = "held-out images of different classes, what was done to them, the datum nearest to the damaged image, samples of the backward \
                       process started at it, and the mean of its end-point law";
        let mut figures = vec![
            Figure::new("noise", format!("Noise: {caption}."), trials::figure(noisy, &images, settings)?),
            Figure::new("masks", format!("Masks: {caption}."), trials::figure(masked, &images, settings)?),
            Figure::new(
                "ambiguous",
                format!(
                    "Inputs without a clear end point: the data with the largest weights, and where {} backward particles \
                     ended.",
                    settings.particles
                ),
                ambiguous.figure(&images)?,
            ),
        ];
        figures.extend(sweep_figures);
        Ok(Outcome {
            checks: exits(&exact).into_iter().chain(law_checks).chain(ball_checks).collect(),
            tables: vec![
                trials::quality(&trials, &images, settings)?,
                sweep_table,
                trials::cost(&trials, &images, settings)?,
                law_table,
                ball_table,
            ],
            figures,
            notes: notes(settings, &images, &method, &ambiguous)?,
        })
    }
}

impl Settings {
    fn validate(&self) -> Result<()> {
        let Self { n_held_out, n_inputs, n_shown, .. } = *self;
        ensure!(!self.noise_levels.is_empty(), "setting `noise_levels` is empty");
        ensure!(!self.sweep_levels.is_empty(), "setting `sweep_levels` is empty");
        ensure!(
            !self.ball_masses.is_empty() && !self.ball_margins.is_empty(),
            "settings `ball_masses`, `ball_margins`: one is empty"
        );
        ensure!(
            n_inputs >= 2 && n_inputs <= n_held_out,
            "setting `n_inputs` = {n_inputs}: 2 to `n_held_out`"
        );
        ensure!(n_shown >= 1 && n_shown <= n_inputs, "setting `n_shown` = {n_shown}: 1 to `n_inputs`");
        ensure!(self.n_samples >= 1, "setting `n_samples` = 0");
        let most = self.n_data.min(n_held_out);
        let sweep = self.sweep_inputs;
        ensure!(sweep >= 2 && sweep <= most, "setting `sweep_inputs` = {sweep}: 2 to the number of images");
        ensure!(self.particles >= 100, "setting `particles` = {}: at least 100", self.particles);
        ensure!(
            self.bridge_particles >= 2,
            "setting `bridge_particles` = {}: at least 2",
            self.bridge_particles
        );
        for &mass in &self.ball_masses {
            ensure!(mass > 0.0 && mass < 1.0, "setting `ball_masses`: {mass} is not between 0 and 1");
        }
        let noise = self.noise_levels.iter().chain(&self.sweep_levels).chain(&self.ball_margins);
        for &value in noise {
            ensure!(
                value > 0.0,
                "settings `noise_levels`, `sweep_levels`, `ball_margins`: {value} is not positive"
            );
        }
        Ok(())
    }
}

/// Every particle of the posterior-bridge dies by its lifetime, in a datum.
fn exits(runs: &[&Ends]) -> [Check; 2] {
    let total: usize = runs.iter().map(|ends| ends.exits().iter().sum::<usize>()).sum();
    let killed: usize = runs.iter().map(|ends| ends.exits()[0]).sum();
    let farthest = runs.iter().map(|ends| ends.farthest()).fold(0.0, f64::max);
    [
        Check::at_most(
            format!("largest distance of an end point to the data, {total} particles"),
            farthest,
            0.0,
            "the process reversed from the data ends in the data, to the last bit",
        ),
        Check::at_least(
            "share of particles killed by their lifetime",
            killed as f64 / total as f64,
            1.0,
            "the lifetime is finite (R11): none capped, none diverged",
        ),
    ]
}

fn notes(
    settings: &Settings,
    images: &Images,
    method: &Method<'_>,
    ambiguous: &Ambiguous,
) -> Result<Vec<String>> {
    let mut shift = 0.0_f64;
    for candidate in &ambiguous.inputs {
        for factor in [0.1, 10.0] {
            let other = method.posterior_at_rate(&candidate.input, factor * settings.rate)?;
            let distance: f64 = other.iter().zip(&candidate.weights).map(|(a, b)| (a - b).abs()).sum();
            shift = shift.max(0.5 * distance);
        }
    }
    Ok(vec![
        format!(
            "Data: {}, {} more held out as inputs. The score is the exact one of the data as an empirical measure, so the \
             process ends in data: what is shown is projection by the exact method, not generalisation by a network.",
            images.source,
            images.held_out.ncols()
        ),
        format!(
            "The killing rate r = {} hardly matters while √(2r) ρ << d = 784, ρ the distance to the data: the weights of \
             R10 are then ∝ ρ^(2 - d). With r ten times smaller or larger the end-point law of an ambiguous input moves by \
             {shift:.2e} in total variation at most.",
            settings.rate
        ),
        "In R^784 the weights ρ^(2 - d) single out one datum unless several are at nearly the same distance: inputs that \
         are little damaged go to their nearest datum, and samples spread only under strong noise."
            .into(),
    ])
}
