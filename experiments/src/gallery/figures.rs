//! One figure of every kind, with the cases that are hard to lay out.

use anyhow::Result;

use crate::outcome::Figure;
use crate::plot::{
    Axis, BarRow, Chart, GreyImage, ImagePanel, Raster, Series, bar_chart, histogram_with_density,
    image_bars, image_panels,
};

pub(super) fn figures(normals: &[f64]) -> Result<Vec<Figure>> {
    let etas = [0.05, 0.1, 0.2, 0.5, 1.0];
    let curve = |f: &dyn Fn(f64) -> f64| etas.iter().map(|&eta| (eta, f(eta))).collect::<Vec<_>>();
    let mut errors = Chart::new(Axis::log("step η"), Axis::log("total variation of the end law"));
    for (k, d) in [2, 3, 8, 32, 128].into_iter().enumerate() {
        let points = curve(&|eta| 0.08 * eta.powf(0.5 + 0.3 * k as f64) + 0.004);
        let bars = points.iter().map(|p| 0.15 * p.1 + 0.001).collect();
        errors = errors.series(Series::marked(format!("d = {d}"), points).errors(bars));
    }
    let errors = errors.reference(0.004, "Monte-Carlo floor").reference(0.05, "bound").svg()?;

    let grid: Vec<f64> = (0..300).map(|k| 1e-12 * 10f64.powf(20.0 * k as f64 / 299.0)).collect();
    let kernels =
        Chart::new(Axis::log("distance ρ"), Axis::linear("log G, the logarithm of the Green kernel"))
            .series(
                Series::line("exact, d = 3", grid.iter().map(|&r| (r, -r.ln() - 1e-6 * r)).collect()).exact(),
            )
            .series(Series::dashed("d = 8", grid.iter().map(|&r| (r, -6.0 * r.ln() - 1e-6 * r)).collect()))
            .svg()?;

    let density = |x: f64| (-0.5 * x * x).exp() / std::f64::consts::TAU.sqrt();
    let histogram = histogram_with_density(
        "position x",
        ("killed sample", normals),
        ("exact density r u(x)", density),
        (-4.0, 4.0),
        48,
    )?;

    let pairs: Vec<(f64, f64)> = normals.chunks_exact(2).map(|pair| (pair[0], 0.4 * pair[1] + 1.0)).collect();
    let circle =
        (0..=200).map(|k| k as f64 * std::f64::consts::TAU / 200.0).map(|t| (2.0 * t.cos(), 2.0 * t.sin()));
    let scatter = Chart::new(Axis::linear("x₁"), Axis::linear("x₂"))
        .equal_units()
        .series(Series::dots("samples", pairs))
        .series(Series::dots("starts", vec![(-1.0, -1.0), (1.0, -1.5), (0.0, -1.2)]))
        .series(Series::line("support", circle.collect()).exact())
        .svg()?;

    let rules = ["sup", "l2", "distance", "support", "lifetime", "hazard"]
        .map(|rule| format!("{rule} rule"))
        .to_vec();
    let bars = bar_chart(
        "killing rule",
        Axis::linear("mean evaluations"),
        &rules,
        &[
            ("bridge, η = 0.2".into(), vec![75.0, 80.0, 60.0, 110.0, 20.0, 44.0]),
            ("Euler, η = 0.1".into(), vec![160.0, 170.0, 155.0, 190.0, 90.0, 80.0]),
            ("flux".into(), vec![20.0, 40.0, 30.0, 25.0, 22.0, 28.0]),
        ],
        &[(100.0, "budget")],
    )?;
    let dims = ["2", "8", "32"].map(String::from);
    let log_bars = bar_chart(
        "dimension d",
        Axis::log("error"),
        &dims,
        &[("error".into(), vec![1e-6, 3e-4, 2e-2])],
        &[],
    )?;

    let clipped = Chart::new(Axis::linear("x").range(0.0, 1.0), Axis::linear("y").range(0.0, 1e6))
        .series(Series::line("cut off above", (0..100).map(|k| (k as f64 / 99.0, 2e4 * k as f64)).collect()))
        .series(Series::line(
            "a second series whose name is so long that it cannot possibly stand in one row of the legend",
            vec![(0.0, 5e5), (1.0, 0.0)],
        ))
        .svg()?;

    let spread = |t: f64, x: f64| f64::exp(-x * x / (0.2 + t)) / f64::sqrt(0.2 + t);
    let evolution = Chart::new(Axis::linear("time t"), Axis::linear("x"))
        .raster(Raster::new((0.0, 2.0), (-4.0, 4.0), (80, 90), spread).by_column())
        .series(
            Series::line("", (0..=40).map(|k| (0.05 * f64::from(k), f64::sin(f64::from(k)))).collect())
                .colour(1),
        )
        .svg()?;

    let pictures: Vec<Vec<f64>> = (0..12).map(|k| ring(28, 3.0 + 0.7 * k as f64)).collect();
    let row = |from: usize, count: usize| -> Vec<GreyImage<'_>> {
        let image = |values| GreyImage { width: 28, height: 28, values };
        pictures[from..from + count].iter().map(|values| image(values)).collect()
    };
    let labels = ["noisy input", "projection", "nearest neighbour"].map(String::from);
    let images = image_panels(
        &labels,
        &[
            ImagePanel { heading: "noise 0.5".into(), rows: vec![row(0, 6), row(3, 6), row(6, 6)] },
            ImagePanel { heading: "noise 3".into(), rows: vec![row(6, 4), row(3, 4), row(0, 4)] },
        ],
    )?;
    let small = image_bars(
        &[BarRow {
            label: "7".into(),
            lead: row(0, 1),
            bars: row(1, 3)
                .into_iter()
                .zip([0.6, 0.3, 0.1])
                .map(|(image, p)| (image, vec![p, 0.9 - p]))
                .collect(),
        }],
        &["input"],
        &["exact law", "particles"],
    )?;

    let figures = [
        ("errors", "Error bars, two logarithmic axes and two reference lines.", errors),
        ("kernels", "Twenty decades on one axis.", kernels),
        ("histogram", "A sample against its density.", histogram),
        ("scatter", "Points of the plane in equal units.", scatter),
        ("bars", "Three groups over categories with long names.", bars),
        ("log-bars", "One group on a logarithmic axis.", log_bars),
        ("clipped", "A given range, large numbers, a long name.", clipped),
        ("raster", "A density that spreads, and a path over it.", evolution),
        ("image-bars", "Images with bars beside them.", small),
        ("images", "Panels of images.", images),
    ];
    Ok(figures.into_iter().map(|(stem, caption, svg)| Figure::new(stem, caption, svg)).collect())
}

fn ring(side: usize, radius: f64) -> Vec<f64> {
    let middle = 0.5 * (side as f64 - 1.0);
    let at = |k: usize| ((k / side) as f64 - middle).hypot((k % side) as f64 - middle);
    (0..side * side).map(|k| 2.0 * (-0.5 * (at(k) - radius).powi(2)).exp() - 1.0).collect()
}
