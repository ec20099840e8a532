//! Data, model and starts put together, run, and written.

use std::num::NonZeroUsize;
use std::path::Path;
use std::time::Instant;

use anyhow::{Result, ensure};

use super::known::Known;
use super::options::{Options, Settings};
use super::output::{self, Contents};
use super::reversal::{Reversal, Running};
use super::{Mask, Start, horizon, killed, start};

/// Where the particles start.
#[derive(Debug)]
pub(crate) enum Task<'a> {
    /// From a law or given points.
    Sample {
        /// Unless it is the start of the model.
        start: Option<&'a Start>,
    },
    /// From observations.
    Project {
        /// The file of the observations.
        input: &'a Path,
        /// Their unknown coordinates.
        mask: &'a Mask,
        /// The standard deviation of their noise, if known.
        noise: Option<f64>,
    },
}

/// Runs `n` particles (from each point where the starts are points) and writes the file.
pub(crate) fn run(options: &Options, task: &Task<'_>, n: NonZeroUsize) -> Result<()> {
    let settings = options.settings()?;
    settings.check(task)?;
    options.threads.install()?;
    let known = Known::read(
        options.data.as_deref(),
        options.weights.as_deref(),
        options.score.as_deref(),
        options.clip,
    )?;
    let reversal = settings.build(&known, task)?;
    let dim = known.dim();
    let (inputs, starts) = match task {
        Task::Sample { start: Some(Start::File(path)) } => {
            (None, start::repeat(&start::read("--start", path, dim)?, n)?)
        }
        Task::Sample { start } => {
            start::fits(n, 1, dim)?;
            let start = start.unwrap_or(settings.default_start(&known));
            (None, reversal.draw(start, &known, n.get(), options.seed)?)
        }
        Task::Project { input, mask, .. } => {
            let mut inputs = start::read("--input", input, dim)?;
            mask.fill(&mut inputs, || known.mean())?;
            let starts = reversal.place(start::repeat(&inputs, n)?);
            (Some(inputs), starts)
        }
    };
    let paths = options.paths.map_or(0, NonZeroUsize::get);
    let particles = starts.ncols();
    ensure!(paths <= particles, "--paths {paths}: there are {particles} particles");

    if let (Some(data), Some(path)) = (known.data_if_any(), &options.data) {
        eprintln!("data         {} points from {}", data.measure.len(), path.display());
    }
    for (heading, text) in known.words().into_iter().chain(reversal.words()) {
        eprintln!("{heading:12} {text}");
    }
    let clock = Instant::now();
    let running = Running { seed: options.seed, paths, batch: options.batch.map(NonZeroUsize::get) };
    let ensemble = reversal.run(&starts, &running)?;
    let seconds = clock.elapsed().as_secs_f64();
    let nearest = inputs.as_ref().map(|inputs| known.nearest(inputs)).transpose()?.flatten();
    output::write(
        &options.out,
        &Contents {
            ensemble: &ensemble,
            starts: &starts,
            scalars: &reversal.scalars(),
            inputs: inputs.as_ref(),
            nearest: nearest.as_deref(),
        },
    )?;
    eprint!("{}", output::summary(&ensemble, seconds, &options.out));
    Ok(())
}

impl Settings<'_> {
    /// Whether the model can start there.
    fn check(&self, task: &Task<'_>) -> Result<()> {
        match (self, task) {
            (Self::Killed(settings), Task::Sample { start: Some(Start::Prior) }) => anyhow::bail!(
                "--start prior: the model {} has no prior; its start law, --start law, depends on the data",
                settings.model()
            ),
            (Self::Killed(settings), Task::Project { noise: Some(_), .. }) => anyhow::bail!(
                "--noise does not go with --model {}, which starts at the input and finds its noise by itself",
                settings.model()
            ),
            (Self::Horizon(settings), Task::Project { noise: None, .. }) => anyhow::bail!(
                "project with --model {} needs --noise, the standard deviation of the noise in the input: it says at \
                 which time to start",
                settings.model()
            ),
            (Self::Horizon(settings), Task::Project { mask, .. }) if mask.is_given() => anyhow::bail!(
                "--mask goes with --model killed, drift and ou: --model {} starts at one noise level for all coordinates, and an \
                 unknown coordinate is not data plus Gaussian noise",
                settings.model()
            ),
            _ => Ok(()),
        }
    }

    fn default_start(&self, known: &Known) -> &'static Start {
        match self {
            Self::Killed(_) if known.data_if_any().is_none() => &Start::Fit,
            Self::Killed(_) => &Start::Law,
            Self::Horizon(_) => &Start::Prior,
        }
    }

    fn build<'a>(&'a self, known: &'a Known, task: &Task<'_>) -> Result<Box<dyn Reversal + 'a>> {
        Ok(match self {
            Self::Killed(settings) => killed::build(settings, known)?,
            Self::Horizon(settings) => {
                let noise = match task {
                    Task::Sample { .. } => None,
                    Task::Project { noise, .. } => *noise,
                };
                Box::new(horizon::Horizon::new(settings, known.denoiser()?, noise)?)
            }
        })
    }
}
