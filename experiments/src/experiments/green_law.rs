//! `green-law`: where and when killed Brownian motion dies.

use anyhow::Result;
use nalgebra::DMatrix;
use resolvent::core::KilledBrownianMotion;
use resolvent::core::random::{Purpose, stream};
use resolvent::metrics;
use serde::{Deserialize, Serialize};

use crate::experiment::{Context, Experiment};
use crate::outcome::{Check, Figure, Outcome, Table, cells};
use crate::plot::{Axis, Chart, Series, histogram_with_density};

/// Significance of every test of fit.
const SIGNIFICANCE: f64 = 1e-3;

/// The law at the lifetime against the Green kernel.
pub(crate) struct GreenLaw;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// Dimensions d.
    dims: Vec<usize>,
    /// Particles in each dimension.
    particles: usize,
    /// Killing rate r.
    rate: f64,
    /// Diffusion σ.
    sigma: f64,
}

impl Experiment for GreenLaw {
    type Settings = Settings;

    fn name(&self) -> &'static str {
        "green-law"
    }

    fn summary(&self) -> &'static str {
        "Brownian motion killed at rate r dies with density r G_r, after a time ~ Exp(r)"
    }

    fn seconds(&self) -> u32 {
        5
    }

    fn full(&self) -> Settings {
        Settings { dims: vec![1, 2, 3, 10, 784], particles: 100_000, rate: 0.5, sigma: 1.5 }
    }

    fn quick(&self) -> Settings {
        Settings { particles: 10_000, ..self.full() }
    }

    fn run(&self, settings: &Settings, context: &Context) -> Result<Outcome> {
        let mut outcome = Outcome::default();
        let mut table = Table::new(
            "distance covered and lifetime",
            format!(
                "{} particles in each dimension, r = {}, σ = {}. KS is the Kolmogorov-Smirnov distance to the exact law; \
                 beside it, the value that a right sampler exceeds once in a thousand runs. The mean squared distance is \
                 divided by its expectation σ² d / r.",
                settings.particles, settings.rate, settings.sigma
            ),
            &[
                "d",
                "KS distance",
                "p",
                "KS lifetime",
                "p",
                "critical KS",
                "mean squared distance",
                "standard error",
            ],
        );
        let critical = metrics::ks_critical(settings.particles, SIGNIFICANCE)?;
        let progress = context.progress(settings.dims.len() as u64, "green-law");
        for &dim in &settings.dims {
            context.proceed()?;
            let process = KilledBrownianMotion::new(dim, settings.sigma, settings.rate)?;
            let (places, lifetimes) =
                process.deaths(&DMatrix::zeros(dim, settings.particles), context.seed + dim as u64)?;
            let distances: Vec<f64> = places.column_iter().map(|x| x.norm()).collect();
            let green = process.green();
            let place = metrics::ks_one_sample(&distances, |rho| green.distance_cdf(rho))?;
            let time = metrics::ks_one_sample(&lifetimes, |t| -f64::exp_m1(-settings.rate * t))?;
            let scale = settings.sigma.powi(2) * dim as f64 / settings.rate;
            let squared: Vec<f64> = distances.iter().map(|rho| rho * rho / scale).collect();
            let squared = metrics::mean(&squared)?;
            table.push(cells![
                dim,
                place.statistic,
                place.p_value,
                time.statistic,
                time.p_value,
                critical,
                squared.value,
                squared.standard_error
            ]);
            outcome.checks.push(Check::at_most(
                format!("KS of the distance covered, d = {dim}"),
                place.statistic,
                critical,
                "r G_r is the law at the lifetime (R5); critical value at 1e-3",
            ));
            outcome.checks.push(Check::at_most(
                format!("KS of the lifetime, d = {dim}"),
                time.statistic,
                critical,
                "the lifetime is Exp(r); critical value at 1e-3",
            ));
            outcome.checks.push(Check::at_most(
                format!("kernel against the derivative of its law, d = {dim}"),
                kernel_error(&process),
                1e-6,
                "r G_r times the surface of the sphere is the density of the distance (R3)",
            ));
            let density = |rho: f64| distance_density(&process, rho);
            outcome.figures.push(Figure::new(
                format!("distance-{dim}"),
                format!(
                    "Distance covered until death, d = {dim}: {} particles and r G_r.",
                    settings.particles
                ),
                histogram_with_density(
                    "distance",
                    ("simulated", &distances),
                    ("r G_r", density),
                    (0.0, 4.0 * scale.sqrt()),
                    60,
                )?,
            ));
            progress.inc(1);
        }
        outcome.figures.push(Figure::new(
            "paths",
            "Paths in the plane from the origin until they are killed.",
            paths(settings, context)?,
        ));
        outcome.tables.push(table);
        Ok(outcome)
    }
}

/// The density of the distance covered until death: r G_r times the surface of the sphere of that radius.
fn distance_density(process: &KilledBrownianMotion, rho: f64) -> f64 {
    let half = 0.5 * process.dim() as f64;
    let log_surface =
        std::f64::consts::LN_2 + half * std::f64::consts::PI.ln() - ln_gamma_half(process.dim());
    process.rate() * f64::exp(log_surface + (2.0 * half - 1.0) * rho.ln() + process.green().log_value(rho))
}

/// log Γ(d/2), by its recurrence from Γ(1/2) or Γ(1).
fn ln_gamma_half(dim: usize) -> f64 {
    let start = if dim.is_multiple_of(2) { 0.0 } else { 0.5 * std::f64::consts::PI.ln() };
    (1..dim.div_ceil(2)).map(|k| f64::ln(0.5 * dim as f64 - k as f64)).sum::<f64>() + start
}

/// The largest error of the density against the derivative of the distribution function, over distances from a tenth to
/// three times the typical one, relative to the largest density.
fn kernel_error(process: &KilledBrownianMotion) -> f64 {
    let scale = process.sigma() * f64::sqrt(process.dim() as f64 / process.rate());
    let h = 1e-4 * scale;
    let rows = (1..=30).map(|k| {
        let rho = 0.1 * f64::from(k) * scale;
        let law = |rho| process.green().distance_cdf(rho);
        // Central difference of fourth order.
        let slope =
            (8.0 * (law(rho + h) - law(rho - h)) - (law(rho + 2.0 * h) - law(rho - 2.0 * h))) / (12.0 * h);
        (slope, distance_density(process, rho))
    });
    let (error, largest) =
        rows.fold((0.0, 0.0), |(e, m): (f64, f64), (s, f)| (e.max((s - f).abs()), m.max(f)));
    error / largest
}

/// A few paths in the plane.
fn paths(settings: &Settings, context: &Context) -> Result<String> {
    let process = KilledBrownianMotion::new(2, settings.sigma, settings.rate)?;
    let mut chart = Chart::new(Axis::linear("x"), Axis::linear("y")).equal_units();
    let mut deaths = Vec::new();
    for k in 0..6 {
        let mut rng = stream(context.seed, Purpose::Experiment, k);
        let path = process.path(&[0.0, 0.0], 2e-3 / settings.rate, &mut rng)?;
        let points: Vec<(f64, f64)> =
            (0..path.times.len()).map(|i| (path.point(i)[0], path.point(i)[1])).collect();
        deaths.extend(points.last().copied());
        chart = chart.series(Series::line(format!("path {}", k + 1), points));
    }
    chart.series(Series::dots("death", deaths).exact()).svg()
}
