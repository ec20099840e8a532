use super::validated_total;
use crate::{Error, Estimate, Result, check, moments::wilson};
use statrs::function::factorial::ln_binomial;

/// Total variation distance 1/2 sum |n_i / n - p_i| between a sample of categories and a law.
///
/// The value is biased upward: a perfect sampler scores [`expected_total_variation`], not 0. Compare it with that
/// floor, or with [`total_variation_critical`].
///
/// The standard error covers the draw of the sample, by the delta method. The value changes by the mass of the cells
/// that hold more than their share, so its variance is that of a proportion, `q (1 - q) / n` with q that mass;
/// cells that hold exactly their share are counted on the side that gives the larger error, and the error is that of
/// [`crate::proportion`], which does not vanish at q = 0 or 1. Far from the law the error is accurate; for a sample
/// that has the law it is too large, by the factor 1 / sqrt(1 - 2/pi) = 1.66 when cells are many and well filled.
pub fn total_variation(counts: &[u64], probabilities: &[f64]) -> Result<Estimate> {
    let total = validated_total(counts, probabilities)?;
    let n = total as f64;
    let (mut distance, mut over, mut under) = (0.0, 0, 0);
    for (&count, &p) in counts.iter().zip(probabilities) {
        let excess = count as f64 / n - p;
        distance += excess.abs();
        over += if excess > 0.0 { count } else { 0 };
        under += if excess < 0.0 { count } else { 0 };
    }
    // The cells that hold their share may go to either side: as close to one half as they allow.
    let successes = (total / 2).clamp(over, total - under);
    let (low, high) = wilson(successes, total, 1.0)?;
    Ok(Estimate { value: 0.5 * distance, standard_error: 0.5 * (high - low) })
}

/// Mean total variation distance of `n` independent draws from the law itself: the Monte-Carlo floor.
///
/// Exact: half the sum of the mean absolute deviations of Bin(n, p_i) / n, each by de Moivre's formula
/// E|B - np| = 2 m C(n, m) p^m (1-p)^(n-m+1) with m = floor(np) + 1.
///
/// Source: Diaconis & Zabell (1991), Statist. Sci. 6:284.
pub fn expected_total_variation(probabilities: &[f64], n: u64) -> Result<f64> {
    check::probabilities(probabilities)?;
    if n == 0 {
        return Err(Error::Empty { what: "n" });
    }
    let sum: f64 = probabilities.iter().map(|&p| binomial_mean_deviation(n, p)).sum();
    Ok(0.5 * sum / n as f64)
}

/// A bound that the total variation distance of `n` independent draws from the law exceeds with probability at most
/// `alpha`: [`expected_total_variation`] + sqrt(log(1/alpha) / (2n)).
///
/// One draw moves the distance by at most 1/n, so this holds for every law and every n, with room to spare.
///
/// Source: McDiarmid (1989), Surveys in Combinatorics, p. 148.
pub fn total_variation_critical(probabilities: &[f64], n: u64, alpha: f64) -> Result<f64> {
    check::parameter("alpha", alpha, "in (0, 1]", alpha > 0.0 && alpha <= 1.0)?;
    Ok(expected_total_variation(probabilities, n)? + (-alpha.ln() / (2.0 * n as f64)).sqrt())
}

/// E|B - np| for B ~ Bin(n, p).
fn binomial_mean_deviation(n: u64, p: f64) -> f64 {
    let m = (n as f64 * p) as u64 + 1;
    if p == 0.0 || m > n {
        return 0.0;
    }
    let log = ln_binomial(n, m) + m as f64 * p.ln() + (n - m + 1) as f64 * (-p).ln_1p();
    2.0 * m as f64 * log.exp()
}

#[cfg(test)]
mod tests {
    use super::binomial_mean_deviation;
    use statrs::distribution::{Binomial, Discrete};

    #[test]
    fn de_moivre_equals_the_sum() {
        for (n, p) in [(1, 0.3), (7, 0.5), (10, 0.2), (10, 0.95), (40, 0.01), (300, 0.37), (5, 1.0), (5, 0.0)]
        {
            let law = Binomial::new(p, n).unwrap();
            let sum: f64 = (0..=n).map(|k| law.pmf(k) * (k as f64 - n as f64 * p).abs()).sum();
            let formula = binomial_mean_deviation(n, p);
            assert!((formula - sum).abs() < 1e-11 * (1.0 + sum), "n {n} p {p}: {formula} against {sum}");
        }
    }
}
