//! The forward path of an h-transform, as the sampler runs it.

use super::HTransform;
use crate::error::{Result, dimension, positive};
use crate::killed::{LocallyBrownian, Resolvent};
use crate::score::Score;

/// ∇ log(h m): with it in place of ∇ log u the reverse drift R1 is that of Z^h, b + Σ ∇ log h, since Σ ∇ log m = 2b - div Σ for
/// a process that is symmetric with respect to m. So the [sampler](crate::Sampler) runs Z^h forward, outside the support of κ.
///
/// Its scale is that of a single atom with the gradient ∇ log h, as in [`VectorField`](crate::score::VectorField). For
/// Brownian motion and atoms [`EmpiricalScore`](crate::EmpiricalScore) of κ is the same with the scale of the atoms themselves.
#[derive(Debug, Clone, Copy)]
pub struct TransformScore<'a, P: ?Sized, H: ?Sized> {
    process: &'a P,
    transform: &'a H,
    farthest: f64,
}

impl<'a, P: Resolvent + LocallyBrownian + ?Sized, H: HTransform + ?Sized> TransformScore<'a, P, H> {
    /// The forward path of `process` conditioned by `transform`; `farthest` > 0 is the length taken where ∇ log h is too small
    /// to tell one.
    ///
    /// # Errors
    /// If the dimensions differ, or `farthest` is not positive and finite.
    pub fn new(process: &'a P, transform: &'a H, farthest: f64) -> Result<Self> {
        dimension("h", process.dim(), transform.dim())?;
        Ok(Self { process, transform, farthest: positive("farthest", farthest)? })
    }
}

impl<P: Resolvent + LocallyBrownian + ?Sized, H: HTransform + ?Sized> Score for TransformScore<'_, P, H> {
    fn dim(&self) -> usize {
        self.transform.dim()
    }

    fn evaluate(&self, points: &[f64], gains: &mut [f64], displacements: &mut [f64]) {
        let d = self.dim();
        let green = self.process.brownian().green();
        let mut reference = vec![0.0; d];
        for ((x, v), gain) in points.chunks_exact(d).zip(displacements.chunks_exact_mut(d)).zip(gains) {
            self.transform.log_value_and_gradient(x, v);
            let norm = v.iter().map(|s| s * s).sum::<f64>().sqrt();
            *gain = green.gain(green.radius_of_score(norm).min(self.farthest));
            self.process.log_measure_and_gradient(x, &mut reference);
            v.iter_mut().zip(&reference).for_each(|(v, m)| *v = (*v + m) / *gain);
        }
    }
}
