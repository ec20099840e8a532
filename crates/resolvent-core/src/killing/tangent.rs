//! Dead within δ of a plane through neighbouring data.

use nalgebra::{DMatrix, SymmetricEigen};
use rayon::prelude::*;

use super::{KillingRule, Memory, crossing};
use crate::error::{Error, Result, at_least, dimension, positive};
use crate::killed::{KilledDiffusion, LocallyBrownian, distance_squared};
use crate::measure::EmpiricalMeasure;
use crate::random::Stream;
use crate::sampler::Local;

/// Below this share of the largest a variance counts as zero: the neighbours do not fill that direction.
const DEGENERATE: f64 = 1e-12;

/// Dead within `delta` of the support as its tangent planes have it: the plug-in rule for a sample of a law on a smooth support, of
/// which [`DistanceToData`](super::DistanceToData) misses what lies between the points.
///
/// Each datum carries a patch: the affine plane through the mean of its `neighbours` nearest data (itself among them) along the
/// leading `intrinsic` directions of their principal components, as far from the mean as the neighbours reach along the plane
/// (local principal components: Kambhatla and Leen 1997, Neural Comput. 9:1493). The distance to the support is taken to be that to
/// the patch of the nearest datum. A patch with neighbours within h of their mean is off a support of curvature κ by κ h²/2 or so:
/// `delta` should be above that.
///
/// Where the neighbours do not span so many directions (data that coincide, or lie on a line) the patch has as many as they span; if
/// they all coincide it is the datum, and the rule is that of the distance to the data. Weights of the data are not looked at.
#[derive(Debug, Clone)]
pub struct TangentPlane {
    data: EmpiricalMeasure,
    delta: f64,
    patches: Vec<Patch>,
}

/// A disc of a plane.
#[derive(Debug, Clone)]
struct Patch {
    /// The mean of the neighbours (d).
    centre: Vec<f64>,
    /// Orthonormal directions (rows of d).
    directions: Vec<f64>,
    /// The radius.
    reach: f64,
}

impl TangentPlane {
    /// Death within `delta` > 0 (length) of the patches of `data` of the dimension `intrinsic` >= 1, each from its `neighbours`
    /// nearest data, more than `intrinsic` of them.
    ///
    /// # Errors
    /// If `delta` is not positive and finite, the data are not of the dimension of `process` or fewer than the neighbours, there are
    /// too few neighbours, or the support has not codimension two at least.
    pub fn new(
        process: &dyn KilledDiffusion,
        data: EmpiricalMeasure,
        delta: f64,
        neighbours: usize,
        intrinsic: usize,
    ) -> Result<Self> {
        let dim = process.dim();
        dimension("data", dim, data.dim())?;
        at_least("intrinsic", 1, intrinsic)?;
        if intrinsic + 2 > dim {
            return Err(Error::NotPolar { codimension: dim.saturating_sub(intrinsic) });
        }
        at_least("neighbours", intrinsic + 1, neighbours)?;
        at_least("data", neighbours, data.len())?;
        let delta = positive("delta", delta)?;
        let patch = |i| Patch::around(&data, i, neighbours, intrinsic);
        let patches = (0..data.len()).into_par_iter().map(patch).collect();
        Ok(Self { data, delta, patches })
    }

    /// The distance from `x` (d) to the patch of the datum nearest to it (length).
    pub fn distance(&self, x: &[f64]) -> f64 {
        let mut nearest = (f64::INFINITY, 0);
        for i in 0..self.data.len() {
            let squared = distance_squared(x, self.data.point(i));
            if squared < nearest.0 {
                nearest = (squared, i);
            }
        }
        self.patches[nearest.1].distance(x)
    }
}

impl Patch {
    fn around(data: &EmpiricalMeasure, i: usize, neighbours: usize, intrinsic: usize) -> Self {
        let (d, x) = (data.dim(), data.point(i));
        let mut order: Vec<(f64, usize)> =
            (0..data.len()).map(|j| (distance_squared(x, data.point(j)), j)).collect();
        // Ties are broken by the index, so that the patch is one and the same on any machine.
        let closer = |a: &(f64, usize), b: &(f64, usize)| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1));
        if neighbours < order.len() {
            order.select_nth_unstable_by(neighbours - 1, closer);
            order.truncate(neighbours);
        }
        order.sort_unstable_by(closer);
        let mut centred = DMatrix::from_fn(d, neighbours, |row, k| data.point(order[k].1)[row]);
        let centre = centred.column_mean();
        centred.column_iter_mut().for_each(|mut y| y -= &centre);
        // The products of the neighbours with each other have the eigenvalues of their covariance, and are few.
        let eigen = SymmetricEigen::new(centred.tr_mul(&centred));
        let mut ranked: Vec<usize> = (0..neighbours).collect();
        ranked.sort_by(|a, b| eigen.eigenvalues[*b].total_cmp(&eigen.eigenvalues[*a]));
        let largest = eigen.eigenvalues[ranked[0]];
        let filled = |k: &usize| eigen.eigenvalues[*k] > DEGENERATE * largest;
        let kept: Vec<usize> = ranked.into_iter().take(intrinsic).filter(filled).collect();
        let mut directions = Vec::with_capacity(kept.len() * d);
        for k in kept {
            let direction = (&centred * eigen.eigenvectors.column(k)).normalize();
            directions.extend_from_slice(direction.as_slice());
        }
        let patch = Self { centre: centre.as_slice().to_vec(), directions, reach: 0.0 };
        let along = |k: usize| patch.parts(data.point(order[k].1)).0;
        let reach = (0..neighbours).map(along).fold(0.0, f64::max);
        Self { reach, ..patch }
    }

    /// How far `x` is from the centre along the plane, and how far from the plane.
    fn parts(&self, x: &[f64]) -> (f64, f64) {
        let mut along = 0.0;
        for direction in self.directions.chunks_exact(x.len()) {
            let parts = direction.iter().zip(x.iter().zip(&self.centre));
            along += parts.map(|(u, (x, c))| u * (x - c)).sum::<f64>().powi(2);
        }
        let squared = distance_squared(x, &self.centre);
        (along.sqrt(), (squared - along).max(0.0).sqrt())
    }

    fn distance(&self, x: &[f64]) -> f64 {
        let (along, off) = self.parts(x);
        off.hypot((along - self.reach).max(0.0))
    }
}

impl<P: LocallyBrownian + ?Sized> KillingRule<P> for TangentPlane {
    fn kills(&self, memory: &mut Memory, at: &Local<'_, P>, rng: &mut Stream) -> bool {
        crossing::entered(memory, self.distance(at.point), self.delta, at, rng)
    }

    fn longest_step(&self, memory: &Memory, at: &Local<'_, P>) -> f64 {
        crossing::longest_step(memory[0], self.delta, at)
    }
}
