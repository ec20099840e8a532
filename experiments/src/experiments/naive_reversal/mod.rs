//! `naive-reversal`: what the classic slips in reversing an SDE cost.

mod report;
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
use super::reverse_time::{Plan, cdf, derived_seed, gaussian, largest_gap, moments, share_below};
use crate::experiment::{Context, Experiment};
use crate::outcome::Outcome;

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
            checks: report::checks(&trials, two_ways, settings)?,
            tables: vec![report::table(&trials, settings)?],
            figures: report::figures(&trials, &paths, settings)?,
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
