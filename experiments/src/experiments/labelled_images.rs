//! Labelled images: those that are the data, and others held out.

use std::collections::HashSet;

use anyhow::{Result, ensure};
use nalgebra::DMatrix;
use resolvent::data::glyphs::{PIXELS, SIDE};
use resolvent::data::{Glyphs, io};

use crate::experiment::Context;
use crate::plot::GreyImage;

/// Images with values in [-1, 1], one per column, and their classes.
pub(super) struct LabelledImages {
    /// What they are, for the reader.
    pub(super) source: String,
    /// The data, without repetitions, so that an end point names its datum.
    pub(super) data: DMatrix<f64>,
    pub(super) labels: Vec<u8>,
    /// Images that are not among the data.
    pub(super) held_out: DMatrix<f64>,
    pub(super) held_out_labels: Vec<u8>,
}

impl LabelledImages {
    /// From the folder of data sets where one is given (its first `n_data` images are the data, its last `n_held_out` ones are
    /// held out), else drawn from the glyph family.
    pub(super) fn load(n_data: usize, n_held_out: usize, context: &Context) -> Result<Self> {
        let (n, m) = (n_data, n_held_out);
        let (source, (data, labels), (held_out, held_out_labels)) = match &context.data {
            Some(folder) => {
                let (images, labels) = io::load_mnist_folder(folder)?;
                ensure!(
                    images.nrows() == PIXELS,
                    "{}: images of {} pixels, {SIDE} x {SIDE} expected",
                    folder.display(),
                    images.nrows()
                );
                let total = images.ncols();
                ensure!(
                    total >= n + m,
                    "{}: {total} images, settings `n_data` + `n_held_out` = {}",
                    folder.display(),
                    n + m
                );
                let part = |first: usize, count: usize| {
                    (images.columns(first, count).into_owned(), labels[first..first + count].to_vec())
                };
                ("MNIST images", part(0, n), part(total - m, m))
            }
            None => (
                "procedural glyphs",
                Glyphs.dataset(n, context.seed),
                Glyphs.dataset(m, context.seed.wrapping_add(1)),
            ),
        };
        let kept = distinct(&data);
        let labels = kept.iter().map(|&i| labels[i]).collect();
        let data = data.select_columns(&kept);
        Ok(Self { source: format!("{} {source}", data.ncols()), data, labels, held_out, held_out_labels })
    }
}

impl LabelledImages {
    /// The mean of the data.
    pub(super) fn mean(&self) -> Vec<f64> {
        self.data.column_mean().as_slice().to_vec()
    }
}

/// Column `i` of a batch.
pub(super) fn pixels(batch: &DMatrix<f64>, i: usize) -> &[f64] {
    &batch.as_slice()[i * PIXELS..(i + 1) * PIXELS]
}

/// An image for a figure; what lies outside [-1, 1] is cut there.
pub(super) fn grey(values: &[f64]) -> GreyImage<'_> {
    GreyImage { width: SIDE, height: SIDE, values }
}

/// The first of every set of equal columns.
fn distinct(batch: &DMatrix<f64>) -> Vec<usize> {
    let mut seen = HashSet::new();
    let bits = |i: &usize| pixels(batch, *i).iter().map(|value| value.to_bits()).collect::<Vec<_>>();
    (0..batch.ncols()).filter(|i| seen.insert(bits(i))).collect()
}
