use super::{KsResult, distribution, sorted};
use crate::{Error, Result, check};

/// Kolmogorov-Smirnov test that a sample has the continuous distribution function `cdf`.
///
/// The statistic is sup |F_n - F| over both sides of every jump of F_n, so ties are handled. Where F itself jumps
/// (a law with atoms) the left limit of F is not known and the statistic is too large by up to the size of the jump;
/// bin such a sample and use [`crate::chi_square_test`]. The p-value is that of [`crate::ks_p_value`].
pub fn ks_one_sample(sample: &[f64], cdf: impl Fn(f64) -> f64 + Sync) -> Result<KsResult> {
    check::sample("sample", sample, 1)?;
    let n = sample.len() as f64;
    let mut statistic = 0.0_f64;
    for (i, x) in sorted(sample).into_iter().enumerate() {
        let value = cdf(x);
        if !(0.0..=1.0).contains(&value) {
            return Err(Error::DistributionFunction { at: x, value });
        }
        statistic = statistic.max((i + 1) as f64 / n - value).max(value - i as f64 / n);
    }
    Ok(KsResult { statistic, p_value: distribution::p_value(statistic, sample.len()), n })
}
