//! `three-starts`: where the backward process may be started, and what a wrong start costs.

pub(super) mod bias;
mod figures;
mod runs;

use anyhow::{Result, ensure};
use nalgebra::DMatrix;
use rand::RngExt;
use rand_distr::StandardNormal;
use resolvent::core::EmpiricalMeasure;
use resolvent::core::random::{Purpose, stream};
use resolvent::metrics::{self, Estimate};
use serde::{Deserialize, Serialize};

use self::bias::{of_laplace, of_stationary};
use self::runs::Run;
use crate::experiment::{Context, Experiment};
use crate::outcome::{Check, Outcome, Table, cells, largest};

/// Three standard errors for one comparison, 0.27 %, shared out over fifteen: three runs from the point, five atoms each.
const THREE_OF_FIFTEEN: f64 = 3.75;
/// Significance of the tests of fit, each.
const SIGNIFICANCE: f64 = 1e-4;
/// Distance of the mean of the data from the origin.
const OFFSET: f64 = 0.5;
/// The stream of the data.
const DATA: u64 = 1 << 40;

/// The slides' idealised algorithm from its three starts.
pub(crate) struct ThreeStarts;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// Dimensions in which the bias is computed: on the line by quadrature, above by draws.
    dims: Vec<usize>,
    /// Weights of the five atoms.
    weights: Vec<f64>,
    /// Killing rates of the ergodic process.
    stationary_rates: Vec<f64>,
    /// Killing rates of Brownian motion.
    laplace_rates: Vec<f64>,
    /// The power of r is fitted to the rates up to this one.
    fit_below: f64,
    /// Draws for the bias above the line.
    draws: usize,
    /// Dimension of the runs.
    run_dim: usize,
    /// Killing rate of the runs.
    run_rate: f64,
    /// Particles of each run.
    particles: usize,
    /// Distance of the point to start from, on the first axis.
    point: f64,
}

impl Experiment for ThreeStarts {
    type Settings = Settings;

    fn name(&self) -> &'static str {
        "three-starts"
    }

    fn summary(&self) -> &'static str {
        "backward from a stationary law, a Laplace law and a point: the bias of the start against r"
    }

    fn seconds(&self) -> u32 {
        60
    }

    fn full(&self) -> Settings {
        let decades = |from: i32, to: i32| -> Vec<f64> {
            (2 * from..=2 * to).map(|k| 10f64.powf(0.5 * f64::from(k))).collect()
        };
        Settings {
            dims: vec![1, 2, 3],
            weights: vec![0.37, 0.08, 0.15, 0.25, 0.15],
            stationary_rates: decades(-3, 0),
            laplace_rates: decades(-6, 0),
            fit_below: 0.02,
            draws: 100_000,
            run_dim: 3,
            run_rate: 0.3,
            particles: 100_000,
            point: 3.0,
        }
    }

    fn quick(&self) -> Settings {
        Settings { draws: 4_000, particles: 4_000, ..self.full() }
    }

    fn run(&self, settings: &Settings, context: &Context) -> Result<Outcome> {
        let Settings { dims, weights, run_dim, run_rate, .. } = settings;
        ensure!(weights.len() == 5, "weights has {} entries, expected 5", weights.len());
        ensure!(settings.point > 0.0, "point must be positive, got {}", settings.point);
        let progress = context.progress(dims.len() as u64 + 1, "three-starts");
        let mut curves = Vec::new();
        for &dim in dims {
            curves.extend(curves_in(dim, settings, context)?);
            progress.inc(1);
        }
        let alpha = data(*run_dim, settings, context.seed)?;
        let mut z = vec![0.0; *run_dim];
        z[0] = settings.point;
        let runs = runs::all(&alpha, &z, *run_rate, settings.particles, settings.draws, context)?;
        let shares: Vec<f64> = alpha.log_weights().iter().map(|w| w.exp()).collect();
        let figures = figures::all(&curves, &runs, &shares, settings)?;
        progress.inc(1);
        Ok(Outcome {
            checks: checks(&curves, &runs, &shares)?,
            tables: vec![bias_table(&curves), fit_table(&curves), run_table(&runs, &shares, settings)?],
            figures,
            notes: vec![
            "From the stationary law the bias falls faster than r. The kernel is g_r = 1/r + D + O(r) with a D that integrates \
             to nothing against m, so that the bias is a covariance of two numbers of the order r D: r² where D is square \
             integrable, that is for d <= 3. Above, the neighbourhoods of the data decide and the power is less, d/(d-2) by \
             the same expansion; that is not measured here."
                .into(),
            "From the Laplace law the bias is of the order r: with probability of that order the true start lies among the \
             data, where one point does not stand for five. Far away the data are seen under an angle of the order √r; if the \
             law is centred off the mean of the data, this adds r log(1/r) in d >= 3 and r on the line."
                .into(),
            "From the point there is no bias at any r, nor at r = 0: h chosen so that every path dies at z, its reversal \
             starts at z. The price is a score that needs h at the data."
                .into(),
        ],
        })
    }
}

