//! The pictures of the reversed mixture.

use anyhow::Result;
use resolvent::core::marginal::NoisyDensity;
use resolvent::core::schedule::Level;
use resolvent::metrics;

use super::super::figures::{curve, empirical, evolution, outline};
use super::super::initialisation::range;
use super::{Method, PATHS, Report, SIGNIFICANCE, Start, Study};
use crate::outcome::Figure;
use crate::plot::{Axis, Chart, Raster, Series};

/// Levels after the start at which the bias is drawn.
const CURVE: usize = 12;

impl Study<'_> {
    pub(super) fn figures(&self, reports: &[Report]) -> Result<Vec<Figure>> {
        let of = |method: Method, start: Start| {
            let report = reports.iter().find(|report| report.method == method && report.start == start);
            report.expect("every method runs from every start")
        };
        let sde = of(Method::EulerMaruyama, Start::Prior);
        Ok(vec![
            Figure::new(
                "evolution",
                format!(
                    "Exact density p_(T−s) (shades: square root of the density relative to each column's largest) \
                     and {PATHS} paths of the reverse SDE from the prior, up to s = {} of {}; {}, {} Euler-Maruyama steps.",
                    self.shown,
                    self.schedule.horizon(),
                    self.name,
                    self.steps
                ),
                evolution("backward time s = T − t", self.density(), &sde.run.paths)?,
            ),
            Figure::new(
                "end-law",
                format!(
                    "End law of {} particles from the prior by the reverse SDE and by the probability flow, and the \
                     data law; {}, {} evaluations.",
                    self.particles, self.name, self.steps
                ),
                self.histogram(&[
                    ("reverse SDE", sde),
                    ("probability flow", of(Method::Flow, Start::Prior)),
                ])?,
            ),
            Figure::new(
                "distances",
                format!(
                    "Kolmogorov-Smirnov distance of the samples to the exact marginal p_t on the way from t = {} to \
                     {}; {}, {} particles, {} evaluations. Black: the initialisation bias by quadrature.",
                    self.schedule.horizon(),
                    self.end,
                    self.name,
                    self.particles,
                    self.steps
                ),
                self.distances(of)?,
            ),
            Figure::new(
                "bias",
                format!(
                    "Distribution function of the end law less that of p_end, exact by quadrature and in samples of \
                     {}; {}, {} evaluations. The sampling error is up to {:.4} (one standard deviation).",
                    self.particles,
                    self.name,
                    self.steps,
                    0.5 / (self.particles as f64).sqrt()
                ),
                self.bias(of)?,
            ),
        ])
    }

    fn density(&self) -> Raster {
        // The first, widest part of an exploding density would leave little room for the rest.
        let levels = [self.end, self.schedule.horizon() - 0.3 * self.shown].map(|t| self.schedule.level(t));
        let high = levels.iter().map(|level| 0.6 * range(self.law, level).1).fold(0.0, f64::max);
        Raster::new((0.0, self.shown), (-high, high), (200, 200), |s, x| {
            let mut log = [0.0];
            let time = (self.schedule.horizon() - s).max(self.end);
            self.law.log_densities(&self.schedule.level(time), &[x], &mut log);
            log[0].exp()
        })
    }

    fn histogram(&self, runs: &[(&str, &Report)]) -> Result<String> {
        let (low, high) = range(self.law, &Level::CLEAN);
        let shown = (0.7 * low, 0.7 * high);
        let mut chart = Chart::new(Axis::linear("x").range(shown.0, shown.1), Axis::linear("density"));
        for (name, report) in runs {
            let end = report.run.places.last().expect("the end is always wanted");
            chart = chart.series(Series::line(*name, outline(end, shown, 70)));
        }
        let density = curve(shown, 300, |x| self.law.log_density(&[x]).exp());
        chart.series(Series::dashed("data law", density).exact()).svg()
    }

    fn distances<'r>(&self, of: impl Fn(Method, Start) -> &'r Report) -> Result<String> {
        let mut chart = Chart::new(Axis::linear("t"), Axis::linear("KS distance to p_t"));
        for (name, method) in [("reverse SDE", Method::EulerMaruyama), ("probability flow", Method::Flow)] {
            for start in [Start::Prior, Start::Exact] {
                let points = of(method, start)
                    .fits
                    .iter()
                    .map(|fit| (fit.level.time, fit.marginal.statistic))
                    .collect();
                chart = chart.series(Series::marked(format!("{name} from {}", start.name()), points));
            }
        }
        for (method, name) in [(Method::EulerMaruyama, "bias by quadrature"), (Method::Flow, "")] {
            let mut points = Vec::new();
            // Dense near T, where the bias changes; the conditional laws have no width for the quadrature there.
            for k in 1..=CURVE {
                let share = k as f64 / CURVE as f64;
                let time = self.schedule.horizon() - (self.schedule.horizon() - self.end) * share * share;
                let level = self.schedule.level(time);
                let law = method.biased(&self.initialisation(), &level)?;
                points.push((time, law.distance(|x| self.law.cdf(&level, x))));
            }
            chart = chart.series(Series::line(name, points).exact());
        }
        let critical = metrics::ks_critical(self.particles, SIGNIFICANCE)?;
        chart.reference(critical, "critical value at 1e-3").svg()
    }

    fn bias<'r>(&self, of: impl Fn(Method, Start) -> &'r Report) -> Result<String> {
        let level = self.schedule.level(self.end);
        let (low, high) = range(self.law, &level);
        let places: Vec<f64> = curve((0.7 * low, 0.7 * high), 300, |_| 0.0).iter().map(|p| p.0).collect();
        let mut chart = Chart::new(Axis::linear("x"), Axis::linear("difference of distribution functions"));
        let cases = [
            ("reverse SDE from prior", Method::EulerMaruyama, Start::Prior),
            ("probability flow from prior", Method::Flow, Start::Prior),
            ("reverse SDE from p_T", Method::EulerMaruyama, Start::Exact),
        ];
        for (name, method, start) in cases {
            let end = of(method, start).run.places.last().expect("the end is always wanted");
            let shares = empirical(end, &places);
            let points =
                places.iter().zip(shares).map(|(x, share)| (*x, share - self.law.cdf(&level, *x))).collect();
            chart = chart.series(Series::line(name, points));
        }
        for (method, name) in [(Method::EulerMaruyama, "exact"), (Method::Flow, "")] {
            let law = method.biased(&self.initialisation(), &level)?;
            let points = places.iter().map(|x| (*x, law.at(*x) - self.law.cdf(&level, *x))).collect();
            chart = chart.series(Series::dashed(name, points).exact());
        }
        chart.svg()
    }
}
