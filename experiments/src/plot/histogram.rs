//! A sample against an exact density.

use anyhow::{Result, ensure};

use super::axis::Axis;
use super::chart::Chart;
use super::series::Series;

/// Points at which the density is evaluated.
const CURVE: usize = 400;

/// The histogram of `samples` on `[lo, hi]` in `bins` bins, with a density drawn over it.
///
/// The bars are normalised by the number of all samples, those outside `[lo, hi]` included, so the area of the bars
/// is the share inside and a correct density lies on them.
///
/// # Errors
/// If the range is empty or there are no bins or samples.
pub(crate) fn histogram_with_density(
    title: &str,
    (sample_name, samples): (&str, &[f64]),
    (density_name, density): (&str, impl Fn(f64) -> f64),
    (lo, hi): (f64, f64),
    bins: usize,
) -> Result<String> {
    ensure!(lo.is_finite() && hi.is_finite() && lo < hi, "histogram `{title}`: no range [{lo}, {hi}]");
    ensure!(bins > 0 && !samples.is_empty(), "histogram `{title}`: {bins} bins, {} samples", samples.len());
    let curve =
        (0..=CURVE).map(|k| lo + (hi - lo) * k as f64 / CURVE as f64).map(|x| (x, density(x))).collect();
    Chart::new(Axis::linear(title).range(lo, hi), Axis::linear("density"))
        .series(
            Series::boxes(sample_name.into(), heights(samples, lo, hi, bins), (hi - lo) / bins as f64)
                .colour(4),
        )
        .series(Series::line(density_name, curve).exact())
        .svg()
}

/// The middle and the height of each bar.
fn heights(samples: &[f64], lo: f64, hi: f64, bins: usize) -> Vec<(f64, f64)> {
    let width = (hi - lo) / bins as f64;
    let mut counts = vec![0_u64; bins];
    for &x in samples.iter().filter(|&&x| x >= lo && x <= hi) {
        counts[(((x - lo) / width) as usize).min(bins - 1)] += 1;
    }
    let unit = 1.0 / (samples.len() as f64 * width);
    counts.iter().enumerate().map(|(k, &n)| (lo + (k as f64 + 0.5) * width, n as f64 * unit)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_area_is_the_share_of_samples_inside() {
        let bars = heights(&[0.0, 0.1, 0.5, 1.0, 7.0], 0.0, 1.0, 4);
        let area: f64 = bars.iter().map(|&(_, height)| height * 0.25).sum();
        assert!((area - 0.8).abs() < 1e-12);
        assert_eq!(bars[0], (0.125, 2.0 / (5.0 * 0.25)));
    }

    #[test]
    fn impossible_requests_are_errors() {
        let draw = |range, bins| histogram_with_density("x", ("a", &[0.5]), ("b", |_| 1.0), range, bins);
        assert!(draw((1.0, 1.0), 3).is_err());
        assert!(draw((0.0, 1.0), 0).is_err());
        assert!(draw((0.0, 1.0), 3).is_ok());
    }
}
