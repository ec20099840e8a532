//! X = sinh Y with Y an Ornstein-Uhlenbeck process: σ depends on x, and every marginal is known.

use anyhow::Result;
use nalgebra::DMatrix;
use resolvent::core::GaussianMixture;
use resolvent::core::affine::Isotropic;
use resolvent::core::diffusion::{Diffusion, Dispersion, Field, divergence_error};
use resolvent::core::integrate::{Integrator, Milstein, RungeKutta4};
use resolvent::core::marginal::{AffineMarginal, MarginalScore};
use resolvent::core::reversal::{ReverseOde, ReverseSde};
use resolvent::core::schedule::{Level, OrnsteinUhlenbeck, Schedule};
use resolvent::metrics;

use super::super::reverse_time::{
    Plan, cdf, critical_z, density, derived_seed, gaussian, largest_gap, moments, share_below,
};
use super::slip::{DriftOf, Forgetful};
use super::{LARGEST_ALLOWANCE, SIGNIFICANCE, Settings};
use crate::experiment::Context;
use crate::experiments::tabulated::Tabulated;
use crate::outcome::{Check, Figure, Outcome, Table, cells};
use crate::plot::{Axis, Chart, Series, histogram_with_density};

/// Times at which the marginals are compared.
pub(super) const TIMES: usize = 5;
/// Tests of fit on the line: four end laws, the laws on the way, and the distance of the wrong law from the data.
pub(super) const TESTS: usize = 4 + TIMES + 1;
/// Places at which the divergence is checked.
const PLACES: usize = 41;
/// Steps of the transition kernel behind the prediction, and twice that.
const KERNEL_STEPS: usize = 200;
/// One particle in so many is run with steps of half the length too.
const HALVED: usize = 2;
/// The grid of that prediction: cells, and its half width in standard deviations.
const CELLS: usize = 800;
const REACH: f64 = 9.0;

/// The law of Y and the coefficients of X = sinh Y: by Itô's formula
/// dX = (½ σ² X - θ asinh(X) √(1 + X²)) dt + σ √(1 + X²) dW, and div Σ = 2 σ² X.
struct Sinh<'a> {
    schedule: &'a OrnsteinUhlenbeck,
    theta: f64,
    sigma: f64,
    law: GaussianMixture,
}

/// ∇ log p_t of X: (-(y - μ)/v - tanh y)/cosh y at y = asinh x.
struct SinhScore<'a> {
    schedule: &'a OrnsteinUhlenbeck,
    mean: f64,
    variance: f64,
}

impl SinhScore<'_> {
    /// μ and v at time t.
    fn moments(&self, t: f64) -> (f64, f64) {
        let level = self.schedule.level(t.max(0.0));
        let variance = level.alpha * level.alpha * self.variance + level.sigma * level.sigma;
        (level.alpha * self.mean, variance)
    }
}

impl MarginalScore for SinhScore<'_> {
    fn dim(&self) -> usize {
        1
    }

    fn evaluate(&self, t: f64, points: &[f64], scores: &mut [f64]) {
        let (mean, variance) = self.moments(t);
        for (s, x) in scores.iter_mut().zip(points) {
            let cosh = x.hypot(1.0);
            *s = -((x.asinh() - mean) / variance + x / cosh) / cosh;
        }
    }
}

/// A run of the reversal and the law of asinh X that it should have.
struct Trial {
    name: &'static str,
    sample: Vec<f64>,
    allowance: f64,
    /// The law predicted on a grid of y, if it is not that of the data.
    wrong: Option<Tabulated>,
}

/// Everything about the line.
pub(super) fn line(settings: &Settings, context: &Context) -> Result<Outcome> {
    let schedule = OrnsteinUhlenbeck::new(settings.theta, settings.sigma, settings.horizon)?;
    let law = gaussian(settings.mean, settings.deviation.powi(2))?;
    let problem = Sinh { schedule: &schedule, theta: settings.theta, sigma: settings.sigma, law };
    problem.outcome(settings, context)
}

