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
mod learned_images;
mod learned_toy;
mod lifetime_law;
mod local_time;
mod mixture;
mod naive_reversal;
mod noise_level;
mod ou_reversal;
mod polarity;
mod predictor_corrector;
mod reversal;
mod reverse_time;
mod samplers;
mod schedules;
mod score_error;
mod singular_score;
mod space_dependent;
mod state_killing;
mod tabulated;
mod three_starts;
mod training;
mod training_choices;

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
    &learned_images::LearnedGlyphs,
    &learned_images::LearnedMnist,
    &noise_level::NoiseLevel,
    &singular_score::SingularScore,
    &predictor_corrector::PredictorCorrectors,
    &learned_toy::LearnedToy,
    &training_choices::TrainingChoices,
];
