//! `naive-reversal`: what the classic slips in reversing an SDE cost.

mod slip;

use anyhow::{Result, ensure};
use resolvent::core::affine::Isotropic;
use resolvent::core::diffusion::{Diffusion, Dispersion, Field};
use resolvent::core::integrate::{Integrator, Milstein, RungeKutta4, Sra1};
use resolvent::core::marginal::{AffineMarginal, MarginalScore};
use resolvent::core::reversal::{ReverseOde, ReverseSde};
use resolvent::core::schedule::{OrnsteinUhlenbeck, Schedule};
use resolvent::core::{GaussianMixture, Path};
use resolvent::metrics;
use serde::{Deserialize, Serialize};

use self::slip::{Recipe, Slip, predicted, variance_by_quadrature};
use super::reverse_time::{
    Plan, cdf, critical_z, density, derived_seed, gaussian, largest_gap, moments, share_below,
};
use crate::experiment::{Context, Experiment};
use crate::outcome::{Check, Figure, Outcome, Table, cells};
use crate::plot::{Axis, Chart, Series, bar_chart, histogram_with_density};

/// Probability that a right program fails any of the tests of fit of the experiment (Bonferroni).
const SIGNIFICANCE: f64 = 1e-3;
/// Recipes run.
const RECIPES: usize = Recipe::ON_GAUSSIAN.len() + Recipe::ON_MIXTURE.len() + Recipe::ON_EXPONENTIAL.len();
/// Largest discretisation error, found by halving the step, as a share of the critical value to which it is added: a
/// scheme that does not converge must not widen its own bound.
const LARGEST_ALLOWANCE: f64 = 0.5;

/// Wrong reversals and their exact end laws.
pub(super) struct NaiveReversal;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    /// Particles in each run.
    particles: usize,
    /// Steps where σ does not depend on x.
    steps: usize,
    /// Steps where it does.
    multiplicative_steps: usize,
    /// Horizon T.
    horizon: f64,
    /// Rate of return θ.
    theta: f64,
    /// Noise σ where it does not depend on x.
    sigma: f64,
    /// Noise of log X where it does.
    log_sigma: f64,
    /// Mean of the Gaussian start.
    mean: f64,
    /// Its standard deviation.
    deviation: f64,
    /// Weights of the mixture.
    weights: Vec<f64>,
    /// Means of its components.
    means: Vec<f64>,
    /// Standard deviations of its components.
    deviations: Vec<f64>,
}

/// One recipe on one law: what should come out and what did, on the line on which p_0 is a mixture.
struct Trial {
    setting: &'static str,
    recipe: Recipe,
    right: bool,
    data: GaussianMixture,
    predicted: GaussianMixture,
    /// Where the predicted law is furthest from the data, and by how much (with its sign).
    gap: (f64, f64),
    sample: Vec<f64>,
    /// KS distance to the data.
    distance: f64,
    /// KS distance to the predicted law.
    misfit: f64,
    /// What the discretisation may add to either distance.
    allowance: f64,
}

impl Trial {
    fn new(
        setting: &'static str,
        recipe: Recipe,
        right: bool,
        (data, predicted): (GaussianMixture, GaussianMixture),
        sample: Vec<f64>,
        allowance: f64,
    ) -> Result<Self> {
        let reach = |law: &GaussianMixture| {
            let (mean, variance, _) = moments(law);
            (mean - 9.0 * variance.sqrt(), mean + 9.0 * variance.sqrt())
        };
        let (a, b) = (reach(&data), reach(&predicted));
        let gap = largest_gap(cdf(&predicted), cdf(&data), (a.0.min(b.0), a.1.max(b.1)));
        Ok(Self {
            distance: metrics::ks_one_sample(&sample, cdf(&data))?.statistic,
            misfit: metrics::ks_one_sample(&sample, cdf(&predicted))?.statistic,
            setting,
            recipe,
            right,
            data,
            predicted,
            gap,
            sample,
            allowance,
        })
    }

    /// The share of the sample below the place of the largest gap, less that of the data: measured, and its standard
    /// error under the predicted law.
    fn gap_measured(&self) -> (f64, f64) {
        let share = cdf(&self.predicted)(self.gap.0);
        let measured = share_below(&self.sample, self.gap.0) - cdf(&self.data)(self.gap.0);
        (measured, (share * (1.0 - share) / self.sample.len() as f64).sqrt())
    }
}

impl Experiment for NaiveReversal {
    type Settings = Settings;

