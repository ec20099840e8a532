//! Forward to death, and backward from there and from a point.

use std::ops::ControlFlow;

use anyhow::Result;
use nalgebra::DMatrix;
use rand::RngExt;
use rayon::prelude::*;
use resolvent::core::killed::LineResolvent;
use resolvent::core::killing::DistanceToData;
use resolvent::core::random::{Purpose, stream};
use resolvent::core::score::KernelScore;
use resolvent::core::step::EulerMaruyama;
use resolvent::core::{EmpiricalMeasure, Resolvent, Sampler, ScoreAdaptive};
use resolvent::metrics;

use super::process::{Problem, standard};
use super::{SIGNIFICANCE, Settings, fits};
use crate::experiment::Context;
use crate::outcome::{Check, Table, cells, largest};
use crate::progress::Progress;

/// Declared accuracy of Euler-Maruyama at the smallest η, over what a perfect sampler may score: total variation of the end
/// points, KS distance of the lifetimes.
const DECLARED: (f64, f64) = (0.03, 0.05);

/// A run seen by its end points and lifetimes.
pub(super) struct Fit {
    pub(super) tv: f64,
    pub(super) end_p: f64,
    /// KS of the lifetimes and its p-value, where Exp(r) is promised.
    pub(super) lifetime: Option<(f64, f64)>,
}

/// A run of Euler-Maruyama from the law at death.
pub(super) struct Euler {
    pub(super) eta: f64,
    /// By the nearest atom, and the time to the neighbourhood.
    pub(super) bare: Fit,
    /// Completed by a draw of end point and lifetime.
    pub(super) completed: Fit,
    pub(super) evaluations: f64,
    pub(super) capped: usize,
}

pub(super) struct Runs {
    pub(super) dim: usize,
    /// KS of the forward lifetimes and of the first coordinate at death, with p-values.
    pub(super) forward: [(f64, f64); 2],
    /// z-scores of the mean posterior weight at death less the weight, one for each atom.
    pub(super) calibration: Vec<f64>,
    /// Backward from the law at death and from a point.
    pub(super) exact: [Fit; 2],
    pub(super) euler: Vec<Euler>,
    /// Lifetimes of the last completed run.
    pub(super) lifetimes: Vec<f64>,
    /// Expected total variation of as many draws from α, for the exact runs and those of Euler-Maruyama.
    pub(super) floors: [f64; 2],
}

impl Runs {
    pub(super) fn of(
        problem: &Problem,
        settings: &Settings,
        context: &Context,
        progress: &Progress,
    ) -> Result<Self> {
        context.proceed()?;
        let (process, measure, n) = (&problem.process, &problem.measure, settings.particles);
        let score = KernelScore::new(process, measure.clone())?;
        let weights = problem.weights();
        // A seed of its own for each dimension, so that their tests are independent.
        let seed = context.seed.wrapping_add(1_000 * problem.dim() as u64);
        let atoms = problem.draw(n, seed);
        let starts = measure.points().select_columns(&atoms);
        let (places, lifetimes) = process.deaths(&starts, seed)?;
        let first: Vec<f64> = places.row(0).iter().copied().collect();
        // Its first coordinate is the process in dimension 1, from the first coordinates of the atoms.
        let shadow = EmpiricalMeasure::weighted(measure.points().rows(0, 1).into_owned(), &settings.weights)?;
        let line =
            LineResolvent::uniform(&standard(1, settings.rate)?, (-9.0, 9.0), 8_000)?.measure(&shadow)?;
        let clock = |t: f64| -f64::exp_m1(-settings.rate * t);
        let (time, place) = (
            metrics::ks_one_sample(&lifetimes, clock)?,
            metrics::ks_one_sample(&first, |x| line.death_cdf(x))?,
        );
        progress.inc(1);

        let posteriors: Vec<Vec<f64>> =
            (0..n).into_par_iter().map(|i| score.posterior(places.column(i).as_slice())).collect();
        let calibration = (0..weights.len())
            .map(|k| {
                let sample: Vec<f64> = posteriors.iter().map(|w| w[k]).collect();
                Ok((metrics::mean(&sample)?, weights[k]))
            })
            .map(|pair: Result<_>| pair.map(|(mean, w)| (mean.value - w) / mean.standard_error))
            .collect::<Result<_>>()?;
        let completed = complete(problem, &score, &places, &vec![0.0; n], seed);
        let from_law = Fit::new(&completed, &weights, Some(settings.rate))?;
        let point = DMatrix::from_fn(problem.dim(), n, |i, _| problem.point[i]);
        let completed = complete(problem, &score, &point, &vec![0.0; n], seed.wrapping_add(1));
        let from_point = Fit::new(&completed, &score.posterior(&problem.point), None)?;
        progress.inc(1);

        let few = settings.euler_particles.min(n);
        let starts = places.columns(0, few).into_owned();
        let (mut euler, mut last) = (Vec::new(), Vec::new());
        for &eta in &settings.eta {
            let delta = settings.delta * measure.smallest_gap();
            let rule = DistanceToData::new(process, measure.clone(), delta)?;
            let (step, control) = (EulerMaruyama::new(&score), ScoreAdaptive::new(eta, 0.0)?);
            let observer =
                |_| if context.interrupted() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
            let ensemble = Sampler::new(process, &step, &control).killing("distance", &rule).run_observed(
                &starts,
                context.seed,
                &observer,
            )?;
            let nearest = metrics::nearest_index(&ensemble.points, measure.points())?;
            let completed = complete(problem, &score, &ensemble.points, &ensemble.lifetimes, seed);
            euler.push(Euler {
                eta,
                bare: Fit::new(&(nearest, ensemble.lifetimes.clone()), &weights, Some(settings.rate))?,
                completed: Fit::new(&completed, &weights, Some(settings.rate))?,
                evaluations: ensemble.mean_evaluations(),
                capped: few - ensemble.exit_counts()[0].1,
            });
            last = completed.1;
            progress.inc(1);
        }
        let floor = |n: usize| metrics::expected_total_variation(&weights, n as u64);
        Ok(Self {
            dim: problem.dim(),
            forward: [(time.statistic, time.p_value), (place.statistic, place.p_value)],
            calibration,
            exact: [from_law, from_point],
            euler,
            lifetimes: last,
            floors: [floor(n)?, floor(few)?],
        })
    }
}

