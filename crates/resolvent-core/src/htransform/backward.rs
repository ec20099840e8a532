//! The backward process of an h-transform: its representing measure and its starts.

use nalgebra::DMatrix;
use rand::distr::{Distribution, weighted::WeightedIndex};
use rayon::prelude::*;

use super::HTransform;
use crate::error::{Error, Result, dimension, finite};
use crate::measure::EmpiricalMeasure;
use crate::random::{Purpose, Stream, stream};

/// R9: the representing measure α_i/h(y_i) of the backward process of Z^h from the data `alpha`. It has mass one here.
///
/// # Errors
/// If the dimensions differ, or h is infinite at a datum: Z^h would die where it starts.
pub fn backward_measure(
    transform: &(impl HTransform + ?Sized),
    alpha: &EmpiricalMeasure,
) -> Result<EmpiricalMeasure> {
    off_support(transform, alpha).and_then(|log_h| {
        let log_weights: Vec<f64> = alpha.log_weights().iter().zip(log_h).map(|(w, h)| w - h).collect();
        EmpiricalMeasure::log_weighted(alpha.points().clone(), &log_weights)
    })
}

/// R9b: `n` starts of the backward process (d x n), that is places where Z^h from `alpha` dies, and the lifetimes (n) that led
/// there. Start i draws a datum and the death from it from stream i of `seed`.
///
/// # Errors
/// If the dimensions differ, h is infinite at a datum, or Z^h does not die.
pub fn backward_starts(
    transform: &(impl HTransform + ?Sized),
    alpha: &EmpiricalMeasure,
    n: usize,
    seed: u64,
) -> Result<(DMatrix<f64>, Vec<f64>)> {
    off_support(transform, alpha)?;
    let datum = WeightedIndex::new(alpha.log_weights().iter().map(|w| w.exp())).expect("a measure has mass");
    draw(transform, n, Purpose::Start, seed, |_, rng| alpha.point(datum.sample(rng)))
}

/// R7: the places of death (d x n) and lifetimes (n) of Z^h from the columns of `starts` (d x n); particle i draws from stream
/// i of `seed`.
///
/// # Errors
/// If `starts` has not d rows or is not finite, or Z^h does not die.
pub fn deaths(
    transform: &(impl HTransform + ?Sized),
    starts: &DMatrix<f64>,
    seed: u64,
) -> Result<(DMatrix<f64>, Vec<f64>)> {
    let d = transform.dim();
    dimension("starts", d, starts.nrows())?;
    finite("starts", starts)?;
    let rows = starts.as_slice();
    draw(transform, starts.ncols(), Purpose::Forward, seed, |i, _| &rows[i * d..(i + 1) * d])
}

fn draw<'a>(
    transform: &(impl HTransform + ?Sized),
    n: usize,
    purpose: Purpose,
    seed: u64,
    start: impl Fn(usize, &mut Stream) -> &'a [f64] + Sync,
) -> Result<(DMatrix<f64>, Vec<f64>)> {
    let d = transform.dim();
    let mut places = DMatrix::zeros(d, n);
    let lifetimes: Vec<f64> = places
        .as_mut_slice()
        .par_chunks_mut(d)
        .enumerate()
        .map(|(i, out)| {
            let mut rng = stream(seed, purpose, i as u64);
            let x = start(i, &mut rng);
            transform.death_into(x, &mut rng, out)
        })
        .collect();
    if lifetimes.contains(&f64::INFINITY) { Err(Error::Immortal) } else { Ok((places, lifetimes)) }
}

/// log h at the data, finite at all of them.
fn off_support(transform: &(impl HTransform + ?Sized), alpha: &EmpiricalMeasure) -> Result<Vec<f64>> {
    dimension("data", transform.dim(), alpha.dim())?;
    let mut gradient = vec![0.0; alpha.dim()];
    (0..alpha.len())
        .map(|index| match transform.log_value_and_gradient(alpha.point(index), &mut gradient) {
            f64::INFINITY => {
                Err(Error::OnSupport { name: "datum", index, support: "the representing measure" })
            }
            log_h => Ok(log_h),
        })
        .collect()
}
