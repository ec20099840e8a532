//! Places beside a sphere, and what scores say there about its codimension.

use anyhow::Result;
use nalgebra::DMatrix;
use rand::{Rng, RngExt};
use rand_distr::StandardNormal;
use rayon::prelude::*;
use resolvent::core::Score;
use resolvent::core::occupation::{codimension_by_gap, codimension_by_norm, score_singular_values};
use resolvent::core::random::{Purpose, stream};
use resolvent::metrics;

use super::Settings;

/// Where to look: the unit sphere S^k in the first k + 1 coordinates of R^d.
pub(super) struct Places {
    k: usize,
    d: usize,
    scores: usize,
    seed: u64,
}

/// One codimension for each place.
pub(super) struct Estimates {
    /// |v||s| + 2.
    pub(super) by_norm: Vec<f64>,
    /// dist |s| + 2 with the true distance to the sphere.
    pub(super) by_distance: Vec<f64>,
    /// The number of large singular values.
    pub(super) by_gap: Vec<f64>,
}

impl Places {
    pub(super) fn new(k: usize, d: usize, settings: &Settings, seed: u64) -> Result<Self> {
        Ok(Self { k, d, scores: settings.scores_per_dim * d, seed })
    }

    /// A uniform point on the sphere, number `i`.
    pub(super) fn on_sphere(&self, i: usize) -> Vec<f64> {
        let mut rng = self.stream(2 * i as u64);
        let mut out = vec![0.0; self.d];
        unit(&mut out[..=self.k], &mut rng);
        out
    }

    /// The estimates at `distance` from every foot (a point of the sphere): by the norm at one place in a random direction of the
    /// normal space, by singular values around the foot.
    pub(super) fn estimates(&self, score: &dyn Score, feet: &[Vec<f64>], distance: f64) -> Result<Estimates> {
        let all: Vec<[f64; 3]> = feet
            .par_iter()
            .enumerate()
            .map(|(i, foot)| {
                let mut rng = self.stream(2 * i as u64 + 1);
                // A direction of the normal space: along the foot, or off the space of the sphere.
                let mut normal = vec![0.0; self.d - self.k];
                unit(&mut normal, &mut rng);
                let mut place: Vec<f64> = foot.iter().map(|y| y * (1.0 + distance * normal[0])).collect();
                place[self.k + 1..].iter_mut().zip(&normal[1..]).for_each(|(x, n)| *x += distance * n);
                let (mut gain, mut displacement) = ([0.0], vec![0.0; self.d]);
                score.evaluate(&place, &mut gain, &mut displacement);
                let length = displacement.iter().map(|v| v * v).sum::<f64>().sqrt();
                let values = score_singular_values(
                    score,
                    foot,
                    distance,
                    self.scores,
                    self.seed.wrapping_add(i as u64),
                )?;
                Ok([
                    codimension_by_norm(length, gain[0] * length),
                    codimension_by_norm(distance, gain[0] * length),
                    codimension_by_gap(values.as_slice()) as f64,
                ])
            })
            .collect::<Result<_>>()?;
        let part = |k: usize| all.iter().map(|e| e[k]).collect();
        Ok(Estimates { by_norm: part(0), by_distance: part(1), by_gap: part(2) })
    }

    fn stream(&self, index: u64) -> impl Rng + use<> {
        stream(self.seed, Purpose::Experiment, (self.d as u64) << 32 | index)
    }
}

/// The median and the least distance from the first `count` points (d x n) to their nearest neighbours.
pub(super) fn spacing(points: &DMatrix<f64>, count: usize) -> Result<(f64, f64)> {
    let mut gaps: Vec<f64> = (0..count)
        .into_par_iter()
        .map(|i| {
            let others = (0..points.ncols()).filter(|&j| j != i);
            others.map(|j| (points.column(i) - points.column(j)).norm()).fold(f64::INFINITY, f64::min)
        })
        .collect();
    gaps.sort_by(f64::total_cmp);
    Ok((metrics::quantile(&gaps, 0.5)?, gaps[0]))
}

/// A uniform direction.
fn unit(out: &mut [f64], rng: &mut impl Rng) {
    out.iter_mut().for_each(|x| *x = rng.sample(StandardNormal));
    let norm = out.iter().map(|x| x * x).sum::<f64>().sqrt();
    out.iter_mut().for_each(|x| *x /= norm);
}
