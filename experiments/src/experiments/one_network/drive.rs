//! The samplers, each driven by one of the two networks.

use anyhow::{Context as _, Result};
use nalgebra::DMatrix;
use resolvent::core::schedule::{Edm, Level, Schedule, diffuse};
use resolvent::core::{Denoiser, Ensemble, HorizonSampler};

use super::{Run, Settings, Task, Unit, Use, seed};
use crate::experiment::Context;
use crate::experiments::horizon_methods::{Backward, Cost, Deterministic, Random, matched};
use crate::experiments::image_bench::{ImageBench, RANGE, TILE, backward};
use crate::experiments::memo::Memo;
use crate::experiments::networks::Networks;

/// No particle of the killed sampler is granted more evaluations than so many times the budget.
const CAP: usize = 100;

/// Steps found by pilots.
static ETAS: Memo<f64> = Memo::new();

/// A sampler with its network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Drive {
    /// The blind network, killed.
    Killed(Random),
    /// The blind network under a schedule of which it is not told.
    Blind(Deterministic),
    /// Its twin under the same schedule, told.
    Told(Deterministic),
}

impl Drive {
    pub(super) const ALL: [Self; 6] = [
        Self::Killed(Random::Bridge),
        Self::Killed(Random::Multistep),
        Self::Blind(Deterministic::EdmEuler),
        Self::Blind(Deterministic::EdmHeun),
        Self::Told(Deterministic::EdmEuler),
        Self::Told(Deterministic::EdmHeun),
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Killed(Random::Bridge) => "blind, killed: bridge",
            Self::Killed(_) => "blind, killed: flux",
            Self::Blind(Deterministic::EdmEuler) => "blind, scheduled: DDIM",
            Self::Blind(_) => "blind, scheduled: Heun",
            Self::Told(Deterministic::EdmEuler) => "told, scheduled: DDIM",
            Self::Told(_) => "told, scheduled: Heun",
        }
    }

    pub(super) fn stem(self) -> &'static str {
        match self {
            Self::Killed(Random::Bridge) => "killed-bridge",
            Self::Killed(_) => "killed-flux",
            Self::Blind(Deterministic::EdmEuler) => "blind-ddim",
            Self::Blind(_) => "blind-heun",
            Self::Told(Deterministic::EdmEuler) => "told-ddim",
            Self::Told(_) => "told-heun",
        }
    }
}

pub(super) fn measure(unit: &Unit, settings: &Settings, context: &Context) -> Result<Vec<Run>> {
    let bench = ImageBench::load(settings.n_data, settings.n_held_out, settings.classifier_steps, context)?;
    let n = settings.images;
    let Some(drive) = unit.drive else {
        return (0..settings.floors)
            .map(|k| {
                let points = bench.draws(n, k);
                let directions = seed(context, Use::FloorDirections, k);
                Ok(Run {
                    budget: None,
                    eta: None,
                    cost: None,
                    quality: bench.quality(&points, settings.projections, directions)?,
                    rmse: None,
                    accuracy: Some(bench.accuracy()),
                    shown: if k == 0 { grey_levels(&points, settings.shown) } else { Vec::new() },
                })
            })
            .collect();
    };
    let networks = Networks::load(&settings.networks, 0, &bench.images, context)?;
    let bench = Bench { bench: &bench, networks: &networks, settings, context, k: unit.seed };
    let budgets = match unit.task {
        Task::Right => settings.evaluations.clone(),
        Task::WrongNoise(_) => vec![settings.wrong_evaluations],
        Task::WrongLevel(_) => vec![settings.noise_evaluations],
    };
    budgets.into_iter().map(|budget| bench.run(drive, unit.task, budget)).collect()
}

/// Everything a run needs.
struct Bench<'a> {
    bench: &'a ImageBench,
    networks: &'a Networks,
    settings: &'a Settings,
    context: &'a Context,
    k: usize,
}

