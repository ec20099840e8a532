//! Laws with known support or density, one per file.

mod atoms;
mod checkerboard;
mod circle;
mod embedded;
mod gaussian_mixture;
mod segments;
mod sphere;
mod spiral;
mod swiss_roll;
mod swiss_roll_curve;
mod torus;
mod tree;

#[cfg(test)]
mod checks;

pub use atoms::Atoms;
pub use checkerboard::Checkerboard;
pub use circle::Circle;
pub use embedded::Embedded;
pub use gaussian_mixture::GaussianMixture;
pub use segments::Segments;
pub use sphere::Sphere;
pub use swiss_roll::SwissRoll;
pub use swiss_roll_curve::SwissRollCurve;
pub use torus::Torus;
pub use tree::Tree;

use crate::error::{Error, Result};
use nalgebra::DMatrix;

/// Squared Euclidean distance, in eight partial sums so that it is computed with vector instructions.
fn squared_distance(x: &[f64], y: &[f64]) -> f64 {
    let ((x, x_rest), (y, y_rest)) = (x.as_chunks::<8>(), y.as_chunks::<8>());
    let mut sums = [0.0; 8];
    for (x, y) in x.iter().zip(y) {
        for ((sum, a), b) in sums.iter_mut().zip(x).zip(y) {
            *sum += (a - b) * (a - b);
        }
    }
    let rest: f64 = x_rest.iter().zip(y_rest).map(|(a, b)| (a - b) * (a - b)).sum();
    sums.iter().sum::<f64>() + rest
}

/// Squared Euclidean norm.
fn squared_norm(x: &[f64]) -> f64 {
    x.iter().map(|a| a * a).sum()
}

/// Refuses an empty set of points (one per column) and coordinates that are not finite.
fn check_points(name: &'static str, points: &DMatrix<f64>) -> Result<()> {
    let (d, m) = points.shape();
    if points.is_empty() {
        return Err(Error::parameter(name, format_args!("{d} x {m}"), "at least 1 x 1"));
    }
    if let Some(i) = points.iter().position(|x| !x.is_finite()) {
        let value = format!("{} at coordinate {} of point {}", points[i], i % d, i / d);
        return Err(Error::parameter(name, value, "finite"));
    }
    Ok(())
}

/// The weights of `count` parts, called `of` in messages, divided by their sum; or the error that names what is
/// wrong with them.
fn normalised(weights: &[f64], count: usize, of: &str) -> Result<Vec<f64>> {
    if weights.len() != count {
        return Err(Error::parameter(
            "weights",
            format_args!("{} values", weights.len()),
            format_args!("one for each of the {count} {of}"),
        ));
    }
    if let Some(i) = weights.iter().position(|w| !(w.is_finite() && *w >= 0.0)) {
        return Err(Error::parameter(
            "weights",
            format_args!("{} at {i}", weights[i]),
            "finite and not negative",
        ));
    }
    let total: f64 = weights.iter().sum();
    if !(total.is_finite() && total > 0.0) {
        return Err(Error::parameter("weights", format_args!("of sum {total}"), "of positive finite sum"));
    }
    Ok(weights.iter().map(|w| w / total).collect())
}

/// Partial sums of non-negative weights divided by their total; the last of them is exactly 1.
fn cumulative(weights: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut sums: Vec<f64> = weights
        .scan(0.0, |sum, w| {
            *sum += w;
            Some(*sum)
        })
        .collect();
    let total = sums.last().copied().unwrap_or(1.0);
    sums.iter_mut().for_each(|s| *s /= total);
    sums
}

/// The index whose interval of `cumulative` holds `u` in [0, 1); an index of weight zero is never returned.
fn pick(cumulative: &[f64], u: f64) -> usize {
    cumulative.partition_point(|&c| c <= u)
}
