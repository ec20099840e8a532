//! Rows of pictures: what every method made of the same images.

use anyhow::Result;
use nalgebra::DMatrix;
use resolvent::data::glyphs::PIXELS;

use super::carried::values;
use super::labelled_images::{grey, pixels};
use crate::outcome::Figure;
use crate::plot::{ImagePanel, image_panels};

/// One kind of input: the originals as units store them, then what each method made of them.
pub(super) struct Kind<'a> {
    pub(super) heading: String,
    pub(super) rows: Vec<&'a [u8]>,
}

/// Figures with so many kinds `abreast`; `methods` labels the rows after the originals.
pub(super) fn figures(
    kinds: &[Kind<'_>],
    methods: impl Iterator<Item = String>,
    abreast: usize,
) -> Result<Vec<Figure>> {
    let labels: Vec<String> = std::iter::once("original".to_owned()).chain(methods).collect();
    let figure = |(part, kinds): (usize, &[Kind<'_>])| {
        let kept: Vec<Vec<DMatrix<f64>>> = kinds
            .iter()
            .map(|kind| {
                let images = |bytes: &&[u8]| DMatrix::from_vec(PIXELS, bytes.len() / PIXELS, values(bytes));
                kind.rows.iter().map(images).collect()
            })
            .collect();
        let panels: Vec<ImagePanel<'_>> = kinds
            .iter()
            .zip(&kept)
            .map(|(kind, rows)| ImagePanel {
                heading: kind.heading.clone(),
                rows: rows
                    .iter()
                    .map(|row| (0..row.ncols()).map(|i| grey(pixels(row, i))).collect())
                    .collect(),
            })
            .collect();
        let names: Vec<&str> = kinds.iter().map(|kind| kind.heading.as_str()).collect();
        Ok(Figure::new(
            format!("pictures-{}", part + 1),
            format!("The first images of the first seed, not chosen: {}.", names.join("; ")),
            image_panels(&labels, &panels)?,
        ))
    };
    kinds.chunks(abreast).enumerate().map(figure).collect()
}
