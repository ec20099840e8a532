//! A model with its parameters, evaluated tile by tile.

use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::model::{Conditioning, Estimate, Model};
use resolvent_core::schedule::Level;

/// Points to a tile.
const TILE: usize = 32;
/// A level above this many spreads of the data says no more of them than this one does.
const LARGEST: f64 = 1e6;

#[derive(Debug, Clone)]
pub(super) struct Evaluator<E> {
    model: Model,
    parameters: Vec<f32>,
    engine: E,
    bounds: Option<(f32, f32)>,
}

impl<E: Engine> Evaluator<E> {
    pub(super) fn new(
        model: Model,
        parameters: Vec<f32>,
        engine: E,
        conditioning: Conditioning,
    ) -> Result<Self> {
        if model.settings().conditioning != conditioning {
            let what = match conditioning {
                Conditioning::Blind => {
                    "a spatial score needs a model that is blind; this one is told the noise level"
                }
                Conditioning::Told => {
                    "a denoiser at given noise levels needs a model that is told them; this one is blind"
                }
            };
            return Err(Error::Settings { what: what.to_owned() });
        }
        let (expected, found) = (model.network().layout().len(), parameters.len());
        if expected != found {
            return Err(Error::Dimension { name: "parameters", expected, found });
        }
        if let Some(odd) = parameters.iter().find(|p| !p.is_finite()) {
            let value = f64::from(*odd);
            return Err(Error::Number { name: "parameters", allowed: "finite", value });
        }
        Ok(Self { model, parameters, engine, bounds: None })
    }

    /// Clamps every coordinate of D to [low, high].
    pub(super) fn clip(self, low: f64, high: f64) -> Result<Self> {
        for (name, value) in [("low", low), ("high", high)] {
            if !value.is_finite() {
                return Err(Error::Number { name, allowed: "finite", value });
            }
        }
        if low >= high {
            return Err(Error::Number { name: "high", allowed: "larger than low", value: high });
        }
        Ok(Self { bounds: Some((low as f32, high as f32)), ..self })
    }

    pub(super) fn model(&self) -> &Model {
        &self.model
    }

    /// α of a level, kept above 0 so that σ/α is at most 1e6 spreads of the data.
    pub(super) fn alpha(&self, level: &Level) -> f64 {
        level.alpha.max(level.sigma / (LARGEST * self.model.spread()))
    }

    /// Calls `each(i, D, ℓ)` for every point (rows of d), D and ℓ being those at the point over `alpha`; a told model is told
    /// `level`.
    pub(super) fn run(
        &self,
        points: &[f64],
        alpha: f64,
        level: Option<f64>,
        mut each: impl FnMut(usize, &[f32], f64),
    ) {
        let d = self.model.dim();
        let levels = level.map(|level| [level; TILE]);
        let mut tile = vec![0.0; TILE * d];
        for (t, chunk) in points.chunks(TILE * d).enumerate() {
            let (filled, rest) = tile.split_at_mut(chunk.len());
            filled.iter_mut().zip(chunk).for_each(|(o, x)| *o = x / alpha);
            rest.chunks_exact_mut(d).for_each(|row| row.copy_from_slice(&filled[..d]));
            let levels = levels.as_ref().map(|levels| &levels[..]);
            let mut estimate = self.model.estimate(&self.engine, &self.parameters, &tile, levels);
            self.clamp(&mut estimate.denoised);
            let rows = estimate.denoised.chunks_exact(d).zip(&estimate.log_levels);
            for (i, (denoised, log_level)) in rows.take(chunk.len() / d).enumerate() {
                each(t * TILE + i, denoised, *log_level);
            }
        }
    }

    /// D and ℓ at `x` (d), and their derivatives along `v` (d).
    pub(super) fn along(&self, x: &[f64], v: &[f64], level: Option<f64>) -> (Estimate, Estimate) {
        let levels = level.as_ref().map(std::slice::from_ref);
        let (mut estimate, mut derivative) =
            self.model.estimate_along(&self.engine, &self.parameters, x, levels, v);
        if let Some((low, high)) = self.bounds {
            for (derivative, denoised) in derivative.denoised.iter_mut().zip(&estimate.denoised) {
                if !(low..=high).contains(denoised) {
                    *derivative = 0.0;
                }
            }
        }
        self.clamp(&mut estimate.denoised);
        (estimate, derivative)
    }

    fn clamp(&self, denoised: &mut [f32]) {
        if let Some((low, high)) = self.bounds {
            denoised.iter_mut().for_each(|o| *o = o.clamp(low, high));
        }
    }
}
