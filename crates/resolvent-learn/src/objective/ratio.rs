//! The log-ratio of two densities from samples of both.

use super::{RawNetwork, in_shards};
use crate::engine::{Engine, Reply};
use crate::error::{Error, Result};
use crate::examples::Source;
use crate::network::Layout;
use crate::train::Task;
use resolvent_core::random::{Purpose, stream};
use std::ops::Range;

/// Logistic regression by a network: with as many samples of p as of q the log-odds η of the best classifier, the minimiser of
/// E_p[log(1 + e^{-η})] + E_q[log(1 + e^η)], are log p/q (Sugiyama, Suzuki and Kanamori 2012, chapter 4). The importance
/// weights of the sources count, so a law may be drawn from another.
///
/// With [`Samples`](crate::examples::Samples) of the data α as p and [`Deaths`](crate::examples::Deaths) from them as q,
/// whose law is r u, η = log α/(r u), and r e^η is the rate of R13: see [`LogRatio`].
pub struct DensityRatio<'a> {
    model: &'a RawNetwork,
    engine: &'a dyn Engine,
    /// Numerator and denominator.
    sources: [&'a dyn Source; 2],
    held_out: [&'a dyn Source; 2],
    seed: u64,
    validation: u64,
}

/// Pairs of a point of p and one of q, one after the other.
struct Drawn {
    points: Vec<f64>,
    weights: Vec<f64>,
}

impl<'a> DensityRatio<'a> {
    /// `sources`, of p and of q, are trained on, `held_out` validated on with `validation` pairs; `seed` rules all draws.
    ///
    /// # Errors
    /// If a source has another dimension than the network, the network has not one output, or there are no validation pairs.
    pub fn new(
        model: &'a RawNetwork,
        engine: &'a dyn Engine,
        sources: [&'a dyn Source; 2],
        held_out: [&'a dyn Source; 2],
        seed: u64,
        validation: usize,
    ) -> Result<Self> {
        for source in sources.into_iter().chain(held_out) {
            if source.dim() != model.dim() {
                return Err(Error::Dimension { name: "data", expected: model.dim(), found: source.dim() });
            }
        }
        let outputs = model.network().sizes().outputs;
        if outputs != 1 {
            return Err(Error::Dimension { name: "outputs", expected: 1, found: outputs });
        }
        if validation == 0 {
            return Err(Error::TooSmall { name: "validation", least: 1, value: 0 });
        }
        Ok(Self { model, engine, sources, held_out, seed, validation: validation as u64 })
    }

    /// The ratio with these parameters, cut from above at the largest value that it takes at the points of the first `pairs`
    /// training examples, at least one.
    ///
    /// # Panics
    /// If there are more or fewer parameters than the network has.
    pub fn learned(&self, parameters: Vec<f32>, pairs: usize) -> LogRatio<'a> {
        let values = in_shards(pairs.max(1) as u64, |examples| {
            let drawn = self.draw(self.sources, Purpose::Training, examples);
            self.model.values(self.engine, &parameters, &drawn.points)
        });
        let ceiling = values.into_iter().fold(f64::NEG_INFINITY, f64::max);
        LogRatio { model: self.model, engine: self.engine, parameters, ceiling }
    }

    fn draw(&self, sources: [&dyn Source; 2], purpose: Purpose, examples: Range<u64>) -> Drawn {
        let d = self.model.dim();
        let n = 2 * (examples.end - examples.start) as usize;
        let mut target = vec![0.0; d];
        let mut drawn = Drawn { points: vec![0.0; n * d], weights: Vec::with_capacity(n) };
        let mut rows = drawn.points.chunks_exact_mut(d);
        for index in examples {
            let mut rng = stream(self.seed, purpose, index);
            for (source, point) in sources.into_iter().zip(&mut rows) {
                let mut example = source.draw(&mut rng, point, &mut target);
                source.complete(point, &mut target, std::slice::from_mut(&mut example));
                drawn.weights.push(example.weight);
            }
        }
        drawn
    }

    /// The loss of every pair, and the gradient by the reply if there is room for it.
    fn losses(drawn: &Drawn, reply: &Reply, mut by: Option<&mut Reply>) -> Vec<f64> {
        let mut out = vec![0.0; drawn.weights.len() / 2];
        for (i, (weight, odds)) in drawn.weights.iter().zip(&reply.field).enumerate() {
            // Towards the wrong class.
            let sign = if i % 2 == 0 { -1.0 } else { 1.0 };
            let wrong = sign * f64::from(*odds);
            out[i / 2] += weight * (wrong.max(0.0) + (-wrong.abs()).exp().ln_1p());
            if let Some(by) = by.as_deref_mut() {
                by.field[i] = (weight * sign / (1.0 + (-wrong).exp())) as f32;
            }
        }
        out
    }
}

impl Task for DensityRatio<'_> {
    fn layout(&self) -> &Layout {
        self.model.network().layout()
    }

    fn gradient(&self, parameters: &[f32], examples: Range<u64>, gradient: &mut [f32]) -> f64 {
        let drawn = self.draw(self.sources, Purpose::Training, examples);
        let batch = self.model.batch(&drawn.points);
        let mut total = 0.0;
        let mut loss =
            |reply: &Reply, by: &mut Reply| total = Self::losses(&drawn, reply, Some(by)).iter().sum();
        self.engine.gradient(self.model.network(), parameters, &batch, &mut loss, gradient);
        total
    }

    fn validate(&self, parameters: &[f32]) -> Vec<(String, f64)> {
        let losses = in_shards(self.validation, |examples| {
            let drawn = self.draw(self.held_out, Purpose::Validation, examples);
            let batch = self.model.batch(&drawn.points);
            Self::losses(&drawn, &self.engine.evaluate(self.model.network(), parameters, &batch), None)
        });
        vec![("loss".to_owned(), losses.iter().sum::<f64>() / self.validation as f64)]
    }
}

/// log p/q as a network has learned it.
///
/// Like [`LogDensityRatio`](resolvent_core::density_ratio::LogDensityRatio) it is cut from above: as a rate of killing, too high
/// a value far from all samples ends particles that should go on. It is used in the same way:
/// `Hazard::new(|x| rate.ln() + ratio.value(x))`.
pub struct LogRatio<'a> {
    model: &'a RawNetwork,
    engine: &'a dyn Engine,
    parameters: Vec<f32>,
    ceiling: f64,
}

impl LogRatio<'_> {
    /// The estimate of log p(x)/q(x) at `x` (length d, else it panics), at most the [ceiling](Self::ceiling).
    pub fn value(&self, x: &[f64]) -> f64 {
        assert_eq!(x.len(), self.model.dim(), "length of x");
        self.values(x)[0]
    }

    /// The estimates at `points` (n rows of d), n of them.
    pub fn values(&self, points: &[f64]) -> Vec<f64> {
        let mut values = self.model.values(self.engine, &self.parameters, points);
        values.iter_mut().for_each(|value| *value = value.min(self.ceiling));
        values
    }

    /// The largest value taken at a sample of either law.
    pub fn ceiling(&self) -> f64 {
        self.ceiling
    }
}
