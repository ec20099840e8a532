use crate::{Error, Estimate, Result, check, quantile, two_sample};
use nalgebra::DMatrix;

/// Points of each sample that the median looks at.
const MEDIAN_POINTS: usize = 500;

/// Width h of the kernel exp(-|x - y|^2 / (2 h^2)).
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Bandwidth {
    /// This width, in the units of the data; between 1e-150 and 1e150.
    Fixed(f64),
    /// The width given by [`median_bandwidth`] for the two samples.
    Median,
}

/// Squared maximum mean discrepancy E k(X, X') + E k(Y, Y') - 2 E k(X, Y) with the Gaussian kernel, between the laws
/// behind two samples (d x n and d x m, at least four points each); no unit.
///
/// Zero exactly when the laws agree. The estimate is unbiased (means over pairs of different points), so it may be
/// negative. The standard error covers the draw of both samples at the given width; it is the variance of a
/// two-sample U-statistic with its first- and second-order parts, so it also holds when the laws agree (there 20 to 30 % too large).
/// Cost O((n + m)^2 d).
///
/// Source: Gretton et al. (2012), J. Mach. Learn. Res. 13:723, equation 3.
pub fn mmd(a: &DMatrix<f64>, b: &DMatrix<f64>, bandwidth: Bandwidth) -> Result<Estimate> {
    let width = match bandwidth {
        Bandwidth::Fixed(width) => width,
        Bandwidth::Median => median_bandwidth(a, b)?,
    };
    check::parameter("bandwidth", width, "in [1e-150, 1e150]", (1e-150..=1e150).contains(&width))?;
    let scale = -0.5 / (width * width);
    two_sample::discrepancy(a, b, |squared| (scale * squared).exp())
}

/// Median distance between two different points of the joint sample, looking at no more than 500 points of each
/// batch, evenly spread over its columns. An error if it is zero (more than half of the pairs coincide).
///
/// Source: Gretton et al. (2012), J. Mach. Learn. Res. 13:723, section 8.
pub fn median_bandwidth(a: &DMatrix<f64>, b: &DMatrix<f64>) -> Result<f64> {
    check::batches(a, b, 1)?;
    let mut points: Vec<&[f64]> = Vec::with_capacity(2 * MEDIAN_POINTS);
    for batch in [a, b] {
        let stride = batch.ncols().div_ceil(MEDIAN_POINTS);
        points.extend(batch.as_slice().chunks_exact(batch.nrows()).step_by(stride));
    }
    let mut distances = Vec::with_capacity(points.len() * (points.len() - 1) / 2);
    for (i, x) in points.iter().enumerate() {
        for y in &points[i + 1..] {
            distances.push(x.iter().zip(*y).map(|(u, v)| (u - v).powi(2)).sum::<f64>().sqrt());
        }
    }
    distances.sort_unstable_by(f64::total_cmp);
    match quantile(&distances, 0.5)? {
        width if width > 0.0 => Ok(width),
        value => Err(Error::Parameter { name: "median distance", value, requirement: "positive" }),
    }
}
