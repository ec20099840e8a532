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
use resolvent::core::htransform::{HTransform, backward_measure, backward_starts};
use resolvent::core::{EmpiricalMeasure, Ensemble, Sampler};

use backward::Backward;
pub(super) use flags::Flags;
pub(super) use flags::{Model, Settings};
use killing::Named;
use stepping::Control;
pub(super) use stepping::Scheme;
use transform::Transform;

use super::Start;
use super::data::Data;
use super::reversal::{Reversal, Running};
use crate::interrupt;
use crate::progress::Progress;

/// The backward process, ready to run.
struct Killed<'a, P> {
    /// What is reversed.
    process: P,
    /// What the reversal is started in: the data, weighted by 1/h.
    measure: EmpiricalMeasure,
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
pub(super) fn build<'a>(settings: &'a Settings<'_>, data: &Data) -> Result<Box<dyn Reversal + 'a>> {
    let forward = process::Forward::new(settings, data)?;
    let alpha = &data.measure;
    let h = &settings.transform;
    match settings.model {
        Model::Killed => {
            let process = forward.brownian()?;
            let transform = h.build_brownian(&process)?;
            let measure = conditioned(h, &*transform, alpha)?;
            Ok(Box::new(Killed::new(settings, forward, process, measure, transform)?))
        }
        Model::Drift => {
            let process = forward.drifted()?;
            let transform = h.build(&process, "drift")?;
            let measure = conditioned(h, &*transform, alpha)?;
            // Its reversal is that of Brownian motion without drift, killed faster and started in other weights.
            let (process, measure) = process.without_drift(&measure)?;
            Ok(Box::new(Killed::new(settings, forward, process, measure, transform)?))
        }
        Model::Ou => {
            let process = forward.ornstein_uhlenbeck()?;
            let transform = h.build(&process, "ou")?;
            let measure = conditioned(h, &*transform, alpha)?;
            Ok(Box::new(Killed::new(settings, forward, process, measure, transform)?))
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
        measure: EmpiricalMeasure,
        transform: Box<dyn HTransform>,
    ) -> Result<Self> {
        let Settings { flags, scheme, eta, cap, .. } = settings;
        Ok(Self {
            rules: flags.killing.build(&process, &measure)?,
            control: flags.stepping.control(*scheme, *eta, &process, &measure)?,
            process,
            measure,
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

    fn draw(&self, _start: &Start, data: &Data, n: usize, seed: u64) -> Result<DMatrix<f64>> {
        Ok(backward_starts(&*self.transform, &data.measure, n, seed)?.0)
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
        self.process.with_step(self.scheme, &self.measure, &mut |step| {
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
