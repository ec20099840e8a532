//! What a start from the wrong law does to the end law, computed.
//!
//! The backward process from x ends at y_i with probability w_i(x) = α_i g(x, y_i)/ḡ(x), ḡ = Σ α_j g(·, y_j) (R10), and from
//! its own start law r u = r m ḡ with the law α. So from a start law s it ends with
//!
//! q_i - α_i = α_i E[(g(X, y_i)/ḡ(X) - 1) (s/(r u)(X) - 1)], X ~ r u,
//!
//! a covariance, in which nothing cancels: both factors are small where r is.

use anyhow::{Result, ensure};
use rayon::prelude::*;
use resolvent::core::htransform::{ExponentialClock, backward_starts};
use resolvent::core::killed::{ExactDeath, KilledOrnsteinUhlenbeck};
use resolvent::core::{EmpiricalMeasure, KilledBrownianMotion, Resolvent};
use resolvent::metrics::{self, Estimate};

/// Pieces of the line between two neighbouring kinks of the integrand, and in a tail.
const PIECES: usize = 400;
/// e^-40 of a density is nothing.
const REACH: f64 = 40.0;

/// A law to start from in place of r u.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Start {
    /// The stationary law of the Ornstein-Uhlenbeck process.
    Stationary,
    /// The law at death of killed Brownian motion from this point.
    Laplace(Vec<f64>),
}

/// A killed process, its data, and the law it is started from instead of r u.
pub(super) struct Problem<'a, P> {
    pub(super) process: &'a P,
    pub(super) rate: f64,
    pub(super) alpha: &'a EmpiricalMeasure,
    pub(super) start: Start,
}

/// q - α, and half the sum of its absolute values.
pub(in crate::experiments) struct Bias {
    pub(in crate::experiments) shifts: Vec<f64>,
    /// Exact where the error is 0.
    pub(in crate::experiments) total_variation: Estimate,
}

impl<P: Resolvent> Problem<'_, P> {
    /// log(r u(x)); `out` ← α_i (g(x, y_i)/ḡ(x) - 1) (s/(r u)(x) - 1).
    fn terms(&self, x: &[f64], out: &mut [f64]) -> f64 {
        let mut gradient = vec![0.0; x.len()];
        let log_weights = self.alpha.log_weights();
        for (i, out) in out.iter_mut().enumerate() {
            *out = self.process.log_kernel_and_gradient(x, self.alpha.point(i), &mut gradient);
        }
        let peak = out.iter().zip(log_weights).map(|(g, w)| g + w).fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = out.iter().zip(log_weights).map(|(g, w)| f64::exp(g + w - peak)).sum();
        let log_mean = peak + sum.ln();
        let log_ratio = match &self.start {
            Start::Stationary => -self.rate.ln() - log_mean,
            Start::Laplace(from) => self.process.log_kernel_and_gradient(x, from, &mut gradient) - log_mean,
        };
        for (out, w) in out.iter_mut().zip(log_weights) {
            *out = w.exp() * f64::exp_m1(*out - log_mean) * log_ratio.exp_m1();
        }
        self.rate.ln() + self.process.log_measure_and_gradient(x, &mut gradient) + log_mean
    }

    /// By quadrature on the line; `scale` is the length over which r u decays in its tails.
    pub(super) fn by_quadrature(&self, scale: f64) -> Result<Bias> {
        ensure!(self.alpha.dim() == 1, "quadrature of the bias is for the line");
        let mut kinks = self.alpha.points().as_slice().to_vec();
        if let Start::Laplace(from) = &self.start {
            kinks.push(from[0]);
        }
        kinks.sort_by(f64::total_cmp);
        let (first, last) = (kinks[0], kinks[kinks.len() - 1]);
        kinks.insert(0, first - REACH * scale);
        kinks.push(last + REACH * scale);
        let mut shifts = vec![0.0; self.alpha.len()];
        let mut terms = shifts.clone();
        for ends in kinks.windows(2) {
            let h = (ends[1] - ends[0]) / PIECES as f64;
            for k in 0..PIECES {
                let middle = ends[0] + (k as f64 + 0.5) * h;
                // Gauss and Legendre with three nodes.
                for (node, weight) in
                    [(-0.6f64.sqrt(), 5.0 / 18.0), (0.0, 8.0 / 18.0), (0.6f64.sqrt(), 5.0 / 18.0)]
                {
                    let density = self.terms(&[middle + 0.5 * h * node], &mut terms).exp();
                    shifts.iter_mut().zip(&terms).for_each(|(s, t)| *s += h * weight * density * t);
                }
            }
        }
        let value = 0.5 * shifts.iter().map(|s| s.abs()).sum::<f64>();
        Ok(Bias { shifts, total_variation: Estimate { value, standard_error: 0.0 } })
    }
}

impl<P: Resolvent + ExactDeath + Clone> Problem<'_, P> {
    /// By draws of X ~ r u.
    pub(super) fn by_draws(&self, n: usize, seed: u64) -> Result<Bias> {
        let (draws, _) = backward_starts(&ExponentialClock::new(self.process.clone()), self.alpha, n, seed)?;
        let (d, m) = (self.alpha.dim(), self.alpha.len());
        let mut terms = vec![0.0; n * m];
        terms.par_chunks_mut(m).zip(draws.as_slice().par_chunks(d)).for_each(|(out, x)| {
            self.terms(x, out);
        });
        let shifts: Vec<f64> =
            (0..m).map(|i| terms.iter().skip(i).step_by(m).sum::<f64>() / n as f64).collect();
        let signed: Vec<f64> = terms
            .chunks_exact(m)
            .map(|row| 0.5 * row.iter().zip(&shifts).map(|(t, s)| t * s.signum()).sum::<f64>())
            .collect();
        Ok(Bias { shifts, total_variation: metrics::mean(&signed)? })
    }
}

/// The bias of a start from the stationary law of dX = -X dt + √2 dW killed at `rate`.
pub(super) fn of_stationary(
    rate: f64,
    alpha: &EmpiricalMeasure,
    draws: Option<(usize, u64)>,
) -> Result<Bias> {
    let process = ornstein_uhlenbeck(alpha.dim(), rate)?;
    let problem = Problem { process: &process, rate, alpha, start: Start::Stationary };
    match draws {
        // The tails of r u are Gaussian, at the latest from a few atoms' distances on.
        None => problem.by_quadrature(0.3),
        Some((n, seed)) => problem.by_draws(n, seed),
    }
}

/// The bias of a start from the law at death of unit Brownian motion from `from`, killed at `rate`.
pub(in crate::experiments) fn of_laplace(
    rate: f64,
    from: &[f64],
    alpha: &EmpiricalMeasure,
    draws: Option<(usize, u64)>,
) -> Result<Bias> {
    let process = KilledBrownianMotion::new(alpha.dim(), 1.0, rate)?;
    let problem = Problem { process: &process, rate, alpha, start: Start::Laplace(from.to_vec()) };
    match draws {
        None => problem.by_quadrature(1.0 / process.green().decay()),
        Some((n, seed)) => problem.by_draws(n, seed),
    }
}

/// dX = -X dt + √2 dW, whose stationary law is standard normal.
pub(super) fn ornstein_uhlenbeck(dim: usize, rate: f64) -> Result<KilledOrnsteinUhlenbeck> {
    Ok(KilledOrnsteinUhlenbeck::new(dim, 1.0, std::f64::consts::SQRT_2, rate)?)
}
