//! The experiments, one file each.

mod digits;
mod green_law;
mod killing;
mod reversal;

use crate::experiment::AnyExperiment;

/// All experiments, in the order in which `list` and the page show them.
pub(crate) const ALL: &[&dyn AnyExperiment] =
    &[&green_law::GreenLaw, &reversal::Reversal, &killing::Killing, &digits::Digits];
