//! Diffusions run backward, from a random time or from a fixed one.
//!
//! **Random horizon.** A diffusion is started in the data and killed at a random time. Run backward from where it died it is
//! time-homogeneous: a purely spatial score drives it, and it decides itself when to stop. Data flow one way:
//!
//! [`EmpiricalMeasure`] -> [`KilledBrownianMotion`] -> [`score`] -> [`Sampler`] ([`step`], [`control`], [`killing`]) ->
//! [`Ensemble`]. The [`Oracle`] draws from the same law without a time step.
//!
//! **Deterministic horizon.** A diffusion is run to a fixed time and reversed by the scores of its marginals:
//!
//! [`Schedule`] or any [`diffusion`] -> [`Denoiser`] or score ([`marginal`], [`affine`]) -> [`HorizonSampler`] ([`horizon`]) ->
//! [`Ensemble`].
//!
//! Both go through [`reversal`], where the reverse drift has its one home.
//!
//! Batches are `DMatrix<f64>`, d x n, one point per column. Labels R1 to R19 are those of the equation table in
//! ARCHITECTURE.md.

pub mod affine;
pub mod control;
pub mod density_ratio;
pub mod diffusion;
mod error;
pub mod horizon;
pub mod htransform;
pub mod integrate;
pub mod killed;
pub mod killing;
pub mod marginal;
mod measure;
pub mod occupation;
mod oracle;
pub mod random;
pub mod reversal;
mod sampler;
pub mod schedule;
pub mod score;
pub mod step;

pub use control::{Contraction, FixedStep, ScoreAdaptive, StepControl};
pub use error::{Error, Result};
pub use horizon::HorizonSampler;
pub use killed::{GreenKernel, KilledBrownianMotion, KilledDiffusion, Path, Resolvent};
pub use killing::KillingRule;
pub use marginal::{Denoiser, GaussianMixture};
pub use measure::EmpiricalMeasure;
pub use oracle::{ExactDeaths, LifetimeLaw, Oracle};
pub use sampler::{Batch, Ensemble, Exit, Local, Sampler};
pub use schedule::Schedule;
pub use score::{EmpiricalScore, PosteriorScore, Score};
pub use step::Step;
