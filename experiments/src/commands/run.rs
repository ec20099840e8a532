//! `resolvent run NAME...|all`

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, Result, anyhow, ensure};

use super::threads::Threads;
use crate::experiment::{AnyExperiment, Context, Prepared, Work};
use crate::identity::Identity;
use crate::record::{self, Record};
use crate::report::Shown;
use crate::settings::Assignment;
use crate::units::{self, Shard};
use crate::{Verdict, one_line, report};

/// The word that stands for every experiment.
const ALL: &str = "all";

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
    /// Folder for the page, a folder NAME of record and figures per experiment, and the units of sweeps in units/NAME; only
    /// a record of NAME is replaced
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
    /// Run every experiment of `all` whatever records there are, and measure every unit of a sweep again; without it a sweep goes
    /// on from the units in DIR that are up to date
    #[arg(long)]
    fresh: bool,
    /// Do part I of N only, every N-th unit of the chosen experiments, and leave the units for `resolvent merge`; an experiment
    /// that is no sweep counts as one unit
    #[arg(long, value_name = "I/N")]
    shard: Option<Shard>,
}

/// Runs the experiments one after the other. One that fails does not keep the others from running.
pub(crate) fn execute(args: &Args, registry: &[&dyn AnyExperiment], out: &mut impl Write) -> Result<Verdict> {
    let all = args.names.iter().any(|name| name == ALL);
    let chosen = choose(&args.names, registry)?;
    ensure!(
        all || !args.fresh || chosen.iter().any(|experiment| experiment.in_units()),
        "--fresh goes with `all` and with sweeps; other experiments given by name run in any case"
    );
    let mut prepared = Vec::with_capacity(chosen.len());
    for experiment in &chosen {
        prepared.push(experiment.prepare(args.quick, &args.set)?);
    }
    if let Some(data) = &args.data {
        ensure!(data.is_dir(), "--data {}: no such folder", data.display());
    }
    let data = record::describe_data(args.data.as_deref()).context("--data")?;
    let inputs: Vec<String> = prepared
        .iter()
        .map(|prepared| record::describe_inputs(&data, &prepared.settings))
        .collect::<Result<_>>()?;
    record::ensure_writable(&args.out).with_context(|| format!("--out {}", args.out.display()))?;
    for experiment in &chosen {
        record::ensure_free(&args.out, experiment.name())?;
    }
    args.threads.install()?;

    let context = Context { seed: args.seed, data: args.data.clone() };
    let shard = args.shard.unwrap_or(Shard::WHOLE);
    let (mut verdict, mut failed, mut number) = (Verdict::Holds, Vec::new(), 0);
    for ((experiment, prepared), data) in chosen.into_iter().zip(prepared).zip(&inputs) {
        let name = experiment.name();
        let pieces = prepared.work.pieces();
        let share = shard.of(number, pieces);
        number += pieces;
        if share.is_empty() {
            continue;
        }
        let identity = Identity::here(name, &prepared.settings, args.seed, args.quick, data);
        let earlier = (all && !args.fresh).then(|| up_to_date(&args.out, &identity)).flatten();
        let record = match earlier {
            Some(record) => {
                eprintln!("{name}: up to date, skipped");
                Some(record)
            }
            None => match run_one(args, experiment, prepared, &share, identity, &context) {
                Ok(record) => record,
                Err(error) if context.interrupted() => return Err(error),
                Err(error) => {
                    eprintln!("{name}: {}", one_line(&error));
                    failed.push(name);
                    None
                }
            },
        };
        let Some(record) = record else { continue };
        if !record.holds() {
            verdict = Verdict::Fails;
        }
        // The records count, not who reads along: a closed pipe does not end a run.
        let _ = write!(out, "{}", report::terminal(&record));
        if args.shard.is_none() {
            let page = report::write(&args.out, sound_records(&args.out)?, registry)?;
            let _ = writeln!(out, "  page: {}\n", page.display());
        }
    }
    if let Some(shard) = args.shard {
        let _ = writeln!(
            out,
            "part {shard} of {number} units is in {}; once all parts are done, \
             `resolvent merge DIR... --out DIR` makes the records and the page of them",
            args.out.display()
        );
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

/// Runs an experiment, or those of its units that are in `share`; a part leaves no record.
fn run_one(
    args: &Args,
    experiment: &dyn AnyExperiment,
    prepared: Prepared<'_>,
    share: &[usize],
    identity: Identity,
    context: &Context,
) -> Result<Option<Record>> {
    let name = experiment.name();
    let (outcome, seconds) = match prepared.work {
        Work::Whole(run) => {
            let start = Instant::now();
            let outcome = run(context)?;
            (outcome, start.elapsed().as_secs_f64())
        }
        Work::Units(units) => {
            let done = units::measure(&*units, share, &identity, &args.out, !args.fresh, context)?;
            if done.skipped > 0 || args.shard.is_some() {
                let (fresh, skipped) = (done.fresh, done.skipped);
                eprintln!("{name}: {fresh} units measured, {skipped} units up to date and skipped");
            }
            for (unit, message) in &done.failed {
                eprintln!("{name}: unit {unit}: {message}");
            }
            ensure!(done.failed.is_empty(), "{} of {} units failed", done.failed.len(), share.len());
            if args.shard.is_some() {
                return Ok(None);
            }
            let start = Instant::now();
            let outcome = units.conclude(done.measured.into_iter().flatten().collect())?;
            (outcome, done.seconds + start.elapsed().as_secs_f64())
        }
    };
    context.proceed()?;
    record::keep(&args.out, identity, experiment.summary(), seconds, outcome).map(Some)
}

/// The record of an earlier run that would come out the same.
fn up_to_date(dir: &Path, identity: &Identity) -> Option<Record> {
    let record = Shown::read(dir, &identity.experiment).ok()?.record;
    (record.identity() == *identity).then_some(record)
}

/// The sound records in `dir`; what else lies there is left alone.
pub(super) fn sound_records(dir: &Path) -> Result<Vec<Shown>> {
    let mut sound = Vec::new();
    for name in record::names(dir)? {
        match Shown::read(dir, &name) {
            Ok(shown) => sound.push(shown),
            Err(error) => eprintln!("left out of the page: {}", one_line(&error)),
        }
    }
    Ok(sound)
}
