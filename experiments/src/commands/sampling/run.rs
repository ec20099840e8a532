//! Data, process and options put together, and run.

use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

use anyhow::{Result, ensure};
use nalgebra::DMatrix;
use resolvent::core::{EmpiricalScore, Ensemble, KilledBrownianMotion, Sampler};

use super::data::Data;
use super::options::Options;
use super::output::{self, Contents};
use super::{Mask, Start, process, start};
use crate::interrupt;
use crate::progress::Progress;

/// A run that is ready but for its starts.
pub(crate) struct Run<'a> {
    options: &'a Options,
    data: Data,
    process: KilledBrownianMotion,
    /// The process in words.
    words: String,
}

impl<'a> Run<'a> {
    /// Checks the options and reads the data.
    pub(crate) fn prepare(options: &'a Options) -> Result<Self> {
        options.check()?;
        options.threads.install()?;
        let data = Data::read(&options.data, options.weights.as_deref())?;
        let (process, words) = process::build(options, &data)?;
        Ok(Self { options, data, process, words })
    }

    /// Runs `n` particles from `start`, or from each of its points, and writes the result.
    pub(crate) fn sample(&self, start: &Start, n: NonZeroUsize) -> Result<()> {
        let starts = match start {
            Start::Law => start::law(&self.process, &self.data, n, self.options.seed)?,
            Start::File(path) => start::repeat(&start::read("--start", path, self.process.dim())?, n)?,
        };
        self.finish(&starts, None)
    }

    /// Runs `n` particles from each input of a file and writes the result.
    pub(crate) fn project(&self, input: &Path, mask: &Mask, n: NonZeroUsize) -> Result<()> {
        let mut inputs = start::read("--input", input, self.process.dim())?;
        mask.fill(&mut inputs, || self.data.mean())?;
        self.finish(&start::repeat(&inputs, n)?, Some(&inputs))
    }

    fn finish(&self, starts: &DMatrix<f64>, inputs: Option<&DMatrix<f64>>) -> Result<()> {
        let (options, n) = (self.options, starts.ncols());
        let paths = options.paths.map_or(0, NonZeroUsize::get);
        ensure!(paths <= n, "--paths {paths}: there are {n} particles");
        let rules = options.killing.build(&self.process, &self.data.measure)?;
        let control = options.stepping.control(&self.process, &self.data.measure)?;
        let score = EmpiricalScore::new(&self.process, self.data.measure.clone())?;
        let step = options.stepping.scheme.build(&score);
        eprintln!("data         {} points from {}", self.data.measure.len(), options.data.display());
        eprintln!("model        {}", self.words);
        eprintln!("step         {}", control.words);

        let mut sampler = Sampler::new(&self.process, &*step, &*control.rule)
            .cap(options.cap.get())
            .paths(paths)
            .final_denoise(options.killing.denoise);
        if let Some(batch) = options.batch {
            sampler = sampler.batch(batch.get());
        }
        for (name, rule) in &rules {
            sampler = sampler.killing(*name, &**rule);
        }
        let clock = Instant::now();
        let ensemble = self.observed(&sampler, starts)?;
        let seconds = clock.elapsed().as_secs_f64();
        let nearest = inputs.map(|inputs| self.data.nearest(inputs)).transpose()?;
        output::write(
            &options.out,
            &Contents {
                ensemble: &ensemble,
                starts,
                delta: control.delta,
                process: &self.process,
                inputs: inputs.zip(nearest.as_deref()),
            },
        )?;
        eprint!("{}", output::summary(&ensemble, seconds, &options.out));
        Ok(())
    }

    fn observed(&self, sampler: &Sampler<'_>, starts: &DMatrix<f64>) -> Result<Ensemble> {
        let progress = Progress::new(starts.ncols() as u64, "particles");
        let observer = |ended: usize| {
            progress.inc(ended as u64);
            if interrupt::requested() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        Ok(sampler.run_observed(starts, self.options.seed, &observer)?)
    }
}