    fn name(&self) -> &'static str {
        "naive-reversal"
    }

    fn summary(&self) -> &'static str {
        "Flipping the sign of the drift, forgetting div Σ and other slips: the wrong laws in closed form, and met"
    }

    fn seconds(&self) -> u32 {
        25
    }

    fn full(&self) -> Settings {
        Settings {
            particles: 50_000,
            steps: 250,
            multiplicative_steps: 500,
            horizon: 1.0,
            theta: 1.0,
            sigma: std::f64::consts::SQRT_2,
            log_sigma: 0.7,
            mean: 1.0,
            deviation: 0.5,
            weights: vec![0.3, 0.7],
            means: vec![-2.0, 1.5],
            deviations: vec![0.5, 0.7],
        }
    }

    fn quick(&self) -> Settings {
        Settings { particles: 3_000, steps: 150, multiplicative_steps: 200, ..self.full() }
    }

    fn run(&self, settings: &Settings, context: &Context) -> Result<Outcome> {
        ensure!(settings.particles >= 100, "setting `particles` must be at least 100");
        let progress = context.progress(RECIPES as u64, self.name());
        let schedule = OrnsteinUhlenbeck::new(settings.theta, settings.sigma, settings.horizon)?;
        let normal = gaussian(settings.mean, settings.deviation.powi(2))?;
        let mixture =
            GaussianMixture::one_dimensional(&settings.weights, &settings.means, &settings.deviations)?;
        let mut trials = Vec::with_capacity(RECIPES);
        let mut two_ways = 0.0_f64;
        for (setting, law, recipes) in
            [(GAUSSIAN, &normal, &Recipe::ON_GAUSSIAN[..]), (MIXTURE, &mixture, &Recipe::ON_MIXTURE[..])]
        {
            for recipe in recipes {
                let seed = derived_seed(context.seed, trials.len() as u64);
                let trial = additive(setting, *recipe, &schedule, law, settings, seed, context)?;
                if setting == GAUSSIAN
                    && let Some(variance) =
                        variance_by_quadrature(*recipe, &schedule, settings.deviation.powi(2))
                {
                    let predicted = moments(&trial.predicted).1;
                    two_ways = two_ways.max((variance / predicted - 1.0).abs());
                }
                trials.push(trial);
                progress.inc(1);
            }
        }
        let schedule = OrnsteinUhlenbeck::new(settings.theta, settings.log_sigma, settings.horizon)?;
        let mut paths = Vec::new();
        for recipe in Recipe::ON_EXPONENTIAL {
            let seed = derived_seed(context.seed, trials.len() as u64);
            let (trial, first) = exponential(recipe, &schedule, &normal, settings, seed, context)?;
            trials.push(trial);
            paths.push((recipe.name, first));
            progress.inc(1);
        }
        Ok(Outcome {
            checks: checks(&trials, two_ways, settings)?,
            tables: vec![table(&trials, settings)?],
            figures: figures(&trials, &paths, settings)?,
            notes: NOTES.map(String::from).to_vec(),
        })
    }
}

const GAUSSIAN: &str = "OU from a Gaussian";
const MIXTURE: &str = "OU from a mixture";
const EXPONENTIAL: &str = "exponential OU";

const NOTES: [&str; 3] = [
    "Flipping the sign of the drift alone spreads what should contract: the mean comes back exactly and the variance is wrong, \
     so a look at means does not find it.",
    "Noise and score go together: λ times the noise needs (1 + λ)/2 of the score (and of div Σ). The reverse SDE, the \
     probability flow and the run with twice the noise are all right.",
    "Where σ depends on x, forgetting div Σ drags the whole law: for X = e^Y it shifts log X by an amount that does not depend on \
     the number of steps.",
];

/// The Ornstein-Uhlenbeck process backward by a recipe.
fn additive(
    setting: &'static str,
    recipe: Recipe,
    schedule: &OrnsteinUhlenbeck,
    law: &GaussianMixture,
    settings: &Settings,
    seed: u64,
    context: &Context,
) -> Result<Trial> {
    let process = Isotropic::new(schedule, 1)?;
    let score = AffineMarginal::of_mixture(&process, law.clone())?;
    let horizon = schedule.horizon();
    let starts = score.law(horizon)?.sample(settings.particles, seed);
    let slip = Slip { diffusion: &process, score: &score, horizon, recipe };
    let sde = ReverseSde { diffusion: &process, score: &score, horizon };
    let ode = ReverseOde { diffusion: &process, score: &score, horizon };
    let diffusion: &dyn Diffusion = match recipe.name {
        RIGHT => &sde,
        FLOW => &ode,
        _ => &slip,
    };
    let plan = Plan { diffusion, integrator: &Sra1, horizon, segments: 1, steps: settings.steps };
    let run = plan.run(&starts, seed, 0, context)?;
    // The score of a mixture is not linear; the right recipe needs no moment equations.
    let end = if recipe.score == 0.0 || law.len() == 1 {
        predicted(recipe, schedule, &score, false)?
    } else {
        law.clone()
    };
    let laws = (law.clone(), end);
    Trial::new(setting, recipe, recipe.is_right(false), laws, run.end().as_slice().to_vec(), 0.0)
}

