//! Data with a density: no rule that waits for a support can be right, and the hazard is.

use anyhow::Result;
use nalgebra::DMatrix;
use resolvent::core::density_ratio::{LogisticRegression, Polynomial};
use resolvent::core::killed::{GaussianOccupation, KilledLinear};
use resolvent::core::{FixedStep, KilledBrownianMotion, StepControl};
use resolvent::data::{GaussianMixture, Law};

use super::arena::Arena;
use super::judge::{Cell, Counter, Judge};
use super::places::mean_distance;
use super::rules::Rule;
use super::stepping::Stepping;
use super::units::Run;

const DIM: usize = 3;
/// Shares, and means along the first axis, of two round Gaussians.
const SHARES: [f64; 2] = [0.3, 0.7];
const MEANS: [f64; 2] = [-2.0, 2.0];
/// The rate: the killed process goes about 2 from the data, as on the supports.
const RATE: f64 = 0.75;
/// Error of log u.
const TOLERANCE: f64 = 1e-8;
/// Where hitting rules kill; the data are as wide as 1.
const DELTA: f64 = 0.1;
/// Degree of the polynomial whose coefficients the learned hazard has.
const DEGREE: usize = 4;
/// Apart from the particles' own data.
const LEARNING: u64 = 0x1656_67b1_0000_0003;
/// Cells of equal probability along the first axis.
const CELLS: usize = 16;

/// What the exact end law gives each cell.
pub(super) fn probabilities() -> Vec<f64> {
    vec![1.0 / CELLS as f64; CELLS]
}

/// All rules that exist here, with one step.
pub(super) fn measure(run: &Run<'_>, stepping: Stepping) -> Result<Vec<Cell>> {
    let Run { settings, context, seed } = *run;
    let means = DMatrix::from_fn(DIM, SHARES.len(), |i, k| if i == 0 { MEANS[k] } else { 0.0 });
    let round = vec![DMatrix::identity(DIM, DIM); SHARES.len()];
    let law = GaussianMixture::new(&SHARES, means.clone(), round.clone())?;
    let process = KilledBrownianMotion::new(DIM, 1.0, RATE)?;
    let mixture = resolvent::core::GaussianMixture::new(&SHARES, means, round)?;
    let occupation = GaussianOccupation::new(&KilledLinear::brownian(&process)?, mixture, TOLERANCE)?;
    let (starts, _) = process.deaths(&law.sample(settings.mixture_particles, seed), seed)?;

    let n = settings.hazard_samples;
    let all = law.sample(2 * n, seed ^ LEARNING);
    let data = all.columns(0, n).into_owned();
    let (killed, _) = process.deaths(&all.columns(n, n).into_owned(), seed ^ LEARNING)?;
    let ratio = LogisticRegression::new(Polynomial::new(DEGREE, &killed)?).fit(&data, &killed)?;

    let hazard = |x: &[f64]| occupation.log_hazard(x);
    let learned_hazard = |x: &[f64]| RATE.ln() + ratio.value(x);
    let counter: Counter<'_> = Box::new(|points: &DMatrix<f64>| {
        let cell = |x: f64| ((CELLS as f64 * law.marginal_cdf(0, x)) as usize).min(CELLS - 1);
        let cells: Vec<usize> = points.row(0).iter().map(|x| cell(*x)).collect();
        Ok(resolvent::metrics::counts(&cells, CELLS)?)
    });
    let judge = Judge {
        reference: run.reference(&law, settings.reference),
        scale: mean_distance(&law),
        delta: DELTA,
        rate: RATE,
        support: None,
        counter: Some(counter),
    };
    // Independent draws, the end law over all starts being the data law.
    let ends = law.sample(settings.mixture_particles, !seed);
    let mut cells = vec![judge.floor(&starts, &ends, None)?];
    let control = FixedStep::new(settings.mixture_dt)?;
    let sample = run.plugged_in(&law)?;
    let arena = Arena {
        process: &process,
        score: &occupation,
        posterior: None,
        heeds_spread: true,
        stepping,
        control: (stepping == Stepping::Euler).then_some(&control as &dyn StepControl),
        sample: &sample,
        support: None,
        oracle: None,
        hazard: Some(&hazard),
        learned_hazard: Some(&learned_hazard),
        codimension: DIM,
        planes: 1,
        from: None,
        caps: (settings.cap, settings.control_cap),
        starts: &starts,
        judge: &judge,
        settings,
        context,
        seed,
    };
    let rules: &[Rule] = if stepping == Stepping::Euler { &Rule::ALL } else { &[Rule::Lifetime] };
    cells.extend(arena.all(rules)?);
    Ok(cells)
}
