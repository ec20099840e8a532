//! A network with what stands around it: what goes in is scaled, what comes out becomes a denoised point and a noise level.

mod derivative;
mod embedding;
mod fit_draws;
mod gaussian;
mod preconditioning;
mod saved;
mod settings;

pub use embedding::Embedding;
pub use gaussian::GaussianFit;
pub use preconditioning::Preconditioning;
pub use saved::SavedModel;
pub use settings::{Conditioning, ModelSettings};

use crate::engine::{Batch, Engine, Reply};
use crate::error::{Error, Result};
use crate::network::{Architecture, Network, Sizes};
use resolvent_core::killed::{GreenKernel, KilledBrownianMotion};

/// Noise levels are told apart from zero down to this share of the spread of the data.
const FINEST: f64 = 1e-6;
/// What a head may add to or take from ℓ.
const LARGEST_HEAD: f32 = 10.0;

/// A denoiser of points x = x_0 + σ ε in R^d, with parameters still to be given.
///
/// A *blind* one sees x alone. Its level ℓ is an estimate of log(ρ/√d), ρ = |x - x_0|: the log-distance between x and its
/// denoised point, or the likeliest level under a Gaussian fit, and on top of that what the network's head says. With D and
/// the gain g of ρ = √d e^ℓ it is a spatial score s = g (D - x) (R19). A *told* one gets log σ.
#[derive(Debug, Clone)]
pub struct Model {
    settings: ModelSettings,
    network: Network,
    fit: GaussianFit,
    green: GreenKernel,
    frequencies: Vec<f64>,
}

/// Points on their way through a model.
#[derive(Debug, Clone, Default)]
pub struct Prepared {
    /// What the network gets.
    pub batch: Batch,
    /// D without the network's part, n rows of d.
    skip: Vec<f32>,
    /// The factor of the network's part (n).
    out: Vec<f32>,
    /// The points, n rows of d.
    points: Vec<f32>,
    /// log σ as it is told or estimated beforehand (n); empty where it comes from the denoised point.
    log_base: Vec<f64>,
}

/// What a model says about points, or the gradient of a loss by that.
#[derive(Debug, Clone, Default)]
pub struct Estimate {
    /// D, n rows of d.
    pub denoised: Vec<f32>,
    /// ℓ (n): log σ, estimated or told.
    pub log_levels: Vec<f64>,
}

impl Prepared {
    /// The factor of the network's output at a point.
    pub fn out(&self, point: usize) -> f32 {
        self.out[point]
    }
}

impl Model {
    /// The model of these settings around that fit to the data.
    ///
    /// # Errors
    /// If the settings are impossible or do not fit the dimension of the data.
    pub fn new(settings: ModelSettings, fit: GaussianFit) -> Result<Self> {
        let d = fit.dim();
        settings.validate()?;
        let told = settings.conditioning == Conditioning::Told;
        let embedded = told || settings.preconditioning.needs_level();
        let inputs = if settings.preconditioning == Preconditioning::Eigenbasis { 2 * d } else { d };
        let sizes = Sizes {
            inputs,
            features: if embedded { settings.embedding.width() } else { 0 },
            outputs: d,
            heads: usize::from(!told),
        };
        if let Architecture::UNet(unet) = &settings.architecture
            && unet.side.checked_mul(unet.side) != Some(d)
        {
            return Err(Error::Pixels { name: "data", found: d, side: unet.side });
        }
        let network = Network::new(settings.architecture.clone(), sizes)?;
        let green = KilledBrownianMotion::new(d, 1.0, settings.rate)?.green().clone();
        let frequencies = settings.embedding.frequencies();
        Ok(Self { settings, network, fit, green, frequencies })
    }

    /// The settings.
    pub fn settings(&self) -> &ModelSettings {
        &self.settings
    }

    /// Dimension d.
    pub fn dim(&self) -> usize {
        self.fit.dim()
    }

    /// The network.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The fit to the data.
    pub fn fit(&self) -> &GaussianFit {
        &self.fit
    }

    /// The Green kernel whose gains the levels stand for: that of Brownian motion with σ = 1 killed at the rate of the settings.
    pub fn green(&self) -> &GreenKernel {
        &self.green
    }

    /// The spread σ_d of a coordinate of the data.
    pub fn spread(&self) -> f64 {
        self.fit.variance().sqrt()
    }

    /// The gain g at the noise level e^ℓ (R19).
    pub fn gain(&self, log_level: f64) -> f64 {
        self.green.gain(self.distance(log_level))
    }

    /// g and d log g/dℓ at the noise level e^ℓ.
    pub fn gain_and_slope(&self, log_level: f64) -> (f64, f64) {
        let distance = self.distance(log_level);
        let gain = self.green.gain(distance);
        (gain, self.green.gain_slope(distance, gain))
    }

    fn distance(&self, log_level: f64) -> f64 {
        log_level.exp() * (self.dim() as f64).sqrt()
    }

