//! What `sample` and `project` share: options, data, starts, the run and its output. Each kind of model has a folder with
//! its flags, its settings and the run; what is common to all knows it as a [`Reversal`](reversal::Reversal).

mod data;
mod horizon;
mod killed;
mod known;
mod mask;
mod numbers;
mod options;
mod output;
mod reversal;
mod run;
mod start;
mod steps;

pub(super) use mask::Mask;
pub(super) use numbers::positive;
pub(super) use options::Options;
pub(super) use output::ARRAYS;
pub(super) use run::{Task, run};
pub(super) use start::Start;
