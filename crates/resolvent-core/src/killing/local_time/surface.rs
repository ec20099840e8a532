//! What killing by local time needs to know of the support.

/// A hypersurface M that carries the data, with a density α_M with respect to its surface measure. In R^1 it is a set of
/// points, and α_M are their weights.
pub trait Hypersurface: Sync {
    /// The distance from `x` (d) to M, with a sign that says on which side `x` lies.
    fn signed_distance(&self, x: &[f64]) -> f64;

    /// q = α_M/u at the point of M nearest to `x` (d), the killing rate per unit of local time (length per time).
    fn rate(&self, x: &[f64]) -> f64;

    /// Moves `x` (d) to the nearest point of M.
    fn project(&self, x: &mut [f64]);

    /// The distance from the point of M nearest to `x` (d) to the next piece of M, infinite if there is none: a step that
    /// crosses both is not seen in the signed distance.
    fn gap(&self, _x: &[f64]) -> f64 {
        f64::INFINITY
    }
}

impl<H: Hypersurface + ?Sized> Hypersurface for Box<H> {
    fn signed_distance(&self, x: &[f64]) -> f64 {
        (**self).signed_distance(x)
    }

    fn rate(&self, x: &[f64]) -> f64 {
        (**self).rate(x)
    }

    fn project(&self, x: &mut [f64]) {
        (**self).project(x);
    }

    fn gap(&self, x: &[f64]) -> f64 {
        (**self).gap(x)
    }
}
