//! What is learned: losses of a model, as tasks for the trainer.

mod classification;
mod ratio;
mod raw;
mod regression;
mod score_matching;

pub use classification::{Classification, Labelled};
pub use ratio::{DensityRatio, LogRatio};
pub use raw::RawNetwork;
pub use regression::{Form, Objective, Regression, Scale};
pub use score_matching::{Divergence, Probe, ScoreMatching};

use rayon::prelude::*;
use std::ops::Range;

/// What `f` says of all examples, in their order, asked for in parts on all cores.
fn in_shards<T: Send>(examples: u64, f: impl Fn(Range<u64>) -> Vec<T> + Sync) -> Vec<T> {
    const SHARD: u64 = 64;
    let shards: Vec<u64> = (0..examples.div_ceil(SHARD)).collect();
    let parts: Vec<Vec<T>> =
        shards.par_iter().map(|shard| f(shard * SHARD..examples.min((shard + 1) * SHARD))).collect();
    parts.into_iter().flatten().collect()
}
