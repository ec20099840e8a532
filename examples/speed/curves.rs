//! Time and memory against the sizes of the work, with fitted exponents.

use nalgebra::DMatrix;
use resolvent::core::horizon::{HorizonSampler, euler_maruyama};
use resolvent::core::random::{Purpose, stream};
use resolvent::core::schedule::{Grid, VpLinear, prior};
use resolvent::core::score::SinglePrecisionScore;
use resolvent::core::step::Bridge;
use resolvent::core::{
    EmpiricalMeasure, EmpiricalScore, GaussianMixture, KilledBrownianMotion, Sampler, ScoreAdaptive,
};
use serde_json::{Value, json};

use crate::memory::working_set;
use crate::{Options, Result};

const POINTS: [usize; 5] = [128, 256, 512, 1_024, 2_048];
const DATA: [usize; 5] = [1_000, 2_000, 4_000, 8_000, 16_000];
const DIMS: [usize; 6] = [2, 8, 32, 128, 512, 1_024];
const PARTICLES: [usize; 4] = [2_000, 4_000, 8_000, 16_000];

fn normals(d: usize, n: usize, index: u64) -> DMatrix<f64> {
    let mut values = DMatrix::zeros(d, n);
    stream(1, Purpose::Data, index).fill_normals(values.as_mut_slice());
    values
}

/// Seconds of the fastest run, and the bytes that the first one takes beyond its data.
fn measured<T>(
    options: &Options,
    mut work: impl FnMut() -> std::result::Result<T, resolvent::core::Error>,
) -> Result<(f64, f64)> {
    let mut failure = None;
    let mut run = || {
        if let Err(error) = work() {
            failure = Some(error);
        }
    };
    let bytes = working_set(&mut run).unwrap_or(f64::NAN);
    let seconds = options.fastest(&mut run);
    failure.map_or(Ok((seconds, bytes)), |error| Err(error.into()))
}

/// The kernel score of n points against m data in R^d.
fn score(options: &Options, n: usize, m: usize, d: usize) -> Result<(f64, f64)> {
    let process = KilledBrownianMotion::new(d, 1.0, 0.1)?;
    let (data, points) = (normals(d, m, 0), normals(d, n, 1));
    if options.single {
        let data = data.map(|y| y as f32);
        let score = SinglePrecisionScore::new(&process, data.as_slice())?;
        measured(options, || score.score(&points))
    } else {
        let score = EmpiricalScore::new(&process, EmpiricalMeasure::new(data)?)?;
        measured(options, || score.score(&points))
    }
}

/// So many particles backward to 200 atoms in R^8.
fn killed(options: &Options, particles: usize) -> Result<(f64, f64)> {
    let process = KilledBrownianMotion::new(8, 1.0, 0.05)?;
    let measure = EmpiricalMeasure::new(normals(8, 200, 0))?;
    let floor = 0.01 * measure.smallest_gap();
    let score = EmpiricalScore::new(&process, measure)?;
    let starts = normals(8, particles, 1) * 3.0;
    let (step, control) = (Bridge::new(&score), ScoreAdaptive::new(0.2, floor)?);
    let sampler = Sampler::new(&process, &step, &control);
    measured(options, || sampler.run(&starts, 1))
}

/// So many particles through 100 steps of the reverse SDE of a mixture of nine Gaussians in the plane.
fn horizon(options: &Options, particles: usize) -> Result<(f64, f64)> {
    let means = DMatrix::from_fn(2, 9, |i, k| 2.0 * (if i == 0 { k % 3 } else { k / 3 }) as f64 - 2.0);
    let law = GaussianMixture::isotropic(&[1.0; 9], means, &[0.1; 9])?;
    let schedule = VpLinear::default();
    let starts = prior(&schedule, 2, particles, 1);
    let table = euler_maruyama(&schedule, &Grid::uniform_time(&schedule, 100, 1e-3)?)?;
    let scheme = table.with(&law);
    measured(options, || HorizonSampler::new(&scheme).run(&starts, 1))
}

/// The sizes, seconds and bytes of a curve, and the exponent of the seconds: the slope of their logarithms from `from` on.
fn curve(
    name: &str,
    sizes: &[usize],
    from: usize,
    mut measure: impl FnMut(usize) -> Result<(f64, f64)>,
) -> Result<Value> {
    let values = sizes.iter().map(|&size| measure(size)).collect::<Result<Vec<_>>>()?;
    let chosen = sizes.iter().zip(&values).filter(|(size, _)| **size >= from);
    let logs: Vec<(f64, f64)> =
        chosen.map(|(size, (seconds, _))| ((*size as f64).ln(), seconds.ln())).collect();
    let n = logs.len() as f64;
    let mean = logs.iter().fold((0.0, 0.0), |sum, log| (sum.0 + log.0 / n, sum.1 + log.1 / n));
    let product =
        |of: fn(f64, f64) -> f64| logs.iter().map(|log| of(log.0 - mean.0, log.1 - mean.1)).sum::<f64>();
    Ok(json!({
        "axis": name, "sizes": sizes, "exponent": product(|x, y| x * y) / product(|x, _| x * x),
        "seconds": values.iter().map(|value| value.0).collect::<Vec<_>>(),
        "bytes": values.iter().map(|value| value.1).collect::<Vec<_>>(),
    }))
}

pub(crate) fn run(options: &Options) -> Result<Value> {
    Ok(json!([
        curve("points", &POINTS, 0, |n| score(options, n, 4_000, 64))?,
        curve("data", &DATA, 0, |m| score(options, 256, m, 64))?,
        // In few dimensions the distances are not what takes the time.
        curve("dimension", &DIMS, 128, |d| score(options, 256, 4_000, d))?,
        curve("particles, killed", &PARTICLES, 0, |n| killed(options, n))?,
        curve("particles, deterministic horizon", &PARTICLES, 0, |n| horizon(options, n))?,
    ]))
}
