//! `ou-reversal`: the worked example of time reversal, with every moment on the way.

use anyhow::{Result, ensure};
use nalgebra::DMatrix;
use resolvent::core::affine::{Affine, Isotropic};
use resolvent::core::diffusion::Diffusion;
use resolvent::core::integrate::{Increments, Integrator, RungeKutta4, Scratch, Sra1};
use resolvent::core::marginal::AffineMarginal;
use resolvent::core::reversal::{ReverseOde, ReverseSde};
use resolvent::core::schedule::{Brownian, OrnsteinUhlenbeck};
use resolvent::core::{GaussianMixture, Schedule};
use resolvent::metrics;
use serde::{Deserialize, Serialize};

use super::reverse_time::{Plan, Run, cdf, critical_z, derived_seed, gaussian, moments};
use crate::experiment::{Context, Experiment};
use crate::outcome::{Check, Figure, Outcome, Table, cells};
use crate::plot::{Axis, Chart, Raster, Series};

/// Probability that a right program fails one of the tests of fit, all of them together.
const SIGNIFICANCE: f64 = 1e-3;
/// Share of standard normal numbers beyond 3.
const BEYOND_THREE: f64 = 0.002_699_796;
/// Largest bias of a scheme in standard errors. A bias b multiplies the probability of a standard normal number beyond
/// ±c by about cosh(b c), by 1.8 at c = 4.69: the probability that a right program fails less than doubles.
const LARGEST_BIAS: f64 = 0.25;
/// Processes run on every law.
const PROCESSES: [&str; 3] = ["forward SDE", "reverse SDE", "probability flow"];
/// Paths of the reverse SDE shown.
const PATHS: usize = 12;

/// The reversal of linear diffusions with all their moments known.
pub(super) struct OuReversal;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    /// Particles in each run.
    particles: usize,
    /// Times at which moments are compared.
    times: usize,
    /// Steps from one of them to the next.
    steps: usize,
    /// Horizon T.
    horizon: f64,
    /// Rate of return θ of the Ornstein-Uhlenbeck process.
    theta: f64,
    /// Noise σ of the Ornstein-Uhlenbeck process.
    sigma: f64,
    /// Mean of the Gaussian start.
    mean: f64,
    /// Standard deviation of the Gaussian start.
    deviation: f64,
    /// Weights of the mixture.
    weights: Vec<f64>,
    /// Means of its components.
    means: Vec<f64>,
    /// Standard deviations of its components.
    deviations: Vec<f64>,
    /// Mean from which Brownian motion starts.
    brownian_mean: f64,
    /// Standard deviation with which Brownian motion starts.
    brownian_deviation: f64,
}

/// A diffusion and where it starts.
struct Case {
    name: &'static str,
    stem: &'static str,
    schedule: Box<dyn Schedule>,
    law: GaussianMixture,
}

/// What was seen at one time.
struct Row {
    /// Forward time.
    time: f64,
    mean: f64,
    /// Its standard error under the exact law.
    mean_error: f64,
    exact_mean: f64,
    mean_z: f64,
    variance: f64,
    /// Its standard error under the exact law.
    variance_error: f64,
    exact_variance: f64,
    variance_z: f64,
    ks: f64,
}

impl Experiment for OuReversal {
    type Settings = Settings;

