//! The rate learned from samples, without a formula for α or u.

use std::cmp::Ordering;

use anyhow::Result;
use nalgebra::DMatrix;
use resolvent::core::density_ratio::{
    Convergence, Features, LogDensityRatio, LogisticRegression, Polynomial, RadialBasis,
};
use resolvent::data::Law;
use resolvent::metrics::quantile;

use super::Settings;
use super::line::Line;

/// Apart from the particles' own data.
const SEED: u64 = 1_000_003;
/// Two bumps are this share of their bandwidth apart.
const SPACING: f64 = 0.75;
/// Bumps cover the killed samples between these quantiles.
const COVERED: (f64, f64) = (0.001, 0.999);
/// Data at which the learned rate is compared with the exact one.
const PLACES: usize = 2_000;

/// log α/(r u) as a function.
type Ratio = Box<dyn Fn(&[f64]) -> f64 + Sync>;

/// One estimate of log α/(r u).
pub(super) struct Learned {
    pub(super) name: String,
    pub(super) ratio: Ratio,
    pub(super) features: usize,
    pub(super) ridge: f64,
    /// Mean loss on samples held out.
    pub(super) loss: f64,
    pub(super) convergence: Convergence,
    pub(super) ceiling: f64,
    /// Root mean square of log λ^/λ over data.
    pub(super) log_error: f64,
    /// Half the mean of |λ^ - λ|/r over killed samples: the total variation between α and r u e^{ratio}.
    pub(super) variation: f64,
}

/// Fits all candidates to the same samples: data, and the place of death of other data.
pub(super) fn learn(line: &Line, settings: &Settings, seed: u64) -> Result<Vec<Learned>> {
    let n = settings.samples;
    let all = line.law.sample(2 * n, seed.wrapping_add(SEED));
    let data = all.columns(0, n).into_owned();
    let (killed, _) = line.process.deaths(&all.columns(n, n).into_owned(), seed.wrapping_add(SEED))?;
    let samples = (&data, &killed);
    let mut sorted = killed.as_slice().to_vec();
    sorted.sort_by(f64::total_cmp);
    let mut learned = Vec::new();
    for &degree in &settings.degrees {
        learned.push(fit(
            line,
            format!("polynomial, degree {degree}"),
            Polynomial::new(degree, &killed)?,
            samples,
        )?);
    }
    for &bandwidth in &settings.bandwidths {
        let (low, high) = (quantile(&sorted, COVERED.0)?, quantile(&sorted, COVERED.1)?);
        let cells = ((high - low) / (SPACING * bandwidth)).ceil().clamp(1.0, 1e3);
        let centres = DMatrix::from_fn(1, cells as usize + 1, |_, j| low + (high - low) * j as f64 / cells);
        learned.push(fit(
            line,
            format!("bumps of width {bandwidth}"),
            RadialBasis::new(centres, bandwidth)?,
            samples,
        )?);
    }
    Ok(learned)
}

fn fit<F: Features + 'static>(
    line: &Line,
    name: String,
    features: F,
    (data, killed): (&DMatrix<f64>, &DMatrix<f64>),
) -> Result<Learned> {
    let count = features.count();
    let ratio: LogDensityRatio<F> = LogisticRegression::new(features).fit(data, killed)?;
    // The estimate and the exact value.
    let pairs = |points: &DMatrix<f64>| -> Vec<(f64, f64)> {
        let log_rate = line.process.rate().ln();
        points.iter().take(PLACES).map(|x| (ratio.value(&[*x]), line.log_hazard(*x) - log_rate)).collect()
    };
    let over = |points: &DMatrix<f64>, term: &dyn Fn(f64, f64) -> f64| {
        let terms: Vec<f64> = pairs(points).into_iter().map(|(a, b)| term(a, b)).collect();
        terms.iter().sum::<f64>() / terms.len() as f64
    };
    let log_error = over(data, &|a, b| (a - b).powi(2)).sqrt();
    let variation = over(killed, &|a, b| 0.5 * (a.exp() - b.exp()).abs());
    let losses = ratio.held_out().iter().map(|(_, loss)| *loss);
    Ok(Learned {
        name,
        features: count,
        ridge: ratio.ridge(),
        loss: losses.fold(f64::INFINITY, f64::min),
        convergence: ratio.convergence(),
        ceiling: ratio.ceiling(),
        log_error,
        variation,
        ratio: Box::new(move |x: &[f64]| ratio.value(x)),
    })
}

/// Index of the candidate with the smallest loss on samples held out.
pub(super) fn best(learned: &[Learned]) -> usize {
    let by_loss = |a: &usize, b: &usize| -> Ordering { learned[*a].loss.total_cmp(&learned[*b].loss) };
    (0..learned.len()).min_by(by_loss).unwrap_or(0)
}
