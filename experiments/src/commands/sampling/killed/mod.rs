//! Killed diffusions run backward until they die: a random horizon.

mod backward;
mod flags;
mod killing;
mod process;
mod stepping;
mod support;
mod transform;

use std::ops::ControlFlow;

use anyhow::Result;
use nalgebra::DMatrix;
use resolvent::core::htransform::{HTransform, backward_measure, backward_starts, deaths};
use resolvent::core::{EmpiricalMeasure, Ensemble, Sampler};

use backward::{Backward, Target};
pub(super) use flags::Flags;
pub(super) use flags::{Model, Settings};
use killing::Named;
use stepping::Control;
pub(super) use stepping::Scheme;
use transform::Transform;

use super::Start;
use super::known::Known;
use super::reversal::{Reversal, Running};
use crate::interrupt;
use crate::progress::Progress;

/// The backward process, ready to run.
struct Killed<'a, P> {
    /// What is reversed.
    process: P,
    /// What the reversal is carried to: the data, weighted by 1/h, or a model of them.
    target: Target,
    /// The conditioning of the forward process, for the start law.
    transform: Box<dyn HTransform>,
    /// The model in words.
    words: String,
    /// r and σ of the forward process, and what else the model has.
    scalars: Vec<(&'static str, f64)>,
    scheme: Scheme,
    control: Control<P>,
    rules: Vec<Named<'a, P>>,
    denoise: bool,
    cap: usize,
}

/// The model with its flags.
pub(super) fn build<'a>(settings: &'a Settings<'_>, known: &Known) -> Result<Box<dyn Reversal + 'a>> {
    let h = &settings.transform;
    if let Some(score) = known.score()? {
        let forward = process::Forward::new(settings, known, Some(score.model().settings().rate))?;
        let process = forward.brownian()?;
        let transform = h.build_brownian(&process)?;
        let target = Target::Learned(Box::new(score));
        return Ok(Box::new(Killed::new(settings, forward, process, target, transform, known)?));
    }
    let forward = process::Forward::new(settings, known, None)?;
    let alpha = &known.data("the exact score")?.measure;
    match settings.model {
        Model::Killed => {
            let process = forward.brownian()?;
            let transform = h.build_brownian(&process)?;
            let measure = conditioned(h, &*transform, alpha)?;
            Ok(Box::new(Killed::new(settings, forward, process, Target::Exact(measure), transform, known)?))
        }
        Model::Drift => {
            let process = forward.drifted()?;
            let transform = h.build(&process, "drift")?;
            let measure = conditioned(h, &*transform, alpha)?;
            // Its reversal is that of Brownian motion without drift, killed faster and started in other weights.
            let (process, measure) = process.without_drift(&measure)?;
            Ok(Box::new(Killed::new(settings, forward, process, Target::Exact(measure), transform, known)?))
        }
        Model::Ou => {
            let process = forward.ornstein_uhlenbeck()?;
            let transform = h.build(&process, "ou")?;
            let measure = conditioned(h, &*transform, alpha)?;
            Ok(Box::new(Killed::new(settings, forward, process, Target::Exact(measure), transform, known)?))
        }
    }
}

/// α/h.
fn conditioned(
    h: &Transform,
    transform: &dyn HTransform,
    alpha: &EmpiricalMeasure,
) -> Result<EmpiricalMeasure> {
    if h.is_exponential() { Ok(alpha.clone()) } else { Ok(backward_measure(transform, alpha)?) }
}

impl<'a, P: Backward> Killed<'a, P> {
    fn new(
        settings: &'a Settings<'_>,
        forward: process::Forward,
        process: P,
        target: Target,
        transform: Box<dyn HTransform>,
        known: &Known,
    ) -> Result<Self> {
        let Settings { flags, scheme, eta, cap, .. } = settings;
        Ok(Self {
            rules: flags.killing.build(&process, known)?,
            control: flags.stepping.control(*scheme, *eta, &process, &target)?,
            process,
            target,
            transform,
            words: forward.words,
            scalars: forward.scalars,
            scheme: *scheme,
            denoise: flags.killing.denoise,
            cap: *cap,
        })
    }
}

impl<P: Backward> Reversal for Killed<'_, P> {
    fn words(&self) -> Vec<(&'static str, String)> {
        vec![("model", self.words.clone()), ("step", self.control.words.clone())]
    }

    fn scalars(&self) -> Vec<(&'static str, f64)> {
        let mut scalars = vec![("delta", self.control.delta)];
        scalars.extend(&self.scalars);
        scalars
    }

    fn draw(&self, start: &Start, known: &Known, n: usize, seed: u64) -> Result<DMatrix<f64>> {
        if matches!(start, Start::Fit) {
            return Ok(deaths(&*self.transform, &known.fit("--start fit")?.sample(n, seed), seed)?.0);
        }
        Ok(backward_starts(&*self.transform, &known.data("--start law")?.measure, n, seed)?.0)
    }

    fn place(&self, observations: DMatrix<f64>) -> DMatrix<f64> {
        observations
    }

    fn run(&self, starts: &DMatrix<f64>, how: &Running) -> Result<Ensemble> {
        let progress = Progress::new(starts.ncols() as u64, "particles");
        let observer = |ended: usize| {
            progress.inc(ended as u64);
            if interrupt::requested() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        self.process.with_step(self.scheme, &self.target, &mut |step| {
            let mut sampler = Sampler::new(&self.process, step, &*self.control.rule)
                .cap(self.cap)
                .paths(how.paths)
                .final_denoise(self.denoise);
            if let Some(batch) = how.batch {
                sampler = sampler.batch(batch);
            }
            for (name, rule) in &self.rules {
                sampler = sampler.killing(*name, &**rule);
            }
            Ok(sampler.run_observed(starts, how.seed, &observer)?)
        })
    }
}
