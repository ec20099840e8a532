//! Variance preserving, any β.

use std::fmt;

use super::{Level, Rates, Schedule};
use crate::error::{Result, nonnegative, positive};

/// Panels in which β is integrated.
const PANELS: usize = 256;

/// dX = -½ β(t) X dt + √β(t) dW for a function β: α = exp(-½ ∫ β), σ² = 1 - α² (Song et al. 2021, eq. 11, 29).
///
/// ∫ β is a sum of five-point Gauss-Legendre rules over 256 panels of [0, T], made once up to the panel of t: exact to
/// rounding for a β that is smooth on that scale.
///
/// ```
/// use resolvent_core::schedule::{Schedule, VpBeta};
/// let quadratic = VpBeta::new(|t| 0.1 + 20.0 * t * t, 1.0)?;
/// assert!((quadratic.level(1.0).alpha - f64::exp(-0.5 * (0.1 + 20.0 / 3.0))).abs() < 1e-14);
/// # Ok::<(), resolvent_core::Error>(())
/// ```
#[derive(Clone)]
pub struct VpBeta<F> {
    beta: F,
    horizon: f64,
    /// ∫ β from 0 to the end of each panel, and 0 in front.
    integrals: Vec<f64>,
}

impl<F: Fn(f64) -> f64 + Sync> VpBeta<F> {
    /// `beta` on [0, `horizon`], not negative; T > 0.
    ///
    /// # Errors
    /// If T is not positive and finite, β is negative or not finite at a node of the quadrature or an end, or its integral is
    /// zero.
    pub fn new(beta: F, horizon: f64) -> Result<Self> {
        let width = positive("horizon", horizon)? / PANELS as f64;
        let mut integrals = vec![0.0];
        let mut sum = 0.0;
        for panel in 0..PANELS {
            let low = panel as f64 * width;
            for t in nodes(low, low + width).map(|(t, _)| t).chain([low, low + width]) {
                nonnegative("beta", beta(t))?;
            }
            sum += integral(&beta, low, low + width);
            integrals.push(sum);
        }
        positive("integral of beta", sum)?;
        Ok(Self { beta, horizon, integrals })
    }
}

impl<F: Fn(f64) -> f64 + Sync> Schedule for VpBeta<F> {
    fn horizon(&self) -> f64 {
        self.horizon
    }

    fn level(&self, t: f64) -> Level {
        let width = self.horizon / PANELS as f64;
        let panel = ((t / width) as usize).min(PANELS - 1);
        let rest = integral(&self.beta, panel as f64 * width, t);
        Level::from_beta_integral(t, self.integrals[panel] + rest)
    }

    fn rates(&self, t: f64) -> Rates {
        let beta = (self.beta)(t);
        Rates { drift: -0.5 * beta, noise: beta }
    }

    fn prior_deviation(&self) -> f64 {
        1.0
    }
}

impl<F> fmt::Debug for VpBeta<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VpBeta").field("horizon", &self.horizon).finish_non_exhaustive()
    }
}

fn integral(beta: &impl Fn(f64) -> f64, low: f64, high: f64) -> f64 {
    nodes(low, high).map(|(t, weight)| weight * beta(t)).sum()
}

/// The five nodes and weights of Gauss and Legendre on [`low`, `high`] (DLMF 3.5, table 3.5.1).
fn nodes(low: f64, high: f64) -> impl Iterator<Item = (f64, f64)> {
    const RULE: [(f64, f64); 5] = [
        (-0.906_179_845_938_664, 0.236_926_885_056_189_08),
        (-0.538_469_310_105_683_1, 0.478_628_670_499_366_47),
        (0.0, 0.568_888_888_888_888_9),
        (0.538_469_310_105_683_1, 0.478_628_670_499_366_47),
        (0.906_179_845_938_664, 0.236_926_885_056_189_08),
    ];
    let (middle, half) = (0.5 * (low + high), 0.5 * (high - low));
    RULE.into_iter().map(move |(node, weight)| (middle + half * node, half * weight))
}
