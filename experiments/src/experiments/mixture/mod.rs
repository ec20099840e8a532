//! A mixture with two modes, 0.3 N(-5, 2²) + 0.7 N(5, 2²), sampled by Langevin dynamics and by reversed diffusions:
//! Examples 6 and 7 of the tutorial on generative modelling from the perspective of SDEs, with exact laws beside every
//! figure.

pub(super) mod chain;
mod exploding;
mod figures;
mod fokker_planck;
mod initialisation;
mod langevin;
mod preserving;
mod rate;
mod snapshots;
mod study;

use anyhow::Result;
use resolvent::core::GaussianMixture;

pub(super) use exploding::VarianceExploding;
pub(super) use langevin::LangevinMixture;
pub(super) use preserving::VariancePreserving;

/// The law of all three experiments.
fn law() -> Result<GaussianMixture> {
    Ok(GaussianMixture::one_dimensional(&[0.3, 0.7], &[-5.0, 5.0], &[2.0, 2.0])?)
}
