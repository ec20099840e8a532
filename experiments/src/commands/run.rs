//! `resolvent run NAME...|all`

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, Result, anyhow, bail, ensure};

use super::threads::Threads;
use crate::experiment::{AnyExperiment, Context, Prepared};
use crate::record::{self, Record};
use crate::report::Shown;
use crate::settings::Assignment;
use crate::{Verdict, one_line, report};

/// The word that stands for every experiment.
const ALL: &str = "all";
/// The commit of the sources that this program was built from.
const GIT: &str = env!("RESOLVENT_GIT");

/// What to run and how.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Experiments by name, or `all`, which skips those whose record in DIR is up to date: of the same version and commit,
    /// settings, seed and data
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,
    /// Small settings: the same code in a few seconds
    #[arg(long)]
    quick: bool,
    /// Folder for the page and a folder NAME of record and figures per experiment; only a record of NAME is replaced
    #[arg(long, value_name = "DIR", default_value = "out")]
    out: PathBuf,
    /// Seed of every random stream
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    #[command(flatten)]
    threads: Threads,
    /// Folder of data sets, for the experiments that need one
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Change a setting, as in `--set rate=0.5`; an unknown key lists the valid ones
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<Assignment>,
    /// With `all`: run every experiment, whatever records there are
    #[arg(long)]
    fresh: bool,
}

/// Runs the experiments one after the other. One that fails does not keep the others from running.
pub(crate) fn execute(args: &Args, registry: &[&dyn AnyExperiment], out: &mut impl Write) -> Result<Verdict> {
    let all = args.names.iter().any(|name| name == ALL);
    ensure!(all || !args.fresh, "--fresh goes with `all`; experiments given by name run in any case");
    let chosen = choose(&args.names, registry)?;
    let mut prepared = Vec::with_capacity(chosen.len());
    for experiment in &chosen {
        prepared.push(experiment.prepare(args.quick, &args.set)?);
    }
    if let Some(data) = &args.data {
        ensure!(data.is_dir(), "--data {}: no such folder", data.display());
    }
    let data = record::describe_data(args.data.as_deref()).context("--data")?;
    let place = || format!("--out {}", args.out.display());
    std::fs::create_dir_all(&args.out).with_context(place)?;
    tempfile::tempfile_in(&args.out).with_context(place)?;
    for experiment in &chosen {
        record::ensure_free(&args.out, experiment.name())?;
    }
    args.threads.install()?;

    let context = Context { seed: args.seed, data: args.data.clone() };
    let (mut verdict, mut failed) = (Verdict::Holds, Vec::new());
    for (experiment, prepared) in chosen.into_iter().zip(prepared) {
        let earlier = (all && !args.fresh).then(|| up_to_date(args, experiment, &prepared, &data)).flatten();
        let record = match earlier {
            Some(record) => {
                eprintln!("{}: up to date, skipped", experiment.name());
                record
            }
            None => match run_one(args, experiment, prepared, &data, &context) {
                Ok(record) => record,
                Err(error) if context.interrupted() => return Err(error),
                Err(error) => {
                    eprintln!("{}: {}", experiment.name(), one_line(&error));
                    failed.push(experiment.name());
                    continue;
                }
            },
        };
        if !record.holds() {
            verdict = Verdict::Fails;
        }
        // The records count, not who reads along: a closed pipe does not end a run.
        let _ = write!(out, "{}", report::terminal(&record));
        let page = report::write(&args.out, sound_records(&args.out)?, registry)?;
        let _ = writeln!(out, "  page: {}\n", page.display());
    }
    ensure!(failed.is_empty(), "did not finish: {}", failed.join(", "));
    Ok(verdict)
}

fn choose<'a>(names: &[String], registry: &[&'a dyn AnyExperiment]) -> Result<Vec<&'a dyn AnyExperiment>> {
    if names.iter().any(|name| name == ALL) {
        ensure!(names.len() == 1, "`{ALL}` stands alone");
        return Ok(registry.to_vec());
    }
    let mut chosen = Vec::with_capacity(names.len());
    for (index, name) in names.iter().enumerate() {
        ensure!(!names[..index].contains(name), "experiment `{name}` is named twice");
        let found = registry.iter().find(|experiment| experiment.name() == name);
        chosen.push(*found.ok_or_else(|| {
            let known: Vec<_> = registry.iter().map(|experiment| experiment.name()).collect();
            anyhow!("no experiment `{name}`; there are {ALL}, {}", known.join(", "))
        })?);
    }
    Ok(chosen)
}

fn run_one(
    args: &Args,
    experiment: &dyn AnyExperiment,
    prepared: Prepared<'_>,
    data: &str,
    context: &Context,
) -> Result<Record> {
    let start = Instant::now();
    let outcome = (prepared.run)(context)?;
    let seconds = start.elapsed().as_secs_f64();
    context.proceed()?;
    if outcome.checks.is_empty() {
        bail!("made no check");
    }
    let record = Record {
        experiment: experiment.name().into(),
        summary: experiment.summary().into(),
        version: env!("CARGO_PKG_VERSION").into(),
        git: GIT.into(),
        seed: args.seed,
        quick: args.quick,
        data: data.into(),
        settings: prepared.settings,
        seconds,
        checks: outcome.checks,
        tables: outcome.tables,
        figures: outcome.figures.iter().map(|figure| record::file_name(&figure.stem)).collect(),
        captions: outcome.figures.iter().map(|figure| figure.caption.clone()).collect(),
        notes: outcome.notes,
    };
    record.store(&args.out, &outcome.figures)?;
    Ok(record)
}

/// The record of an earlier run that would come out the same.
fn up_to_date(
    args: &Args,
    experiment: &dyn AnyExperiment,
    prepared: &Prepared<'_>,
    data: &str,
) -> Option<Record> {
    let record = Shown::read(&args.out, experiment.name()).ok()?.record;
    let same = record.version == env!("CARGO_PKG_VERSION")
        && record.git == GIT
        && record.seed == args.seed
        && record.quick == args.quick
        && record.data == data
        && record.settings == prepared.settings;
    same.then_some(record)
}

/// The sound records in `dir`; what else lies there is left alone.
fn sound_records(dir: &Path) -> Result<Vec<Shown>> {
    let mut sound = Vec::new();
    for name in record::names(dir)? {
        match Shown::read(dir, &name) {
            Ok(shown) => sound.push(shown),
            Err(error) => eprintln!("left out of the page: {}", one_line(&error)),
        }
    }
    Ok(sound)
}
