//! The pictures of Langevin dynamics.

use anyhow::Result;

use super::super::figures::{curve, evolution, outline};
use super::start::Start;
use super::{Findings, PATHS, Report};
use crate::outcome::Figure;
use crate::plot::{Axis, Chart, Series};

impl Findings<'_> {
    /// The pictures.
    pub(super) fn figures(&self) -> Result<Vec<Figure>> {
        let Self { settings, law, landscape, clock, reports, .. } = self;
        let mut figures = Vec::new();
        for Report { start, exact, run } in reports {
            figures.push(Figure::new(
                format!("evolution-{}", start.stem()),
                format!(
                    "Langevin dynamics from {}: density by the Fokker-Planck equation (shades: square root of the \
                     density relative to each column's largest) and {PATHS} paths, step {}. At t = {} it looks converged.",
                    start.name(),
                    settings.step,
                    settings.shown
                ),
                evolution("time t", exact.density.clone(), &run.paths)?,
            ));
        }
        let last = *settings.times.last().expect("there are times");
        for time in [settings.shown, last] {
            let k = clock.index(time);
            let (low, high) = (-13.0, 13.0);
            let mut chart = Chart::new(Axis::linear("x").range(low, high), Axis::linear("density"));
            for Report { start, run, .. } in reports {
                let name = format!("from {}", start.name());
                chart = chart.series(Series::line(name, outline(&run.places[k], (low, high), 52)));
            }
            for Report { start, exact, .. } in reports {
                let width = 0.05;
                let density =
                    |x: f64| (exact.laws[k].at(x + 0.5 * width) - exact.laws[k].at(x - 0.5 * width)) / width;
                let name = format!("Fokker-Planck from {}", start.name());
                let colour = usize::from(*start == Start::Uniform);
                chart = chart.series(Series::dashed(name, curve((low, high), 260, density)).colour(colour));
            }
            let density = curve((low, high), 260, |x| law.log_density(&[x]).exp());
            figures.push(Figure::new(
                format!("law-{time}"),
                format!(
                    "The law at t = {time}: {} particles from each start, the equation, and the mixture.",
                    settings.particles
                ),
                chart.series(Series::line("mixture", density).exact()).svg()?,
            ));
        }
        let mut chart = Chart::new(Axis::linear("time t"), Axis::linear("mass to the right of the saddle"));
        for Report { start, run, .. } in reports {
            let points: Vec<(f64, f64)> =
                clock.times().zip(&run.places).map(|(t, places)| (t, landscape.share(places))).collect();
            let errors =
                points.iter().map(|(_, p)| (p * (1.0 - p) / settings.particles as f64).sqrt()).collect();
            chart =
                chart.series(Series::dots(format!("measured from {}", start.name()), points).errors(errors));
        }
        for (k, Report { exact, .. }) in reports.iter().enumerate() {
            let points =
                clock.times().zip(&exact.laws).map(|(t, law)| (t, 1.0 - law.at(landscape.saddle))).collect();
            let name = if k == 0 { "Fokker-Planck" } else { "" };
            chart = chart.series(Series::line(name, points).exact());
        }
        figures.push(Figure::new(
            "mass",
            format!(
                "Mass to the right of the saddle at x = {:.3}: {} particles from each start with one standard error, and \
                 the Fokker-Planck equation.",
                landscape.saddle, settings.particles
            ),
            chart.reference(landscape.right, "mixture").svg()?,
        ));
        Ok(figures)
    }
}
