//! The score of a law from samples of it alone.

use super::{RawNetwork, in_shards};
use crate::engine::{Engine, Reply};
use crate::error::{Error, Result};
use crate::examples::Source;
use crate::network::Layout;
use crate::train::Task;
use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};
use resolvent_core::random::Stream;
use resolvent_core::random::{Purpose, stream};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// How div s is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Divergence {
    /// Along all d axes: implicit score matching (Hyvärinen 2005), d derivatives for each example.
    Exact,
    /// The mean of v·∂_v s over random directions v with E v vᵀ = I (Hutchinson 1990): sliced score matching with reduced
    /// variance (Song et al. 2019).
    Sliced {
        /// How many directions for each example.
        probes: usize,
        /// Their law.
        law: Probe,
    },
}

/// A law of directions v with E v vᵀ = I.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Probe {
    /// Every coordinate 1 or -1: the diagonal of the Jacobian adds no variance.
    Rademacher,
    /// Standard normal.
    Gaussian,
}

impl Probe {
    fn draw(self, rng: &mut Stream) -> f32 {
        match self {
            Self::Rademacher if rng.random() => 1.0,
            Self::Rademacher => -1.0,
            Self::Gaussian => StandardNormal.sample(rng),
        }
    }
}

/// Minimises E[½|s|² + div s] over s = F((x - c)/scale)/scale: by parts it is E[½|s - ∇ log p|²] up to a constant, p the law of the
/// points, so the minimiser is the score of p. With [`Deaths`](crate::examples::Deaths) p = r u, with
/// [`Samples`](crate::examples::Samples) any law; the importance weights of a source count, targets and gains do not.
///
/// Integrating by parts wants E |∇ log p|² < ∞ and no edge that the density jumps at. Around atoms in dimension 2 and above u has
/// no such integral, and leaving out a ball around them (δ of R15) makes an edge: there this loss has no minimiser
/// that means anything, unlike R15. It serves for comparison in dimension 1, and for data with a smooth density.
pub struct ScoreMatching<'a> {
    model: &'a RawNetwork,
    engine: &'a dyn Engine,
    source: &'a dyn Source,
    held_out: &'a dyn Source,
    divergence: Divergence,
    seed: u64,
    validation: u64,
}

/// Examples as the network gets them: each point as often as there are directions.
struct Drawn {
    points: Vec<f64>,
    directions: Vec<f32>,
    weights: Vec<f64>,
}

impl<'a> ScoreMatching<'a> {
    /// `source` is trained on, `held_out` validated on with `validation` examples; `seed` rules all draws.
    ///
    /// # Errors
    /// If a source has another dimension than the network, the network has not as many outputs, or there are no directions or
    /// no validation examples.
    pub fn new(
        model: &'a RawNetwork,
        engine: &'a dyn Engine,
        source: &'a dyn Source,
        held_out: &'a dyn Source,
        divergence: Divergence,
        seed: u64,
        validation: usize,
    ) -> Result<Self> {
        let d = model.dim();
        let dimensions = [("data", source.dim()), ("data", held_out.dim())];
        for (name, found) in dimensions.into_iter().chain([("outputs", model.network().sizes().outputs)]) {
            if found != d {
                return Err(Error::Dimension { name, expected: d, found });
            }
        }
        if matches!(divergence, Divergence::Sliced { probes: 0, .. }) {
            return Err(Error::TooSmall { name: "divergence.sliced.probes", least: 1, value: 0 });
        }
        if validation == 0 {
            return Err(Error::TooSmall { name: "validation", least: 1, value: 0 });
        }
        Ok(Self { model, engine, source, held_out, divergence, seed, validation: validation as u64 })
    }

    /// The learned score s at `points` (n rows of d), per length.
    pub fn scores(&self, parameters: &[f32], points: &[f64]) -> Vec<f64> {
        let mut values = self.model.values(self.engine, parameters, points);
        values.iter_mut().for_each(|s| *s /= self.model.scale());
        values
    }

    /// Directions for each example.
    fn copies(&self) -> usize {
        match self.divergence {
            Divergence::Exact => self.model.dim(),
            Divergence::Sliced { probes, .. } => probes,
        }
    }

