//! Means and proportions.

use crate::{Error, Estimate, Result, check};

/// Mean of a sample of at least two values.
///
/// The standard error is the sample standard deviation over sqrt(n): it covers the draw of the sample and takes
/// the values as independent.
pub fn mean(sample: &[f64]) -> Result<Estimate> {
    check::sample("sample", sample, 2)?;
    let n = sample.len() as f64;
    let value = sample.iter().sum::<f64>() / n;
    let squares: f64 = sample.iter().map(|x| (x - value).powi(2)).sum();
    Ok(Estimate { value, standard_error: (squares / (n - 1.0) / n).sqrt() })
}

/// Proportion of successes in `n` independent trials.
///
/// The standard error is half the width of the [`wilson`] interval at one standard deviation. For large n it is
/// sqrt(p (1 - p) / n), and unlike that it does not vanish when all trials agree.
pub fn proportion(successes: u64, n: u64) -> Result<Estimate> {
    let (low, high) = wilson(successes, n, 1.0)?;
    Ok(Estimate { value: successes as f64 / n as f64, standard_error: 0.5 * (high - low) })
}

/// Wilson's score interval for a proportion, `z` standard deviations wide to either side (z = 1.96 for 95 %).
///
/// Source: Wilson (1927), J. Amer. Statist. Assoc. 22:209.
pub fn wilson(successes: u64, n: u64, z: f64) -> Result<(f64, f64)> {
    if n == 0 {
        return Err(Error::Empty { what: "trials" });
    }
    check::parameter("successes", successes as f64, "at most the number of trials", successes <= n)?;
    check::parameter("z", z, "finite and not negative", z.is_finite() && z >= 0.0)?;
    let trials = n as f64;
    let p = successes as f64 / trials;
    let shrink = 1.0 + z * z / trials;
    let centre = (p + 0.5 * z * z / trials) / shrink;
    let half_width = z / shrink * (p * (1.0 - p) / trials + 0.25 * (z / trials).powi(2)).sqrt();
    let low = if successes == 0 { 0.0 } else { (centre - half_width).max(0.0) };
    let high = if successes == n { 1.0 } else { (centre + half_width).min(1.0) };
    Ok((low, high))
}