    /// Makes a batch for the network of `points` (n rows of d); `levels` (n) are the σ that a told model is told, a blind one
    /// ignores them.
    ///
    /// # Panics
    /// If a told model is not told a level for each point.
    pub fn prepare(&self, points: &[f64], levels: Option<&[f64]>) -> Prepared {
        let (d, n) = (self.dim(), points.len() / self.dim());
        let variance = self.fit.variance();
        let mut prepared =
            Prepared { points: points.iter().map(|x| *x as f32).collect(), ..Prepared::default() };
        let centred: Vec<f32> = points
            .chunks_exact(d)
            .flat_map(|x| x.iter().zip(&self.fit.mean).map(|(x, c)| (x - f64::from(*c)) as f32))
            .collect();
        let norms =
            || centred.chunks_exact(d).map(|x| x.iter().map(|x| f64::from(*x) * f64::from(*x)).sum::<f64>());
        let told = self.settings.conditioning == Conditioning::Told;
        let eigenbasis = self.settings.preconditioning == Preconditioning::Eigenbasis;
        let estimated = !told && self.settings.preconditioning.needs_level();
        let coefficients = if estimated || eigenbasis { self.fit.coefficients(&centred) } else { Vec::new() };
        let k = self.fit.variances.len();
        if told {
            let levels = levels.expect("a told model is told the levels");
            assert_eq!(levels.len(), n, "a level for each point");
            prepared.log_base = levels.iter().map(|sigma| sigma.max(FINEST * variance.sqrt()).ln()).collect();
        } else if estimated {
            let rows = norms().enumerate();
            prepared.log_base = rows
                .map(|(i, norm)| self.fit.likeliest_level(&coefficients[i * k..(i + 1) * k], norm).ln())
                .collect();
        }

        // The factor of the points on their way in, so that what goes in has unit variance.
        let scales: Vec<f32> = if prepared.log_base.is_empty() {
            norms().map(|norm| 1.0 / (variance + norm / d as f64).sqrt()).map(|s| s as f32).collect()
        } else {
            prepared.log_base.iter().map(|l| (1.0 / (variance + (2.0 * l).exp()).sqrt()) as f32).collect()
        };
        for i in 0..n {
            let (skip, out) = match prepared.log_base.get(i) {
                None => (0.0, variance.sqrt()),
                Some(l) if eigenbasis => (0.0, self.fit.posterior_deviation(l.exp())),
                Some(l) => self.settings.preconditioning.coefficients(l.exp(), variance),
            };
            prepared.out.push(out as f32);
            prepared.skip.extend(centred[i * d..(i + 1) * d].iter().map(|x| skip as f32 * x));
        }
        if eigenbasis {
            let mut shrunken = vec![0.0; n * k];
            for i in 0..n {
                let (row, places) = (i * d..(i + 1) * d, i * k..(i + 1) * k);
                let level = prepared.log_base[i].exp();
                let (skip, shrunken) = (&mut prepared.skip[row.clone()], &mut shrunken[places.clone()]);
                self.fit.shrink(level, &centred[row], &coefficients[places], skip, shrunken);
            }
            self.fit.combine(&shrunken, &mut prepared.skip);
        }

        let batch = &mut prepared.batch;
        batch.n = n;
        let within = (1.0 / variance.sqrt()) as f32;
        for (i, scale) in scales.iter().enumerate() {
            let row = i * d..(i + 1) * d;
            let inputs = centred[row.clone()].iter().map(|x| scale * x);
            if eigenbasis {
                // Interleaved, so that they are two channels of an image.
                batch.points.extend(inputs.zip(&prepared.skip[row]).flat_map(|(x, mean)| [x, within * mean]));
            } else {
                batch.points.extend(inputs);
            }
            if let Some(l) = prepared.log_base.get(i) {
                embedding::embed(&self.frequencies, *l, &mut batch.features);
            }
        }
        prepared
            .skip
            .chunks_exact_mut(d)
            .for_each(|row| row.iter_mut().zip(&self.fit.mean).for_each(|(o, c)| *o += c));
        prepared
    }

    /// What the network's reply says about the points.
    pub fn read(&self, prepared: &Prepared, reply: &Reply) -> Estimate {
        let d = self.dim();
        let rows = prepared.skip.chunks_exact(d).zip(reply.field.chunks_exact(d)).zip(&prepared.out);
        let denoised: Vec<f32> = rows
            .flat_map(|((skip, field), out)| skip.iter().zip(field).map(move |(s, f)| s + out * f))
            .collect();
        let mut log_levels = prepared.log_base.clone();
        if log_levels.is_empty() {
            let finest = FINEST * self.spread();
            let pairs = denoised.chunks_exact(d).zip(prepared.points.chunks_exact(d));
            log_levels.extend(pairs.map(|(denoised, x)| {
                let square: f64 = denoised.iter().zip(x).map(|(a, b)| f64::from(a - b).powi(2)).sum();
                (square / d as f64).sqrt().max(finest).ln()
            }));
        }
        log_levels
            .iter_mut()
            .zip(&reply.heads)
            .for_each(|(l, head)| *l += f64::from(head.clamp(-LARGEST_HEAD, LARGEST_HEAD)));
        Estimate { denoised, log_levels }
    }

    /// The gradient by the network's reply, given that by the estimate. A level that came from the denoised point counts as
    /// given, apart from the head's part of it.
    pub fn pull_back(&self, prepared: &Prepared, by: &Estimate, out: &mut Reply) {
        let d = self.dim();
        let rows = out.field.chunks_exact_mut(d).zip(by.denoised.chunks_exact(d)).zip(&prepared.out);
        rows.for_each(|((field, by), factor)| field.iter_mut().zip(by).for_each(|(f, b)| *f = factor * b));
        out.heads.iter_mut().zip(&by.log_levels).for_each(|(head, b)| *head = *b as f32);
    }

    /// What the model with these parameters says about `points` (n rows of d), told the `levels` (n) if it wants them.
    ///
    /// # Panics
    /// As [`prepare`](Self::prepare); also if there are more or fewer parameters than the network has.
    pub fn estimate(
        &self,
        engine: &dyn Engine,
        parameters: &[f32],
        points: &[f64],
        levels: Option<&[f64]>,
    ) -> Estimate {
        let prepared = self.prepare(points, levels);
        self.read(&prepared, &engine.evaluate(&self.network, parameters, &prepared.batch))
    }
}
