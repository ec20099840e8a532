//! The rate of an exponential approach to a known limit, fitted by least squares.

use anyhow::{Result, ensure};
use nalgebra::{DMatrix, DVector};

/// By how much a share is moved for the derivative of the fit.
const DIFFERENCE: f64 = 1e-6;
/// The rates among which the best is looked for, per unit of time.
const BRACKET: (f64, f64) = (1e-3, 1.0);
/// Halvings of the bracket, on a logarithmic scale.
const HALVINGS: usize = 60;

/// λ of the least-squares fit of `limit` - C e^{-λ t} to `values` at `times`.
///
/// # Errors
/// If the best rate lies outside the bracket.
pub(super) fn fit(times: &[f64], values: &[f64], limit: f64) -> Result<f64> {
    // With C eliminated, the residual is |y|² - (e·y)²/|e|²; its derivative in λ has the sign of what follows.
    let slope = |log_rate: f64| {
        let (mut ey, mut ee, mut ty, mut te) = (0.0, 0.0, 0.0, 0.0);
        for (t, value) in times.iter().zip(values) {
            // Relative to the first time nothing underflows at large rates.
            let (t, y) = (t - times[0], limit - value);
            let e = f64::exp(-t * log_rate.exp());
            ey += e * y;
            ee += e * e;
            ty += t * e * y;
            te += t * e * e;
        }
        ey * (ty * ee - ey * te)
    };
    let (mut low, mut high) = (BRACKET.0.ln(), BRACKET.1.ln());
    for _ in 0..HALVINGS {
        let middle = 0.5 * (low + high);
        if slope(middle) > 0.0 { high = middle } else { low = middle }
    }
    let inside = low > BRACKET.0.ln() && high < BRACKET.1.ln();
    ensure!(
        inside,
        "fit of a rate: none between {} and {} is best (settings `particles`, `fit`)",
        BRACKET.0,
        BRACKET.1
    );
    Ok(f64::exp(0.5 * (low + high)))
}

/// The standard error of [`fit`] to the shares of `particles` independent particles beyond a threshold, one at each of
/// `times`, by the delta method: `shares` and `covariance` are the expectations and the covariance over the times for one
/// particle, so that nothing comes from a sample.
///
/// # Errors
/// If the fit to `shares` fails.
pub(super) fn standard_error(
    times: &[f64],
    shares: &[f64],
    limit: f64,
    covariance: &DMatrix<f64>,
    particles: usize,
) -> Result<f64> {
    let moved = |k: usize, by: f64| {
        let mut shares = shares.to_vec();
        shares[k] += by;
        fit(times, &shares, limit)
    };
    let slopes: Vec<f64> = (0..times.len())
        .map(|k| Ok((moved(k, DIFFERENCE)? - moved(k, -DIFFERENCE)?) / (2.0 * DIFFERENCE)))
        .collect::<Result<_>>()?;
    let slopes = DVector::from_vec(slopes);
    Ok((slopes.dot(&(covariance * &slopes)) / particles as f64).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exponential_gives_its_rate() {
        let times: Vec<f64> = (0..40).map(|k| 10.0 + 4.0 * f64::from(k)).collect();
        for amplitude in [0.2, -0.05] {
            let values: Vec<f64> = times.iter().map(|t| 0.7 - amplitude * f64::exp(-0.021 * t)).collect();
            assert!((fit(&times, &values, 0.7).unwrap() - 0.021).abs() < 1e-9);
        }
        let constant = vec![0.5; times.len()];
        assert!(fit(&times, &constant, 0.7).is_err());
    }

    #[test]
    fn the_standard_error_is_that_of_repetitions() {
        use resolvent::core::random::{Purpose, stream};

        use rand::RngExt;
        // Particles that cross once, after an exponential time.
        let times: Vec<f64> = (1..20).map(|k| 5.0 * f64::from(k)).collect();
        let rates: Vec<f64> = (0..100)
            .map(|seed| {
                let mut rng = stream(seed, Purpose::Experiment, 0);
                let crossings: Vec<f64> = (0..2_000).map(|_| -rng.random::<f64>().ln() / 0.03).collect();
                let share = |t: &f64| crossings.iter().filter(|c| *c < t).count() as f64 / 2_000.0;
                fit(&times, &times.iter().map(share).collect::<Vec<_>>(), 1.0).unwrap()
            })
            .collect();
        let mean = rates.iter().sum::<f64>() / 100.0;
        let spread = (rates.iter().map(|rate| (rate - mean).powi(2)).sum::<f64>() / 99.0).sqrt();
        let shares: Vec<f64> = times.iter().map(|t| 1.0 - f64::exp(-0.03 * t)).collect();
        // Who has crossed by one time has crossed by every later one.
        let covariance =
            DMatrix::from_fn(times.len(), times.len(), |j, k| shares[j.min(k)] * (1.0 - shares[j.max(k)]));
        let error = standard_error(&times, &shares, 1.0, &covariance, 2_000).unwrap();
        // The spread of 100 has a standard error of 7 %.
        assert!((error / spread - 1.0).abs() < 0.25, "{error} against {spread}");
        assert!((mean - 0.03).abs() < 4.0 * spread / 10.0, "{mean}");
    }
}
