//! The experiments, one file or folder each, and what some of them share.

mod anomaly;
mod ball_bound;
mod carried;
mod classify;
mod corruption;
mod digits;
mod dimension;
mod ergodic;
mod estimate;
mod flux;
mod green_law;
mod h_transform;
mod harmonic;
mod hazard;
mod horizon_methods;
mod horizons;
mod image_bench;
mod initialisation;
mod joint_law;
mod judge;
mod killing;
mod killing_benchmark;
mod labelled_images;
mod learned_images;
mod learned_toy;
mod lifetime_law;
mod local_time;
mod memo;
mod mixture;
mod naive_reversal;
mod networks;
mod noise_level;
mod one_network;
mod ou_reversal;
mod picture_rows;
mod polarity;
mod predictor_corrector;
mod projection_dimension;
mod projection_mask;
mod projection_noise;
mod quality;
mod questions;
mod reversal;
mod reverse_time;
mod samplers;
mod schedules;
mod score_error;
mod singular_score;
mod space_dependent;
mod state_killing;
mod tabulated;
mod three_sigma;
mod three_starts;
mod training;
mod training_choices;

use crate::experiment::AnyExperiment;
use crate::sweep::Swept;

pub(crate) use questions::{place, question};

/// All experiments, in the order in which `list` and the page show them.
pub(crate) const ALL: &[&dyn AnyExperiment] = &[
    &green_law::GreenLaw,
    &reversal::Reversal,
    &killing::Killing,
    &Swept(killing_benchmark::KillingBenchmark),
    &Swept(polarity::Polarity),
    &lifetime_law::LifetimeLaw,
    &h_transform::HTransforms,
    &three_starts::ThreeStarts,
    &ergodic::Ergodic,
    &state_killing::StateKilling,
    &hazard::Hazard,
    &local_time::LocalTimes,
    &flux::Flux,
    &digits::Digits,
    &Swept(projection_dimension::ProjectionDimension),
    &Swept(projection_noise::ProjectionNoise),
    &Swept(projection_mask::ProjectionMask),
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
    &Swept(horizons::Horizons),
    &Swept(initialisation::Initialisation),
    &Swept(one_network::OneNetwork),
    &learned_images::LearnedGlyphs,
    &learned_images::LearnedMnist,
    &noise_level::NoiseLevel,
    &singular_score::SingularScore,
    &predictor_corrector::PredictorCorrectors,
    &learned_toy::LearnedToy,
    &training_choices::TrainingChoices,
];
