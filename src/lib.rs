//! Diffusion generative models whose time horizon is random.
//!
//! A diffusion is started in the data and killed at a random time. Run backward from where it died it is
//! time-homogeneous: its drift is a purely spatial score, and it decides by itself when to stop.
//!
//! This crate gathers the others under one name:
//!
//! | module | what is in it |
//! |---|---|
//! | [`core`] | diffusions and their reversal; killed Brownian motion, Green kernels, spatial scores, killing rules, the exact oracle; schedules, exact marginals, the samplers of the deterministic horizon |
//! | [`data`] | laws on known supports, a family of digit images, readers and writers of arrays |
//! | `learn` | networks, losses, training and checkpoints: learned scores (feature `learn`, on by default) |
//! | [`metrics`] | distances between laws and tests of fit, each with a Monte-Carlo error |
//! | [`special`] | modified Bessel functions in log space, the generalised inverse Gaussian law |
//!
//! # Notation
//!
//! | symbol | meaning | item |
//! |---|---|---|
//! | d, r, σ | dimension, killing rate, diffusion | [`core::KilledBrownianMotion`] |
//! | ζ | lifetime | [`core::KilledBrownianMotion::death_into`] |
//! | α | law of the data | [`core::EmpiricalMeasure`], [`data::Law`] |
//! | M, c | support of the data, its codimension | [`data::Support`] |
//! | a = √(2r), ν = d/2 - 1, ρ = \|x - y\| | | [`core::GreenKernel`] |
//! | G_r(x, y) | Green kernel, the r-resolvent kernel | [`core::GreenKernel::log_value`] |
//! | R_ν = K_{ν+1}/K_ν | ratio of Bessel functions | [`special::ratio_k`] |
//! | u = ∫ G_r(·, y) α(dy) | occupation density | [`core::EmpiricalScore::log_density`] |
//! | s = ∇ log u = g (D - x) | spatial score, its gain, the denoised point | [`core::Score`] |
//! | v = D - x, ρ_g | displacement; distance of a single atom of gain g | [`core::Local`] |
//! | w_i ∝ α_i G_r(x, y_i) | law of the end point from x | [`core::EmpiricalScore::posterior`] |
//! | m; g_r(x, y) = G_r(y -> x)/m(x) | symmetrising measure; symmetric kernel | [`core::Resolvent`] |
//! | κ, h = ∫ g_r κ, h~ | representing measure, h-transform, its backward twin | [`core::htransform`] |
//! | α/u, α/(h h~ m) | hazard of a density | [`core::killing::Hazard`] |
//! | J = b u - ½ div(Σ u), τ | flux, time of its flow | [`core::step::Flux`] |
//! | η, δ | step size in local time scales, resolution | [`core::ScoreAdaptive`] |
//! | b, σ, Σ = σ σᵀ, div Σ | drift, dispersion, divergence | [`core::diffusion::Diffusion`] |
//! | T; α(t), σ(t) | deterministic horizon; X_t = α x_0 + σ ε | [`core::schedule::Schedule`] |
//! | σ/α; λ = log(α/σ) | noise level; half the log-SNR | [`core::schedule::Level`] |
//! | p_t, ∇ log p_t | marginal law, its score | [`core::marginal::MarginalScore`] |
//! | D(x) = E[x_0 \| x] | denoised point | [`core::Denoiser`] |
//!
//! # Example
//!
//! Five points in space, a start outside them, and the law of where the backward process ends:
//!
//! ```
//! use resolvent::core::{EmpiricalMeasure, EmpiricalScore, KilledBrownianMotion, Sampler, ScoreAdaptive, step};
//! use resolvent::data::{Circle, Law};
//!
//! let data = Circle::new(1.0, 3)?.sample(5, 1);
//! let process = KilledBrownianMotion::new(3, 1.0, 0.2)?;
//! let score = EmpiricalScore::new(&process, EmpiricalMeasure::new(data)?)?;
//! let (exact, control) = (step::PosteriorBridge::new(&score), ScoreAdaptive::new(1.0, 0.01)?);
//! let starts = nalgebra::DMatrix::from_element(3, 2_000, 0.5);
//! let ensemble = Sampler::new(&process, &exact, &control).run(&starts, 7)?;
//! let at_first = ensemble.points.column_iter().filter(|x| x.as_slice() == score.measure().point(0)).count();
//! assert!((at_first as f64 / 2_000.0 - score.posterior(starts.column(0).as_slice())[0]).abs() < 0.05);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub use resolvent_core as core;
pub use resolvent_data as data;
#[cfg(feature = "learn")]
pub use resolvent_learn as learn;
pub use resolvent_metrics as metrics;
pub use resolvent_special as special;

/// The examples of the README are compiled and run with the tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
