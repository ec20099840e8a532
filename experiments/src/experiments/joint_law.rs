//! `joint-law`: equal marginals, different joint laws.

use anyhow::{Result, ensure};
use nalgebra::DMatrix;
use resolvent::core::GaussianMixture;
use resolvent::core::Schedule;
use resolvent::core::affine::Isotropic;
use resolvent::core::diffusion::Diffusion;
use resolvent::core::integrate::{Integrator, RungeKutta4, Sra1};
use resolvent::core::marginal::AffineMarginal;
use resolvent::core::reversal::{ReverseOde, ReverseSde};
use resolvent::core::schedule::{Level, OrnsteinUhlenbeck, diffuse};
use resolvent::metrics::{self, Estimate};
use serde::{Deserialize, Serialize};

use super::reverse_time::{
    Plan, cdf, critical_z, density, derived_seed, gaussian, largest_gap, moments, share_below,
};
use crate::experiment::{Context, Experiment};
use crate::outcome::{Check, Figure, Outcome, Table, cells};
use crate::plot::{Axis, Chart, Raster, Series};

/// Probability that a right program fails one of the tests of fit.
const SIGNIFICANCE: f64 = 1e-3;
/// Groups of equal probability by X_0 in which X_T is tested apart.
const GROUPS: usize = 8;
/// Tests of fit in all, on two laws: both ends, all residuals and those of the groups for the two SDEs, both ends for
/// the flow.
const TESTS_OF_FIT: usize = 2 * (2 * (2 + 1 + GROUPS) + 2);
/// Indices of the seeds of the exact pairs, after those of the processes.
const NULL: u64 = 3;
const FRESH: u64 = 4;
/// Pairs shown.
const SHOWN: usize = 1_500;

/// The joint law of the two ends.
pub(super) struct JointLaw;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    /// Pairs from each process.
    particles: usize,
    /// Steps.
    steps: usize,
    /// Pairs in each sample of the two-sample test.
    pairs: usize,
    /// Pairs of forward samples from which its critical value is taken.
    replicates: usize,
    /// Horizon T.
    horizon: f64,
    /// Rate of return θ.
    theta: f64,
    /// Noise σ.
    sigma: f64,
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

/// Who made the pairs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Maker {
    Forward,
    Reverse,
    Flow,
}

impl Maker {
    const ALL: [Self; 3] = [Self::Forward, Self::Reverse, Self::Flow];

    fn name(self) -> &'static str {
        match self {
            Self::Forward => "forward SDE",
            Self::Reverse => "reverse SDE",
            Self::Flow => "probability flow",
        }
    }
}

/// A start law under the Ornstein-Uhlenbeck process.
struct Problem<'a> {
    name: &'static str,
    stem: &'static str,
    schedule: &'a OrnsteinUhlenbeck,
    law: GaussianMixture,
}

/// Pairs (X_0, X_T), one per column.
struct Pairs {
    maker: Maker,
    points: DMatrix<f64>,
}

impl Experiment for JointLaw {
    type Settings = Settings;

