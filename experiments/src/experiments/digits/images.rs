//! What is asked of the images: those that are the data, and others held out to be carried back to them.

use anyhow::{Context as _, Result};

pub(super) use crate::experiments::labelled_images::{LabelledImages as Images, grey, pixels};

impl Images {
    /// The held-out image `i`.
    pub(super) fn original(&self, i: usize) -> &[f64] {
        pixels(&self.held_out, i)
    }

    /// The class with the largest share of the weights on the data.
    pub(super) fn likeliest_class(&self, weights: &[f64]) -> Result<u8> {
        let mut shares = [0.0; 256];
        for (&label, weight) in self.labels.iter().zip(weights) {
            shares[usize::from(label)] += weight;
        }
        let best = (0..=u8::MAX).max_by(|&a, &b| shares[usize::from(a)].total_cmp(&shares[usize::from(b)]));
        best.context("no class")
    }
}
