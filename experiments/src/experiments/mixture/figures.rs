//! What the figures of the three experiments share.

use anyhow::Result;
use resolvent::core::Path;

use crate::plot::{Axis, Chart, Raster, Series};

/// Points to which a path is thinned.
const CORNERS: usize = 400;

/// Paths over a density that evolves.
///
/// # Errors
/// If there is nothing to show.
pub(super) fn evolution(title: &str, density: Raster, paths: &[Path]) -> Result<String> {
    let ((start, end), (low, high)) = (density.x, density.y);
    let axes = (Axis::linear(title).range(start, end), Axis::linear("x").range(low, high));
    let mut chart = Chart::new(axes.0, axes.1).raster(density.by_column());
    for (k, path) in paths.iter().enumerate() {
        let shown = path.times.partition_point(|t| *t <= end);
        let stride = shown.div_ceil(CORNERS).max(1);
        let points = (0..shown).step_by(stride).map(|i| (start + path.times[i], path.point(i)[0])).collect();
        let name = if k == 0 { "sample paths" } else { "" };
        chart = chart.series(Series::line(name, points).colour(1));
    }
    chart.svg()
}

/// The histogram of a sample as an outline: the corners of its bars from left to right.
pub(super) fn outline(sample: &[f64], (low, high): (f64, f64), bins: usize) -> Vec<(f64, f64)> {
    let width = (high - low) / bins as f64;
    let mut counts = vec![0_u64; bins];
    for x in sample.iter().filter(|x| (low..high).contains(*x)) {
        counts[(((x - low) / width) as usize).min(bins - 1)] += 1;
    }
    let unit = 1.0 / (sample.len() as f64 * width);
    let bar = |(k, count): (usize, &u64)| {
        let (left, height) = (low + width * k as f64, *count as f64 * unit);
        [(left, height), (left + width, height)]
    };
    counts.iter().enumerate().flat_map(bar).collect()
}

/// `count` + 1 equally spaced abscissae of `range` with the values of `curve` there.
pub(super) fn curve((low, high): (f64, f64), count: usize, curve: impl Fn(f64) -> f64) -> Vec<(f64, f64)> {
    (0..=count).map(|k| low + (high - low) * k as f64 / count as f64).map(|x| (x, curve(x))).collect()
}

/// The empirical distribution function of `sample` at `places`, ascending.
pub(super) fn empirical(sample: &[f64], places: &[f64]) -> Vec<f64> {
    let mut sorted = sample.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    places.iter().map(|x| sorted.partition_point(|y| y <= x) as f64 / sorted.len() as f64).collect()
}
