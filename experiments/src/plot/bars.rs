//! Numbers by category and group.

use anyhow::{Result, ensure};

use super::axis::Axis;
use super::chart::Chart;
use super::series::Series;

/// The share of a category's width that its bars fill.
const FILL: f64 = 0.8;

/// Bars over `categories`, side by side for each group; a group is its name and one number per category.
/// With a logarithmic `y` they stand on the lower edge.
///
/// # Errors
/// If a group has not one number per category, or there is nothing to show.
pub(crate) fn bar_chart(
    x_title: &str,
    y: Axis,
    categories: &[String],
    groups: &[(String, Vec<f64>)],
    references: &[(f64, &str)],
) -> Result<String> {
    ensure!(!categories.is_empty() && !groups.is_empty(), "bar chart `{}`: nothing to show", y.title);
    let width = FILL / groups.len() as f64;
    let mut chart = Chart::new(Axis::linear(x_title), y).categories(categories.to_vec());
    for (index, (name, values)) in groups.iter().enumerate() {
        ensure!(values.len() == categories.len(), "bars `{name}`: not one number per category");
        let shift = (index as f64 + 0.5) * width - 0.5 * FILL;
        let points = values.iter().enumerate().map(|(k, &value)| (k as f64 + shift, value)).collect();
        let name = if groups.len() == 1 { String::new() } else { name.clone() };
        chart = chart.series(Series::boxes(name, points, width));
    }
    for &(ordinate, name) in references {
        chart = chart.reference(ordinate, name);
    }
    chart.svg()
}
