//! How far along the support the process ends from the nearest point.

use anyhow::Result;
use statrs::distribution::{Beta, ChiSquared, ContinuousCDF};

/// The median of |end - nearest|/distance for a start beside a flat support of dimension k and codimension c > 2 as r -> 0.
///
/// By R10 the end point y has the density G_r(|x - y|) along the support, which for r -> 0 is proportional to
/// (ρ² + |t|²)^{-(d-2)/2} at the distance t from the point nearest to x. With d = k + c that is ρ times a multivariate Student law of
/// c - 2 degrees of freedom over √(c - 2): |t|²/ρ² is distributed as χ²_k/χ²_{c-2}, that is as B/(1 - B) with B ~ Beta(k/2,
/// (c - 2)/2). Curvature, the density of the data and the rate change it by factors 1 + O(ρ/√c).
pub(super) fn student_median(k: usize, c: usize) -> Result<f64> {
    let beta = Beta::new(0.5 * k as f64, 0.5 * (c as f64 - 2.0))?.inverse_cdf(0.5);
    Ok((beta / (1.0 - beta)).sqrt())
}

/// Its limit for large c, in which χ²_{c-2} is c - 2: √(median of χ²_k/(c - 2)).
pub(super) fn limit_median(k: usize, c: usize) -> Result<f64> {
    Ok((ChiSquared::new(k as f64)?.inverse_cdf(0.5) / (c as f64 - 2.0)).sqrt())
}

/// The slope of log y against log x with its standard error from those of log y, by least squares weighted with them.
pub(super) fn exponent(points: &[(f64, f64, f64)]) -> (f64, f64) {
    let (mut w, mut wx, mut wy, mut wxx, mut wxy) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for &(x, y, error) in points {
        let (x, weight) = (x.ln(), (y / error).powi(2));
        let y = y.ln();
        w += weight;
        wx += weight * x;
        wy += weight * y;
        wxx += weight * x * x;
        wxy += weight * x * y;
    }
    let spread = wxx - wx * wx / w;
    ((wxy - wx * wy / w) / spread, spread.sqrt().recip())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_have_their_closed_forms() {
        // |T|²/ν for the Cauchy law has the median 1; for k = 2 the law is 1 - (1 + t²)^{-(c-2)/2}.
        assert!((student_median(1, 3).unwrap() - 1.0).abs() < 1e-6);
        for c in [4, 30, 300] {
            let exact = f64::sqrt(f64::powf(2.0, 2.0 / (c as f64 - 2.0)) - 1.0);
            assert!((student_median(2, c).unwrap() / exact - 1.0).abs() < 1e-6);
            let limit = f64::sqrt(2.0 * std::f64::consts::LN_2 / (c as f64 - 2.0));
            assert!((limit_median(2, c).unwrap() / limit - 1.0).abs() < 1e-6);
        }
        assert!((limit_median(1, 30).unwrap() - 0.12747).abs() < 1e-4);
    }

    #[test]
    fn a_power_has_its_exponent() {
        let points: Vec<_> = [2.0, 5.0, 30.0].iter().map(|x| (*x, 3.0 * f64::powf(*x, -0.5), 0.1)).collect();
        assert!((exponent(&points).0 + 0.5).abs() < 1e-12);
    }
}