/// The bias of one start against r, in one dimension.
struct Curve {
    dim: usize,
    name: &'static str,
    /// (r, total variation of the end law).
    points: Vec<(f64, Estimate)>,
    /// (power of r, factor), fitted to the small rates.
    fit: Option<(f64, f64)>,
    /// The power that the theory states, up to logarithms.
    power: f64,
}

fn curves_in(dim: usize, settings: &Settings, context: &Context) -> Result<Vec<Curve>> {
    let alpha = data(dim, settings, context.seed)?;
    let draws = (dim > 1).then_some((settings.draws, context.seed));
    let origin = vec![0.0; dim];
    let mean: Vec<f64> =
        (0..dim).map(|k| (0..5).map(|i| alpha.log_weights()[i].exp() * alpha.point(i)[k]).sum()).collect();
    let power = if dim <= 3 { 2.0 } else { dim as f64 / (dim as f64 - 2.0) };
    let mut curves = Vec::new();
    let mut add = |name, power, rates: &[f64], bias: &dyn Fn(f64) -> Result<Estimate>| -> Result<()> {
        let mut points = Vec::new();
        for &rate in rates {
            context.proceed()?;
            points.push((rate, bias(rate)?));
        }
        let fit = fitted(&points, settings.fit_below);
        curves.push(Curve { dim, name, points, fit, power });
        Ok(())
    };
    add("stationary law", power, &settings.stationary_rates, &|rate| {
        Ok(of_stationary(rate, &alpha, draws)?.total_variation)
    })?;
    add("Laplace law around 0", 1.0, &settings.laplace_rates, &|rate| {
        Ok(of_laplace(rate, &origin, &alpha, draws)?.total_variation)
    })?;
    // On the line only the overlap with the data is left, which has the probability √r and there a bias of the order r.
    let power = if dim == 1 { 1.5 } else { 1.0 };
    add("Laplace law around the mean", power, &settings.laplace_rates, &|rate| {
        Ok(of_laplace(rate, &mean, &alpha, draws)?.total_variation)
    })?;
    Ok(curves)
}

/// Five normal atoms in R^`dim` of mean square norm one about their mean, which lies at distance [`OFFSET`] from the origin.
fn data(dim: usize, settings: &Settings, seed: u64) -> Result<EmpiricalMeasure> {
    let mut rng = stream(seed, Purpose::Experiment, DATA + dim as u64);
    let scale = 1.0 / (dim as f64).sqrt();
    let mut points = DMatrix::from_fn(dim, 5, |_, _| scale * rng.sample::<f64, _>(StandardNormal));
    let total: f64 = settings.weights.iter().sum();
    for mut row in points.row_iter_mut() {
        let mean = row.iter().zip(&settings.weights).map(|(y, w)| w * y).sum::<f64>() / total;
        row.iter_mut().for_each(|y| *y += OFFSET * scale - mean);
    }
    Ok(EmpiricalMeasure::weighted(points, &settings.weights)?)
}

/// The straight line through the logarithms, by least squares: (slope, factor).
fn fitted(points: &[(f64, Estimate)], below: f64) -> Option<(f64, f64)> {
    let logs: Vec<(f64, f64)> = points
        .iter()
        .filter(|(rate, bias)| *rate <= below && bias.value > 3.0 * bias.standard_error)
        .map(|(rate, bias)| (rate.ln(), bias.value.ln()))
        .collect();
    if logs.len() < 2 {
        return None;
    }
    let n = logs.len() as f64;
    let (x, y) = logs.iter().fold((0.0, 0.0), |(x, y), p| (x + p.0 / n, y + p.1 / n));
    let slope = logs.iter().map(|p| (p.0 - x) * (p.1 - y)).sum::<f64>()
        / logs.iter().map(|p| (p.0 - x).powi(2)).sum::<f64>();
    Some((slope, f64::exp(y - slope * x)))
}

