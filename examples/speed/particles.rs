//! 100,000 particles through 1,000 Euler-Maruyama steps of the reverse SDE of a mixture of 25 Gaussians in the plane.

use nalgebra::DMatrix;
use resolvent::core::GaussianMixture;
use resolvent::core::horizon::{HorizonSampler, euler_maruyama};
use resolvent::core::schedule::{Grid, VpLinear, prior};

use crate::{Options, Report, Result};

const PARTICLES: usize = 100_000;
const STEPS: usize = 1_000;
const END: f64 = 1e-3;
const SIDE: usize = 5;
const SPACING: f64 = 2.0;
const DEVIATION: f64 = 0.1;

pub(crate) fn run(options: &Options) -> Result<Report> {
    let count = SIDE * SIDE;
    let place = |k: usize| SPACING * (k as f64 - (SIDE - 1) as f64 / 2.0);
    let means = DMatrix::from_fn(2, count, |i, k| place(if i == 0 { k % SIDE } else { k / SIDE }));
    let law = GaussianMixture::isotropic(&vec![1.0; count], means, &vec![DEVIATION; count])?;
    let schedule = VpLinear::default();
    let starts = prior(&schedule, 2, PARTICLES, 1);
    let table = euler_maruyama(&schedule, &Grid::uniform_time(&schedule, STEPS, END)?)?;
    let (scheme, mut ends) = (table.with(&law), DMatrix::zeros(2, 0));
    let mut failure = None;
    let seconds = options.fastest(|| match HorizonSampler::new(&scheme).run(&starts, 1) {
        Ok(ensemble) => ends = ensemble.points,
        Err(error) => failure = Some(error),
    });
    if let Some(error) = failure {
        return Err(error.into());
    }
    let mut cells = vec![0.0; count];
    for x in ends.column_iter() {
        let cell =
            |x: f64| (x / SPACING + (SIDE - 1) as f64 / 2.0).round().clamp(0.0, (SIDE - 1) as f64) as usize;
        cells[cell(x[0]) + SIDE * cell(x[1])] += 1.0;
    }
    let (n, share) = (PARTICLES as f64, 1.0 / count as f64);
    let deviation = (share * (1.0 - share) / n).sqrt();
    // The largest deviation of a cell's share, in standard errors.
    let error = cells.iter().map(|cell| (cell / n - share).abs() / deviation).fold(0.0, f64::max);
    Ok(Report {
        rate: n * STEPS as f64 / seconds,
        unit: "particle steps",
        error: Some(error),
        more: Vec::new(),
    })
}