    fn name(&self) -> &'static str {
        "joint-law"
    }

    fn summary(&self) -> &'static str {
        "Anderson's reversal has the joint law of (X_0, X_T); the probability flow has its marginals alone"
    }

    fn seconds(&self) -> u32 {
        12
    }

    fn full(&self) -> Settings {
        Settings {
            particles: 100_000,
            steps: 200,
            pairs: 500,
            replicates: 999,
            horizon: 0.7,
            theta: 1.0,
            sigma: std::f64::consts::SQRT_2,
            mean: 1.0,
            deviation: 0.6,
            weights: vec![0.3, 0.7],
            means: vec![-2.0, 1.5],
            deviations: vec![0.5, 0.7],
        }
    }

    fn quick(&self) -> Settings {
        Settings { particles: 5_000, pairs: 250, ..self.full() }
    }

    fn run(&self, settings: &Settings, context: &Context) -> Result<Outcome> {
        ensure!(settings.particles >= 1_000, "setting `particles` must be at least 1000");
        ensure!(
            (4..=settings.particles).contains(&settings.pairs),
            "setting `pairs` must be in 4..={}",
            settings.particles
        );
        ensure!(settings.replicates >= 1, "setting `replicates` must be at least 1");
        let schedule = OrnsteinUhlenbeck::new(settings.theta, settings.sigma, settings.horizon)?;
        let mixture =
            GaussianMixture::one_dimensional(&settings.weights, &settings.means, &settings.deviations)?;
        let problems = [
            Problem {
                name: "Gaussian",
                stem: "gaussian",
                schedule: &schedule,
                law: gaussian(settings.mean, settings.deviation.powi(2))?,
            },
            Problem { name: "mixture", stem: "mixture", schedule: &schedule, law: mixture },
        ];
        let mut outcome = Outcome::default();
        let mut correlations = Table::new(
            "correlation of X_0 and X_T",
            format!(
                "{} pairs from each process. Exact for the SDE and its reversal: e^(-θT) s_0/s_T; for the flow from a \
                 Gaussian 1. Residuals (X_T - e^(-θT) X_0)/σ_T are standard normal and independent of X_0 under the SDE; \
                 KS is their distance to that law, over all pairs and the largest in {GROUPS} groups by X_0 divided by its \
                 critical value (1e-3 over all {TESTS_OF_FIT} tests of fit).",
                settings.particles
            ),
            &[
                "law",
                "process",
                "correlation",
                "exact, SDE",
                "z against the SDE",
                "KS of residuals",
                "critical",
                "worst group / critical",
                "KS of X_0",
                "KS of X_T",
            ],
        );
        let mut energies = Table::new(
            "energy distance to the pairs of the forward SDE",
            format!(
                "{} pairs in each sample, as (√12 F_0(X_0), residual), independent of unit variance under the SDE; the critical value is the largest of {} distances between two forward samples, \
                 drawn exactly, which a right process exceeds with probability 1/{}.",
                settings.pairs,
                settings.replicates,
                settings.replicates + 1
            ),
            &["law", "process", "energy distance", "standard error", "critical"],
        );
        let progress = context.progress(2 * problems.len() as u64, self.name());
        for (index, problem) in problems.iter().enumerate() {
            context.proceed()?;
            let seed = derived_seed(context.seed, index as u64);
            let made = problem.pairs(settings, seed, context)?;
            progress.inc(1);
            let critical = problem.null_distances(settings, derived_seed(seed, NULL), context)?;
            progress.inc(1);
            let fresh = problem.flattened(&problem.exact_pairs(settings.pairs, derived_seed(seed, FRESH), 0));
            for pairs in &made {
                problem.test(pairs, &mut correlations, &mut outcome)?;
                let first = problem.flattened(&pairs.points.columns(0, settings.pairs).into_owned());
                let energy = metrics::energy_distance(&first, &fresh)?;
                energies.push(cells![
                    problem.name,
                    pairs.maker.name(),
                    energy.value,
                    energy.standard_error,
                    critical
                ]);
                outcome.checks.push(problem.energy_check(pairs.maker, energy, critical));
                outcome.figures.push(problem.figure(pairs)?);
            }
        }
        outcome.tables = vec![correlations, energies];
        outcome.notes.push(
            "A tutorial states that no process matches the joint law of the forward one but itself; Anderson's reversal does: it is the law of the \
             whole path, read backward. The probability flow couples the ends by the monotone map between the two laws."
                .into(),
        );
        Ok(outcome)
    }
}

