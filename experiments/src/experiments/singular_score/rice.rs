//! The length of the point in the plane of the circle: Rice's law, by quadrature.

use resolvent::special::{log_i, ratio_i};

use super::RADIUS;

/// Intervals of the quadrature, and how many deviations it reaches to either side.
const INTERVALS: usize = 4_000;
const REACH: f64 = 12.0;

/// E f(A) under p_σ, A = I_1/I_0 at κ = R|y|/σ²: the length of D is R A. Simpson's rule over the density
/// r/σ² exp(-(r² + R²)/(2σ²)) I_0(r R/σ²) of r = |y| (Rice 1945).
pub(super) fn expectation(sigma: f64, f: impl Fn(f64) -> f64) -> f64 {
    let variance = sigma * sigma;
    let (low, high) = ((RADIUS - REACH * sigma).max(0.0), RADIUS + REACH * sigma);
    let (mut total, mut sum) = (0.0, 0.0);
    // The density vanishes at r = 0.
    for k in 1..=INTERVALS {
        let r = low + (high - low) * k as f64 / INTERVALS as f64;
        let kappa = r * RADIUS / variance;
        let log_density = r.ln() - 0.5 * (r - RADIUS).powi(2) / variance + log_i(0.0, kappa) - kappa;
        let simpson = if k == INTERVALS { 1.0 } else { [2.0, 4.0][k % 2] };
        let weight = simpson * log_density.exp();
        total += weight;
        sum += weight * f(ratio_i(0.0, kappa));
    }
    sum / total
}

/// d - σ² E|s|² = E|x_0 - D|²/σ² = R² (1 - E A²)/σ²: the dimension of the data as the score at σ sees it.
pub(super) fn apparent_dimension(sigma: f64) -> f64 {
    expectation(sigma, |ratio| (RADIUS / sigma).powi(2) * (1.0 - ratio) * (1.0 + ratio))
}

/// E[R - |D|]: how far denoised points of p_σ lie from the circle.
pub(super) fn denoised_distance(sigma: f64) -> f64 {
    expectation(sigma, |ratio| RADIUS * (1.0 - ratio))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Far out the data are a point to the score: E|x_0 - D|² tends to R². Near by D is the projection, but for the
    /// curvature: A = 1 - 1/(2κ) + O(κ^-2) and E[R/r] = 1 + σ²/2 + O(σ⁴).
    #[test]
    fn limits() {
        let far = 100.0;
        assert!((apparent_dimension(far) * far * far - 1.0).abs() < 1e-3);
        for sigma in [0.01, 0.03] {
            let excess = (apparent_dimension(sigma) - 1.0) / (sigma * sigma);
            assert!((excess - 0.5).abs() < 2.0 * sigma, "{excess}");
            assert!((denoised_distance(sigma) / (0.5 * sigma * sigma) - 1.0).abs() < sigma * sigma);
        }
    }
}
