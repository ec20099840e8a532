//! The pictures of `reversal`.

use anyhow::Result;
use resolvent::core::LifetimeLaw;
use resolvent::metrics;

use super::Settings;
use super::methods::{Kind, Measured, Method};
use crate::outcome::Figure;
use crate::plot::{Axis, Chart, Series, histogram_with_density};

/// Errors and cost by dimension, errors by cost, and one lifetime law.
pub(super) fn all(
    rows: &[Measured],
    sweep: &[Measured],
    lifetimes: Option<(LifetimeLaw, Vec<f64>)>,
    settings: &Settings,
) -> Result<Vec<Figure>> {
    let n = settings.particles;
    let floor = metrics::expected_ks(n)?;
    let mut figures = vec![
        Figure::new(
            "end-point-error",
            "Total variation of the end points by dimension, worst problem.",
            by_dimension("total variation", rows, |m| m.tv.value)?.svg()?,
        ),
        Figure::new(
            "lifetime-error",
            "Kolmogorov-Smirnov distance of the lifetimes by dimension, worst problem.",
            by_dimension("KS distance", rows, |m| m.lifetime_ks)?
                .reference(floor, "perfect sampler, mean")
                .svg()?,
        ),
        Figure::new(
            "evaluations",
            "Score evaluations of a particle by dimension: the cost hardly depends on it.",
            by_dimension("evaluations", rows, |m| m.evaluations)?.svg()?,
        ),
        Figure::new(
            "error-by-cost",
            format!(
                "End-point error against cost, d = {}, step sizes {:?}.",
                settings.sweep_dim, settings.sweep
            ),
            by_cost("total variation", sweep, |m| m.tv.value)
                .reference(sweep.first().map_or(f64::NAN, |m| m.tv_floor), "perfect sampler, mean")
                .svg()?,
        ),
        Figure::new(
            "lifetime-error-by-cost",
            format!(
                "Lifetime error against cost, d = {}, step sizes {:?}.",
                settings.sweep_dim, settings.sweep
            ),
            by_cost("KS distance", sweep, |m| m.lifetime_ks)
                .reference(floor, "perfect sampler, mean")
                .svg()?,
        ),
    ];
    if let Some((law, sample)) = lifetimes {
        let mut sorted = sample.clone();
        sorted.sort_by(f64::total_cmp);
        let end = metrics::quantile(&sorted, 0.99)?;
        figures.push(Figure::new(
            "lifetimes",
            format!(
                "Lifetimes of the bridge step, η = 0.2, d = {}: {n} particles and the exact law.",
                settings.sweep_dim
            ),
            histogram_with_density(
                "lifetime",
                ("bridge", &sample),
                ("exact", |t| law.density(t)),
                (0.0, end),
                60,
            )?,
        ));
    }
    Ok(figures)
}

/// One line per method, the worst problem of each dimension.
fn by_dimension(title: &str, rows: &[Measured], value: fn(&Measured) -> f64) -> Result<Chart> {
    let mut chart = Chart::new(Axis::log("dimension"), Axis::log(title));
    for method in Method::all() {
        let mut points: Vec<(f64, f64)> = Vec::new();
        for m in rows.iter().filter(|m| m.method == method) {
            let (dim, value) = (m.dim as f64, value(m));
            match points.last_mut() {
                Some(last) if last.0 == dim => last.1 = last.1.max(value),
                _ => points.push((dim, value)),
            }
        }
        chart = chart.series(Series::marked(format!("{}, η = {}", method.kind.name(), method.eta), points));
    }
    Ok(chart)
}

/// One line per scheme, a point per step size.
fn by_cost(title: &str, sweep: &[Measured], value: fn(&Measured) -> f64) -> Chart {
    let mut chart = Chart::new(Axis::log("evaluations"), Axis::log(title));
    for kind in Method::SWEPT {
        let of_kind = |m: &&Measured| m.method.kind == kind;
        let points = sweep.iter().filter(of_kind).map(|m| (m.evaluations, value(m))).collect();
        chart = chart.series(Series::marked(Kind::name(kind), points));
    }
    chart
}