impl Problem<'_> {
    fn end(&self) -> Level {
        self.schedule.level(self.schedule.horizon())
    }

    /// Pairs from the three processes: the SDE from p_0, the others from exact draws of p_T.
    fn pairs(&self, settings: &Settings, seed: u64, context: &Context) -> Result<Vec<Pairs>> {
        let process = Isotropic::new(self.schedule, 1)?;
        let score = AffineMarginal::of_mixture(&process, self.law.clone())?;
        let horizon = self.schedule.horizon();
        let sde = ReverseSde { diffusion: &process, score: &score, horizon };
        let ode = ReverseOde { diffusion: &process, score: &score, horizon };
        let make = |(k, maker): (usize, Maker)| {
            let (diffusion, integrator): (&dyn Diffusion, &dyn Integrator) = match maker {
                Maker::Forward => (&process, &Sra1),
                Maker::Reverse => (&sde, &Sra1),
                Maker::Flow => (&ode, &RungeKutta4),
            };
            let start = if maker == Maker::Forward { self.law.clone() } else { score.law(horizon)? };
            let seed = derived_seed(seed, k as u64);
            let starts = start.sample(settings.particles, seed);
            let plan = Plan { diffusion, integrator, horizon, segments: 1, steps: settings.steps };
            let run = plan.run(&starts, seed, 0, context)?;
            let (data, noise) =
                if maker == Maker::Forward { (&starts, run.end()) } else { (run.end(), &starts) };
            let points = DMatrix::from_fn(2, settings.particles, |row, i| [data[i], noise[i]][row]);
            Ok(Pairs { maker, points })
        };
        Maker::ALL.into_iter().enumerate().map(make).collect()
    }

    /// `count` exact pairs of the forward SDE, the `index`-th such batch of `seed`.
    fn exact_pairs(&self, count: usize, seed: u64, index: u64) -> DMatrix<f64> {
        let seed = derived_seed(seed, index);
        let data = self.law.sample(count, seed);
        let noise = diffuse(&self.end(), &data, seed);
        DMatrix::from_fn(2, count, |row, i| [data[i], noise[i]][row])
    }

    /// (√12 F_0(X_0), (X_T - α X_0)/σ_T): under the SDE independent and of unit variance, so that the distance is not
    /// drowned by how many points of a mixture fell to which mode.
    fn flattened(&self, pairs: &DMatrix<f64>) -> DMatrix<f64> {
        let (level, below) = (self.end(), cdf(&self.law));
        let mut flat = pairs.clone();
        for mut pair in flat.column_iter_mut() {
            pair[1] = (pair[1] - level.alpha * pair[0]) / level.sigma;
            pair[0] = 12.0_f64.sqrt() * below(pair[0]);
        }
        flat
    }

    /// The largest energy distance between two forward samples.
    fn null_distances(&self, settings: &Settings, seed: u64, context: &Context) -> Result<f64> {
        let mut largest = f64::NEG_INFINITY;
        for k in 0..settings.replicates as u64 {
            context.proceed()?;
            let sample = |index| self.flattened(&self.exact_pairs(settings.pairs, seed, index));
            largest = largest.max(metrics::energy_distance(&sample(2 * k), &sample(2 * k + 1))?.value);
        }
        Ok(largest)
    }

    /// Correlation, conditional law of X_T given X_0, and marginals.
    fn test(&self, Pairs { maker, points }: &Pairs, table: &mut Table, outcome: &mut Outcome) -> Result<()> {
        let n = points.ncols();
        let level = self.end();
        let (late_law, label) = (self.law.at(&level), format!("{}, {}", self.name, maker.name()));
        let row = |k: usize| points.row(k).iter().copied().collect::<Vec<f64>>();
        let (data, noise) = (row(0), row(1));
        let residuals: Vec<f64> =
            data.iter().zip(&noise).map(|(x, y)| (y - level.alpha * x) / level.sigma).collect();
        let normal = gaussian(0.0, 1.0)?;
        let family = SIGNIFICANCE / TESTS_OF_FIT as f64;
        let critical = metrics::ks_critical(n, family)?;
        let whole = metrics::ks_one_sample(&residuals, cdf(&normal))?.statistic;
        let first = metrics::ks_one_sample(&data, cdf(&self.law))?.statistic;
        let last = metrics::ks_one_sample(&noise, cdf(&late_law))?.statistic;
        let mut groups = vec![Vec::new(); GROUPS];
        let below = cdf(&self.law);
        for (x, u) in data.iter().zip(&residuals) {
            groups[((GROUPS as f64 * below(*x)) as usize).min(GROUPS - 1)].push(*u);
        }
        let mut worst = 0.0_f64;
        for group in groups.iter().filter(|group| !group.is_empty()) {
            let statistic = metrics::ks_one_sample(group, cdf(&normal))?.statistic;
            worst = worst.max(statistic / metrics::ks_critical(group.len(), family)?);
        }
        let (_, early_variance, _) = moments(&self.law);
        let (_, late_variance, _) = moments(&late_law);
        let exact = level.alpha * (early_variance / late_variance).sqrt();
        let r = correlation(&data, &noise);
        // Fisher's transformation; its standard error holds for Gaussian pairs.
        let z = (self.law.len() == 1).then(|| (r.atanh() - exact.atanh()) * ((n - 3) as f64).sqrt());
        let shown_z = z.filter(|z| z.is_finite());
        table.push(cells![self.name, maker.name(), r, exact, shown_z, whole, critical, worst, first, last]);

        let mut at_most = |what: &str, value, bound, source: &str| {
            outcome.checks.push(Check::at_most(format!("{what}: {label}"), value, bound, source));
        };
        at_most(
            "largest KS of X_0 and X_T",
            first.max(last),
            critical,
            &format!("equal marginals (R1, R2); 1e-3 over all {TESTS_OF_FIT} tests of fit"),
        );
        if *maker == Maker::Flow {
            let apart = |(x, y): (&f64, &f64)| (below(*x) - cdf(&late_law)(*y)).abs();
            at_most(
                "X_0 against the quantile of X_T, in probability",
                data.iter().zip(&noise).map(apart).fold(0.0, f64::max),
                1e-6,
                "on the line the flow is the monotone map between the laws; the solver has order 4",
            );
        } else {
            at_most(
                "KS of residuals / critical",
                whole / critical,
                1.0,
                "X_T given X_0 is N(α X_0, σ_T²): R1",
            );
            at_most(
                "largest KS of residuals in groups by X_0 / critical",
                worst,
                1.0,
                "X_T given X_0 is N(α X_0, σ_T²): R1",
            );
        }
        match (z, maker) {
            (Some(_), Maker::Flow) => {
                at_most(
                    "|1 - correlation|",
                    (1.0 - r).abs(),
                    1e-9,
                    "the flow from a Gaussian is an increasing affine map",
                );
                let spread =
                    ((late_variance.sqrt() - level.alpha * early_variance.sqrt()) / level.sigma).powi(2);
                let wrong = gaussian(0.0, spread)?;
                let (place, gap) = largest_gap(cdf(&wrong), cdf(&normal), (-9.0, 9.0));
                let share = cdf(&wrong)(place);
                let measured = share_below(&residuals, place) - cdf(&normal)(place);
                at_most(
                    "|z| of the distance of the residuals' law from the SDE's",
                    (measured - gap).abs() / (share * (1.0 - share) / n as f64).sqrt(),
                    critical_z(SIGNIFICANCE, 1)?,
                    &format!(
                        "residuals of the flow are N(0, {spread:.4}): a distance of {:.4}; 1e-3",
                        gap.abs()
                    ),
                );
            }
            (Some(z), _) => at_most(
                "|z| of the correlation",
                z.abs(),
                critical_z(SIGNIFICANCE, 2)?,
                &format!("e^(-θT) s_0/s_T = {exact:.6}; Fisher's transformation, 1e-3 over both processes"),
            ),
            (None, _) => {}
        }
        Ok(())
    }

    fn energy_check(&self, maker: Maker, energy: Estimate, critical: f64) -> Check {
        let name = format!("energy distance to forward pairs: {}, {}", self.name, maker.name());
        match maker {
            Maker::Flow => Check::at_least(
                name,
                energy.value,
                critical,
                "the flow has another joint law: beyond every distance between forward samples",
            ),
            _ => {
                Check::at_most(name, energy.value, critical, "the same joint law: Monte-Carlo critical value")
            }
        }
    }

    /// Pairs over the exact joint density of the SDE.
    fn figure(&self, Pairs { maker, points }: &Pairs) -> Result<Figure> {
        let level = self.end();
        let reach = |law: &GaussianMixture| {
            let tail = |p: f64| {
                let (mean, variance, _) = moments(law);
                let (mut low, mut high) = (mean - 9.0 * variance.sqrt(), mean + 9.0 * variance.sqrt());
                for _ in 0..60 {
                    let middle = 0.5 * (low + high);
                    if cdf(law)(middle) < p { low = middle } else { high = middle }
                }
                low
            };
            (tail(5e-4), tail(1.0 - 5e-4))
        };
        let (x, y) = (reach(&self.law), reach(&self.law.at(&level)));
        let (before, noise) = (density(&self.law), gaussian(0.0, level.sigma * level.sigma)?);
        let after = density(&noise);
        let joint = |a: f64, b: f64| before(a) * after(b - level.alpha * a);
        let dots = points.column_iter().take(SHOWN).map(|p| (p[0], p[1])).collect();
        Ok(Figure::new(
            format!("{}-{}", self.stem, maker.name().replace(' ', "-").to_lowercase()),
            format!(
                "{} start, {}: {SHOWN} pairs over the exact joint density of the SDE (shades).",
                self.name,
                maker.name()
            ),
            Chart::new(Axis::linear("X_0").range(x.0, x.1), Axis::linear("X_T").range(y.0, y.1))
                .raster(Raster::new(x, y, (120, 120), joint))
                .series(Series::dots(format!("pairs of the {}", maker.name()), dots).colour(1))
                .svg()?,
        ))
    }
}

/// Pearson's coefficient.
fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let n = a.len() as f64;
    let (mean_a, mean_b) = (a.iter().sum::<f64>() / n, b.iter().sum::<f64>() / n);
    let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
    for (x, y) in a.iter().zip(b) {
        ab += (x - mean_a) * (y - mean_b);
        aa += (x - mean_a).powi(2);
        bb += (y - mean_b).powi(2);
    }
    ab / (aa * bb).sqrt()
}
