//! Completion by replacing what is known at every level of noise.

use std::ops::ControlFlow;

use anyhow::Result;
use nalgebra::DMatrix;
use rand::RngExt;
use resolvent::core::horizon::{Observation, ddim};
use resolvent::core::random::{Purpose, stream};
use resolvent::core::schedule::{Grid, Schedule, diffuse, prior};
use resolvent::core::{Denoiser, HorizonSampler};

use super::Known;
use crate::interrupt;

/// Images that go through a network together.
const TOGETHER: usize = 32;

/// Inpainting with a model of whole images (Song et al. 2021, appendix I.2, with ancestral steps as the predictor and no corrector):
/// from the prior of `schedule` in `steps` steps of equal length in time down to time `end` and a last denoising; before each step
/// the known pixels become draws of what the forward process makes of their values at that level. One image for each column of the
/// known values (d x n); particle i draws from stream i of seeds made of `seed`.
pub(crate) fn replacement(
    schedule: &dyn Schedule,
    denoiser: &dyn Denoiser,
    known: &Known<'_>,
    (steps, end): (usize, f64),
    seed: u64,
) -> Result<DMatrix<f64>> {
    let (d, n) = known.values.shape();
    let grid = Grid::uniform_time(schedule, steps, end)?;
    let mut points = prior(schedule, d, n, seed);
    let replace = |points: &mut DMatrix<f64>, by: &DMatrix<f64>| {
        for (k, known) in known.pixels.iter().enumerate() {
            if *known {
                points.row_mut(k).copy_from(&by.row(k));
            }
        }
    };
    let observer = |_: &Observation<'_>| {
        if interrupt::requested() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    for (k, levels) in grid.levels().windows(2).enumerate() {
        let mut seeds = stream(seed, Purpose::Experiment, k as u64);
        replace(&mut points, &diffuse(&levels[0], known.values, seeds.random()));
        let mut scheme = ddim(&Grid::new(levels.to_vec())?, 1.0)?;
        if k + 1 == grid.steps() {
            scheme = scheme.final_denoise();
        }
        let method = scheme.with(denoiser);
        let sampler = HorizonSampler::new(&method).batch(TOGETHER);
        points = sampler.run_observed(&points, seeds.random(), &observer)?.points;
    }
    replace(&mut points, known.values);
    Ok(points)
}

#[cfg(test)]
mod tests {
    use super::*;
    use resolvent::core::EmpiricalMeasure;
    use resolvent::core::schedule::VpLinear;

    /// The known coordinate belongs to one of three points, and the other coordinate is that point's.
    #[test]
    fn what_is_known_stays_and_the_rest_belongs_to_it() {
        let data = DMatrix::from_column_slice(2, 3, &[1.0, 1.0, -1.0, -0.5, -1.0, -1.5]);
        let measure = EmpiricalMeasure::new(data).unwrap();
        let values = DMatrix::from_fn(2, 200, |row, _| if row == 0 { 1.0 } else { 9.0 });
        let known = Known { pixels: &[true, false], values: &values };
        let ends = replacement(&VpLinear::default(), &measure, &known, (100, 1e-3), 1).unwrap();
        assert!(ends.row(0).iter().all(|x| *x == 1.0));
        let right = ends.row(1).iter().filter(|x| (*x - 1.0).abs() < 0.05).count();
        assert!(right > 170, "{right}");
    }
}
