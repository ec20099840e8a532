//! The pictures of `three-starts`.

use anyhow::Result;

use super::runs::Run;
use super::{Curve, Settings};
use crate::outcome::Figure;
use crate::plot::{Axis, Chart, Series, bar_chart};

/// Bias against r, and the end laws of the runs.
pub(super) fn all(
    curves: &[Curve],
    runs: &[Run],
    shares: &[f64],
    settings: &Settings,
) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for start in ["stationary law", "Laplace law around 0", "Laplace law around the mean"] {
        let mut chart = Chart::new(Axis::log("killing rate r"), Axis::log("total variation of the end law"));
        for (index, curve) in curves.iter().filter(|curve| curve.name == start).enumerate() {
            let shown = curve.points.iter().filter(|(_, bias)| bias.value > 2.0 * bias.standard_error);
            let points: Vec<(f64, f64)> = shown.clone().map(|(rate, bias)| (*rate, bias.value)).collect();
            let errors = shown.map(|(_, bias)| bias.standard_error).collect();
            chart = chart
                .series(Series::marked(format!("d = {}", curve.dim), points).errors(errors).colour(index));
            if let Some((slope, factor)) = curve.fit {
                let rates =
                    curve.points.iter().map(|point| point.0).filter(|rate| *rate <= settings.fit_below);
                let line = rates.map(|rate| (rate, factor * rate.powf(slope))).collect();
                chart = chart.series(Series::dashed(format!("r^{slope:.2}"), line).colour(index));
            }
        }
        figures.push(Figure::new(
            format!("bias-{}", start.to_lowercase().replace(' ', "-")),
            format!(
                "Backward from the {start}: total variation between the end law and α against the killing rate, five unequal \
                 atoms, with the power of r fitted to r <= {}.",
                settings.fit_below
            ),
            chart.svg()?,
        ));
    }
    let n = settings.particles as f64;
    let atoms: Vec<String> = (1..=5).map(|i| format!("atom {i}")).collect();
    let groups: Vec<(String, Vec<f64>)> = runs
        .iter()
        .map(|run| {
            let shift =
                run.counts.iter().zip(shares).map(|(&count, share)| count as f64 / n - share).collect();
            (format!("{} ({})", run.name, run.process), shift)
        })
        .collect();
    figures.push(Figure::new(
        "end-laws",
        format!(
            "Shares of the end points of {} particles less those of the data, from each start, d = {}; a share has a standard \
             error of at most {:.4}. From the point, as from the law r u of the right start, there is no bias.",
            settings.particles,
            settings.run_dim,
            0.5 / n.sqrt()
        ),
        bar_chart("", Axis::linear("share less α"), &atoms, &groups, &[])?,
    ));
    Ok(figures)
}
