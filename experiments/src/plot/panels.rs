//! Grids of images side by side under headings.

use anyhow::{Context as _, Result, ensure};

use super::images::GreyImage;
use super::style::{EDGE, LINE, text_width};
use super::svg::{Anchor, Svg};

/// Between two images and between two panels, in pixels.
const GAPS: (f64, f64) = (3.0, 26.0);
/// The least and the largest side of an image on the picture.
const SIDES: (f64, f64) = (36.0, 84.0);
/// The width that all images of a row share.
const WIDTH: f64 = 940.0;

/// One grid: its heading and its rows of images.
pub(crate) struct ImagePanel<'a> {
    pub(crate) heading: String,
    pub(crate) rows: Vec<Vec<GreyImage<'a>>>,
}

/// Panels with the same rows, which are named once at the left.
///
/// # Errors
/// If a panel has not one row per label or no images, or an image is bad as in `GreyImage::draw`.
pub(crate) fn image_panels(labels: &[String], panels: &[ImagePanel<'_>]) -> Result<String> {
    let widths: Vec<usize> =
        panels.iter().map(|panel| panel.rows.iter().map(Vec::len).max().unwrap_or(0)).collect();
    ensure!(!widths.is_empty() && widths.iter().all(|&width| width > 0), "image panels: no images");
    let side = (WIDTH / widths.iter().sum::<usize>() as f64 - GAPS.0).clamp(SIDES.0, SIDES.1);
    let pitch = side + GAPS.0;
    let left = EDGE + labels.iter().map(|label| text_width(label)).fold(0.0, f64::max) + 10.0;
    let top = EDGE + LINE;
    let images: f64 = widths.iter().map(|&width| width as f64 * pitch - GAPS.0).sum();
    let width = left + images + (panels.len() - 1) as f64 * GAPS.1 + EDGE;

    let mut svg = Svg::new(width, top + labels.len() as f64 * pitch - GAPS.0 + EDGE);
    for (index, label) in labels.iter().enumerate() {
        svg.label((left - 10.0, top + index as f64 * pitch + 0.5 * side), Anchor::End, 0.0, label);
    }
    let mut x = left;
    for (panel, count) in panels.iter().zip(widths) {
        let extent = count as f64 * pitch - GAPS.0;
        ensure!(panel.rows.len() == labels.len(), "panel `{}`: not one row per label", panel.heading);
        svg.label((x + 0.5 * extent, EDGE + 0.5 * LINE - 4.0), Anchor::Middle, 0.0, &panel.heading);
        for (index, row) in panel.rows.iter().enumerate() {
            for (k, image) in row.iter().enumerate() {
                let corner = (x + k as f64 * pitch, top + index as f64 * pitch);
                image
                    .draw(&mut svg, corner, side)
                    .with_context(|| format!("panel `{}`, row {index}, image {k}", panel.heading))?;
            }
        }
        x += extent + GAPS.1;
    }
    Ok(svg.finish())
}
