//! Methods of others, against which those of this library are measured: one per file.

mod coarse_to_fine;
mod replacement;
mod sdedit;
mod total_variation;

pub(crate) use coarse_to_fine::{CoarseToFine, Known};
pub(crate) use replacement::replacement;
pub(crate) use sdedit::sdedit;
pub(crate) use total_variation::total_variation;
