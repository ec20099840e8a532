//! `resolvent train`

mod config;
mod data;
mod watch;
mod words;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use resolvent::learn::Trained;
use resolvent::learn::engine::Native;
use resolvent::learn::train::{Files, Outcome, State};

use self::config::Config;
use self::data::Data;
use self::watch::Watch;
pub(super) use self::words::{model as describe_model, validation as describe_validation};
use super::sampling::positive;
use super::threads::Threads;
use crate::Verdict;
use crate::settings::Assignment;

/// What follows the options in `--help`.
const AFTER: &str = "\
CONFIG is TOML; the folder recipes holds examples. Its tables:
[data]        law = NAME or { NAME = { its parameters } }, one of circle, sphere, torus, swiss-roll, swiss-roll-curve, tree,
              checkerboard, gaussian-grid, glyphs, with the number of points and a seed; or file = FILE; or mnist = DIR.
              Of a file or MNIST, points counts the first ones and held_out the last ones.
[model]       architecture, conditioning (blind or told), preconditioning, embedding, rate
[examples]    deaths, noised or field, with the law of the noise level
[objective]   form, scale, matched, balance
[training]    steps, batch, learning_rate and what else rules the optimiser
directions and validation stand before the tables: leading directions of the Gaussian fit, examples to validate on.

Files: STEM.safetensors, the model; STEM.state.safetensors, from which --resume goes on; STEM.jsonl, the records.

Exit status: 0 done or out of time, 1 diverged; then the last good model is kept, 2 bad use or input, or interrupted.";

/// What to train and how.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    /// Settings of the training
    #[arg(value_name = "CONFIG")]
    config: PathBuf,
    /// Folder and name, without ending, of the files to write [default: the name of CONFIG, in the current folder]
    #[arg(long, value_name = "STEM")]
    out: Option<PathBuf>,
    /// Data in place of those of CONFIG: points [n, d] as npy, npz, csv or idx, or a folder of MNIST files
    #[arg(long, value_name = "FILE|DIR")]
    data: Option<PathBuf>,
    /// Go on with the training whose files are there, as if it had never stopped
    #[arg(long)]
    resume: bool,
    /// Seed of the initial parameters and of all examples, training.seed
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    #[command(flatten)]
    threads: Threads,
    /// Stop after so many seconds, with files to resume from, training.seconds
    #[arg(long, value_name = "S", value_parser = positive, allow_negative_numbers = true)]
    seconds: Option<f64>,
    /// Change a setting of CONFIG, as in `--set training.steps=100`
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<Assignment>,
}

impl Args {
    fn assignments(&self) -> Result<Vec<Assignment>> {
        let seed = self.seed.map(|seed| format!("training.seed={seed}"));
        let seconds = self.seconds.map(|seconds| format!("training.seconds={seconds:?}"));
        let options =
            seed.into_iter().chain(seconds).map(|text| text.parse().map_err(|e: String| anyhow!(e)));
        self.set.iter().cloned().map(Ok).chain(options).collect()
    }

    fn stem(&self) -> Result<PathBuf> {
        let stem = match &self.out {
            Some(stem) => stem.clone(),
            None => self.config.file_stem().map(PathBuf::from).unwrap_or_default(),
        };
        let name = stem.display();
        ensure!(
            stem.file_name().is_some_and(|file| !file.is_empty()) && !name.to_string().ends_with('/'),
            "--out {name}: names no file"
        );
        ensure!(
            stem.extension() != Some(OsStr::new("safetensors")),
            "--out {name}: is to be without ending; .safetensors is added to it"
        );
        if let Some(folder) = stem.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            ensure!(folder.is_dir(), "--out {name}: there is no folder {}", folder.display());
        }
        Ok(stem)
    }
}

/// Trains and writes the files.
pub(crate) fn execute(args: &Args) -> Result<Verdict> {
    let stem = args.stem()?;
    let files = [Files::model(&stem), Files::state(&stem), Files::records(&stem)];
    if !args.resume
        && let Some(there) = files.iter().find(|file| file.exists())
    {
        bail!("{}: is there already; give --resume to go on with it, or another --out", there.display());
    }
    let config = Config::read(&args.config, &args.assignments()?, args.data.as_deref())?;
    let state = args.resume.then(|| State::read(&files[1]).context("--resume")).transpose()?;
    args.threads.install()?;

    let Data { settings, points, held_out } = config.data.load().with_context(|| config.name.clone())?;
    let name = serde_json::to_value(&settings)?;
    let prepared = config.recipe.prepare(&name, &points, &held_out).with_context(|| config.name.clone())?;
    eprint!("{}", words::start(&settings, &config.recipe, prepared.model(), state.as_ref()));

    let done = state.as_ref().map_or(0, State::step);
    let steps = config.recipe.training.steps;
    let mut watch = Watch::new(&stem, args.resume, done, steps);
    let trained = prepared.train(&Native, state, &mut watch).with_context(|| match args.resume {
        true => format!("{}: --resume {}", config.name, files[1].display()),
        false => config.name.clone(),
    })?;
    drop(watch);
    end(&trained, steps, &files)
}

/// Says how the training ended.
fn end(Trained { outcome, saved }: &Trained, steps: u64, files: &[PathBuf; 3]) -> Result<Verdict> {
    let step = saved.as_ref().map_or(0, |saved| saved.step);
    let validated = saved.as_ref().filter(|saved| !saved.validation.is_empty());
    if let Some(saved) = validated {
        eprintln!("validation   {}", describe_validation(&saved.validation));
    }
    let written: Vec<_> =
        files.iter().filter(|file| file.exists()).map(|file| Path::display(file).to_string()).collect();
    eprintln!("written      {}", written.join(", "));
    let again = "the same command with --resume goes on";
    match outcome {
        Outcome::Finished => Ok(Verdict::Holds),
        Outcome::TimeUp => {
            eprintln!("out of time  after {step} of {steps} steps; {again}");
            Ok(Verdict::Holds)
        }
        Outcome::Stopped => bail!("interrupted after {step} of {steps} steps; {again}"),
        Outcome::Diverged { step, last_good } => {
            let model = files[0].display();
            let kept = match last_good {
                Some(good) => format!("{model} is the last good model, of step {good}"),
                None => "there is no good model".into(),
            };
            eprintln!("DIVERGED     after {step} of {steps} steps; {kept}");
            Ok(Verdict::Fails)
        }
    }
}
