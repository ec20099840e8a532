//! Distances between laws and tests of fit, each with a Monte-Carlo error.
//!
//! This crate judges samplers and therefore shares no code with them: it knows samples, reference samples,
//! probabilities and distribution functions, and nothing about how they were made.
//!
//! * A batch is a `DMatrix<f64>` of shape d x n with one point per column.
//! * Every estimate is an [`Estimate`]: a value and its standard error. Each function says which randomness the
//!   error covers and how it was obtained.
//! * Empty samples, values that are NaN or beyond 1e70, shapes that do not match and samples too small for their
//!   standard error are [`Error`]s that name the offending value. No function returns NaN.
//! * Nothing depends on the number of threads: parallel work is cut into fixed pieces whose results are added
//!   in a fixed order, and random projections are drawn from streams numbered by projection.
//!
//! | question | function |
//! |---|---|
//! | do the end points have these weights? | [`total_variation`], [`expected_total_variation`], [`chi_square_test`] |
//! | which atom is each point at, and how far from it? | [`nearest`], [`distance_statistics`] |
//! | does a scalar have this distribution function? | [`ks_one_sample`], [`ks_two_sample`], [`ks_critical`] |
//! | do two clouds of points have the same law? | [`energy_distance`], [`mmd`], [`sliced_wasserstein`], [`frechet_distance`] |
//! | are the samples like the references, and do they reach all of them? | [`precision_recall`], [`density_coverage`] |
//! | how close are images to their references? | [`psnr`], [`mean_psnr`], [`ssim`], [`mean_ssim`] |
//! | do two sequences rank things alike? | [`kendall_tau`] |
//! | what is a mean, a proportion, a quantile? | [`mean`], [`proportion`], [`wilson`], [`quantile`] |
//!
//! ```
//! use resolvent_metrics::{categorical, expected_total_variation};
//!
//! let counts = categorical::counts(&[0, 1, 1, 2, 1, 0], 3)?;
//! let distance = categorical::total_variation(&counts, &[0.3, 0.5, 0.2])?;
//! let floor = expected_total_variation(&[0.3, 0.5, 0.2], 6)?;
//! assert!(distance.value < floor + 4.0 * distance.standard_error);
//! # Ok::<(), resolvent_metrics::Error>(())
//! ```

pub mod categorical;
mod check;
mod density_coverage;
mod distance_statistics;
mod energy_distance;
mod error;
mod estimate;
mod frechet_distance;
mod kendall_tau;
pub mod ks;
mod mmd;
pub mod moments;
mod nearest;
mod neighbourhoods;
mod pairwise;
mod precision_recall;
mod psnr;
mod quantile;
mod sliced_wasserstein;
mod ssim;
mod two_sample;

pub use categorical::{
    TestResult, chi_square_test, counts, expected_total_variation, total_variation, total_variation_critical,
};
pub use density_coverage::{DensityCoverage, density_coverage};
pub use distance_statistics::{DistanceStatistics, QUANTILE_LEVELS, distance_statistics};
pub use energy_distance::energy_distance;
pub use error::{Error, Result};
pub use estimate::Estimate;
pub use frechet_distance::frechet_distance;
pub use kendall_tau::kendall_tau;
pub use ks::{KsResult, expected_ks, ks_critical, ks_one_sample, ks_p_value, ks_two_sample};
pub use mmd::{Bandwidth, median_bandwidth, mmd};
pub use moments::{mean, proportion, wilson};
pub use nearest::{Nearest, nearest, nearest_index};
pub use precision_recall::{PrecisionRecall, precision_recall};
pub use psnr::{mean_psnr, psnr};
pub use quantile::quantile;
pub use sliced_wasserstein::{Order, sliced_wasserstein};
pub use ssim::{mean_ssim, ssim};
