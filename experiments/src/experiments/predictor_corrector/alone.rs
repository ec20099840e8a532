//! The corrector by itself, at one noise level.

use anyhow::Result;
use resolvent::core::horizon::{Norms, PredictorCorrector};
use resolvent::core::schedule::{Edm, Grid, Level, diffuse};
use resolvent::core::{Denoiser, GaussianMixture, HorizonSampler, Schedule};
use resolvent::metrics::{expected_ks, ks_critical, ks_one_sample, mean};

use super::{CELL, RANGE, RELAXATIONS, SIGNIFICANCE, Settings, Sizes, TRIAL, mixture};
use crate::experiment::Context;
use crate::experiments::mixture::chain::EulerChain;
use crate::experiments::reverse_time::critical_z;
use crate::experiments::tabulated::Tabulated;
use crate::outcome::{Check, Figure, Outcome, Table, cells};
use crate::plot::{Axis, Chart, Series};

/// The corrector by itself, from exact draws of p_t at one level: does p_t stay?
pub(super) fn alone(settings: &Settings, context: &Context, outcome: &mut Outcome) -> Result<()> {
    let edm = Edm::default();
    let level = edm.level(TRIAL);
    let grid = Grid::new(vec![level, Level::CLEAN])?;
    let laws = [
        ("N(0, 0.05²)", GaussianMixture::one_dimensional(&[1.0], &[0.0], &[0.05])?),
        ("mixture", mixture()?),
    ];
    let n = settings.particles;
    let mut table = Table::new(
        "Corrector by itself",
        format!(
            "Langevin moves at σ = {TRIAL}, α = 1, from {n} exact draws, over {RELAXATIONS} relaxation times of the noise: variance over that of p_t \
             and Kolmogorov-Smirnov distance D to p_t, and that of the exact law of the moves to p_t. For the Gaussian the variance follows v' = (1 − ε/s²)² v + 2ε exactly, with ε = 2 snr² σ² \
             and s² = 0.05² + σ². Of sizes from each particle's own |z| and |s|, the last rows of a law, \
             the variance is infinite."
        ),
        &["law", "size from", "snr", "moves", "variance / exact", "error", "recursion", "D", "D, exact law"],
    );
    let (mut deviations, mut distances) = (Vec::new(), Vec::new());
    let mut chart = Chart::new(
        Axis::log("signal-to-noise ratio of a move"),
        Axis::log("Kolmogorov-Smirnov distance to p_t"),
    );
    for (name, law) in &laws {
        let exact = law.at(&level);
        let (truth, mean_) = (exact.covariance()[(0, 0)], exact.mean()[0]);
        let starts = diffuse(&level, &law.sample(n, context.seed), context.seed);
        let mut points = Vec::new();
        for (sizes, norms) in [(Sizes::Noise, Norms::Noise), (Sizes::Particle, Norms::Particle)] {
            for &snr in &settings.snrs {
                context.proceed()?;
                let size = 2.0 * snr * snr;
                let moves = (RELAXATIONS / size).ceil() as usize;
                let method = PredictorCorrector::corrector_only(&grid, law)
                    .snr(snr)?
                    .corrector_steps(moves)?
                    .norms(norms);
                let ended = HorizonSampler::new(&method).run(&starts, context.seed)?.points;
                let squares: Vec<f64> = ended.iter().map(|x| (x - mean_).powi(2) / truth).collect();
                let variance = mean(&squares)?;
                let distance = ks_one_sample(ended.as_slice(), |x| law.cdf(&level, x))?.statistic;
                let recursion = (law.len() == 1 && sizes == Sizes::Noise)
                    .then(|| after_moves(1.0, size * TRIAL * TRIAL / truth, moves));
                let mut bias = None;
                if sizes == Sizes::Noise {
                    let chain = moved(law, &level, size * TRIAL * TRIAL, moves)?;
                    distances.push(ks_one_sample(ended.as_slice(), |x| chain.at(x))?.statistic);
                    bias = Some(chain.distance(|x| law.cdf(&level, x)));
                    points.push((snr, distance));
                }
                // E[1/|s|²] is infinite.
                let finite = (sizes == Sizes::Noise).then_some(variance);
                table.push(cells![
                    *name,
                    sizes.name(),
                    snr,
                    moves,
                    finite.map(|variance| variance.value),
                    finite.map(|variance| variance.standard_error),
                    recursion,
                    distance,
                    bias
                ]);
                if let Some(recursion) = recursion {
                    deviations.push((variance.value - recursion).abs() / variance.standard_error);
                }
            }
        }
        chart = chart.series(Series::marked(*name, points));
    }
    let count = deviations.len();
    outcome.checks.push(Check::at_most(
        format!(
            "corrector on a Gaussian: variance against its recursion, largest of {count} in standard errors"
        ),
        deviations.iter().copied().fold(0.0, f64::max),
        critical_z(SIGNIFICANCE, count)?,
        "v' = (1 - ε/s²)² v + 2ε; 1e-3 over all",
    ));
    let count = distances.len();
    outcome.checks.push(Check::at_most(
        format!("corrector from p_t: KS to the exact law of the moves, largest of {count}"),
        distances.into_iter().fold(0.0, f64::max),
        ks_critical(n, SIGNIFICANCE / count as f64)?,
        "the transition of a move iterated on cells; critical value at 1e-3 over all",
    ));
    outcome.figures.push(Figure::new(
        "alone",
        format!(
            "Langevin moves with the exact score at σ = {TRIAL}, started from p_t itself: distance of {n} particles to p_t after {RELAXATIONS} \
             relaxation times. Their bias vanishes with their size; for exact draws the distance is {:.4} on average.",
            expected_ks(n)?
        ),
        chart.reference(expected_ks(n)?, "exact samples, on average").svg()?,
    ));
    outcome.tables.push(table);
    Ok(())
}

/// The variance over that of the law, s², after `moves` moves of size `size` = ε/s² from `variance`.
pub(super) fn after_moves(variance: f64, size: f64, moves: usize) -> f64 {
    (0..moves).fold(variance, |variance, _| (1.0 - size).powi(2) * variance + 2.0 * size)
}

/// The exact law of `moves` moves of size ε = `size` from p_t at `level`: x' = x + ε s(x) + √(2ε) z.
pub(super) fn moved(law: &GaussianMixture, level: &Level, size: f64, moves: usize) -> Result<Tabulated> {
    let width = CELL.min(0.5 * (2.0 * size).sqrt());
    let cells = ((RANGE.1 - RANGE.0) / width).ceil() as usize;
    let edge = |k: usize| RANGE.0 + (RANGE.1 - RANGE.0) * k as f64 / cells as f64;
    let at = law.at(level);
    let score = |x: f64| {
        let mut score = [0.0];
        at.scores(&Level::CLEAN, &[x], &mut score);
        score[0]
    };
    let mut chain = EulerChain::new(RANGE, cells, size, score)?;
    let mut masses: Vec<f64> =
        (0..cells).map(|k| law.cdf(level, edge(k + 1)) - law.cdf(level, edge(k))).collect();
    chain.advance(&mut masses, moves);
    Ok(chain.law(&masses))
}
