//! Regression on the denoised point and on the gain.

use super::in_shards;
use crate::engine::{Engine, Reply};
use crate::error::{Error, Result};
use crate::examples::{Example, Source};
use crate::model::{Conditioning, Estimate, Model, Prepared};
use crate::network::Layout;
use crate::train::Task;
use resolvent_core::random::{Purpose, stream};
use serde::{Deserialize, Serialize};

/// How a blind model's two parts, D and g, are told to be right. The minimiser's score g (D - x) is the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// Each by itself: D = E[g(ρ) x_0 | x]/E[g(ρ) | x] as a mean weighted by g(ρ)/ĝ(x), and ĝ = E[g(ρ) | x] by the loss g(ρ)/ĝ + log ĝ.
    Parts,
    /// D alone, for any ĝ: the target is x + (g(ρ)/ĝ(x)) (x_0 - x), and the level of ĝ is the mean of log ρ.
    /// Where ĝ itself comes from |D - x| (a blind model that predicts directly) it moves with D, and D can run away from
    /// its target, above all at [`Scale::Output`]; there [`Parts`](Form::Parts) is the safe form.
    Ratio,
}

/// The length in which errors of D are measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scale {
    /// The estimated level: relative errors of the score count the same everywhere.
    Distance,
    /// The factor of the network's output: its errors count the same everywhere.
    Output,
}

/// The settings of a [`Regression`] of a blind model. Every factor of the loss but the importance weight depends on the
/// point alone, so none of them moves the minimiser (R15).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Objective {
    /// Which parts are regressed on what.
    #[serde(default = "form")]
    pub form: Form,
    /// The length in which errors of D are measured.
    #[serde(default = "scale")]
    pub scale: Scale,
    /// Whether λ(x) cancels the importance weight of the estimated level, so that their product is near 1. Otherwise λ = 1.
    #[serde(default = "matched")]
    pub matched: bool,
    /// The factor of the gain's loss beside that of D.
    #[serde(default = "balance")]
    pub balance: f64,
}

fn form() -> Form {
    Form::Parts
}

fn scale() -> Scale {
    Scale::Distance
}

fn matched() -> bool {
    true
}

fn balance() -> f64 {
    0.25
}

impl Default for Objective {
    fn default() -> Self {
        Self { form: form(), scale: scale(), matched: matched(), balance: balance() }
    }
}

/// No estimated level is met by an importance weight so small that it could outweigh everything else.
const LARGEST_LAMBDA: f64 = 1e6;

/// Trains a model on examples of a source.
pub struct Regression<'a> {
    model: &'a Model,
    engine: &'a dyn Engine,
    source: &'a dyn Source,
    held_out: &'a dyn Source,
    objective: Objective,
    seed: u64,
    validation: u64,
}

/// Drawn examples, row by row.
struct Drawn {
    points: Vec<f64>,
    targets: Vec<f64>,
    examples: Vec<Example>,
}

/// What one example adds to the loss.
#[derive(Debug, Clone, Copy, Default)]
struct Terms {
    loss: f64,
    denoised: f64,
    level: f64,
    weight: f64,
}

impl<'a> Regression<'a> {
    /// `source` is trained on, `held_out` validated on with `validation` examples; `seed` rules all draws.
    ///
    /// # Errors
    /// If a source has another dimension than the model or does not suit it, the balance is negative, or there are no validation examples.
    pub fn new(
        model: &'a Model,
        engine: &'a dyn Engine,
        source: &'a dyn Source,
        held_out: &'a dyn Source,
        objective: Objective,
        seed: u64,
        validation: usize,
    ) -> Result<Self> {
        for source in [source, held_out] {
            if source.dim() != model.dim() {
                return Err(Error::Dimension { name: "data", expected: model.dim(), found: source.dim() });
            }
            if !source.suits(model.settings().conditioning) {
                let what = match model.settings().conditioning {
                    Conditioning::Blind => "a blind model cannot learn from examples that have no gain",
                    Conditioning::Told => "a told model cannot learn from examples that have no noise level",
                };
                return Err(Error::Settings { what: what.to_owned() });
            }
        }
        if !(objective.balance.is_finite() && objective.balance >= 0.0) {
            let value = objective.balance;
            return Err(Error::Number {
                name: "objective.balance",
                allowed: "finite and not negative",
                value,
            });
        }
        if validation == 0 {
            return Err(Error::TooSmall { name: "validation", least: 1, value: 0 });
        }
        Ok(Self { model, engine, source, held_out, objective, seed, validation: validation as u64 })
    }

    fn draw(&self, source: &dyn Source, purpose: Purpose, examples: std::ops::Range<u64>) -> Drawn {
        let d = self.model.dim();
        let n = (examples.end - examples.start) as usize;
        let (mut points, mut targets) = (vec![0.0; n * d], vec![0.0; n * d]);
        let rows = points.chunks_exact_mut(d).zip(targets.chunks_exact_mut(d));
        let mut examples: Vec<Example> = rows
            .zip(examples)
            .map(|((point, target), example)| {
                source.draw(&mut stream(self.seed, purpose, example), point, target)
            })
            .collect();
        source.complete(&points, &mut targets, &mut examples);
        Drawn { points, targets, examples }
    }

