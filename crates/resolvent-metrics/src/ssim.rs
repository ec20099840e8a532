use crate::{Estimate, Result, check, mean};
use nalgebra::DMatrix;

/// Half the width of the window in pixels, and the deviation of its Gaussian weights.
const WINDOW: (usize, f64) = (5, 1.5);
/// The constants that keep quotients of small numbers from counting, as shares of the range of pixel values.
const STABILISERS: (f64, f64) = (0.01, 0.03);

/// Structural similarity of two images of `width` pixels a row, in [-1, 1]; 1 for equal images.
///
/// Local means, variances and the covariance are averages with Gaussian weights (deviation 1.5 pixels) over windows of 11 x 11
/// pixels; the index is the mean of (2 m_x m_y + C_1)(2 c_xy + C_2)/((m_x² + m_y² + C_1)(v_x + v_y + C_2)) over all windows that
/// lie within the image, C_1 = (0.01 L)², C_2 = (0.03 L)² for the `range` L of pixel values (2 for images in [-1, 1]).
///
/// Source: Wang, Bovik, Sheikh and Simoncelli (2004), IEEE Trans. Image Process. 13:600, eq. 13-17.
pub fn ssim(image: &[f64], reference: &[f64], width: usize, range: f64) -> Result<f64> {
    check::sample("image", image, 1)?;
    check::sample("reference", reference, 1)?;
    check::same("length", ("image", image.len()), ("reference", reference.len()))?;
    check::parameter("range", range, "positive and finite", range > 0.0 && range.is_finite())?;
    let side = 2 * WINDOW.0 + 1;
    let rows = image.len().checked_div(width).unwrap_or(0);
    let whole = rows * width == image.len() && width >= side && rows >= side;
    check::parameter("width", width as f64, "a row of whole rows, 11 pixels or more both ways", whole)?;
    let local = |values: &dyn Fn(usize) -> f64| smoothed(values, width, rows);
    let (m_x, m_y) = (local(&|i| image[i]), local(&|i| reference[i]));
    let (s_x, s_y) = (local(&|i| image[i].powi(2)), local(&|i| reference[i].powi(2)));
    let s_xy = local(&|i| image[i] * reference[i]);
    let (c_1, c_2) = ((STABILISERS.0 * range).powi(2), (STABILISERS.1 * range).powi(2));
    let total: f64 = (0..m_x.len())
        .map(|k| {
            let (x, y) = (m_x[k], m_y[k]);
            let (v_x, v_y, c_xy) = (s_x[k] - x * x, s_y[k] - y * y, s_xy[k] - x * y);
            (2.0 * x * y + c_1) * (2.0 * c_xy + c_2) / ((x * x + y * y + c_1) * (v_x + v_y + c_2))
        })
        .sum();
    Ok(total / m_x.len() as f64)
}

/// Mean of [`ssim`] over at least two images, column i of `batch` against column i of `references`.
///
/// The standard error is that of a mean over independent images.
pub fn mean_ssim(
    batch: &DMatrix<f64>,
    references: &DMatrix<f64>,
    width: usize,
    range: f64,
) -> Result<Estimate> {
    check::batch("batch", batch, 2)?;
    check::batch("references", references, 2)?;
    check::same("dimension", ("batch", batch.nrows()), ("references", references.nrows()))?;
    check::same("number of columns", ("batch", batch.ncols()), ("references", references.ncols()))?;
    let rows = batch.nrows();
    let pairs = batch.as_slice().chunks_exact(rows).zip(references.as_slice().chunks_exact(rows));
    let values = pairs.map(|(x, y)| ssim(x, y, width, range)).collect::<Result<Vec<_>>>()?;
    mean(&values)
}

/// Averages over all windows within an image of `rows` rows, row by row: first along the rows, then across them.
fn smoothed(values: &dyn Fn(usize) -> f64, width: usize, rows: usize) -> Vec<f64> {
    let side = 2 * WINDOW.0 + 1;
    let mut weights: Vec<f64> =
        (0..side).map(|k| f64::exp(-0.5 * ((k as f64 - WINDOW.0 as f64) / WINDOW.1).powi(2))).collect();
    let total: f64 = weights.iter().sum();
    weights.iter_mut().for_each(|w| *w /= total);
    let (columns, lines) = (width - side + 1, rows - side + 1);
    let along: Vec<f64> = (0..rows * columns)
        .map(|i| {
            let first = i / columns * width + i % columns;
            weights.iter().enumerate().map(|(k, w)| w * values(first + k)).sum()
        })
        .collect();
    (0..lines * columns)
        .map(|i| weights.iter().enumerate().map(|(k, w)| w * along[i + k * columns]).sum())
        .collect()
}