    fn name(&self) -> &'static str {
        "ou-reversal"
    }

    fn summary(&self) -> &'static str {
        "Ornstein-Uhlenbeck and Brownian motion reversed: every mean and variance on the way against its closed form"
    }

    fn seconds(&self) -> u32 {
        20
    }

    fn full(&self) -> Settings {
        Settings {
            particles: 100_000,
            times: 20,
            steps: 10,
            horizon: 1.0,
            theta: 1.0,
            sigma: std::f64::consts::SQRT_2,
            mean: 1.5,
            deviation: 0.5,
            weights: vec![0.3, 0.7],
            means: vec![-2.0, 1.5],
            deviations: vec![0.5, 0.7],
            brownian_mean: 0.0,
            brownian_deviation: 1.0,
        }
    }

    fn quick(&self) -> Settings {
        Settings { particles: 5_000, ..self.full() }
    }

    fn run(&self, settings: &Settings, context: &Context) -> Result<Outcome> {
        ensure!(settings.times >= 1, "setting `times` must be at least 1");
        let cases = cases(settings)?;
        let comparisons = 2 * settings.times * PROCESSES.len() * cases.len();
        let z_bound = critical_z(SIGNIFICANCE, comparisons)?;
        let ks_bound = metrics::ks_critical(
            settings.particles,
            SIGNIFICANCE / (settings.times * PROCESSES.len() * cases.len()) as f64,
        )?;
        let mut summary = Table::new(
            "largest deviations",
            format!(
                "{} particles, {} times, {} steps between two. z is the deviation of a mean or variance from its closed \
                 form in exact standard errors; of right ones a share of {BEYOND_THREE:.4} lies beyond 3, and the largest \
                 of all {comparisons} beyond {z_bound:.2} once in a thousand experiments. KS is the largest distance to \
                 the exact law at a time. The bias of the scheme, known exactly for Gaussians, is its largest in standard \
                 errors.",
                settings.particles, settings.times, settings.steps
            ),
            &[
                "law",
                "process",
                "largest |z| of a mean",
                "largest |z| of a variance",
                "asked",
                "share beyond 3",
                "expected share",
                "largest KS",
                "critical KS",
                "bias of the scheme / standard error",
            ],
        );
        let mut details = Table::new(
            "moments on the way",
            "Forward time t; z as above, with the standard error of the exact law.",
            &[
                "law",
                "process",
                "t",
                "mean",
                "standard error",
                "exact mean",
                "z",
                "variance",
                "standard error",
                "exact variance",
                "z",
                "KS",
            ],
        );
        let mut outcome = Outcome::default();
        let mut deviations: Vec<(&str, Vec<(f64, f64)>)> =
            PROCESSES.iter().map(|name| (*name, Vec::new())).collect();
        let mut all_beyond = 0;
        let progress = context.progress((PROCESSES.len() * cases.len()) as u64, self.name());
        for (c, case) in cases.iter().enumerate() {
            let process = Isotropic::new(&*case.schedule, 1)?;
            let score = AffineMarginal::of_mixture(&process, case.law.clone())?;
            let horizon = case.schedule.horizon();
            let sde = ReverseSde { diffusion: &process, score: &score, horizon };
            let ode = ReverseOde { diffusion: &process, score: &score, horizon };
            let runs: [(&dyn Diffusion, &dyn Integrator); 3] =
                [(&process, &Sra1), (&sde, &Sra1), (&ode, &RungeKutta4)];
            let mut measured = Vec::new();
            for (k, (diffusion, integrator)) in runs.into_iter().enumerate() {
                context.proceed()?;
                let seed = derived_seed(context.seed, (PROCESSES.len() * c + k) as u64);
                let plan =
                    Plan { diffusion, integrator, horizon, segments: settings.times, steps: settings.steps };
                let forward_time = |s: f64| if k == 0 { s } else { (horizon - s).max(0.0) };
                let start = score.law(forward_time(0.0))?;
                let run = plan.run(&start.sample(settings.particles, seed), seed, PATHS, context)?;
                let rows = rows(&run, &score, forward_time)?;
                let bias = match case.law.len() {
                    1 => Some(bias(&plan, &score, forward_time, settings.particles)?),
                    _ => None,
                };
                let largest = |f: fn(&Row) -> f64| rows.iter().map(f).fold(0.0, f64::max);
                let z = largest(|r| r.mean_z.abs().max(r.variance_z.abs()));
                let beyond =
                    rows.iter().flat_map(|r| [r.mean_z, r.variance_z]).filter(|z| z.abs() > 3.0).count();
                all_beyond += beyond;
                let label = format!("{}, {}", case.name, PROCESSES[k]);
                summary.push(cells![
                    case.name,
                    PROCESSES[k],
                    largest(|r| r.mean_z.abs()),
                    largest(|r| r.variance_z.abs()),
                    3.0,
                    beyond as f64 / (2 * rows.len()) as f64,
                    BEYOND_THREE,
                    largest(|r| r.ks),
                    ks_bound,
                    bias
                ]);
                outcome.checks.push(Check::at_most(
                    format!("largest |z| of means and variances: {label}"),
                    z,
                    z_bound,
                    format!(
                        "reversal keeps every marginal (R1, R2); 1e-3 over all {comparisons} comparisons"
                    ),
                ));
                outcome.checks.push(Check::at_most(
                    format!("largest KS on the way: {label}"),
                    largest(|r| r.ks),
                    ks_bound,
                    "the law at every time is a mixture in closed form; 1e-3 over all laws, processes and times",
                ));
                if let Some(bias) = bias {
                    outcome.checks.push(Check::at_most(
                        format!("bias of the scheme in standard errors: {label}"),
                        bias,
                        LARGEST_BIAS,
                        "moments of the scheme, exact for a linear diffusion: at 1/4 the probability of a false alarm by \
                         the z above is less than doubled",
                    ));
                }
                for r in &rows {
                    details.push(cells![
                        case.name,
                        PROCESSES[k],
                        r.time,
                        r.mean,
                        r.mean_error,
                        r.exact_mean,
                        r.mean_z,
                        r.variance,
                        r.variance_error,
                        r.exact_variance,
                        r.variance_z,
                        r.ks
                    ]);
                    deviations[k].1.extend([(r.time, r.mean_z), (r.time, r.variance_z)]);
                }
                if k == 1 && case.law.len() > 1 {
                    outcome.figures.push(tube(&run, &score, horizon)?);
                }
                measured.push(rows);
                progress.inc(1);
            }
            outcome.figures.extend(moment_figures(case, &score, &measured, settings)?);
        }
        outcome.figures.push(deviation_figure(deviations, z_bound, settings)?);
        outcome.tables = vec![summary, details];
        outcome.notes.push(format!(
            "Of the {comparisons} means and variances compared {all_beyond} lie beyond three standard errors; {:.2} are \
             expected of right ones. No single one of so many may be held to 3, so the checks bound the largest by \
             {z_bound:.2}. Neighbours in time are dependent: where one lies beyond 3, others next to it tend to.",
            BEYOND_THREE * comparisons as f64
        ));
        outcome.notes.push(
            "The reverse SDE and the probability flow start in exact draws from p_T, so what they show is the reversal and \
             not the distance of p_T from a stationary law."
                .into(),
        );
        Ok(outcome)
    }
}