    fn prepare(&self, drawn: &Drawn) -> Prepared {
        let levels: Option<Vec<f64>> = (self.model.settings().conditioning == Conditioning::Told)
            .then(|| drawn.examples.iter().map(|example| example.level).collect());
        self.model.prepare(&drawn.points, levels.as_deref())
    }

    /// The loss of every example, and the gradient by the estimate if there is room for it.
    fn losses(
        &self,
        source: &dyn Source,
        drawn: &Drawn,
        prepared: &Prepared,
        estimate: &Estimate,
        mut by: Option<&mut Estimate>,
    ) -> Vec<Terms> {
        let d = self.model.dim();
        let told = self.model.settings().conditioning == Conditioning::Told;
        let mut out = Vec::with_capacity(drawn.examples.len());
        for (i, example) in drawn.examples.iter().enumerate() {
            let row = i * d..(i + 1) * d;
            let (x, target, denoised) =
                (&drawn.points[row.clone()], &drawn.targets[row.clone()], &estimate.denoised[row.clone()]);
            let l = estimate.log_levels[i];
            // What does not count has no part, whatever it would have wanted.
            if example.weight == 0.0 {
                out.push(Terms::default());
                continue;
            }
            let (gain, slope) = if told { (1.0, 0.0) } else { self.model.gain_and_slope(l) };
            let lambda = if told || !self.objective.matched {
                1.0
            } else {
                (-source.log_weight(l.exp())).exp().min(LARGEST_LAMBDA)
            };
            let weight = example.weight * lambda;
            // A told model's point is a mean at its level, in which the gain has no part.
            let ratio = if told { 1.0 } else { example.gain / gain };
            let parts = self.objective.form == Form::Parts;
            let scale = match self.objective.scale {
                _ if told => 1.0,
                Scale::Distance => l.exp(),
                Scale::Output => f64::from(prepared.out(i)),
            };
            // The pull of the target, and the factor of the squared error.
            let (pull, factor) = if told || parts { (1.0, ratio) } else { (ratio, 1.0) };
            let factor = weight * factor / (d as f64 * scale * scale);
            let mut square = 0.0;
            for (k, ((d, t), x)) in denoised.iter().zip(target).zip(x).enumerate() {
                let error = f64::from(*d) - (x + pull * (t - x));
                square += error * error;
                if let Some(by) = by.as_deref_mut() {
                    by.denoised[row.start + k] = (2.0 * factor * error) as f32;
                }
            }
            let (level_loss, level_slope) = if told {
                (0.0, 0.0)
            } else if parts {
                (ratio - ratio.ln() - 1.0, (1.0 - ratio) * slope)
            } else {
                let error = l - (example.distance / (d as f64).sqrt()).ln();
                (2.0 * error * error, 4.0 * error)
            };
            let balance = self.objective.balance * weight;
            if let Some(by) = by.as_deref_mut() {
                by.log_levels[i] = balance * level_slope;
            }
            let denoised = factor * square;
            out.push(Terms {
                loss: denoised + balance * level_loss,
                denoised,
                level: weight * level_loss,
                weight,
            });
        }
        out
    }
}

impl Task for Regression<'_> {
    fn layout(&self) -> &Layout {
        self.model.network().layout()
    }

    fn gradient(&self, parameters: &[f32], examples: std::ops::Range<u64>, gradient: &mut [f32]) -> f64 {
        let drawn = self.draw(self.source, Purpose::Training, examples);
        let prepared = self.prepare(&drawn);
        let mut total = 0.0;
        let mut loss = |reply: &Reply, out: &mut Reply| {
            let estimate = self.model.read(&prepared, reply);
            let mut by = Estimate {
                denoised: vec![0.0; estimate.denoised.len()],
                log_levels: vec![0.0; estimate.log_levels.len()],
            };
            total = self
                .losses(self.source, &drawn, &prepared, &estimate, Some(&mut by))
                .iter()
                .map(|t| t.loss)
                .sum();
            self.model.pull_back(&prepared, &by, out);
        };
        self.engine.gradient(self.model.network(), parameters, &prepared.batch, &mut loss, gradient);
        total
    }

    fn validate(&self, parameters: &[f32]) -> Vec<(String, f64)> {
        let terms = in_shards(self.validation, |examples| {
            let drawn = self.draw(self.held_out, Purpose::Validation, examples);
            let prepared = self.prepare(&drawn);
            let reply = self.engine.evaluate(self.model.network(), parameters, &prepared.batch);
            self.losses(self.held_out, &drawn, &prepared, &self.model.read(&prepared, &reply), None)
        });
        let mean = |f: fn(&Terms) -> f64| terms.iter().map(f).sum::<f64>() / self.validation as f64;
        let mut out =
            vec![("loss".to_owned(), mean(|t| t.loss)), ("denoised".to_owned(), mean(|t| t.denoised))];
        if self.model.settings().conditioning == Conditioning::Blind {
            out.push(("level".to_owned(), mean(|t| t.level)));
            out.push(("weight".to_owned(), mean(|t| t.weight)));
        }
        out
    }
}
