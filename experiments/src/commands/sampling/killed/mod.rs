//! Killed Brownian motion run backward until it dies: a random horizon.

mod killing;
mod process;
mod stepping;
mod support;

use std::ops::ControlFlow;

use anyhow::{Result, ensure};
use nalgebra::DMatrix;
use resolvent::core::{EmpiricalScore, Ensemble, KilledBrownianMotion, KillingRule, Sampler};

use killing::Killing;
pub(super) use stepping::Scheme;
use stepping::{Control, Stepping};

use super::Start;
use super::data::Data;
use super::numbers::positive;
use super::reversal::{Reversal, Running};
use crate::interrupt;
use crate::progress::Progress;

/// The flags of this model alone.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub(super) struct Flags {
    /// Killing rate r of the forward process, per unit time [default: S^2/V, with S of --sigma and V the mean squared
    /// distance of the data to their mean: after the mean lifetime the noise in each coordinate is as large as the data
    /// set, so that a start has forgotten its datum; 1 where all data are equal]
    #[arg(long, value_name = "R", value_parser = positive, allow_negative_numbers = true)]
    rate: Option<f64>,
    /// Diffusion of the forward process, length per square root of time [default: 1]
    #[arg(long, value_name = "S", value_parser = positive, allow_negative_numbers = true)]
    sigma: Option<f64>,
    #[command(flatten)]
    stepping: Stepping,
    #[command(flatten)]
    killing: Killing,
}

impl Flags {
    /// Those that were given.
    pub(super) fn given(&self) -> Vec<&'static str> {
        let all = [("--rate", self.rate.is_some()), ("--sigma", self.sigma.is_some())];
        let all = all.into_iter().chain(self.stepping.given()).chain(self.killing.given());
        all.filter(|(_, given)| *given).map(|(flag, _)| flag).collect()
    }
}

/// The flags, and those that this model shares with others.
pub(super) struct Settings<'a> {
    flags: &'a Flags,
    scheme: Scheme,
    eta: f64,
    cap: usize,
}

impl<'a> Settings<'a> {
    /// # Errors
    /// If flags do not go together.
    pub(super) fn new(
        flags: &'a Flags,
        scheme: Option<Scheme>,
        eta: Option<f64>,
        cap: usize,
    ) -> Result<Self> {
        let scheme = scheme.unwrap_or(Scheme::PosteriorBridge);
        flags.stepping.check(scheme)?;
        flags.killing.check(scheme)?;
        let eta = eta.unwrap_or(scheme.default_eta());
        ensure!(eta > 0.0, "--eta '{eta}': the length of a step is not a positive finite number");
        Ok(Self { flags, scheme, eta, cap })
    }
}

/// The backward process, ready to run.
pub(super) struct Killed<'a> {
    process: KilledBrownianMotion,
    /// The process in words.
    words: String,
    score: EmpiricalScore,
    scheme: Scheme,
    control: Control,
    rules: Vec<(&'a str, Box<dyn KillingRule>)>,
    denoise: bool,
    cap: usize,
}

impl<'a> Killed<'a> {
    pub(super) fn new(settings: &'a Settings<'_>, data: &Data) -> Result<Self> {
        let Settings { flags, scheme, eta, cap } = settings;
        let sigma = flags.sigma.unwrap_or(1.0);
        let (process, words) = process::build(flags.rate, sigma, data)?;
        Ok(Self {
            rules: flags.killing.build(&process, &data.measure)?,
            control: flags.stepping.control(*scheme, *eta, &process, &data.measure)?,
            score: EmpiricalScore::new(&process, data.measure.clone())?,
            process,
            words,
            scheme: *scheme,
            denoise: flags.killing.denoise,
            cap: *cap,
        })
    }
}

impl Reversal for Killed<'_> {
    fn words(&self) -> Vec<(&'static str, String)> {
        vec![("model", self.words.clone()), ("step", self.control.words.clone())]
    }

    fn scalars(&self) -> Vec<(&'static str, f64)> {
        vec![("delta", self.control.delta), ("rate", self.process.rate()), ("sigma", self.process.sigma())]
    }

    fn draw(&self, _start: &Start, data: &Data, n: usize, seed: u64) -> Result<DMatrix<f64>> {
        Ok(process::law(&self.process, data, n, seed))
    }

    fn place(&self, observations: DMatrix<f64>) -> DMatrix<f64> {
        observations
    }

    fn run(&self, starts: &DMatrix<f64>, how: &Running) -> Result<Ensemble> {
        let step = self.scheme.build(&self.score);
        let mut sampler = Sampler::new(&self.process, &*step, &*self.control.rule)
            .cap(self.cap)
            .paths(how.paths)
            .final_denoise(self.denoise);
        if let Some(batch) = how.batch {
            sampler = sampler.batch(batch);
        }
        for (name, rule) in &self.rules {
            sampler = sampler.killing(*name, &**rule);
        }
        let progress = Progress::new(starts.ncols() as u64, "particles");
        let observer = |ended: usize| {
            progress.inc(ended as u64);
            if interrupt::requested() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        Ok(sampler.run_observed(starts, how.seed, &observer)?)
    }
}
