//! The rate of an exponential approach to a known limit, fitted by least squares.

use anyhow::{Result, ensure};

/// Groups of particles left out in turn for the standard error.
const GROUPS: usize = 50;
/// The rates among which the best is looked for, per unit of time.
const BRACKET: (f64, f64) = (1e-3, 1.0);
/// Halvings of the bracket, on a logarithmic scale.
const HALVINGS: usize = 60;

/// A fitted rate.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rate {
    pub(super) value: f64,
    pub(super) standard_error: f64,
}

/// λ of the least-squares fit of `limit` - C e^{-λ t} to `values` at `times`.
pub(super) fn fit(times: &[f64], values: &[f64], limit: f64) -> f64 {
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
    f64::exp(0.5 * (low + high))
}

/// The fit to the shares of `samples` beyond `threshold`, one sample of the same particles at each of `times`, with a
/// standard error by the jackknife over groups of particles: it covers the draw of the particles, times together.
///
/// # Errors
/// If there are fewer particles than groups.
pub(super) fn jackknife(times: &[f64], samples: &[&[f64]], threshold: f64, limit: f64) -> Result<Rate> {
    let particles = samples[0].len();
    ensure!(particles >= GROUPS, "setting `particles` must be at least {GROUPS}, got {particles}");
    let group = |g: usize| g * particles / GROUPS..(g + 1) * particles / GROUPS;
    // One row per group: how many are beyond at each time.
    let counts: Vec<Vec<f64>> = (0..GROUPS)
        .map(|g| {
            let beyond = |sample: &&[f64]| sample[group(g)].iter().filter(|x| **x > threshold).count() as f64;
            samples.iter().map(beyond).collect()
        })
        .collect();
    let totals: Vec<f64> = (0..times.len()).map(|k| counts.iter().map(|row| row[k]).sum()).collect();
    let shares = |counts: Vec<f64>, n: usize| counts.iter().map(|c| c / n as f64).collect::<Vec<_>>();
    let value = fit(times, &shares(totals.clone(), particles), limit);
    let without: Vec<f64> = (0..GROUPS)
        .map(|g| {
            let rest = totals.iter().zip(&counts[g]).map(|(total, count)| total - count).collect();
            fit(times, &shares(rest, particles - group(g).len()), limit)
        })
        .collect();
    let mean = without.iter().sum::<f64>() / GROUPS as f64;
    let squares: f64 = without.iter().map(|rate| (rate - mean).powi(2)).sum();
    let shrink = (GROUPS - 1) as f64 / GROUPS as f64;
    Ok(Rate { value, standard_error: (shrink * squares).sqrt() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exponential_gives_its_rate() {
        let times: Vec<f64> = (0..40).map(|k| 10.0 + 4.0 * f64::from(k)).collect();
        for amplitude in [0.2, -0.05] {
            let values: Vec<f64> = times.iter().map(|t| 0.7 - amplitude * f64::exp(-0.021 * t)).collect();
            assert!((fit(&times, &values, 0.7) - 0.021).abs() < 1e-9);
        }
    }

    #[test]
    fn the_standard_error_is_that_of_repetitions() {
        use resolvent::core::random::{Purpose, stream};

        use rand::RngExt;
        // Particles that cross once, after an exponential time.
        let times: Vec<f64> = (1..20).map(|k| 5.0 * f64::from(k)).collect();
        let rates: Vec<Rate> = (0..100)
            .map(|seed| {
                let mut rng = stream(seed, Purpose::Experiment, 0);
                let crossings: Vec<f64> = (0..2_000).map(|_| -rng.random::<f64>().ln() / 0.03).collect();
                let samples: Vec<Vec<f64>> = times
                    .iter()
                    .map(|t| crossings.iter().map(|c| f64::from(u8::from(c < t))).collect())
                    .collect();
                let samples: Vec<&[f64]> = samples.iter().map(|s| &s[..]).collect();
                jackknife(&times, &samples, 0.5, 1.0).unwrap()
            })
            .collect();
        let mean = rates.iter().map(|rate| rate.value).sum::<f64>() / 100.0;
        let spread = (rates.iter().map(|rate| (rate.value - mean).powi(2)).sum::<f64>() / 99.0).sqrt();
        let error = rates.iter().map(|rate| rate.standard_error).sum::<f64>() / 100.0;
        // The spread of 100 has a standard error of 7 %.
        assert!((error / spread - 1.0).abs() < 0.25, "{error} against {spread}");
        assert!((mean - 0.03).abs() < 4.0 * spread / 10.0, "{mean}");
    }
}
