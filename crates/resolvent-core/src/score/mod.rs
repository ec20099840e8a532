//! Spatial scores: ∇ log u without a time, in the form g (D - x) (R19).

mod angle;
mod circle;
mod empirical;
mod field;
mod grid;
mod kernel;
mod near;
pub mod perturbed;
mod posterior;
pub(crate) mod products;
mod smoothed;
mod sphere;
pub(crate) mod stream;

pub use circle::CircleScore;
pub use empirical::EmpiricalScore;
pub use field::VectorField;
pub use grid::{GridScore, Lattice};
pub use kernel::KernelScore;
pub use smoothed::SmoothedScore;
pub use sphere::SphereScore;

/// A spatial score s = ∇ log u on R^d in the form s(x) = g(x) v(x) with a gain g > 0 and a displacement v = D(x) - x
/// to a denoised point D (R19).
///
/// The factorisation says how far the data are (the gain is that of a single atom at the distance ρ_g) and where (the
/// displacement), and neither part explodes when the product does.
pub trait Score: Sync {
    /// Dimension d.
    fn dim(&self) -> usize;

    /// Writes gains (n) and displacements (n rows of d) at `points` (n rows of d). The value at a point does not
    /// depend on the other points of the batch.
    fn evaluate(&self, points: &[f64], gains: &mut [f64], displacements: &mut [f64]);
}

/// A score that knows the data behind it: the law of the end point given the present point can be drawn from.
pub trait PosteriorScore: Score {
    /// As [`Score::evaluate`], and for every point the index of an end point drawn from the posterior (R10) with the
    /// help of `uniforms` (n numbers in [0, 1)).
    fn evaluate_and_draw(
        &self,
        points: &[f64],
        uniforms: &[f64],
        gains: &mut [f64],
        displacements: &mut [f64],
        atoms: &mut [usize],
    );

    /// The coordinates of end point `atom`, of length d.
    fn atom(&self, atom: usize) -> &[f64];
}