impl Bench<'_> {
    fn run(&self, drive: Drive, task: Task, budget: usize) -> Result<Run> {
        self.context.proceed()?;
        let Self { settings, context, .. } = self;
        let (eta, ensemble) = match drive {
            Drive::Killed(method) => self.killed(method, task, budget)?,
            Drive::Blind(method) => {
                let denoiser = self.networks.spatial.blind_denoiser()?.clip(RANGE.0, RANGE.1)?;
                (None, self.scheduled(method, &denoiser, task, budget)?)
            }
            Drive::Told(method) => {
                let denoiser = self.networks.told.denoiser()?.clip(RANGE.0, RANGE.1)?;
                (None, self.scheduled(method, &denoiser, task, budget)?)
            }
        };
        let points = &ensemble.points;
        let rmse = matches!(task, Task::WrongLevel(_)).then(|| {
            let difference = points - self.clean();
            (difference.norm_squared() / points.len() as f64).sqrt()
        });
        let directions = seed(context, Use::Directions, self.k);
        Ok(Run {
            budget: Some(budget),
            eta,
            cost: Some(Cost::of(&ensemble)?),
            quality: self.bench.quality(points, settings.projections, directions)?,
            rmse,
            accuracy: None,
            shown: if self.k == 0 { grey_levels(points, settings.shown) } else { Vec::new() },
        })
    }

    /// The held-out images of this seed.
    fn clean(&self) -> DMatrix<f64> {
        let (n, held_out) = (self.settings.images, &self.bench.images.held_out);
        held_out.select_columns(&(0..n).map(|i| (self.k * n + i) % held_out.ncols()).collect::<Vec<_>>())
    }

    /// The same with noise.
    fn noisy(&self) -> DMatrix<f64> {
        let level = Level { time: 0.0, alpha: 1.0, sigma: self.settings.noise };
        diffuse(&level, &self.clean(), seed(self.context, Use::Noise, self.k))
    }

    /// The factor of a task.
    fn factor(&self, task: Task) -> f64 {
        match task {
            Task::Right => 1.0,
            Task::WrongNoise(k) | Task::WrongLevel(k) => self.settings.factors[k],
        }
    }

    /// It starts where it is put and asks for no level, so that a wrong schedule is nothing to it, and larger noise a longer way.
    fn killed(&self, method: Random, task: Task, budget: usize) -> Result<(Option<f64>, Ensemble)> {
        let Self { bench, settings, context, .. } = self;
        let cap = CAP * budget;
        backward(self.networks, settings.floor, |backward: &Backward<'_>| {
            let starts = |n, factor: f64, seed| bench.starts(factor * settings.start_level, n, seed);
            let pilot = seed(context, Use::Pilot, 0);
            let from_noise = !matches!(task, Task::WrongLevel(_));
            let key = format!(
                "{} {budget} {from_noise} {} {:?} {}",
                method.stem(),
                context.seed,
                context.data,
                serde_json::to_string(settings)?
            );
            let eta = ETAS.get(&key, || {
                let starts = if from_noise {
                    starts(settings.pilot, 1.0, pilot)
                } else {
                    let level = Level { time: 0.0, alpha: 1.0, sigma: settings.noise };
                    diffuse(&level, &bench.draws(settings.pilot, 0), pilot)
                };
                matched(budget, method.guess(budget), |eta| {
                    context.proceed()?;
                    backward.run(method, eta, &starts, cap, pilot)
                })?
                .with_context(|| format!("no step of {} costs {budget} evaluations or fewer", method.name()))
            })?;
            let run_seed = seed(context, Use::Run, self.k);
            let starts =
                if from_noise { starts(settings.images, self.factor(task), run_seed) } else { self.noisy() };
            Ok((Some(*eta), backward.run(method, *eta, &starts, cap, run_seed)?))
        })
    }

    /// On the grid of EDM from the level that the schedule has for the start.
    fn scheduled(
        &self,
        method: Deterministic,
        denoiser: &dyn Denoiser,
        task: Task,
        budget: usize,
    ) -> Result<Ensemble> {
        let (settings, factor) = (self.settings, self.factor(task));
        let run_seed = seed(self.context, Use::Run, self.k);
        let (sigma_max, starts) = match task {
            Task::Right | Task::WrongNoise(_) => {
                let starts = method.starts(denoiser.dim(), settings.images, run_seed)? * factor;
                (Edm::default().horizon(), starts)
            }
            Task::WrongLevel(_) => (factor * settings.noise, self.noisy()),
        };
        let scheme = method.karras(sigma_max, budget)?;
        let method = scheme.with(denoiser);
        Ok(HorizonSampler::new(&method).batch(TILE).run(&starts, run_seed)?)
    }
}

/// The first images in bytes.
fn grey_levels(points: &DMatrix<f64>, shown: usize) -> Vec<Vec<u8>> {
    let (low, high) = RANGE;
    let level = |x: &f64| (255.0 * (x.clamp(low, high) - low) / (high - low)).round() as u8;
    points.column_iter().take(shown).map(|image| image.iter().map(level).collect()).collect()
}
