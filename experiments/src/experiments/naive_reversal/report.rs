//! What the runs have to say: checks, tables and figures.

use anyhow::Result;
use resolvent::core::schedule::{OrnsteinUhlenbeck, Schedule};
use resolvent::core::{GaussianMixture, Path};
use resolvent::metrics;

use super::slip::Recipe;
use super::{EXPONENTIAL, GAUSSIAN, LARGEST_ALLOWANCE, MIXTURE, RIGHT, SIGNIFICANCE, Settings, Trial};
use crate::experiments::reverse_time::{critical_z, density, moments};
use crate::outcome::{Check, Figure, Table, cells};
use crate::plot::{Axis, Chart, Series, bar_chart, histogram_with_density};

pub(super) fn checks(trials: &[Trial], two_ways: f64, settings: &Settings) -> Result<Vec<Check>> {
    let wrong: Vec<&Trial> = trials.iter().filter(|trial| !trial.right).collect();
    // The end law of every recipe, and the distance from the data of every wrong one.
    let tests = trials.len() + wrong.len();
    let critical = metrics::ks_critical(settings.particles, SIGNIFICANCE / tests as f64)?;
    let mut checks: Vec<Check> = trials
        .iter()
        .map(|trial| {
            let against = if trial.right { "the data" } else { "the wrong law predicted" };
            let name = format!("KS to {against}: {}, {}", trial.setting, trial.recipe.name);
            let mut source = format!(
                "moment equations of the linear SDE, R1 and R2 where right; critical at 1e-3 over all {tests} tests of fit"
            );
            if trial.allowance > 0.0 {
                source.push_str(", and the discretisation error by halving the step");
            }
            Check::at_most(name, trial.misfit, critical + trial.allowance, source)
        })
        .collect();
    let z_critical = critical_z(SIGNIFICANCE, tests)?;
    for (setting, slips) in [
        ("σ free of x", wrong.iter().filter(|trial| trial.setting != EXPONENTIAL).collect::<Vec<_>>()),
        (EXPONENTIAL, wrong.iter().filter(|trial| trial.setting == EXPONENTIAL).collect()),
    ] {
        let (mut largest, mut allowance) = (0.0_f64, 0.0_f64);
        for trial in &slips {
            let (measured, error) = trial.gap_measured();
            largest = largest.max((measured - trial.gap.1).abs() / error);
            allowance = allowance.max(trial.allowance / error);
        }
        let halving = if allowance > 0.0 { ", and step halving" } else { "" };
        checks.push(Check::at_most(
            format!("largest |z| of the wrong distances against the predicted ones: {setting}"),
            largest,
            z_critical + allowance,
            format!(
                "binomial standard error where the laws differ most, {} slips; 1e-3 over all {tests} tests of fit{halving}",
                slips.len()
            ),
        ));
    }
    checks.push(Check::at_most(
        "largest discretisation allowance / critical value",
        trials.iter().map(|trial| trial.allowance).fold(0.0, f64::max) / critical,
        LARGEST_ALLOWANCE,
        "by halving the step: the scheme has converged at this sample size",
    ));
    checks.push(Check::at_most(
        "variances by moment equations against quadrature",
        two_ways,
        1e-9,
        "two derivations of the same end variance",
    ));
    Ok(checks)
}

pub(super) fn table(trials: &[Trial], settings: &Settings) -> Result<Table> {
    let mut table = Table::new(
        "what every slip costs",
        format!(
            "{} particles, T = {}, θ = {}. A recipe is dX = (a b + e div Σ + k Σ ∇ log p) ds + √λ σ dW. The distance is that of \
             distribution functions at the place where the predicted law is furthest from the data, its standard error is \
             binomial; KS to the data is the largest anywhere, and a right sampler exceeds {:.5} once in a thousand runs. \
             Exponential OU is about log X.",
            settings.particles,
            settings.horizon,
            settings.theta,
            metrics::ks_critical(settings.particles, SIGNIFICANCE)?
        ),
        &[
            "law",
            "recipe",
            "a",
            "e",
            "k",
            "λ",
            "keeps the marginals",
            "mean of the data",
            "predicted mean",
            "measured mean",
            "variance of the data",
            "predicted variance",
            "measured variance",
            "predicted distance",
            "measured distance",
            "standard error",
            "KS to the data",
            "KS to the prediction",
            "discretisation allowance",
        ],
    );
    for trial in trials {
        let n = trial.sample.len() as f64;
        let mean = trial.sample.iter().sum::<f64>() / n;
        let variance = trial.sample.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0);
        let (data, predicted) = (moments(&trial.data), moments(&trial.predicted));
        // A right law is nowhere furthest from the data.
        let (gap, measured, error) = if trial.right {
            (0.0, None, None)
        } else {
            let (measured, error) = trial.gap_measured();
            (trial.gap.1.abs(), Some(measured * trial.gap.1.signum()), Some(error))
        };
        let Recipe { name, drift, divergence, score, noise, .. } = trial.recipe;
        table.push(cells![
            trial.setting,
            name,
            drift,
            divergence,
            score,
            noise,
            if trial.right { "yes" } else { "no" },
            data.0,
            predicted.0,
            mean,
            data.1,
            predicted.1,
            variance,
            gap,
            measured,
            error,
            trial.distance,
            trial.misfit,
            trial.allowance
        ]);
    }
    Ok(table)
}

