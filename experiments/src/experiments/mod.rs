//! The experiments, one file or folder each, and what some of them share.

mod anomaly;
mod classify;
mod digits;
mod dimension;
mod ergodic;
mod flux;
mod green_law;
mod h_transform;
mod hazard;
mod joint_law;
mod killing;
mod labelled_images;
mod lifetime_law;
mod local_time;
mod mixture;
mod naive_reversal;
mod ou_reversal;
mod polarity;
mod predictor_corrector;
mod reversal;
mod reverse_time;
mod samplers;
mod schedules;
mod singular_score;
mod space_dependent;
mod state_killing;
mod tabulated;
mod three_starts;

use crate::experiment::AnyExperiment;

/// All experiments, in the order in which `list` and the page show them.
pub(crate) const ALL: &[&dyn AnyExperiment] = &[
    &green_law::GreenLaw,
    &reversal::Reversal,
    &killing::Killing,
    &polarity::Polarity,
    &lifetime_law::LifetimeLaw,
    &h_transform::HTransforms,
    &three_starts::ThreeStarts,
    &ergodic::Ergodic,
    &state_killing::StateKilling,
    &hazard::Hazard,
    &local_time::LocalTimes,
    &flux::Flux,
    &digits::Digits,
    &classify::Classify,
    &anomaly::Anomaly,
    &dimension::Dimension,
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
