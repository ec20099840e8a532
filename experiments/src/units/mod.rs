//! Units of a sweep: measured side by side, and stored one by one the moment they are done.

mod measuring;
mod shard;
mod stored;

use anyhow::Result;
use serde_json::Value;

use crate::experiment::Context;
use crate::outcome::Outcome;

pub(crate) use measuring::measure;
pub(crate) use shard::Shard;
pub(crate) use stored::{Stored, parent, path};

/// The units of a [`Sweep`](crate::sweep::Sweep) with final settings, whose types are forgotten.
pub(crate) trait Units: Sync {
    /// Their names, different from each other and plain enough for names of files.
    fn names(&self) -> Vec<&str>;

    /// Measures the unit at this place in the list.
    fn measure(&self, index: usize, context: &Context) -> Result<Value>;

    /// What they show together, given what [`Units::measure`] returned for each.
    fn conclude(self: Box<Self>, measured: Vec<Value>) -> Result<Outcome>;
}
