//! What the statistical tests share. Significance 1e-4 throughout.
#![allow(dead_code, reason = "each test file uses its part")]

/// sqrt(n) times the largest gap between the empirical and the given distribution function must stay below this
/// (Kolmogorov, 1e-4).
pub(crate) const KOLMOGOROV: f64 = 2.225;

/// The Kolmogorov-Smirnov statistic times sqrt(n).
pub(crate) fn kolmogorov(sample: &[f64], cdf: impl Fn(f64) -> f64) -> f64 {
    let mut sorted = sample.to_vec();
    sorted.sort_by(f64::total_cmp);
    let n = sorted.len() as f64;
    let gap = sorted.iter().enumerate().map(|(i, x)| {
        let c = cdf(*x);
        f64::max(c - i as f64 / n, (i as f64 + 1.0) / n - c)
    });
    gap.fold(0.0, f64::max) * n.sqrt()
}

/// sqrt(n m / (n + m)) times the largest gap between two empirical distribution functions; [`KOLMOGOROV`] is its critical value
/// too (Smirnov).
pub(crate) fn two_sample(a: &[f64], b: &[f64]) -> f64 {
    let sorted = |sample: &[f64]| {
        let mut sample = sample.to_vec();
        sample.sort_by(f64::total_cmp);
        sample
    };
    let (a, b) = (sorted(a), sorted(b));
    let below = |sample: &[f64], x: f64| sample.partition_point(|v| *v <= x) as f64 / sample.len() as f64;
    let gap = a.iter().chain(&b).map(|x| (below(&a, *x) - below(&b, *x)).abs()).fold(0.0, f64::max);
    let (n, m) = (a.len() as f64, b.len() as f64);
    gap * (n * m / (n + m)).sqrt()
}

/// The statistic of Pearson's test over cells of at least five expected counts, and its degrees of freedom.
pub(crate) fn chi_square(counts: &[usize], probabilities: &[f64]) -> (f64, f64) {
    let n: usize = counts.iter().sum();
    let (mut statistic, mut cells, mut rest) = (0.0, 0, (0.0, 0.0));
    for (count, p) in counts.iter().zip(probabilities) {
        let expected = p * n as f64;
        if expected < 5.0 {
            rest = (rest.0 + *count as f64, rest.1 + expected);
        } else {
            statistic += (*count as f64 - expected).powi(2) / expected;
            cells += 1;
        }
    }
    if rest.1 >= 5.0 {
        statistic += (rest.0 - rest.1).powi(2) / rest.1;
        cells += 1;
    } else {
        // Fewer than five are expected in all the small cells; a Poisson number of mean 5 exceeds 16 once in 10⁵.
        assert!(rest.0 <= 16.0, "{} particles where {} are expected", rest.0, rest.1);
    }
    (statistic, f64::from(cells) - 1.0)
}

/// Passes if the counts can come from the probabilities.
pub(crate) fn assert_law(counts: &[usize], probabilities: &[f64]) {
    use statrs::distribution::{ChiSquared, ContinuousCDF};
    let (statistic, freedom) = chi_square(counts, probabilities);
    if freedom > 0.0 {
        let p = ChiSquared::new(freedom).unwrap().sf(statistic);
        assert!(p > 1e-4, "chi-square {statistic} at {freedom} degrees of freedom, p = {p}: {counts:?}");
    }
}

/// Mean and its standard error.
pub(crate) fn mean(sample: &[f64]) -> (f64, f64) {
    let n = sample.len() as f64;
    let mean = sample.iter().sum::<f64>() / n;
    let variance = sample.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0);
    (mean, (variance / n).sqrt())
}

/// Four standard errors.
pub(crate) fn assert_mean(sample: &[f64], expected: f64) {
    let (mean, error) = mean(sample);
    assert!((mean - expected).abs() < 4.0 * error, "{mean} +- {error}, expected {expected}");
}
