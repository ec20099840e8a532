//! What is known of a Brownian path ahead.

use rand::RngExt;
use rand_distr::StandardNormal;

use crate::random::Stream;

/// The increments of a Brownian path in R^d over adjoining pieces of time, from the present on: drawn where they are first
/// asked for, split by Brownian bridges where they are asked for in part, and kept until they are passed.
pub(super) struct BrownianPath {
    dim: usize,
    now: f64,
    /// Ends of the known pieces, the nearest last.
    ends: Vec<f64>,
    /// Their increments (rows of d), in the same order.
    increments: Vec<f64>,
}

impl BrownianPath {
    pub(super) fn new(dim: usize) -> Self {
        Self { dim, now: 0.0, ends: Vec::new(), increments: Vec::new() }
    }

    /// Forgets everything; the present is `t`.
    pub(super) fn restart(&mut self, t: f64) {
        self.now = t;
        self.ends.clear();
        self.increments.clear();
    }

    /// dw ← W(`to`) - W(present), for `to` after the present.
    pub(super) fn increment(&mut self, to: f64, rng: &mut Stream, dw: &mut [f64]) {
        // Pieces from `first` on end by `to`, the later ones do not.
        let first = self.ends.partition_point(|end| *end > to);
        let from = self.ends.get(first).copied().unwrap_or(self.now);
        if from < to {
            self.break_at(first, from, to, rng);
        }
        dw.fill(0.0);
        for piece in self.increments[first * self.dim..].chunks_exact(self.dim) {
            dw.iter_mut().zip(piece).for_each(|(w, p)| *w += p);
        }
    }

    /// The present is `to`, which has been asked for.
    pub(super) fn advance(&mut self, to: f64) {
        let left = self.ends.partition_point(|end| *end > to);
        self.ends.truncate(left);
        self.increments.truncate(left * self.dim);
        self.now = to;
    }

    /// Makes the piece (`from`, `to`] the one at `index`. If there is one before it in the order, it lies across `to` and
    /// is split, else the path is continued.
    fn break_at(&mut self, index: usize, from: f64, to: f64, rng: &mut Stream) {
        let d = self.dim;
        self.ends.insert(index, to);
        self.increments.resize(self.increments.len() + d, 0.0);
        self.increments[index * d..].rotate_right(d);
        let (beyond, near) = self.increments[..(index + 1) * d].split_at_mut(index * d);
        match index.checked_sub(1) {
            None => {
                let deviation = (to - from).sqrt();
                near.iter_mut().for_each(|w| *w = deviation * rng.sample::<f64, _>(StandardNormal));
            }
            Some(across) => {
                let length = self.ends[across] - from;
                let part = (to - from) / length;
                let deviation = (part * (1.0 - part) * length).sqrt();
                for (w, whole) in near.iter_mut().zip(&mut beyond[across * d..]) {
                    *w = part * *whole + deviation * rng.sample::<f64, _>(StandardNormal);
                    *whole -= *w;
                }
            }
        }
    }
}
