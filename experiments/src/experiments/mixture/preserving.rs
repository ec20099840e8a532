//! `vp-mixture`: the mixture under a variance preserving schedule, reversed.

use anyhow::Result;
use resolvent::core::schedule::{Level, Schedule, VpLinear};
use serde::{Deserialize, Serialize};

use super::law;
use super::study::{FLOW_KEEPS_BIAS, Study};
use crate::experiment::{Context, Experiment};
use crate::outcome::Outcome;

/// The experiment.
pub(in crate::experiments) struct VariancePreserving;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::experiments) struct Settings {
    /// Particles in each of the six runs.
    particles: usize,
    /// Steps, equally long in time.
    steps: usize,
    /// β(0).
    beta_min: f64,
    /// β(T), T = 1.
    beta_max: f64,
    /// The time at which sampling ends.
    end: f64,
    /// Times on the way at which marginals are compared, descending.
    times: Vec<f64>,
    /// Other β(T) for which the bias is computed.
    other_betas: Vec<f64>,
}

impl Experiment for VariancePreserving {
    type Settings = Settings;

    fn name(&self) -> &'static str {
        "vp-mixture"
    }

    fn summary(&self) -> &'static str {
        "A two-mode mixture under a VP schedule, reversed: every marginal exact, and the initialisation bias by quadrature"
    }

    fn seconds(&self) -> u32 {
        30
    }

    fn full(&self) -> Settings {
        Settings {
            particles: 100_000,
            steps: 5_000,
            beta_min: 0.1,
            beta_max: 20.0,
            end: 1e-3,
            times: vec![0.8, 0.6, 0.4, 0.2, 0.1],
            other_betas: vec![5.0, 10.0, 20.0, 40.0],
        }
    }

    fn quick(&self) -> Settings {
        Settings { particles: 10_000, steps: 1_000, other_betas: vec![5.0, 20.0], ..self.full() }
    }

    fn run(&self, settings: &Settings, context: &Context) -> Result<Outcome> {
        let law = law()?;
        let schedule = VpLinear::new(settings.beta_min, settings.beta_max, 1.0)?;
        let study = Study {
            law: &law,
            schedule: &schedule,
            name: format!("VP with β from {} to {}", settings.beta_min, settings.beta_max),
            end: settings.end,
            steps: settings.steps,
            particles: settings.particles,
            times: &settings.times,
            shown: 1.0,
        };
        let mut outcome = study.run(context)?;
        let variance = |level: &Level| level.alpha.powi(2) * law.covariance()[(0, 0)] + level.sigma.powi(2);
        let others: Vec<VpLinear> = settings
            .other_betas
            .iter()
            .map(|beta| VpLinear::new(settings.beta_min, *beta, 1.0))
            .collect::<Result<_, _>>()?;
        let others = others.iter().map(|schedule| schedule as &dyn Schedule);
        outcome.tables.push(study.biases("β(T)", settings.other_betas.iter().copied().zip(others))?);
        outcome.notes = vec![
            format!(
                "The tutorial has no numbers for the variance preserving equation: β and the time at which sampling ends \
                 are by default those of Song et al. (2021). The variance is preserved only for data of variance 1; here \
                 it goes from {:.4} to {:.4}.",
                variance(&Level::CLEAN),
                variance(&schedule.level(1.0))
            ),
            format!(
                "The prior N(0, 1) is not p_T here either, and the sources do not mention the initialisation bias. {} The \
                 table has other β(T), by quadrature alone.",
                study.power()?
            ),
            FLOW_KEEPS_BIAS.into(),
            "Where the bias lies below the critical value of the Kolmogorov-Smirnov distance, that distance shows \
             sampling error alone; the samples are then compared with the bias at the place where it is largest."
                .into(),
        ];
        Ok(outcome)
    }
}
