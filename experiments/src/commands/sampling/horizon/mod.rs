//! A forward SDE run to a deterministic horizon and reversed: VP, sub-VP, VE, EDM, with the exact score of the data or a
//! learned one.

mod flags;
mod forward;
mod grid;
mod sampler;
mod settings;
mod watch;

use anyhow::{Context as _, Result, ensure};
use nalgebra::DMatrix;
use rayon::prelude::*;
use resolvent::core::horizon::{
    AdaptiveSde, FinalDenoise, HorizonSampler, LinearScheme, Method, PredictorCorrector, ProbabilityFlow,
};
use resolvent::core::marginal::Diffused;
use resolvent::core::random::{Purpose, stream};
use resolvent::core::reversal::ReverseSde;
use resolvent::core::schedule::{Level, Schedule as _, diffuse, prior};
use resolvent::core::{Denoiser, Ensemble};

pub(super) use flags::Flags;
use forward::Forward;
pub(super) use sampler::Sampler;
pub(super) use settings::{Kind, Settings};
use watch::Watch;

use super::Start;
use super::known::Known;
use super::reversal::{Reversal, Running};
use super::steps;

/// The relative difference up to which a level is the one that was asked for.
const REACHED: f64 = 1e-6;

/// The backward process, ready to run.
pub(super) struct Horizon<'a> {
    settings: &'a Settings,
    denoiser: Box<dyn Denoiser + 'a>,
    forward: Forward<'a>,
    plan: Plan,
}

/// How the particles get from the start to the end.
enum Plan {
    /// Through a grid, by a table of coefficients.
    Linear(LinearScheme),
    /// Through a grid, by this table and a corrector.
    Corrected(LinearScheme),
    /// By the probability flow with steps of its own choice.
    Flow,
    /// By the reverse SDE with steps of its own choice.
    AdaptiveSde,
}

impl<'a> Horizon<'a> {
    /// From the horizon, or from where the noise has the standard deviation `noise` in units of the data.
    pub(super) fn new(
        settings: &'a Settings,
        denoiser: Box<dyn Denoiser + 'a>,
        noise: Option<f64>,
    ) -> Result<Self> {
        let forward = match noise {
            None => Forward::whole(&*settings.schedule),
            Some(noise) => Forward::until(&*settings.schedule, start_time(settings, noise)?),
        };
        let plan = match settings.sampler {
            Sampler::Ode => Plan::Flow,
            Sampler::AdaptiveSde => Plan::AdaptiveSde,
            sampler => {
                let grid = settings.grid(&forward)?;
                let scheme = sampler.table(settings, &forward, &grid)?;
                match (sampler, settings.denoise) {
                    (Sampler::Pc, _) => Plan::Corrected(scheme),
                    (_, true) => Plan::Linear(scheme.final_denoise()),
                    (_, false) => Plan::Linear(scheme),
                }
            }
        };
        let horizon = Self { settings, denoiser, forward, plan };
        // Whether the parameters of the method are in range is known when it is built.
        horizon.with_method(|_, _| Ok(()))?;
        Ok(horizon)
    }

    /// Hands the method to `act`, with the number of evaluations at each particle if that is known.
    fn with_method<R>(&self, act: impl Fn(&dyn Method, Option<usize>) -> Result<R>) -> Result<R> {
        let (forward, denoiser, dim) = (&self.forward, &*self.denoiser, self.denoiser.dim());
        let Settings { end, rtol, atol, cap, denoise, .. } = *self.settings;
        let score = Diffused { schedule: forward, denoiser };
        let finish = |method: &dyn Method| {
            if denoise {
                act(&FinalDenoise::new(method, denoiser, forward.level(end))?, None)
            } else {
                act(method, None)
            }
        };
        match &self.plan {
            Plan::Linear(scheme) => act(&scheme.with(denoiser), Some(scheme.evaluations())),
            Plan::Corrected(predictor) => {
                let method = PredictorCorrector::new(predictor, denoiser)?
                    .snr(self.settings.snr)?
                    .corrector_steps(self.settings.corrector_steps)?;
                let method = if denoise { method.final_denoise() } else { method };
                act(&method, Some(method.evaluations()))
            }
            Plan::Flow => {
                let flow = ProbabilityFlow::from_noise(forward, &score, end)?.tolerances(rtol, atol)?;
                finish(&flow.cap(cap).context("--cap")?)
            }
            Plan::AdaptiveSde => {
                let horizon = forward.horizon();
                let reverse = ReverseSde { diffusion: forward, score: &score, horizon };
                let method = AdaptiveSde::new(&reverse, dim, (0.0, horizon - end), rtol, atol)?;
                finish(&method.cap(cap).context("--cap")?)
            }
        }
    }

