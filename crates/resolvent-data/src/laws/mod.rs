//! Laws with known support, one per file.

mod atoms;
mod circle;
mod segments;
mod sphere;
mod swiss_roll;
mod torus;

#[cfg(test)]
mod checks;

pub use atoms::Atoms;
pub use circle::Circle;
pub use segments::Segments;
pub use sphere::Sphere;
pub use swiss_roll::SwissRoll;
pub use torus::Torus;

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