fn cases(settings: &Settings) -> Result<Vec<Case>> {
    let Settings { theta, sigma, horizon, .. } = *settings;
    let ou = || OrnsteinUhlenbeck::new(theta, sigma, horizon);
    let mixture = GaussianMixture::one_dimensional(&settings.weights, &settings.means, &settings.deviations)?;
    Ok(vec![
        Case {
            name: "OU from a Gaussian",
            stem: "ou-gaussian",
            schedule: Box::new(ou()?),
            law: gaussian(settings.mean, settings.deviation.powi(2))?,
        },
        Case { name: "OU from a mixture", stem: "ou-mixture", schedule: Box::new(ou()?), law: mixture },
        Case {
            name: "Brownian motion from a Gaussian",
            stem: "brownian",
            schedule: Box::new(Brownian::new(1.0, horizon)?),
            law: gaussian(settings.brownian_mean, settings.brownian_deviation.powi(2))?,
        },
    ])
}

/// Means, variances (about the exact mean) and KS distances at every time but the first, where the draws are exact.
fn rows<A: Affine + ?Sized>(
    run: &Run,
    score: &AffineMarginal<'_, A>,
    forward_time: impl Fn(f64) -> f64,
) -> Result<Vec<Row>> {
    let n = run.end().ncols() as f64;
    let compare = |(s, places): (&f64, &DMatrix<f64>)| {
        let law = score.law(forward_time(*s))?;
        let (exact_mean, exact_variance, fourth) = moments(&law);
        let mean = places.iter().sum::<f64>() / n;
        let variance = places.iter().map(|x| (x - exact_mean).powi(2)).sum::<f64>() / n;
        let mean_error = (exact_variance / n).sqrt();
        let variance_error = ((fourth - exact_variance.powi(2)) / n).sqrt();
        Ok(Row {
            time: forward_time(*s),
            mean,
            exact_mean,
            mean_error,
            mean_z: (mean - exact_mean) / mean_error,
            variance,
            exact_variance,
            variance_error,
            variance_z: (variance - exact_variance) / variance_error,
            ks: metrics::ks_one_sample(places.as_slice(), cdf(&law))?.statistic,
        })
    };
    run.times.iter().zip(&run.places).skip(1).map(compare).collect()
}

/// The largest bias of a mean or a variance in standard errors of `particles` draws: for a linear diffusion a step is an
/// affine map of (X, ΔW, ΔZ), found by probing it, so the moments of the scheme follow exactly.
fn bias<A: Affine + ?Sized>(
    plan: &Plan<'_>,
    score: &AffineMarginal<'_, A>,
    forward_time: impl Fn(f64) -> f64,
    particles: usize,
) -> Result<f64> {
    let (mut mean, mut variance, _) = moments(&score.law(forward_time(0.0))?);
    let steps = plan.segments * plan.steps;
    let dt = plan.horizon / steps as f64;
    let mut scratch = Scratch::default();
    let mut worst = 0.0_f64;
    for step in 0..steps {
        let mut probes = [0.0, 1.0, 0.0, 0.0];
        let increments = Increments { dw: &[0.0, 0.0, 1.0, 0.0], dz: &[0.0, 0.0, 0.0, 1.0] };
        plan.integrator.step(plan.diffusion, step as f64 * dt, dt, 1, increments, &mut probes, &mut scratch);
        let [offset, by_place, by_noise, by_area] = probes;
        let (factor, noise, area) = (by_place - offset, by_noise - offset, by_area - offset);
        mean = factor * mean + offset;
        variance = factor * factor * variance
            + dt * (noise * noise + dt * noise * area + dt * dt * area * area / 3.0);
        if (step + 1) % plan.steps == 0 {
            let (exact_mean, exact, fourth) = moments(&score.law(forward_time((step + 1) as f64 * dt))?);
            let root = (particles as f64).sqrt();
            worst = worst
                .max((mean - exact_mean).abs() * root / exact.sqrt())
                .max((variance - exact).abs() * root / (fourth - exact * exact).sqrt());
        }
    }
    Ok(worst)
}

