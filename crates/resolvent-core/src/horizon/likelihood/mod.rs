//! Log-densities by the probability flow.
//!
//! Along the flow dx/dt = v(t, x) of p_t the density changes by d/dt log p_t(x(t)) = -div v(t, x(t)) (Chen et al. 2018,
//! theorem 1), so that log p_0(x) = log p_T(x(T)) + ∫ div v dt (Song et al. 2021, eq. 39).

mod divergence;

use std::f64::consts::{LN_2, PI};
use std::ops::ControlFlow;

use nalgebra::DMatrix;
use rand::{Rng, RngExt};
use rand_distr::StandardNormal;
use rayon::prelude::*;

pub use divergence::{Divergence, Probes};

use super::ProbabilityFlow;
use super::probability_flow::{Trajectory, exit, integrate};
use crate::error::{Error, Result, at_least, dimension, finite, positive};
use crate::random::{Purpose, stream};
use crate::reversal;
use crate::sampler::Exit;
use crate::schedule::Schedule;

/// The log-density, in nats, of the law at the far end of the flow.
#[derive(Clone, Copy)]
pub enum Prior<'a> {
    /// N(0, `deviation`² I).
    Normal {
        /// Its standard deviation, > 0.
        deviation: f64,
    },
    /// Any other, the exact p_T say.
    Density(&'a (dyn Fn(&[f64]) -> f64 + Sync)),
}

impl Prior<'_> {
    /// The prior of `schedule`, N(0, s² I). It is not p_T, and the log-density inherits the difference.
    pub fn of(schedule: &(impl Schedule + ?Sized)) -> Self {
        Self::Normal { deviation: schedule.prior_deviation() }
    }

    fn log_density(&self, x: &[f64]) -> f64 {
        match self {
            Self::Normal { deviation } => {
                let squared: f64 = x.iter().map(|x| (x / deviation).powi(2)).sum();
                -0.5 * (squared + x.len() as f64 * (2.0 * PI * deviation * deviation).ln())
            }
            Self::Density(density) => density(x),
        }
    }
}

/// Log-densities under the law that the probability flow carries to a prior.
///
/// The flow starts at a time t_ε > 0 where the score is finite, and what is found is log p at t_ε, the density of the data
/// with the noise of that time: the difference from log p_0 is left to the caller's choice of t_ε. Place and log-density
/// share their steps and tolerances, so the error of the log-density is that of the flow, about atol + rtol |log p| per
/// step.
///
/// ```
/// use nalgebra::DMatrix;
/// use resolvent_core::horizon::ProbabilityFlow;
/// use resolvent_core::horizon::likelihood::{Likelihood, Prior};
/// use resolvent_core::marginal::{Diffused, GaussianMixture};
/// use resolvent_core::schedule::VpLinear;
///
/// let schedule = VpLinear::default();
/// let law = GaussianMixture::one_dimensional(&[0.3, 0.7], &[-2.0, 1.0], &[0.5, 0.2])?;
/// let score = Diffused { schedule: &schedule, denoiser: &law };
/// let flow = ProbabilityFlow::to_noise(&schedule, &score, 1e-5)?;
/// let found = Likelihood::new(flow, Prior::of(&schedule))?.log_densities(&DMatrix::from_element(1, 1, 0.9), 0)?;
/// assert!((found[0].value - law.log_density(&[0.9])).abs() < 1e-3);
/// # Ok::<(), resolvent_core::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct Likelihood<'a> {
    flow: ProbabilityFlow<'a>,
    prior: Prior<'a>,
    divergence: Divergence,
}

/// A log-density and what it took.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LogDensity {
    /// The log-density in nats; NaN if the flow did not arrive.
    pub value: f64,
    /// Standard error of `value` over the probes; 0 for the exact divergence, NaN for a single probe.
    pub standard_error: f64,
    /// Evaluations of the score.
    pub evaluations: usize,
    /// Products with the Jacobian of the score; two further evaluations each for a score that takes them by differences.
    pub jacobian_products: usize,
    /// [`Exit::Horizon`] if the flow arrived, else [`Exit::StepCap`] or [`Exit::Diverged`].
    pub exit: Exit,
}

impl<'a> Likelihood<'a> {
    /// By `flow`, which runs from the data to the noise, and the density at its end, with the exact divergence. If the flow
    /// knows its schedule, no derivative of the drift is needed; otherwise they are taken by central differences.
    ///
    /// # Errors
    /// If the deviation of a normal prior is not positive and finite, or the flow leads away from it, to the data.
    pub fn new(flow: ProbabilityFlow<'a>, prior: Prior<'a>) -> Result<Self> {
        if let Prior::Normal { deviation } = prior {
            positive("deviation", deviation)?;
            let (from, to) = flow.times;
            if to < from {
                return Err(Error::NotAscending {
                    name: "times of the flow to the prior",
                    index: 1,
                    value: to,
                });
            }
        }
        Ok(Self { flow, prior, divergence: Divergence::default() })
    }