    /// The level at the start.
    fn start(&self) -> Level {
        self.forward.level(self.forward.horizon())
    }
}

/// The time at which σ/α is `noise`.
fn start_time(settings: &Settings, noise: f64) -> Result<f64> {
    let schedule = &settings.schedule;
    let time = schedule.time_of_ratio(noise);
    let (lowest, highest) =
        (schedule.level(settings.end).ratio(), schedule.level(schedule.horizon()).ratio());
    ensure!(
        time > settings.end && (schedule.level(time).ratio() / noise - 1.0).abs() < REACHED,
        "--noise {noise}: --model {} has noise between {lowest} and {highest} in units of the data",
        settings.model()
    );
    Ok(time)
}

impl Reversal for Horizon<'_> {
    fn words(&self) -> Vec<(&'static str, String)> {
        let Level { time, alpha, sigma } = self.start();
        let (settings, d) = (self.settings, self.denoiser.dim());
        let model = format!(
            "{}, d = {d}, {}, from time {time} (alpha = {alpha:.6}, sigma = {sigma:.6}) to {}",
            settings.model(),
            settings.parameters,
            settings.end
        );
        let grid = format!("{} steps on the grid {}", settings.steps, steps::name(&settings.spacing));
        let how = match &self.plan {
            Plan::Linear(_) => grid,
            Plan::Corrected(_) => {
                format!(
                    "{grid} with {} Langevin moves each, snr = {}",
                    settings.corrector_steps, settings.snr
                )
            }
            Plan::Flow | Plan::AdaptiveSde => {
                format!("rtol = {:?}, atol = {:?}", settings.rtol, settings.atol)
            }
        };
        let end = if settings.denoise { "denoised at the end" } else { "not denoised at the end" };
        vec![("model", model), ("step", format!("{}, {how}, {end}", steps::name(&settings.sampler)))]
    }

    fn scalars(&self) -> Vec<(&'static str, f64)> {
        let Level { time, alpha, sigma } = self.start();
        vec![("time", time), ("alpha", alpha), ("sigma", sigma)]
    }

    fn draw(&self, start: &Start, known: &Known, n: usize, seed: u64) -> Result<DMatrix<f64>> {
        // The noise comes from the streams of another purpose than what it is put on.
        let data = match start {
            Start::Law => known.data("--start law")?,
            Start::Fit => {
                return Ok(diffuse(&self.start(), &known.fit("--start fit")?.sample(n, seed), seed));
            }
            Start::Prior | Start::File(_) => return Ok(prior(&self.forward, self.denoiser.dim(), n, seed)),
        };
        let draw = data.draw();
        let datum = |i: usize| draw.datum(&mut stream(seed, Purpose::Data, i as u64));
        let chosen: Vec<usize> = (0..n).into_par_iter().map(datum).collect();
        Ok(diffuse(&self.start(), &data.measure.points().select_columns(&chosen), seed))
    }

    fn place(&self, observations: DMatrix<f64>) -> DMatrix<f64> {
        observations * self.start().alpha
    }

    fn run(&self, starts: &DMatrix<f64>, how: &Running) -> Result<Ensemble> {
        self.with_method(|method, evaluations| {
            let mut sampler = HorizonSampler::new(method).paths(how.paths);
            if let Some(batch) = how.batch {
                sampler = sampler.batch(batch);
            }
            let watch = Watch::new(starts.ncols(), evaluations);
            Ok(sampler.run_observed(starts, how.seed, &|at| watch.observe(at))?)
        })
    }
}
