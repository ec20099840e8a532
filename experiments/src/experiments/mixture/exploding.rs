//! `ve-mixture`: the mixture under a variance exploding schedule, reversed.

use anyhow::Result;
use resolvent::core::schedule::{Schedule, Ve};
use serde::{Deserialize, Serialize};

use super::law;
use super::study::{FLOW_KEEPS_BIAS, Study};
use crate::experiment::{Context, Experiment};
use crate::outcome::Outcome;

/// The experiment.
pub(in crate::experiments) struct VarianceExploding;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::experiments) struct Settings {
    /// Particles in each of the six runs.
    particles: usize,
    /// Steps, equally long in time.
    steps: usize,
    /// σ(0).
    sigma_min: f64,
    /// σ(T), T = 1.
    sigma_max: f64,
    /// Times on the way at which marginals are compared, descending.
    times: Vec<f64>,
    /// Other σ(T) for which the bias is computed.
    other_sigmas: Vec<f64>,
}

impl Experiment for VarianceExploding {
    type Settings = Settings;

    fn name(&self) -> &'static str {
        "ve-mixture"
    }

    fn summary(&self) -> &'static str {
        "A two-mode mixture under a VE schedule, reversed: every marginal exact, and the initialisation bias by quadrature"
    }

    fn seconds(&self) -> u32 {
        30
    }

    fn full(&self) -> Settings {
        Settings {
            particles: 100_000,
            steps: 5_000,
            sigma_min: 0.001,
            sigma_max: 10.0,
            times: vec![0.95, 0.9, 0.85, 0.8, 0.7],
            other_sigmas: vec![5.0, 10.0, 20.0, 50.0, 100.0],
        }
    }

    fn quick(&self) -> Settings {
        Settings { particles: 10_000, steps: 1_000, other_sigmas: vec![10.0, 50.0], ..self.full() }
    }

    fn run(&self, settings: &Settings, context: &Context) -> Result<Outcome> {
        let law = law()?;
        // The level at t is that of the equation started in the data, √(σ²(t) - σ²(0)).
        let schedule = Ve::from_data(settings.sigma_min, settings.sigma_max, 1.0)?;
        let study = Study {
            law: &law,
            schedule: &schedule,
            name: format!("VE with σ from {} to {}", settings.sigma_min, settings.sigma_max),
            end: 0.0,
            steps: settings.steps,
            particles: settings.particles,
            times: &settings.times,
            shown: 0.5,
        };
        let mut outcome = study.run(context)?;
        let others: Vec<Ve> = settings
            .other_sigmas
            .iter()
            .map(|sigma| Ve::from_data(settings.sigma_min, *sigma, 1.0))
            .collect::<Result<_, _>>()?;
        let others = others.iter().map(|schedule| schedule as &dyn Schedule);
        outcome.tables.push(study.biases("σ(T)", settings.other_sigmas.iter().copied().zip(others))?);
        outcome.notes = vec![
            "The tutorial gives σ(0), σ(T) and the number of steps, not σ(t) in between: here it is geometric, as in \
             Song et al. (2021)."
                .into(),
            format!(
                "Started from the prior N(0, σ²(T) − σ²(0)), as the tutorial says, neither the reverse SDE nor the \
                 probability flow ends in the data law, with exact score and any number of steps: p_T is wider than the \
                 prior by the data and has their mean. The sources do not mention this initialisation bias. {}",
                study.power()?
            ),
            FLOW_KEEPS_BIAS.into(),
            "Shifting the data to mean zero, as the tutorial's footnote advises, removes the part of the bias that is due \
             to the mean; the rest is the missing variance."
                .into(),
        ];
        Ok(outcome)
    }
}