    fn draw(&self, source: &dyn Source, purpose: Purpose, examples: Range<u64>) -> Drawn {
        let (d, copies) = (self.model.dim(), self.copies());
        let n = (examples.end - examples.start) as usize;
        let (mut point, mut target) = (vec![0.0; d], vec![0.0; d]);
        let mut drawn = Drawn {
            points: Vec::with_capacity(n * copies * d),
            directions: Vec::with_capacity(n * copies * d),
            weights: Vec::with_capacity(n),
        };
        for index in examples {
            let mut rng = stream(self.seed, purpose, index);
            let mut example = source.draw(&mut rng, &mut point, &mut target);
            source.complete(&point, &mut target, std::slice::from_mut(&mut example));
            drawn.weights.push(example.weight);
            for copy in 0..copies {
                drawn.points.extend(&point);
                match self.divergence {
                    Divergence::Exact => drawn.directions.extend((0..d).map(|k| f32::from(k == copy))),
                    Divergence::Sliced { law, .. } => {
                        drawn.directions.extend((0..d).map(|_| law.draw(&mut rng)));
                    }
                }
            }
        }
        drawn
    }

    /// The loss of every example, and the gradient by the reply if there is room for it.
    fn losses(&self, drawn: &Drawn, reply: &Reply, mut by: Option<&mut Reply>) -> Vec<f64> {
        let (d, copies) = (self.model.dim(), self.copies());
        let per_area = 1.0 / self.model.scale().powi(2);
        // ½|s|² is the same in all copies, and div s their sum or mean.
        let (square_share, slope_share) = match self.divergence {
            Divergence::Exact => (per_area / copies as f64, per_area),
            Divergence::Sliced { .. } => (per_area / copies as f64, per_area / copies as f64),
        };
        let mut out = vec![0.0; drawn.weights.len()];
        for (row, weight) in (0..drawn.weights.len() * copies).map(|row| (row, drawn.weights[row / copies])) {
            let place = row * d..(row + 1) * d;
            let (field, derivative, direction) = (
                &reply.field[place.clone()],
                &reply.derivative[place.clone()],
                &drawn.directions[place.clone()],
            );
            let square: f64 = field.iter().map(|f| f64::from(*f).powi(2)).sum();
            let slope: f64 = derivative.iter().zip(direction).map(|(a, v)| f64::from(a * v)).sum();
            out[row / copies] += weight * (0.5 * square_share * square + slope_share * slope);
            if let Some(by) = by.as_deref_mut() {
                let (square_factor, slope_factor) =
                    ((weight * square_share) as f32, (weight * slope_share) as f32);
                by.field[place.clone()].iter_mut().zip(field).for_each(|(b, f)| *b = square_factor * f);
                by.derivative[place].iter_mut().zip(direction).for_each(|(b, v)| *b = slope_factor * v);
            }
        }
        out
    }
}

impl Task for ScoreMatching<'_> {
    fn layout(&self) -> &Layout {
        self.model.network().layout()
    }

    fn gradient(&self, parameters: &[f32], examples: Range<u64>, gradient: &mut [f32]) -> f64 {
        let drawn = self.draw(self.source, Purpose::Training, examples);
        let mut batch = self.model.batch(&drawn.points);
        batch.directions.clone_from(&drawn.directions);
        let mut total = 0.0;
        let mut loss =
            |reply: &Reply, by: &mut Reply| total = self.losses(&drawn, reply, Some(by)).iter().sum();
        self.engine.gradient(self.model.network(), parameters, &batch, &mut loss, gradient);
        total
    }

    fn validate(&self, parameters: &[f32]) -> Vec<(String, f64)> {
        let losses = in_shards(self.validation, |examples| {
            let drawn = self.draw(self.held_out, Purpose::Validation, examples);
            let mut batch = self.model.batch(&drawn.points);
            batch.directions.clone_from(&drawn.directions);
            let reply = self.engine.evaluate(self.model.network(), parameters, &batch);
            self.losses(&drawn, &reply, None)
        });
        vec![("loss".to_owned(), losses.iter().sum::<f64>() / self.validation as f64)]
    }
}