/// End points (n) and lifetimes (n) from where particles are (d x n) and how old: the end point from its posterior (R10), the
/// remaining lifetime from its law between the two places.
fn complete(
    problem: &Problem,
    score: &KernelScore<'_, impl Resolvent + resolvent::core::killed::LocallyBrownian>,
    places: &DMatrix<f64>,
    ages: &[f64],
    seed: u64,
) -> (Vec<usize>, Vec<f64>) {
    ages.par_iter()
        .enumerate()
        .map(|(i, age)| {
            let mut rng = stream(seed, Purpose::Oracle, i as u64);
            let column = places.column(i);
            let x = column.as_slice();
            let mut left: f64 = rng.random();
            let weights = score.posterior(x);
            let chosen = weights.iter().position(|w| {
                left -= w;
                left < 0.0
            });
            let atom = chosen.unwrap_or(weights.len() - 1);
            (atom, age + problem.process.lifetime_between(x, problem.measure.point(atom), &mut rng))
        })
        .unzip()
}

impl Fit {
    fn new((atoms, lifetimes): &(Vec<usize>, Vec<f64>), weights: &[f64], rate: Option<f64>) -> Result<Self> {
        let counts = metrics::counts(atoms, weights.len())?;
        let lifetime = rate
            .map(|rate| metrics::ks_one_sample(lifetimes, |t| -f64::exp_m1(-rate * t)))
            .transpose()?
            .map(|ks| (ks.statistic, ks.p_value));
        Ok(Self {
            tv: metrics::total_variation(&counts, weights)?.value,
            end_p: metrics::chi_square_test(&counts, weights)?.p_value,
            lifetime,
        })
    }
}

