//! A classifier: what judges learned images by their classes.

use super::{RawNetwork, in_shards};
use crate::engine::{Engine, Reply};
use crate::error::{Error, Result, usable};
use crate::network::Layout;
use crate::train::Task;
use nalgebra::DMatrix;
use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};
use resolvent_core::random::{Purpose, stream};
use std::ops::Range;

/// Multinomial logistic regression by a network: its outputs are the log-odds of the classes up to a constant, and the loss
/// is the cross-entropy, in nats. Training points carry Gaussian noise of a given level, so that the classifier looks at more than
/// single coordinates.
pub struct Classification<'a> {
    model: &'a RawNetwork,
    engine: &'a dyn Engine,
    data: Labelled<'a>,
    held_out: Labelled<'a>,
    noise: f64,
    seed: u64,
}

/// Points, one per column, and the class of each.
#[derive(Debug, Clone, Copy)]
pub struct Labelled<'a> {
    /// The points, d x n.
    pub points: &'a DMatrix<f64>,
    /// The classes (n), counted from 0.
    pub labels: &'a [u8],
}

impl<'a> Classification<'a> {
    /// `data` are trained on, all of `held_out` are validated on; `noise` >= 0 is the standard deviation of what is added to a
    /// coordinate in training.
    ///
    /// # Errors
    /// If there are no points, they are not finite, of another dimension than the network or without a label each, a label is
    /// not among the outputs, or the noise is negative.
    pub fn new(
        model: &'a RawNetwork,
        engine: &'a dyn Engine,
        data: Labelled<'a>,
        held_out: Labelled<'a>,
        noise: f64,
        seed: u64,
    ) -> Result<Self> {
        let classes = model.network().sizes().outputs;
        for (name, Labelled { points, labels }) in [("data", data), ("held-out data", held_out)] {
            usable(name, points)?;
            if points.nrows() != model.dim() {
                return Err(Error::Dimension { name, expected: model.dim(), found: points.nrows() });
            }
            if labels.len() != points.ncols() {
                return Err(Error::Dimension {
                    name: "labels",
                    expected: points.ncols(),
                    found: labels.len(),
                });
            }
            if let Some(label) = labels.iter().find(|label| usize::from(**label) >= classes) {
                let allowed = "below the number of outputs";
                return Err(Error::Number { name: "label", allowed, value: f64::from(*label) });
            }
        }
        if !(noise.is_finite() && noise >= 0.0) {
            return Err(Error::Number { name: "noise", allowed: "finite and not negative", value: noise });
        }
        Ok(Self { model, engine, data, held_out, noise, seed })
    }
}

/// The softmax of a row of log-odds, and the log of its normalisation.
fn softmax(odds: &[f32]) -> (Vec<f64>, f64) {
    let largest = odds.iter().fold(f32::NEG_INFINITY, |a, b| a.max(*b));
    let shares: Vec<f64> = odds.iter().map(|o| f64::from(o - largest).exp()).collect();
    let sum: f64 = shares.iter().sum();
    (shares.iter().map(|s| s / sum).collect(), sum.ln() + f64::from(largest))
}

/// -log of the probability that the log-odds give to the class.
fn cross_entropy(odds: &[f32], label: u8) -> f64 {
    softmax(odds).1 - f64::from(odds[usize::from(label)])
}

impl Task for Classification<'_> {
    fn layout(&self) -> &Layout {
        self.model.network().layout()
    }

    fn gradient(&self, parameters: &[f32], examples: Range<u64>, gradient: &mut [f32]) -> f64 {
        let classes = self.model.network().sizes().outputs;
        let (mut points, mut labels) = (Vec::new(), Vec::new());
        for example in examples {
            let mut rng = stream(self.seed, Purpose::Training, example);
            let chosen = rng.random_range(0..self.data.labels.len());
            labels.push(self.data.labels[chosen]);
            points.extend(self.data.points.column(chosen).iter().map(|x| {
                let z: f64 = StandardNormal.sample(&mut rng);
                x + self.noise * z
            }));
        }
        let mut total = 0.0;
        let mut loss = |reply: &Reply, by: &mut Reply| {
            let rows = reply.field.chunks_exact(classes).zip(by.field.chunks_exact_mut(classes));
            for ((odds, by), label) in rows.zip(&labels) {
                total += cross_entropy(odds, *label);
                for (class, (b, p)) in by.iter_mut().zip(softmax(odds).0).enumerate() {
                    *b = (p - f64::from(u8::from(class == usize::from(*label)))) as f32;
                }
            }
        };
        let batch = self.model.batch(&points);
        self.engine.gradient(self.model.network(), parameters, &batch, &mut loss, gradient);
        total
    }

    /// The cross-entropy, and the share of points whose class is the likeliest one (the first of several).
    fn validate(&self, parameters: &[f32]) -> Vec<(String, f64)> {
        let (classes, n) = (self.model.network().sizes().outputs, self.held_out.labels.len());
        let d = self.model.dim();
        let judged = in_shards(n as u64, |examples| {
            let range = examples.start as usize..examples.end as usize;
            let points = &self.held_out.points.as_slice()[range.start * d..range.end * d];
            let reply = self.engine.evaluate(self.model.network(), parameters, &self.model.batch(points));
            let rows = reply.field.chunks_exact(classes).zip(&self.held_out.labels[range]);
            let judge = |(odds, label): (&[f32], &u8)| {
                // Of several likeliest classes the first: a network that says nothing is not always right.
                let likeliest = (1..classes).fold(0, |best, c| if odds[c] > odds[best] { c } else { best });
                [cross_entropy(odds, *label), f64::from(u8::from(likeliest == usize::from(*label)))]
            };
            rows.flat_map(judge).collect()
        });
        let mean = |which: usize| judged.iter().skip(which).step_by(2).sum::<f64>() / n as f64;
        vec![("loss".to_owned(), mean(0)), ("accuracy".to_owned(), mean(1))]
    }
}
