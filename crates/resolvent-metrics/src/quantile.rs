use crate::{Result, check};

/// Quantile of an ascending sample at level `q` in [0, 1], by linear interpolation between order statistics.
///
/// Level q sits at position q (n - 1), the convention of NumPy and R (type 7). The order of the sample is the
/// caller's promise; it is checked in debug builds.
///
/// Source: Hyndman & Fan (1996), Amer. Statist. 50:361, definition 7.
pub fn quantile(sorted: &[f64], q: f64) -> Result<f64> {
    check::sample("sorted", sorted, 1)?;
    check::parameter("q", q, "in [0, 1]", (0.0..=1.0).contains(&q))?;
    debug_assert!(sorted.is_sorted(), "quantile of an unsorted sample");
    let position = q * (sorted.len() - 1) as f64;
    let below = position as usize;
    let above = (below + 1).min(sorted.len() - 1);
    let fraction = position - below as f64;
    Ok(sorted[below] + fraction * (sorted[above] - sorted[below]))
}
