//! `--threads N`, for every subcommand that computes in parallel.

use std::num::NonZeroUsize;

use anyhow::{Context as _, Result};

/// The number of threads; results do not depend on it.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct Threads {
    /// Threads to compute with [default: one per core]; results do not depend on it
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
}

impl Threads {
    /// Builds the pool; to be called once, before anything runs in parallel.
    pub(crate) fn install(&self) -> Result<()> {
        let Some(threads) = self.threads else { return Ok(()) };
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads.get())
            .build_global()
            .with_context(|| format!("cannot start {threads} threads"))
    }
}