    /// With the divergence found in another way.
    ///
    /// # Errors
    /// If there is no probe.
    pub fn divergence(self, divergence: Divergence) -> Result<Self> {
        if let Divergence::Hutchinson { probes, .. } = divergence {
            at_least("probes", 1, probes)?;
        }
        Ok(Self { divergence, ..self })
    }

    /// The log-density at every column of `points` (d x n). Point i draws its probes from stream i of `seed`.
    ///
    /// # Errors
    /// If `points` has not d rows, or is not finite.
    pub fn log_densities(&self, points: &DMatrix<f64>, seed: u64) -> Result<Vec<LogDensity>> {
        at_least("dim", 1, points.nrows())?;
        dimension("points", self.flow.score.dim(), points.nrows())?;
        finite("points", points)?;
        let columns = points.as_slice().par_chunks_exact(points.nrows()).enumerate();
        Ok(columns.map(|(i, x)| self.log_density(x, &mut stream(seed, Purpose::Probe, i as u64))).collect())
    }

    fn log_density(&self, x: &[f64], rng: &mut impl Rng) -> LogDensity {
        let d = x.len();
        let (estimates, products, probes) = match self.divergence {
            Divergence::Exact => (1, d, Vec::new()),
            Divergence::Hutchinson { probes, law } => (probes, probes, draw(law, probes * d, rng)),
        };
        let mut start = x.to_vec();
        start.resize(d + estimates, 0.0);
        let (mut velocity_work, mut work) = (reversal::Work::new(d), divergence::Work::new(d));
        let velocity = |_, t: f64, y: &[f64], out: &mut [f64]| {
            let (x, (velocity, change)) = (&y[..d], out.split_at_mut(d));
            self.flow.score.evaluate(t, x, velocity);
            divergence::divergences(&self.flow, t, x, velocity, &probes, change, &mut work);
            self.flow.velocity_of(t, x, velocity, &mut velocity_work);
            ControlFlow::Continue(())
        };
        let Trajectory { place, end, evaluations, steps } =
            integrate(&self.flow.control, self.flow.times, start, estimates, velocity, |_, _| {});
        let (noise, changes) = place.split_at(d);
        let (mut value, mut standard_error) = mean(changes);
        value += self.prior.log_density(noise);
        let mut exit = exit(end, steps);
        if exit == Exit::Horizon && !value.is_finite() {
            exit = Exit::Diverged { step: steps };
        }
        if exit != Exit::Horizon {
            (value, standard_error) = (f64::NAN, f64::NAN);
        } else if self.divergence == Divergence::Exact {
            standard_error = 0.0;
        }
        LogDensity { value, standard_error, evaluations, jacobian_products: evaluations * products, exit }
    }
}

fn draw(law: Probes, count: usize, rng: &mut impl Rng) -> Vec<f64> {
    (0..count)
        .map(|_| match law {
            Probes::Rademacher => f64::from(rng.random::<bool>()).mul_add(2.0, -1.0),
            Probes::Gaussian => rng.sample(StandardNormal),
        })
        .collect()
}

/// Mean and its standard error.
fn mean(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
    (mean, (squares / (n * (n - 1.0))).sqrt())
}

/// What the rescaling of 256 grey levels to [-1, 1] adds to the bits of one dimension: a level has width 2/256, and log_2
/// of its reciprocal is 7.
pub const DEQUANTISATION_BITS: f64 = 7.0;

/// Bits per dimension of data with 256 levels scaled to [-1, 1] and spread evenly over their levels, from a log-density in
/// nats in R^`dim`: -log_2 p / d + [`DEQUANTISATION_BITS`]. It bounds the bits that a code for the levels takes from above
/// (Theis et al. 2016). Data scaled to [0, 1] have levels of width 1/256: add 1.
///
/// ```
/// use resolvent_core::horizon::likelihood::bits_per_dimension;
/// // The uniform law on [-1, 1]^3 needs all 8 bits of a level.
/// assert!((bits_per_dimension(-3.0 * 2.0_f64.ln(), 3) - 8.0).abs() < 1e-12);
/// ```
pub fn bits_per_dimension(log_density: f64, dim: usize) -> f64 {
    -log_density / (dim as f64 * LN_2) + DEQUANTISATION_BITS
}
