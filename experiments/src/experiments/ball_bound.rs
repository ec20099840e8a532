//! R16: the backward process ends hardly farther from its start than the nearest share of the data.

use resolvent::core::GreenKernel;

/// Bounds on the probability to end beyond (1 + δ) R from the start, where a share of at least ε of the data lies within R.
///
/// The end point has the law α(dy) G_r(|x - y|)/u(x) (R10), and G_r decreases: what lies beyond (1 + δ) R has at most the weight
/// (1 - ε) G_r((1 + δ) R), what lies within R at least ε G_r(R).
#[derive(Clone, Copy, Debug)]
pub(super) struct BallBound {
    /// (1 + δ) R.
    pub(super) radius: f64,
    /// q/(1 + q) with q = (1 - ε)/ε · G_r((1 + δ) R)/G_r(R): the sharpest.
    pub(super) sharp: f64,
    /// q.
    pub(super) odds: f64,
    /// (1/ε) (1 + δ)^(2 - d), which needs no Bessel function.
    pub(super) simple: f64,
}

impl BallBound {
    /// For a share `mass` = ε of the data, 0 < ε <= 1, within the distance `inner` = R of the start, and `margin` = δ.
    pub(super) fn new(green: &GreenKernel, mass: f64, inner: f64, margin: f64) -> Self {
        let radius = (1.0 + margin) * inner;
        let odds = (1.0 - mass) / mass * f64::exp(green.log_value(radius) - green.log_value(inner));
        let simple = (1.0 + margin).powf(2.0 - green.dim() as f64) / mass;
        Self { radius, sharp: odds / (1.0 + odds), odds, simple }
    }
}
