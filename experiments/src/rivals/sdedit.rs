//! Noise, and back from there.

use std::ops::ControlFlow;

use anyhow::Result;
use nalgebra::DMatrix;
use resolvent::core::horizon::{Observation, ddim};
use resolvent::core::schedule::{Grid, Schedule, diffuse};
use resolvent::core::{Denoiser, Ensemble, HorizonSampler};

use crate::interrupt;

/// Images that go through a network together.
const TOGETHER: usize = 32;

/// SDEdit (Meng et al. 2022, algorithm 1): the columns of `inputs` (d x n) are carried to the level of `schedule` at which σ/α is
/// `ratio`, and back by the reverse SDE in `steps` steps of equal length in time, ancestral ones, down to time `end` and a last
/// denoising. Particle i draws from stream i of `seed`.
pub(crate) fn sdedit(
    schedule: &dyn Schedule,
    denoiser: &dyn Denoiser,
    inputs: &DMatrix<f64>,
    ratio: f64,
    (steps, end): (usize, f64),
    seed: u64,
) -> Result<Ensemble> {
    let start = schedule.time_of_ratio(ratio);
    let share = |k: usize| k as f64 / steps as f64;
    let times: Vec<f64> = (0..=steps).map(|k| start * (1.0 - share(k)) + end * share(k)).collect();
    let grid = Grid::from_times(schedule, &times)?;
    let starts = diffuse(grid.start(), inputs, seed);
    let scheme = ddim(&grid, 1.0)?.final_denoise();
    let observer = |_: &Observation<'_>| {
        if interrupt::requested() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    Ok(HorizonSampler::new(&scheme.with(denoiser)).batch(TOGETHER).run_observed(&starts, seed, &observer)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use resolvent::core::EmpiricalMeasure;
    use resolvent::core::schedule::{Ve, VpLinear};

    /// From little noise an image comes back to the datum beside it, from much to any.
    #[test]
    fn little_noise_is_undone_and_much_forgets() {
        let data = DMatrix::from_column_slice(2, 2, &[1.0, 0.0, -1.0, 0.0]);
        let measure = EmpiricalMeasure::new(data).unwrap();
        let inputs = DMatrix::from_fn(2, 400, |i, _| [1.0, 0.1][i]);
        let schedules: [(&dyn Schedule, f64); 2] = [(&VpLinear::default(), 1e-3), (&Ve::default(), 1e-5)];
        for (schedule, end) in schedules {
            let kept = |ratio: f64| {
                let ends = sdedit(schedule, &measure, &inputs, ratio, (60, end), 1).unwrap().points;
                ends.column_iter().filter(|x| x[0] > 0.0).count() as f64 / 400.0
            };
            assert!(kept(0.2) > 0.99);
            assert!((0.4..0.75).contains(&kept(5.0)), "{}", kept(5.0));
        }
    }
}
