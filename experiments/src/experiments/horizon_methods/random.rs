//! The killed process run backward, with steps of a given η.

use std::ops::ControlFlow;

use anyhow::Result;
use nalgebra::DMatrix;
use resolvent::core::killing::{Hazard, ResidualNoise};
use resolvent::core::step::{Bridge, CorrectedBridge, Flux, MultistepFlux};
use resolvent::core::{
    Contraction, Ensemble, KilledBrownianMotion, KillingRule, Sampler, Score, ScoreAdaptive, Step,
    StepControl,
};

/// How a particle of the random horizon moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::experiments) enum Random {
    /// Bridge steps; the lifetime they sample kills.
    Bridge,
    /// The same corrected to second order.
    Corrected,
    /// The flux flow by Heun's method.
    Heun,
    /// The flux flow by the two-step method.
    Multistep,
}

impl Random {
    /// Those for data that the process hits.
    pub(in crate::experiments) const HITTING: [Self; 4] =
        [Self::Bridge, Self::Corrected, Self::Heun, Self::Multistep];
    /// Those for data with a density: a sampled lifetime belongs to data that are hit, and the short steps that Euler-Maruyama
    /// needs to be stable cost more than any budget here.
    pub(in crate::experiments) const DENSITY: [Self; 2] = [Self::Heun, Self::Multistep];

    /// The name in tables.
    pub(in crate::experiments) fn name(self) -> &'static str {
        match self {
            Self::Bridge => "random, bridge",
            Self::Corrected => "random, corrected bridge",
            Self::Heun => "random, flux by Heun",
            Self::Multistep => "random, flux by two steps",
        }
    }

    /// The name of a unit.
    pub(in crate::experiments) fn stem(self) -> &'static str {
        match self {
            Self::Bridge => "bridge",
            Self::Corrected => "corrected-bridge",
            Self::Heun => "flux-heun",
            Self::Multistep => "flux-two-step",
        }
    }

    /// Whether its moves have no noise.
    fn flows(self) -> bool {
        matches!(self, Self::Heun | Self::Multistep)
    }

    /// A step η to begin the search for the right one with.
    pub(in crate::experiments) fn guess(self, budget: usize) -> f64 {
        let share = 20.0 / budget as f64;
        if self.flows() { 0.5 * share } else { 1.5 * share }
    }
}

/// What ends a particle.
#[derive(Clone, Copy)]
pub(in crate::experiments) enum Death<'a> {
    /// It hits the data, which are polar.
    Hit,
    /// It dies at the rate whose logarithm this is (R13): the data have a density.
    Rate(&'a (dyn Fn(&[f64]) -> f64 + Sync)),
}

/// The backward process of killed Brownian motion with its score.
pub(in crate::experiments) struct Backward<'a> {
    pub(in crate::experiments) process: KilledBrownianMotion,
    pub(in crate::experiments) score: &'a dyn Score,
    pub(in crate::experiments) death: Death<'a>,
    /// The resolution δ (length).
    pub(in crate::experiments) floor: f64,
    /// Whether the gain is known well enough to tell the spread of the posterior; that of a network is not.
    pub(in crate::experiments) tells_spread: bool,
    /// Particles to a chunk, where it is not for the sampler to say.
    pub(in crate::experiments) batch: Option<usize>,
}

impl Backward<'_> {
    /// Runs `method` with steps of `eta` from `starts`, a particle no longer than `cap` evaluations. A particle that the residual noise stops
    /// is moved to its denoised point, where a sampled lifetime ends by itself.
    pub(in crate::experiments) fn run(
        &self,
        method: Random,
        eta: f64,
        starts: &DMatrix<f64>,
        cap: usize,
        seed: u64,
    ) -> Result<Ensemble> {
        let (bridge, corrected) = (Bridge::new(self.score), CorrectedBridge::new(self.score));
        let (heun, multistep) = (Flux::new(self.score), MultistepFlux::new(self.score));
        let step: &dyn Step = match method {
            Random::Bridge => &bridge,
            Random::Corrected => &corrected,
            Random::Heun => &heun,
            Random::Multistep => &multistep,
        };
        let adaptive = ScoreAdaptive::new(eta, self.floor)?;
        let adaptive = match (self.tells_spread, method) {
            (false, _) => adaptive.ignoring_spread(),
            (true, Random::Corrected) => adaptive.second_order(),
            (true, _) => adaptive,
        };
        let contraction = Contraction::new(eta)?;
        let control: &dyn StepControl = if method.flows() { &contraction } else { &adaptive };
        let residual = ResidualNoise::new(&self.process, self.floor)?;
        let log_rate = |x: &[f64]| match self.death {
            Death::Rate(log_rate) => log_rate(x),
            Death::Hit => f64::NEG_INFINITY,
        };
        // Steps that are short for the data are short for the clock as well.
        let hazard = Hazard::new(log_rate).share(eta.min(1.0))?;
        let rule: Option<(&str, &dyn KillingRule)> = match self.death {
            Death::Rate(_) => Some(("rate", &hazard)),
            Death::Hit if method.flows() => Some(("noise", &residual)),
            Death::Hit => None,
        };
        let denoise = matches!(self.death, Death::Hit);
        let mut sampler = Sampler::new(&self.process, step, control).cap(cap).final_denoise(denoise);
        if let Some((name, rule)) = rule {
            sampler = sampler.killing(name, rule);
        }
        if let Some(batch) = self.batch {
            sampler = sampler.batch(batch);
        }
        let observer = |_: usize| {
            if crate::interrupt::requested() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        Ok(sampler.run_observed(starts, seed, &observer)?)
    }
}
