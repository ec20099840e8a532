//! The experiments, one file or folder each, and what some of them share.

mod digits;
mod green_law;
mod joint_law;
mod killing;
mod mixture;
mod naive_reversal;
mod ou_reversal;
mod predictor_corrector;
mod reversal;
mod reverse_time;
mod samplers;
mod schedules;
mod singular_score;
mod space_dependent;
mod tabulated;

use crate::experiment::AnyExperiment;

/// All experiments, in the order in which `list` and the page show them.
pub(crate) const ALL: &[&dyn AnyExperiment] = &[
    &green_law::GreenLaw,
    &reversal::Reversal,
    &killing::Killing,
    &digits::Digits,
    &schedules::Schedules,
    &mixture::LangevinMixture,
    &mixture::VarianceExploding,
    &mixture::VariancePreserving,
    &ou_reversal::OuReversal,
    &naive_reversal::NaiveReversal,
    &space_dependent::SpaceDependent,
    &joint_law::JointLaw,
    &samplers::Samplers,
    &singular_score::SingularScore,
    &predictor_corrector::PredictorCorrectors,
];