/// The right recipes run by the library's own reversal.
const RIGHT: &str = "reverse SDE";
const FLOW: &str = "probability flow";

/// p_t of X = e^Y with Y Gaussian: ∇ log p = -(1 + (log x - μ)/v)/x.
struct LogNormal<'a> {
    schedule: &'a OrnsteinUhlenbeck,
    mean: f64,
    variance: f64,
}

impl MarginalScore for LogNormal<'_> {
    fn dim(&self) -> usize {
        1
    }

    fn evaluate(&self, t: f64, points: &[f64], scores: &mut [f64]) {
        let level = self.schedule.level(t.max(0.0));
        let mean = level.alpha * self.mean;
        let variance = level.alpha * level.alpha * self.variance + level.sigma * level.sigma;
        for (s, x) in scores.iter_mut().zip(points) {
            *s = -(1.0 + (x.ln() - mean) / variance) / x;
        }
    }
}

/// X = e^Y, Y an Ornstein-Uhlenbeck process: dX = (½ σ² - θ log X) X dt + σ X dW, backward by a recipe. The trial is about
/// log X.
fn exponential(
    recipe: Recipe,
    schedule: &OrnsteinUhlenbeck,
    law: &GaussianMixture,
    settings: &Settings,
    seed: u64,
    context: &Context,
) -> Result<(Trial, Vec<Path>)> {
    let horizon = schedule.horizon();
    let (theta, sigma) = (settings.theta, settings.log_sigma);
    let field = Field::new(
        move |_t, x: &[f64], out: &mut [f64]| out[0] = (0.5 * sigma * sigma - theta * x[0].ln()) * x[0],
        move |_t, x: &[f64], out: &mut Dispersion| *out = Dispersion::Scalar(sigma * x[0]),
    )
    .with_divergence(move |_t, x: &[f64], out: &mut [f64]| out[0] = 2.0 * sigma * sigma * x[0]);
    let (mean, variance, _) = moments(law);
    let score = LogNormal { schedule, mean, variance };
    let process = Isotropic::new(schedule, 1)?;
    let marginal = AffineMarginal::of_mixture(&process, law.clone())?;
    let starts = marginal.law(horizon)?.sample(settings.particles, seed).map(f64::exp);
    let slip = Slip { diffusion: &field, score: &score, horizon, recipe };
    let sde = ReverseSde { diffusion: &field, score: &score, horizon };
    let ode = ReverseOde { diffusion: &field, score: &score, horizon };
    let diffusion: &dyn Diffusion = match recipe.name {
        RIGHT => &sde,
        FLOW => &ode,
        _ => &slip,
    };
    let milstein = Milstein::new(&field, 0.0, &[1.0])?;
    let noisy = recipe.noise > 0.0;
    let integrator: &dyn Integrator = if noisy { &milstein } else { &RungeKutta4 };
    let plan = Plan { diffusion, integrator, horizon, segments: 1, steps: settings.multiplicative_steps };
    let run = plan.run(&starts, seed, 6, context)?;
    // Milstein has weak order 1: the error is twice what halving the step takes off.
    let allowance = if noisy {
        let [coarse, fine] = plan.halved(&starts, seed);
        2.0 * metrics::ks_two_sample(coarse.as_slice(), fine.as_slice())?.statistic
    } else {
        0.0
    };
    let sample = run.end().iter().map(|x| x.ln()).collect();
    let laws = (law.clone(), predicted(recipe, schedule, &marginal, true)?);
    let trial = Trial::new(EXPONENTIAL, recipe, recipe.is_right(true), laws, sample, allowance)?;
    Ok((trial, run.paths))
}

fn checks(trials: &[Trial], two_ways: f64, settings: &Settings) -> Result<Vec<Check>> {
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

fn table(trials: &[Trial], settings: &Settings) -> Result<Table> {
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

fn figures(
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
