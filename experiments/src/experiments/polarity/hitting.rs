//! The law of the time at which the backward process of one atom comes within δ: by the h-transform its Laplace transform is
//! E e^{-qT} = [G_{r+q}(ρ)/G_{r+q}(δ)] / [G_r(ρ)/G_r(δ)], so its mean is m(ρ) - m(δ), m the mean of R11.

use anyhow::Result;
use resolvent::core::KilledBrownianMotion;
use resolvent::special::Gig;

use super::super::tabulated::Tabulated;

/// Terms of the Gaver-Stehfest inversion (Stehfest 1970, Commun. ACM 13:47); more lose digits.
const TERMS: usize = 12;
/// Points of a tabulated law.
const POINTS: usize = 600;
/// Shortest and longest time of it, in units of 1/r.
const TIMES: (f64, f64) = (1e-3, 60.0);

/// The law of the hitting time of the ball of radius `delta` from the distance `rho`, on the axis of log t.
pub(super) fn law(codimension: usize, rate: f64, rho: f64, delta: f64) -> Result<Tabulated> {
    // By scaling G_r at distance ρ is, up to a factor that cancels, G_1 at √r ρ.
    let unit = KilledBrownianMotion::new(codimension, 1.0, 1.0)?;
    let log_ratio = |rate: f64| {
        let at = |distance: f64| unit.green().log_value(rate.sqrt() * distance);
        at(rho) - at(delta)
    };
    let (weights, base) = (stehfest(), log_ratio(rate));
    let cdf = |log_t: f64| {
        let step = std::f64::consts::LN_2 / log_t.exp();
        let terms = (1..)
            .map(f64::from)
            .zip(weights)
            .map(|(k, weight)| weight / k * f64::exp(log_ratio(rate + k * step) - base));
        terms.sum::<f64>().clamp(0.0, 1.0)
    };
    Ok(Tabulated::new((f64::ln(TIMES.0 / rate), f64::ln(TIMES.1 / rate)), POINTS, cdf))
}

/// The same in closed form where there is one: inverse Gaussian for c = 1 and 3, where G_r is e^{-aρ} up to a factor without
/// r.
pub(super) fn closed_form(codimension: usize, rate: f64, rho: f64, delta: f64) -> Result<Option<Gig>> {
    let exists = codimension == 1 || codimension == 3;
    Ok(if exists { Some(Gig::new(-0.5, 2.0 * rate, (rho - delta).powi(2))?) } else { None })
}

/// The weights of the inversion: f(t) ≈ (log 2/t) Σ_k w_k F(k log 2/t).
fn stehfest() -> [f64; TERMS] {
    let factorial = |n: usize| (1..=n).map(|k| k as f64).product::<f64>();
    let half = TERMS / 2;
    std::array::from_fn(|index| {
        let k = index + 1;
        let sum: f64 = (k.div_ceil(2)..=k.min(half))
            .map(|j| {
                (j as f64).powi(half as i32) * factorial(2 * j)
                    / (factorial(half - j)
                        * factorial(j)
                        * factorial(j - 1)
                        * factorial(k - j)
                        * factorial(2 * j - k))
            })
            .sum();
        if (k + half).is_multiple_of(2) { sum } else { -sum }
    })
}
