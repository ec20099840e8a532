//! The figures of `dimension`.

use anyhow::Result;

use super::mean;
use super::places::Estimates;
use crate::plot::{Axis, Chart, Series};

/// The estimates against the distance, with the spacing of the data as an upright line.
pub(super) fn codimension(
    rows: &[(f64, Estimates, Estimates)],
    (k, d): (usize, usize),
    spacing: f64,
) -> Result<String> {
    let curve = |of: &dyn Fn(&(f64, Estimates, Estimates)) -> f64| {
        rows.iter().map(|row| (row.0, of(row))).collect::<Vec<_>>()
    };
    let (bottom, top) = (0.8 * (d - k) as f64, 1.05 * d as f64);
    Chart::new(
        Axis::log("distance from the support"),
        Axis::linear("estimated codimension").range(bottom, top),
    )
    .series(Series::line("exact score, |v||s| + 2", curve(&|row| mean(&row.1.by_norm))).colour(0))
    .series(Series::dots("exact score, singular values", curve(&|row| mean(&row.1.by_gap))).colour(0))
    .series(Series::line("data, |v||s| + 2", curve(&|row| mean(&row.2.by_norm))).colour(1))
    .series(Series::dots("data, singular values", curve(&|row| mean(&row.2.by_gap))).colour(1))
    .series(Series::dashed("spacing of the data", vec![(spacing, bottom), (spacing, top)]).colour(4))
    .reference((d - k) as f64, format!("codimension {}", d - k))
    .reference(d as f64, format!("codimension of a point, {d}"))
    .svg()
}