fn checks(curves: &[Curve], runs: &[Run], shares: &[f64]) -> Result<Vec<Check>> {
    let mut checks = Vec::new();
    let from_point = || runs.iter().filter(|run| run.name == "a point");
    let gap = |run: &Run| largest(run.law.iter().zip(shares).map(|(q, p)| (q - p).abs()));
    checks.push(Check::at_most(
        "end law from a point less alpha, computed, worst of all processes and atoms",
        largest(from_point().map(gap)),
        1e-9,
        "every path of Z^h dies at z, so its reversal starts there (R9b, R10); rounding of the kernels",
    ));
    let worst = largest(from_point().flat_map(|run| run.deviations(shares)).map(f64::abs));
    checks.push(Check::at_most(
        "end points from a point: largest deviation from alpha in standard errors, of 15",
        worst,
        THREE_OF_FIFTEEN,
        "no initialisation bias; three standard errors for one comparison, corrected for fifteen",
    ));
    for run in runs {
        let p = metrics::chi_square_test(&run.counts, &run.law)?.p_value;
        checks.push(Check::at_least(
            format!("p of the end points against their computed law: {}, {}", run.name, run.process),
            p,
            SIGNIFICANCE,
            "R10 averaged over the start law; Pearson's test",
        ));
    }
    for curve in curves.iter().filter(|curve| curve.dim == 1) {
        // Without a fit nothing is shown.
        let slope = curve.fit.map_or(f64::NAN, |(slope, _)| slope);
        checks.push(Check::at_most(
            format!("power of r of the bias from the {}, d = 1, less {}", curve.name, curve.power),
            (slope - curve.power).abs(),
            0.1,
            "expansion of R10 in r; the next term is smaller by √r or more over the rates fitted",
        ));
    }
    Ok(checks)
}

fn bias_table(curves: &[Curve]) -> Table {
    let mut table = Table::new(
        "bias of the start",
        "Total variation between α and the end law of the backward process started from another law than its own, for five \
         unequal atoms: on the line by quadrature (no error), above from exact draws of the right start.",
        &["d", "start", "r", "total variation", "standard error"],
    );
    for curve in curves {
        for (rate, bias) in &curve.points {
            table.push(cells![curve.dim, curve.name, *rate, bias.value, bias.standard_error]);
        }
    }
    table
}

fn fit_table(curves: &[Curve]) -> Table {
    let mut table = Table::new(
        "power of r",
        "Least squares on the logarithms over the small rates; the power of the theory is up to logarithms.",
        &["d", "start", "fitted power", "fitted factor", "power of the theory"],
    );
    for curve in curves {
        if let Some((slope, factor)) = curve.fit {
            table.push(cells![curve.dim, curve.name, slope, factor, curve.power]);
        }
    }
    table
}

fn run_table(runs: &[Run], shares: &[f64], settings: &Settings) -> Result<Table> {
    let mut table = Table::new(
        "runs",
        format!(
            "{} particles from each start, d = {}. z: deviations of the five frequencies from α in standard errors, not \
             corrected for their number. TV: total variation from α, measured and computed; a perfect sampler measures {:.5} on average.",
            settings.particles,
            settings.run_dim,
            metrics::expected_total_variation(shares, settings.particles as u64)?
        ),
        &[
            "start",
            "process",
            "z 1",
            "z 2",
            "z 3",
            "z 4",
            "z 5",
            "TV",
            "computed TV",
            "median lifetime",
            "evaluations",
        ],
    );
    for run in runs {
        let z = run.deviations(shares);
        let exact = 0.5 * run.law.iter().zip(shares).map(|(q, p)| (q - p).abs()).sum::<f64>();
        table.push(cells![
            run.name,
            run.process.as_str(),
            z[0],
            z[1],
            z[2],
            z[3],
            z[4],
            metrics::total_variation(&run.counts, shares)?.value,
            exact,
            run.lifetime,
            run.evaluations
        ]);
    }
    Ok(table)
}
