//! Measuring units on all threads.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use anyhow::{Result, anyhow};
use serde_json::Value;

use super::{Stored, Units, path};
use crate::experiment::Context;
use crate::identity::Identity;
use crate::one_line;

/// Stack of a thread that measures, in bytes: as much as the main thread has.
const STACK: usize = 8 << 20;

/// What became of the units asked for.
#[derive(Default)]
pub(crate) struct Finished {
    /// By place in the list of all units; those not asked for are absent, as are those that failed.
    pub(crate) measured: Vec<Option<Value>>,
    /// Seconds of those measured now and of those measured earlier, added up.
    pub(crate) seconds: f64,
    /// How many were measured now.
    pub(crate) fresh: usize,
    /// How many were there from an earlier run.
    pub(crate) skipped: usize,
    /// Name and message of those that failed or could not be stored.
    pub(crate) failed: Vec<(String, String)>,
}

/// Measures the units at the places `chosen` and stores each in `dir`. With `resume` those that are there already, of the same
/// identity, are not measured again. An error means that the work was interrupted.
pub(crate) fn measure(
    units: &dyn Units,
    chosen: &[usize],
    identity: &Identity,
    dir: &Path,
    resume: bool,
    context: &Context,
) -> Result<Finished> {
    let names = units.names();
    let mut finished = Finished { measured: vec![None; names.len()], ..Finished::default() };
    let mut open = Vec::new();
    for &index in chosen {
        match earlier(dir, names[index], identity).filter(|_| resume) {
            Some(Stored { seconds, measured, .. }) => {
                finished.measured[index] = Some(measured);
                finished.seconds += seconds;
                finished.skipped += 1;
            }
            None => open.push(index),
        }
    }
    let progress = context.progress(chosen.len() as u64, &identity.experiment);
    progress.skip(finished.skipped as u64);
    let (next, results) = (AtomicUsize::new(0), Mutex::new(Vec::with_capacity(open.len())));
    let work = || {
        while let Some(&index) = open.get(next.fetch_add(1, Ordering::Relaxed)) {
            if context.interrupted() {
                break;
            }
            let result = one(units, index, names[index], identity, context).and_then(|stored| {
                // After an interruption a unit may have returned before it was done.
                context.proceed()?;
                stored.store(dir)?;
                Ok(stored)
            });
            results.lock().unwrap_or_else(PoisonError::into_inner).push((index, result));
            progress.inc(1);
        }
    };
    // Threads of their own, which wait for the pool where a unit computes in parallel: on a thread of the pool such a unit would
    // take up others while it waits, within its own time and on top of its own stack.
    thread::scope(|scope| -> Result<()> {
        for _ in 0..rayon::current_num_threads().min(open.len()) {
            thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work)?;
        }
        Ok(())
    })?;
    context.proceed()?;
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.sort_by_key(|(index, _)| *index);
    for (index, result) in results {
        match result {
            Ok(Stored { seconds, measured, .. }) => {
                finished.measured[index] = Some(measured);
                finished.seconds += seconds;
                finished.fresh += 1;
            }
            Err(error) => finished.failed.push((names[index].to_owned(), one_line(&error))),
        }
    }
    Ok(finished)
}

/// The stored unit, if it would come out the same; a damaged file is reported.
fn earlier(dir: &Path, unit: &str, identity: &Identity) -> Option<Stored> {
    let path = path(dir, &identity.experiment, unit);
    if path.symlink_metadata().is_err() {
        return None;
    }
    match Stored::read(&path) {
        Ok(stored) => (stored.identity == *identity).then_some(stored),
        Err(error) => {
            eprintln!("{}: unit {unit} is measured again: {}", identity.experiment, one_line(&error));
            None
        }
    }
}

fn one(
    units: &dyn Units,
    index: usize,
    name: &str,
    identity: &Identity,
    context: &Context,
) -> Result<Stored> {
    let start = Instant::now();
    let measured = catch_unwind(AssertUnwindSafe(|| units.measure(index, context)))
        .map_err(|payload| anyhow!("panicked: {}", said(payload.as_ref())))
        .flatten()?;
    let seconds = start.elapsed().as_secs_f64();
    Ok(Stored { unit: name.into(), identity: identity.clone(), seconds, measured })
}

/// The words of a panic.
fn said(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("without a message")
}