/// What the theory promises of the runs.
pub(super) fn checks(runs: &[Runs], settings: &Settings, checks: &mut Vec<Check>) -> Result<()> {
    let all = |value: fn(&Runs) -> f64| runs.iter().map(value).collect::<Vec<_>>();
    let scores = || runs.iter().flat_map(|r| &r.calibration);
    let largest = largest(scores().map(|z| z.abs()));
    // P(|Z| > z) <= 2 e^{-z²/2} for each of them.
    let bound = (2.0 * (2.0 * scores().count() as f64 / SIGNIFICANCE).ln()).sqrt();
    let from_law = |r: &Runs| r.exact[0].lifetime.expect("promised there").1;
    checks.extend([
        fits("p of the forward lifetimes against Exp(r)", &all(|r| r.forward[0].1), "constant rate"),
        fits(
            "p of the first coordinate at death",
            &all(|r| r.forward[1].1),
            "the law of the process in dimension 1 by finite volumes",
        ),
        Check::at_most(
            "|z| of the mean posterior weights at death against α, largest",
            largest,
            bound,
            "R10 averaged over the law at death r u gives α; bound at 1e-3 for all of them together",
        ),
        fits(
            "p of the end points from r u, exact",
            &all(|r| r.exact[0].end_p),
            "the reversal ends in α (R9b, R10)",
        ),
        fits(
            "p of the lifetimes from r u against Exp(r), exact",
            &all(from_law),
            "reversal keeps the lifetime",
        ),
        fits("p of the end points from a point, exact", &all(|r| r.exact[1].end_p), "R10"),
    ]);
    let n = settings.euler_particles.min(settings.particles);
    let alpha = SIGNIFICANCE / runs.len() as f64;
    let last = |r: &Runs| r.euler.len() - 1;
    let excess = |r: &Runs, weights: &[f64]| -> Result<f64> {
        Ok(r.euler[last(r)].completed.tv - metrics::total_variation_critical(weights, n as u64, alpha)?)
    };
    let total: f64 = settings.weights.iter().sum();
    let weights: Vec<f64> = settings.weights.iter().map(|w| w / total).collect();
    let mut worst = f64::NEG_INFINITY;
    for r in runs {
        worst = worst.max(excess(r, &weights)?);
    }
    checks.push(Check::at_most(
        "total variation of Euler-Maruyama, completed, over the critical value, worst",
        worst,
        DECLARED.0,
        "declared accuracy of the smallest step, beside the Monte-Carlo error",
    ));
    let critical = metrics::ks_critical(n, alpha)?;
    let worst = runs.iter().map(|r| r.euler[last(r)].completed.lifetime.expect("promised").0);
    checks.push(Check::at_most(
        "lifetime KS of Euler-Maruyama, completed, over the critical value, worst",
        worst.fold(f64::NEG_INFINITY, f64::max) - critical,
        DECLARED.1,
        "declared accuracy of the smallest step, beside the Monte-Carlo error",
    ));
    Ok(())
}

pub(super) fn exact_table(runs: &[Runs], settings: &Settings) -> Table {
    let mut table = Table::new(
        "exact runs",
        format!(
            "{} particles, r = {}, θ = 1, σ² = 2, {} atoms. Forward: lifetimes against Exp(r), first coordinate at death \
             against finite volumes, and the largest |z| of the mean posterior weights against α. Backward: end points by \
             R10 and lifetimes between the two places, from the law at death r u and from one point. p-values as they are, \
             not corrected for their number.",
            settings.particles,
            settings.rate,
            settings.weights.len()
        ),
        &[
            "d",
            "KS lifetime",
            "p",
            "KS place",
            "p",
            "largest |z|",
            "TV from r u",
            "TV floor",
            "p",
            "KS lifetime from r u",
            "p",
            "TV from a point",
            "p",
        ],
    );
    for r in runs {
        let lifetime = r.exact[0].lifetime.unwrap_or((f64::NAN, f64::NAN));
        table.push(cells![
            r.dim,
            r.forward[0].0,
            r.forward[0].1,
            r.forward[1].0,
            r.forward[1].1,
            r.calibration.iter().fold(0.0, |a: f64, z| a.max(z.abs())),
            r.exact[0].tv,
            r.floors[0],
            r.exact[0].end_p,
            lifetime.0,
            lifetime.1,
            r.exact[1].tv,
            r.exact[1].end_p
        ]);
    }
    table
}

pub(super) fn euler_table(runs: &[Runs], settings: &Settings) -> Table {
    let mut table = Table::new(
        "Euler-Maruyama",
        format!(
            "{} particles from the law at death, adaptive steps η, stopped within {} of the smallest gap of an atom. Bare: the \
             nearest atom and the time until then. Completed: end point and remaining lifetime drawn from where it \
             stopped. End points against α, lifetimes against Exp(r).",
            settings.euler_particles.min(settings.particles),
            settings.delta
        ),
        &[
            "d",
            "η",
            "TV bare",
            "TV completed",
            "TV floor",
            "p completed",
            "KS bare",
            "KS completed",
            "evaluations",
            "not stopped",
        ],
    );
    for r in runs {
        for e in &r.euler {
            let ks = |fit: &Fit| fit.lifetime.map_or(f64::NAN, |(ks, _)| ks);
            table.push(cells![
                r.dim,
                e.eta,
                e.bare.tv,
                e.completed.tv,
                r.floors[1],
                e.completed.end_p,
                ks(&e.bare),
                ks(&e.completed),
                e.evaluations,
                e.capped
            ]);
        }
    }
    table
}
