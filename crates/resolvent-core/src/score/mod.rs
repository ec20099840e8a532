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
mod single;
mod smoothed;
mod sphere;
pub(crate) mod stream;

pub use circle::CircleScore;
pub use empirical::EmpiricalScore;
pub use field::VectorField;
pub use grid::{GridScore, Lattice};
pub use kernel::KernelScore;
pub use single::SinglePrecisionScore;
pub use smoothed::SmoothedScore;
pub use sphere::SphereScore;

use nalgebra::DMatrix;
use rayon::prelude::*;

use crate::error::{Result, dimension};

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

    /// As [`evaluate`](Self::evaluate) for points that are asked about again and again on their way: `neighbours` (n) is what the score
    /// remembers of each, at first nothing. A score of data that remembers the nearest datum need look no further where that is the only one
    /// that counts. What was remembered of a point makes no difference beyond rounding, and that of other points none.
    fn evaluate_again(
        &self,
        points: &[f64],
        neighbours: &mut [Neighbour],
        gains: &mut [f64],
        displacements: &mut [f64],
    ) {
        let _ = neighbours;
        self.evaluate(points, gains, displacements);
    }
}

/// What a score of data remembers of a point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Neighbour {
    /// The nearest datum when the point was looked at.
    pub(crate) datum: usize,
    /// A distance that all other data keep from that datum; not positive if nothing is known.
    pub(crate) apart: f64,
}

impl Default for Neighbour {
    fn default() -> Self {
        Self { datum: 0, apart: f64::NEG_INFINITY }
    }
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

/// s at the columns of `points` (d x n -> d x n), by tiles of so many points on all cores.
fn in_tiles(score: &impl Score, tile: usize, points: &DMatrix<f64>) -> Result<DMatrix<f64>> {
    let d = score.dim();
    dimension("points", d, points.nrows())?;
    let mut out = DMatrix::zeros(d, points.ncols());
    let tiles = out.as_mut_slice().par_chunks_mut(d * tile).zip(points.as_slice().par_chunks(d * tile));
    tiles.for_each(|(out, x)| {
        let mut gains = vec![0.0; x.len() / d];
        score.evaluate(x, &mut gains, out);
        for (row, gain) in out.chunks_exact_mut(d).zip(gains) {
            row.iter_mut().for_each(|v| *v *= gain);
        }
    });
    Ok(out)
}