impl Sinh<'_> {
    fn outcome(&self, settings: &Settings, context: &Context) -> Result<Outcome> {
        let (theta, sigma) = (self.theta, self.sigma);
        let drift = move |_t: f64, x: &[f64], out: &mut [f64]| {
            out[0] = 0.5 * sigma * sigma * x[0] - theta * x[0].asinh() * x[0].hypot(1.0);
        };
        let dispersion = move |_t: f64, x: &[f64], out: &mut Dispersion| {
            *out = Dispersion::Scalar(sigma * x[0].hypot(1.0));
        };
        let by_differences = Field::new(drift, dispersion);
        let given = by_differences
            .with_divergence(move |_t, x: &[f64], out: &mut [f64]| out[0] = 2.0 * sigma * sigma * x[0]);
        let error = (0..PLACES)
            .map(|k| f64::sinh(0.2 * (k as f64 - 20.0)))
            .fold(0.0, |worst: f64, x| worst.max(divergence_error(&given, 0.0, &[x])));

        let (mean, variance, _) = moments(&self.law);
        let score = SinhScore { schedule: self.schedule, mean, variance };
        let horizon = self.schedule.horizon();
        let process = Isotropic::new(self.schedule, 1)?;
        let marginal = AffineMarginal::of_mixture(&process, self.law.clone())?;
        let forgetful = Forgetful(&given);
        let right = ReverseSde { diffusion: &given, score: &score, horizon };
        let differences = ReverseSde { diffusion: &by_differences, score: &score, horizon };
        let flow = ReverseOde { diffusion: &given, score: &score, horizon };
        let without = ReverseSde { diffusion: &forgetful, score: &score, horizon };
        let milstein = Milstein::new(&given, 0.0, &[1.0])?;
        // Milstein's correction needs the true div Σ; the slip is in the drift alone.
        let without = DriftOf { drift: &without, noise: &right };

        let mut outcome = Outcome::default();
        let runs: [(&str, &dyn Diffusion, &dyn Integrator); 4] = [
            (GIVEN, &right, &milstein),
            (DIFFERENCES, &differences, &milstein),
            (FLOW, &flow, &RungeKutta4),
            (WITHOUT, &without, &milstein),
        ];
        let mut trials = Vec::new();
        let mut on_the_way = Table::new(
            "sinh of an OU process: laws on the way",
            format!(
                "KS distance of X_t from its exact law at forward times, {} particles; the reverse SDE with div Σ given.",
                settings.particles
            ),
            &["t", "KS", "critical", "discretisation allowance"],
        );
        for (k, (name, diffusion, integrator)) in runs.into_iter().enumerate() {
            context.proceed()?;
            let seed = derived_seed(context.seed, k as u64);
            let plan =
                Plan { diffusion, integrator, horizon, segments: TIMES, steps: settings.steps / TIMES };
            let starts = marginal.law(horizon)?.sample(settings.particles, seed).map(f64::sinh);
            let run = plan.run(&starts, seed, 0, context)?;
            let noisy = name != FLOW;
            // Milstein has weak order 1: the error is twice what halving the step takes off.
            let allowance = if noisy {
                let some = starts.columns(0, settings.particles / HALVED).into_owned();
                let [coarse, fine] = plan.halved(&some, seed);
                2.0 * metrics::ks_two_sample(coarse.as_slice(), fine.as_slice())?.statistic
            } else {
                0.0
            };
            let logs = |places: &DMatrix<f64>| places.iter().map(|x| x.asinh()).collect::<Vec<f64>>();
            if name == GIVEN {
                let critical = metrics::ks_critical(settings.particles, PER_TEST)?;
                let mut worst = 0.0_f64;
                for (s, places) in run.times.iter().zip(&run.places).skip(1) {
                    let law = marginal.law((horizon - s).max(0.0))?;
                    let ks = metrics::ks_one_sample(&logs(places), cdf(&law))?.statistic;
                    worst = worst.max(ks);
                    on_the_way.push(cells![horizon - s, ks, critical, allowance]);
                }
                outcome.checks.push(Check::at_most(
                    "sinh of OU: largest KS of the reverse SDE on the way",
                    worst,
                    critical + allowance,
                    format!(
                        "transient marginals in closed form (R1); 1e-3 over all {} tests of fit, and step halving",
                        super::TESTS
                    ),
                ));
            }
            let wrong = if name == WITHOUT { Some(self.forgotten(&score)) } else { None };
            trials.push(Trial { name, sample: logs(run.end()), allowance, wrong });
        }
        let (table, checks) = self.judge(&trials, settings)?;
        outcome.checks.extend(checks);
        outcome.checks.push(Check::at_most(
            "sinh of OU: div Σ given against finite differences",
            error,
            1e-9,
            format!("relative, at {PLACES} places up to |x| = sinh 4"),
        ));
        outcome.tables = vec![table, on_the_way];
        outcome.figures = self.figures(&trials, settings)?;
        Ok(outcome)
    }

    fn judge(&self, trials: &[Trial], settings: &Settings) -> Result<(Table, Vec<Check>)> {
        let critical = metrics::ks_critical(settings.particles, PER_TEST)?;
        let mut table = Table::new(
            "sinh of an OU process: laws at the end",
            format!(
                "{} particles, T = {}, θ = {}, σ = {}, Y_0 ~ N({}, {}²), {} steps. Distances of distribution functions; the \
                 prediction without div Σ is by a transition kernel on a grid.",
                settings.particles,
                settings.horizon,
                settings.theta,
                settings.sigma,
                settings.mean,
                settings.deviation,
                settings.steps
            ),
            &[
                "reversal",
                "KS to the data",
                "predicted distance",
                "distance at its place",
                "standard error",
                "KS to the prediction",
                "critical",
                "discretisation allowance",
            ],
        );
        let mut checks = Vec::new();
        for trial in trials {
            let to_data = metrics::ks_one_sample(&trial.sample, cdf(&self.law))?.statistic;
            let bound = critical + trial.allowance;
            let Some(wrong) = &trial.wrong else {
                table.push(cells![trial.name, to_data, 0.0, to_data, (), to_data, critical, trial.allowance]);
                checks.push(Check::at_most(
                    format!("sinh of OU: KS of the end law to the data, {}", trial.name),
                    to_data,
                    bound,
                    format!(
                        "R1, R2; critical value at 1e-3 over all {} tests of fit, and the discretisation error by \
                         halving the step",
                        super::TESTS
                    ),
                ));
                continue;
            };
            let misfit = metrics::ks_one_sample(&trial.sample, |y| wrong.at(y))?.statistic;
            let (place, gap) = largest_gap(|y| wrong.at(y), cdf(&self.law), wrong.range());
            let share = wrong.at(place);
            let error = (share * (1.0 - share) / trial.sample.len() as f64).sqrt();
            let measured = share_below(&trial.sample, place) - cdf(&self.law)(place);
            table.push(cells![
                trial.name,
                to_data,
                gap.abs(),
                measured * gap.signum(),
                error,
                misfit,
                critical,
                trial.allowance
            ]);
            checks.push(Check::at_most(
                format!("sinh of OU: KS of the end law to the wrong law predicted, {}", trial.name),
                misfit,
                bound,
                format!(
                    "its own transition kernel on a grid; critical value at 1e-3 over all {} tests of fit, and step \
                     halving",
                    super::TESTS
                ),
            ));
            checks.push(Check::at_most(
                format!("sinh of OU: |z| of the distance from the data, {}", trial.name),
                (measured - gap).abs() / error,
                critical_z(SIGNIFICANCE, super::TESTS)? + trial.allowance / error,
                format!(
                    "the wrong law is {:.4} away (transition kernel on a grid); binomial, 1e-3 over all {} tests of fit, \
                     and step halving",
                    gap.abs(),
                    super::TESTS
                ),
            ));
        }
        checks.push(Check::at_most(
            "sinh of OU: largest discretisation allowance / critical value",
            trials.iter().map(|trial| trial.allowance).fold(0.0, f64::max) / critical,
            LARGEST_ALLOWANCE,
            "by halving the step: the scheme has converged at this sample size",
        ));
        Ok((table, checks))
    }

    /// The end law of Y if div Σ is forgotten: its drift changes by -2 σ² tanh y. The density is carried over a grid by the
    /// Gaussian kernel of an Euler step, with two step lengths, and extrapolated (weak order 1).
    fn forgotten(&self, score: &SinhScore<'_>) -> Tabulated {
        let coarse = self.carried(score, KERNEL_STEPS);
        let fine = self.carried(score, 2 * KERNEL_STEPS);
        coarse.extrapolated(&fine)
    }

    fn carried(&self, score: &SinhScore<'_>, steps: usize) -> Tabulated {
        let horizon = self.schedule.horizon();
        let (mean, variance) = score.moments(horizon);
        let deviation = variance.max(score.moments(0.0).1).sqrt();
        // The forgotten term drags towards the origin.
        let centre = 0.5 * (mean.min(0.0) + score.mean.max(0.0));
        let reach = REACH * deviation + (score.mean - centre).abs();
        let (low, step) = (centre - reach, 2.0 * reach / CELLS as f64);
        let at = |i: usize| low + step * i as f64;
        let normal = |away: f64, variance: f64| {
            f64::exp(-0.5 * away * away / variance) / (std::f64::consts::TAU * variance).sqrt()
        };
        let mut now: Vec<f64> = (0..=CELLS).map(|i| normal(at(i) - mean, variance)).collect();
        let dt = horizon / steps as f64;
        let spread = self.sigma * self.sigma * dt;
        let width = (REACH * spread.sqrt() / step).ceil() as isize;
        for k in 0..steps {
            let (mean, variance) = score.moments(horizon - k as f64 * dt);
            let mut next = vec![0.0; CELLS + 1];
            for (i, mass) in now.iter().enumerate().filter(|(_, mass)| **mass > 1e-30) {
                let y = at(i);
                let pull = self.sigma * self.sigma * ((y - mean) / variance + 2.0 * y.tanh());
                let target = y + dt * (self.theta * y - pull);
                let middle = ((target - low) / step).round() as isize;
                let from = (middle - width).clamp(0, CELLS as isize) as usize;
                let to = (middle + width).clamp(0, CELLS as isize) as usize;
                for (j, next) in next[from..=to].iter_mut().enumerate() {
                    *next += step * mass * normal(at(from + j) - target, spread);
                }
            }
            now = next;
        }
        Tabulated::of_density(low, step, &now)
    }

    fn figures(&self, trials: &[Trial], settings: &Settings) -> Result<Vec<Figure>> {
        let mut figures = Vec::new();
        let (mean, variance, _) = moments(&self.law);
        let range = (mean - 5.0 * variance.sqrt(), mean + 5.0 * variance.sqrt());
        for trial in trials.iter().filter(|trial| trial.name != DIFFERENCES) {
            let stem = match trial.name {
                GIVEN => "sinh-right",
                FLOW => "sinh-flow",
                _ => "sinh-without-divergence",
            };
            figures.push(Figure::new(
                stem,
                format!(
                    "X = sinh Y reversed, {}: {} particles (in y = asinh x) and the data.",
                    trial.name, settings.particles
                ),
                histogram_with_density(
                    "asinh x",
                    (trial.name, &trial.sample),
                    ("data", density(&self.law)),
                    range,
                    80,
                )?,
            ));
        }
        let mut chart = Chart::new(
            Axis::linear("asinh x").range(range.0, range.1),
            Axis::linear("F of the end law - F of the data"),
        );
        for trial in trials {
            let mut sorted = trial.sample.clone();
            sorted.sort_by(f64::total_cmp);
            let points = (0..=200)
                .map(|k| range.0 + (range.1 - range.0) * f64::from(k) / 200.0)
                .map(|y| {
                    let below = sorted.partition_point(|x| *x <= y) as f64 / sorted.len() as f64;
                    (y, below - self.law.cdf(&Level::CLEAN, y))
                })
                .collect();
            chart = chart.series(Series::line(trial.name, points));
            if let Some(wrong) = &trial.wrong {
                let points = (0..=200)
                    .map(|k| range.0 + (range.1 - range.0) * f64::from(k) / 200.0)
                    .map(|y| (y, wrong.at(y) - self.law.cdf(&Level::CLEAN, y)))
                    .collect();
                chart = chart.series(Series::dashed("predicted without div Σ", points).exact());
            }
        }
        figures.push(Figure::new(
            "sinh-differences",
            format!(
                "X = sinh Y reversed: distribution functions at the end less that of the data, {} particles.",
                settings.particles
            ),
            chart.svg()?,
        ));
        Ok(figures)
    }
}

/// Significance of one test of fit.
const PER_TEST: f64 = SIGNIFICANCE / super::TESTS as f64;

const GIVEN: &str = "reverse SDE, div Σ given";
const DIFFERENCES: &str = "reverse SDE, div Σ by differences";
const FLOW: &str = "probability flow";
const WITHOUT: &str = "reverse SDE without div Σ";