/// Mean and variance against time: closed form and the three runs.
fn moment_figures<A: Affine + ?Sized>(
    case: &Case,
    score: &AffineMarginal<'_, A>,
    measured: &[Vec<Row>],
    settings: &Settings,
) -> Result<Vec<Figure>> {
    let horizon = case.schedule.horizon();
    let exact = (0..=100)
        .map(|k| horizon * f64::from(k) / 100.0)
        .map(|t| Ok((t, moments(&score.law(t)?))))
        .collect::<Result<Vec<_>>>()?;
    type Part = (&'static str, fn(&(f64, f64, f64)) -> f64, fn(&Row) -> (f64, f64));
    let parts: [Part; 2] = [
        ("mean", |m| m.0, |r| (r.mean, r.mean_error)),
        ("variance", |m| m.1, |r| (r.variance, r.variance_error)),
    ];
    let draw = |(name, curve, value): Part| {
        let curve = exact.iter().map(|(t, m)| (*t, curve(m))).collect();
        let mut chart = Chart::new(Axis::linear("forward time t"), Axis::linear(format!("{name} of p_t")))
            .series(Series::line("closed form", curve).exact());
        for (name, rows) in PROCESSES.iter().zip(measured) {
            let points = rows.iter().map(|r| (r.time, value(r).0)).collect();
            let errors = rows.iter().map(|r| value(r).1).collect();
            chart = chart.series(Series::dots(*name, points).errors(errors));
        }
        Ok(Figure::new(
            format!("{}-{name}", case.stem),
            format!(
                "{}: the {name} on the way, {} particles, bars of one standard error. A process carries its \
                 particles from time to time, so neighbouring deviations are alike.",
                case.name, settings.particles
            ),
            chart.svg()?,
        ))
    };
    parts.into_iter().map(draw).collect()
}

/// All z against time.
fn deviation_figure(
    deviations: Vec<(&str, Vec<(f64, f64)>)>,
    bound: f64,
    settings: &Settings,
) -> Result<Figure> {
    let mut chart = Chart::new(
        Axis::linear("forward time t"),
        Axis::linear("z of a mean or variance").range(-1.15 * bound, 1.15 * bound),
    );
    for (name, points) in deviations {
        chart = chart.series(Series::dots(name, points));
    }
    let edge = |z: f64| vec![(0.0, z), (settings.horizon, z)];
    chart = chart
        .series(Series::dashed("3 standard errors", edge(3.0)).exact())
        .series(Series::dashed("", edge(-3.0)).exact())
        .series(Series::line("critical for all together", edge(bound)).exact())
        .series(Series::line("", edge(-bound)).exact());
    Ok(Figure::new(
        "deviations",
        format!(
            "Deviations of all means and variances from their closed forms in exact standard errors, three laws and three \
             processes, {} particles each.",
            settings.particles
        ),
        chart.svg()?,
    ))
}

/// p_t as shades, and paths of the reverse SDE over it.
fn tube<A: Affine + ?Sized>(run: &Run, score: &AffineMarginal<'_, A>, horizon: f64) -> Result<Figure> {
    let all = run.places.iter().flatten();
    let (low, high) = all.fold((0.0, 0.0), |(a, b): (f64, f64), x| (a.min(*x), b.max(*x)));
    let density = |t: f64, x: f64| {
        let mut log = [0.0];
        score.log_densities(t, &[x], &mut log);
        log[0].exp()
    };
    let mut chart = Chart::new(
        Axis::linear("forward time t (the reverse SDE runs from right to left)").range(0.0, horizon),
        Axis::linear("x").range(low, high),
    )
    .raster(Raster::new((0.0, horizon), (low, high), (120, 160), density));
    for (k, path) in run.paths.iter().enumerate() {
        let points = path.times.iter().enumerate().map(|(i, s)| (horizon - s, path.point(i)[0])).collect();
        let name = if k == 0 { "paths of the reverse SDE" } else { "" };
        chart = chart.series(Series::line(name, points).colour(1));
    }
    Ok(Figure::new(
        "ou-mixture-paths",
        "The density p_t of the Ornstein-Uhlenbeck process from the mixture (shades), and paths of its reversal.",
        chart.svg()?,
    ))
}
