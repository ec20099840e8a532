use crate::{Estimate, Result, check, mean};
use nalgebra::DMatrix;

/// Peak signal-to-noise ratio in decibels, 10 log10(peak^2 / mean squared error).
///
/// `peak` is the largest possible pixel value (1 for images in [0, 1], 2 for images in [-1, 1]). Equal images have
/// an infinite ratio.
pub fn psnr(image: &[f64], reference: &[f64], peak: f64) -> Result<f64> {
    check::sample("image", image, 1)?;
    check::sample("reference", reference, 1)?;
    check::same("length", ("image", image.len()), ("reference", reference.len()))?;
    check::parameter("peak", peak, "positive and finite", peak > 0.0 && peak.is_finite())?;
    let squares: f64 = image.iter().zip(reference).map(|(x, y)| (x - y).powi(2)).sum();
    Ok(20.0 * peak.log10() - 10.0 * (squares / image.len() as f64).log10())
}

/// Mean of [`psnr`] over at least two images, column i of `batch` against column i of `references`.
///
/// The standard error is that of a mean over independent images. When an image equals its reference, both the mean
/// and its error are infinite.
pub fn mean_psnr(batch: &DMatrix<f64>, references: &DMatrix<f64>, peak: f64) -> Result<Estimate> {
    check::batch("batch", batch, 2)?;
    check::batch("references", references, 2)?;
    check::same("dimension", ("batch", batch.nrows()), ("references", references.nrows()))?;
    check::same("number of columns", ("batch", batch.ncols()), ("references", references.ncols()))?;
    let rows = batch.nrows();
    let ratios = batch
        .as_slice()
        .chunks_exact(rows)
        .zip(references.as_slice().chunks_exact(rows))
        .map(|(image, reference)| psnr(image, reference, peak))
        .collect::<Result<Vec<_>>>()?;
    if ratios.contains(&f64::INFINITY) {
        return Ok(Estimate { value: f64::INFINITY, standard_error: f64::INFINITY });
    }
    mean(&ratios)
}
