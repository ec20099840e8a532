//! Killed diffusions simulated forward to their death.
//!
//! | | process | rate | error |
//! |---|---|---|---|
//! | [`draw_deaths`] | whose death can be drawn | | none |
//! | [`Thinning`] | of Gaussian transitions | any below a bound | none |
//! | [`EulerDeaths`] | any | any | of the order of the step |

mod euler;
mod thinning;

pub use euler::EulerDeaths;
pub use thinning::Thinning;

use nalgebra::DMatrix;
use rayon::prelude::*;

use super::ExactDeath;
use crate::error::{Error, Result, dimension, finite};
use crate::random::{Purpose, Stream, stream};
use crate::sampler::{Ensemble, Exit};

/// The deaths of particles of `process` started in the columns of `starts` (d x n), drawn without a time step. Particle i draws
/// from stream i of `seed`.
///
/// # Errors
/// If `starts` has not d rows or is not finite, or the process does not die.
pub fn draw_deaths<P: ExactDeath + ?Sized>(
    process: &P,
    starts: &DMatrix<f64>,
    seed: u64,
) -> Result<Ensemble> {
    run(process.dim(), starts, seed, |place, rng| {
        let start = place.to_vec();
        let time = process.death_into(&start, rng, place);
        if time == f64::INFINITY {
            return Err(Error::Immortal);
        }
        Ok(End { time, evaluations: 1, exit: Exit::Killed { rule: 0 } })
    })
}

/// How one particle ended.
struct End {
    time: f64,
    evaluations: usize,
    exit: Exit,
}

/// Runs `live` on every particle: it is handed the start and the particle's stream and leaves the place of death. If it fails
/// for some, the error of the first of them is returned.
fn run(
    dim: usize,
    starts: &DMatrix<f64>,
    seed: u64,
    live: impl Fn(&mut [f64], &mut Stream) -> Result<End> + Sync,
) -> Result<Ensemble> {
    dimension("starts", dim, starts.nrows())?;
    finite("starts", starts)?;
    let mut points = starts.clone();
    let ends: Vec<Result<End>> = points
        .as_mut_slice()
        .par_chunks_mut(dim)
        .enumerate()
        .map(|(i, place)| live(place, &mut stream(seed, Purpose::Forward, i as u64)))
        .collect();
    let ends = ends.into_iter().collect::<Result<Vec<End>>>()?;
    Ok(Ensemble {
        points,
        lifetimes: ends.iter().map(|e| e.time).collect(),
        evaluations: ends.iter().map(|e| e.evaluations).collect(),
        exits: ends.iter().map(|e| e.exit).collect(),
        rules: vec!["death".to_owned()],
        paths: Vec::new(),
    })
}
