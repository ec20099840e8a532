//! `langevin-mixture`: Langevin dynamics on the mixture, and how slowly mass crosses between its modes.

mod checks;
mod clock;
mod exact;
mod figures;
mod landscape;
mod start;
mod tables;

use anyhow::{Result, ensure};
use rayon::prelude::*;
use resolvent::core::diffusion::Langevin;
use resolvent::core::horizon::Simulation;
use resolvent::core::integrate::EulerMaruyama;
use resolvent::core::schedule::Level;
use resolvent::core::{Denoiser, GaussianMixture};
use serde::{Deserialize, Serialize};

use self::clock::Clock;
use self::exact::Exact;
use self::landscape::Landscape;
use self::start::Start;
use super::law;
use super::rate;
use super::snapshots::{self, Run};
use crate::experiment::{Context, Experiment};
use crate::experiments::tabulated::Tabulated;
use crate::outcome::Outcome;

/// Significance of every test, before it is divided by their number.
const SIGNIFICANCE: f64 = 1e-3;
/// Paths shown.
const PATHS: usize = 8;

/// The experiment.
pub(in crate::experiments) struct LangevinMixture;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::experiments) struct Settings {
    /// Particles from each start.
    particles: usize,
    /// Step of Euler-Maruyama; every time below is a multiple of it.
    step: f64,
    /// Times at which the marginals are compared, ascending.
    times: Vec<f64>,
    /// The time up to which the evolution is shown: there a picture looks converged.
    shown: f64,
    /// The first and the last time at which the mass enters the fit of the rate, and the time between.
    fit: [f64; 3],
}

/// One start: exact laws and a run.
struct Report {
    start: Start,
    exact: Exact,
    run: Run,
}

/// Rates of one start, fitted in the same way.
struct Rates {
    /// To the sample.
    measured: f64,
    /// Of `measured`, by the law of the chain.
    standard_error: f64,
    /// To the Fokker-Planck equation.
    equation: f64,
    /// To the Euler-Maruyama chain.
    chain: f64,
}

/// Everything that was found.
struct Findings<'a> {
    settings: &'a Settings,
    law: GaussianMixture,
    landscape: Landscape,
    clock: Clock,
    reports: Vec<Report>,
    /// Fitted rates of each report.
    rates: Vec<Rates>,
    /// The spectral gap.
    gap: f64,
}

impl Experiment for LangevinMixture {
    type Settings = Settings;

    fn name(&self) -> &'static str {
        "langevin-mixture"
    }

    fn summary(&self) -> &'static str {
        "Langevin dynamics on a two-mode mixture against its Fokker-Planck equation: how slowly mass crosses between modes"
    }

    fn seconds(&self) -> u32 {
        30
    }

    fn full(&self) -> Settings {
        Settings {
            particles: 50_000,
            step: 0.02,
            times: vec![1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0],
            shown: 20.0,
            fit: [20.0, 200.0, 5.0],
        }
    }

    fn quick(&self) -> Settings {
        Settings { particles: 10_000, step: 0.1, ..self.full() }
    }

    fn run(&self, settings: &Settings, context: &Context) -> Result<Outcome> {
        let [first, last, spacing] = settings.fit;
        ensure!(
            first < last && spacing > 0.0,
            "setting `fit` holds first time, last time, spacing: {:?}",
            settings.fit
        );
        ensure!(!settings.times.is_empty(), "setting `times` is empty");
        let fit: Vec<f64> =
            (0..=((last - first) / spacing).round() as usize).map(|k| first + spacing * k as f64).collect();
        let wanted = settings.times.iter().chain(&fit).copied().chain([settings.shown]);
        let clock = Clock::new(settings.step, wanted)?;
        let law = law()?;
        let landscape = Landscape::new(&law);
        let normal = GaussianMixture::one_dimensional(&[1.0], &[0.0], &[1.0])?;
        let equation = exact::equation(&law);
        let gap = equation.gap();
        let progress = context.progress(3, "langevin-mixture");

        let exacts: Vec<Exact> = Start::ALL
            .into_par_iter()
            .map(|start| Exact::new(&law, &equation, |x| start.cdf(&normal, x), &clock, settings.shown))
            .collect::<Result<_>>()?;
        progress.inc(1);
        let mut reports = Vec::new();
        for (k, (start, exact)) in Start::ALL.into_iter().zip(exacts).enumerate() {
            context.proceed()?;
            let score = |points: &[f64], out: &mut [f64]| law.scores(&Level::CLEAN, points, out);
            let dynamics = Langevin::new(1.0, score)?;
            let total = *clock.steps.last().expect("there are times");
            let end = total as f64 * settings.step;
            let simulation = Simulation::uniform(&dynamics, &EulerMaruyama, 1, (0.0, end), total)?;
            let seed = context.seed.wrapping_add(k as u64);
            let starts = start.sample(&normal, settings.particles, seed);
            let run = snapshots::run(&simulation, &starts, seed, &clock.steps, PATHS, context)?;
            progress.inc(1);
            reports.push(Report { start, exact, run });
        }
        let rates: Vec<Rates> = reports
            .par_iter_mut()
            .map(|report| report.rates(&landscape, &clock, &fit))
            .collect::<Result<_>>()?;
        let findings = Findings { settings, law, landscape, clock, reports, rates, gap };
        Ok(Outcome {
            checks: findings.checks()?,
            tables: findings.tables()?,
            figures: findings.figures()?,
            notes: findings.notes(),
        })
    }
}

impl Report {
    /// The rate at which the mass to the right goes to its limit, fitted in the same way to the sample, to the
    /// Fokker-Planck equation and to the chain.
    fn rates(&mut self, landscape: &Landscape, clock: &Clock, fit: &[f64]) -> Result<Rates> {
        let spacing = fit.get(1).map_or(0, |second| ((second - fit[0]) / clock.step).round() as usize);
        let covariance = self.exact.covariance(landscape, clock, fit, spacing);
        let masses = |laws: &[Tabulated]| -> Vec<f64> {
            fit.iter().map(|t| 1.0 - laws[clock.index(*t)].at(landscape.saddle)).collect()
        };
        let (equation, chain) = (masses(&self.exact.laws), masses(&self.exact.chain));
        let places = fit.iter().map(|t| &self.run.places[clock.index(*t)]);
        let shares: Vec<f64> = places.map(|places| landscape.share(places)).collect();
        let (limit, particles) = (landscape.right, self.run.places[0].len());
        Ok(Rates {
            measured: rate::fit(fit, &shares, limit)?,
            standard_error: rate::standard_error(fit, &chain, limit, &covariance, particles)?,
            equation: rate::fit(fit, &equation, limit)?,
            chain: rate::fit(fit, &chain, limit)?,
        })
    }
}
