//! The codimension of the support of the data, from scores beside it.

use nalgebra::{DMatrix, DVector};
use rand::RngExt;
use rand_distr::StandardNormal;

use crate::error::{Result, at_least, dimension, positive};
use crate::random::{Purpose, stream};
use crate::score::Score;

/// Singular values are of two kinds where neighbours differ by more than this factor.
const GAP: f64 = 2.0;

/// |x - x*| |s(x)| + 2 with the distance |x - x*| to the support: it tends to the codimension c as x nears a smooth support
/// with c >= 3, where |s| ~ (c - 2)/|x - x*|. Rounded to the next whole number it is an estimate of c. At c = 2 the excess over
/// 2 goes to zero only like 1/log(1/distance), and at c = 1 it tends to 2 as well, so that a result of 2 means at most 2.
///
/// Nothing but the displacement v = D - x of a [`Score`] need be known: |v| stands for the distance, which near the support
/// it approaches.
pub fn codimension_by_norm(distance: f64, score_norm: f64) -> f64 {
    distance * score_norm + 2.0
}

/// The singular values (descending; min(d, n) of them) of the n x d matrix of the directions s/|s| at n = `samples`
/// places x + radius · N/√d, N standard normal, divided by √n: their squares add up to one. Near a smooth support the directions
/// fill its normal space alone, up to a tilt of the order of radius times curvature (Stanczuk, Batzolis, Deveney and
/// Schönlieb 2022).
///
/// `centre` (d) should lie on the support or nearer to it than `radius`; `samples` several times d. Place i is drawn from
/// stream i of `seed`. A place where the score is zero or not finite counts as a direction of length zero.
///
/// # Errors
/// If `centre` has not the dimension of the score, `radius` is not positive, or there are fewer than d samples.
pub fn score_singular_values(
    score: &dyn Score,
    centre: &[f64],
    radius: f64,
    samples: usize,
    seed: u64,
) -> Result<DVector<f64>> {
    let d = score.dim();
    dimension("centre", d, centre.len())?;
    let spread = positive("radius", radius)? / (d as f64).sqrt();
    at_least("samples", d, samples)?;
    let mut places = DMatrix::zeros(d, samples);
    for (i, mut place) in places.column_iter_mut().enumerate() {
        let mut rng = stream(seed, Purpose::Probe, i as u64);
        for (place, centre) in place.iter_mut().zip(centre) {
            *place = centre + spread * rng.sample::<f64, _>(StandardNormal);
        }
    }
    let (mut gains, mut directions) = (vec![0.0; samples], DMatrix::zeros(d, samples));
    score.evaluate(places.as_slice(), &mut gains, directions.as_mut_slice());
    let unit = 1.0 / (samples as f64).sqrt();
    for (gain, mut direction) in gains.iter().zip(directions.column_iter_mut()) {
        let length = direction.norm();
        let is_direction = length > 0.0 && length.is_finite() && gain.is_finite();
        direction.iter_mut().for_each(|v| *v = if is_direction { *v / length * unit } else { 0.0 });
    }
    Ok(directions.singular_values())
}

/// How many of the singular values (descending) are large: the position of the largest ratio of neighbours, which estimates
/// the codimension. Where no ratio exceeds 2 all are of one kind, and the score fills all of space.
pub fn codimension_by_gap(singular_values: &[f64]) -> usize {
    let largest = singular_values.first().copied().unwrap_or(0.0);
    // Rounding is no gap.
    let floor = largest * f64::EPSILON * singular_values.len() as f64;
    let ratio = |k: &usize| singular_values[*k].max(floor) / singular_values[*k + 1].max(floor);
    let best = (0..singular_values.len().saturating_sub(1)).max_by(|a, b| ratio(a).total_cmp(&ratio(b)));
    match best {
        Some(k) if ratio(&k) > GAP => k + 1,
        _ => singular_values.len(),
    }
}