pub(super) fn figures(
    trials: &[Trial],
    paths: &[(&'static str, Vec<Path>)],
    settings: &Settings,
) -> Result<Vec<Figure>> {
    let of = |setting: &'static str| trials.iter().filter(move |trial| trial.setting == setting);
    let mut figures = Vec::new();
    let floor = metrics::expected_ks(settings.particles)?;
    for (setting, stem) in [(GAUSSIAN, "cost-gaussian"), (EXPONENTIAL, "cost-exponential")] {
        let names: Vec<String> = of(setting).map(|trial| trial.recipe.name.to_owned()).collect();
        let groups = [
            ("predicted".to_owned(), of(setting).map(|trial| trial.gap.1.abs()).collect::<Vec<f64>>()),
            ("measured".to_owned(), of(setting).map(|trial| trial.distance).collect()),
        ];
        figures.push(Figure::new(
            stem,
            format!(
                "{setting}: Kolmogorov-Smirnov distance of the end law from the data, exact and with {} particles. Right \
                 recipes have distance 0 and measure the Monte-Carlo floor.",
                settings.particles
            ),
            bar_chart(
                "recipe",
                Axis::linear("KS distance to the data"),
                &names,
                &groups,
                &[(floor, "right sampler, mean")],
            )?,
        ));
    }
    let mut chart =
        Chart::new(Axis::linear("x").range(-4.0, 5.0), Axis::log("density of the end law").range(1e-3, 6.0));
    for trial in of(GAUSSIAN).filter(|trial| !trial.right).take(6) {
        chart = chart.series(Series::line(trial.recipe.name, curve(&trial.predicted, (-4.0, 5.0))));
    }
    let data = of(GAUSSIAN).next().map(|trial| curve(&trial.data, (-4.0, 5.0))).unwrap_or_default();
    figures.push(Figure::new(
        "end-laws-gaussian",
        format!(
            "Where slips end that start in p_T, T = {}, and the data N({}, {}²): exact densities.",
            settings.horizon, settings.mean, settings.deviation
        ),
        chart.series(Series::line("data", data).exact()).svg()?,
    ));
    for trial in of(MIXTURE) {
        let stem = match trial.recipe.name {
            RIGHT => "mixture-right",
            name if name.ends_with("noise") => "mixture-flipped-without-noise",
            _ => "mixture-flipped",
        };
        figures.push(Figure::new(
            stem,
            format!("{MIXTURE}, {}: {} particles and the data.", trial.recipe.name, settings.particles),
            histogram_with_density(
                "x",
                (trial.recipe.name, &trial.sample),
                ("data", density(&trial.data)),
                (-9.0, 9.0),
                90,
            )?,
        ));
    }
    let mut chart = Chart::new(Axis::linear("backward time s"), Axis::log("x"));
    for (index, (name, paths)) in paths.iter().filter(|(name, _)| name.starts_with(RIGHT)).take(2).enumerate()
    {
        for (k, path) in paths.iter().enumerate() {
            let points = path.times.iter().enumerate().map(|(i, s)| (*s, path.point(i)[0])).collect();
            chart = chart.series(Series::line(if k == 0 { *name } else { "" }, points).colour(index));
        }
    }
    let schedule = OrnsteinUhlenbeck::new(settings.theta, settings.log_sigma, settings.horizon)?;
    let quantile = |z: f64| -> Vec<(f64, f64)> {
        let at = |k: i32| {
            let s = settings.horizon * f64::from(k) / 100.0;
            let level = schedule.level((settings.horizon - s).max(0.0));
            let deviation = (level.alpha * settings.deviation).hypot(level.sigma);
            (s, f64::exp(level.alpha * settings.mean + z * deviation))
        };
        (0..=100).map(at).collect()
    };
    chart = chart.series(Series::line("exact median", quantile(0.0)).exact());
    for z in [-2.0, 2.0] {
        let name = if z < 0.0 { "exact quantiles, 2.3 % and 97.7 %" } else { "" };
        chart = chart.series(Series::dashed(name, quantile(z)).exact());
    }
    figures.push(Figure::new(
        "exponential-paths",
        format!(
            "Exponential OU reversed with and without div Σ, σ(x) = {} x: without it every path is dragged down.",
            settings.log_sigma
        ),
        chart.svg()?,
    ));
    Ok(figures)
}

fn curve(law: &GaussianMixture, (low, high): (f64, f64)) -> Vec<(f64, f64)> {
    let density = density(law);
    (0..=300).map(|k| low + (high - low) * f64::from(k) / 300.0).map(|x| (x, density(x))).collect()
}
