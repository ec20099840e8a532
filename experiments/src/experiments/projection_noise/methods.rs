//! One unit: one kind of noise on some images, taken off by every method.

use anyhow::Result;
use nalgebra::DMatrix;
use rand::RngExt;
use rayon::prelude::*;
use resolvent::core::random::{Purpose, stream};
use resolvent::core::schedule::{Level, Schedule, Ve, VpLinear};
use resolvent::core::{Denoiser, EmpiricalMeasure, KilledBrownianMotion, Oracle};
use resolvent::data::glyphs::SIDE;
use resolvent::learn::score::{BlindDenoiser, LearnedDenoiser};
use resolvent::metrics;
use serde::{Deserialize, Serialize};

use super::{Settings, Unit};
use crate::experiment::Context;
use crate::experiments::carried::{Carrier, Originals, Quality, averaged, lost, repeated};
use crate::experiments::corruption::damaged;
use crate::experiments::image_bench::ImageBench;
use crate::experiments::networks::Networks;
use crate::rivals::{CoarseToFine, sdedit, total_variation};

/// Where sampling ends under VP and VE before the last denoising (Song et al. 2021).
const ENDS: (f64, f64) = (1e-3, 1e-5);

/// A way of taking noise off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Method {
    Input,
    Bridge,
    BridgeMean,
    Flux,
    ExactDraw,
    ExactMean,
    BlindDenoiser,
    CoarseToFine,
    NearestDatum,
    ToldDenoiser,
    Wiener,
    SdeditVp,
    SdeditVe,
    TotalVariation,
}

/// What a method is told of the noise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Knows {
    /// This library's methods, which are told nothing.
    Ours,
    /// Nothing.
    Nothing,
    /// The level, or the original by which the best of several results is chosen.
    Level,
}

impl Method {
    pub(super) const ALL: [Self; 14] = [
        Self::Input,
        Self::Bridge,
        Self::BridgeMean,
        Self::Flux,
        Self::ExactDraw,
        Self::ExactMean,
        Self::BlindDenoiser,
        Self::CoarseToFine,
        Self::NearestDatum,
        Self::ToldDenoiser,
        Self::Wiener,
        Self::SdeditVp,
        Self::SdeditVe,
        Self::TotalVariation,
    ];

    /// The name in tables and figures; `runs` are averaged.
    pub(super) fn name(self, runs: usize) -> String {
        match self {
            Self::Input => "input".into(),
            Self::Bridge => "bridge, one run".into(),
            Self::BridgeMean => format!("bridge, mean of {runs}"),
            Self::Flux => "flux flow".into(),
            Self::ExactDraw => "exact score, one run".into(),
            Self::ExactMean => "exact score, mean".into(),
            Self::BlindDenoiser => "blind denoiser, once".into(),
            Self::CoarseToFine => "coarse-to-fine ascent".into(),
            Self::NearestDatum => "nearest datum".into(),
            Self::ToldDenoiser => "denoiser told σ".into(),
            Self::Wiener => "Wiener filter told σ".into(),
            Self::SdeditVp => "SDEdit VP, best start".into(),
            Self::SdeditVe => "SDEdit VE, best start".into(),
            Self::TotalVariation => "total variation, best weight".into(),
        }
    }

    pub(super) fn knows(self) -> Knows {
        match self {
            Self::Bridge | Self::BridgeMean | Self::Flux | Self::ExactDraw | Self::ExactMean => Knows::Ours,
            Self::Input | Self::BlindDenoiser | Self::CoarseToFine | Self::NearestDatum => Knows::Nothing,
            Self::ToldDenoiser | Self::Wiener | Self::SdeditVp | Self::SdeditVe | Self::TotalVariation => {
                Knows::Level
            }
        }
    }
}

/// What every method made of the images of a unit.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Measured {
    pub(super) methods: Vec<(Method, Quality)>,
    /// The originals that are shown.
    pub(super) originals: Vec<u8>,
    /// Root mean square of input less original.
    pub(super) level: f64,
    /// The share of held-out images that the judge names rightly.
    pub(super) accuracy: f64,
    /// What the images and the networks are.
    pub(super) source: String,
}

pub(super) fn measure(unit: &Unit, settings: &Settings, context: &Context) -> Result<Measured> {
    let (bench, networks) = settings.bench(context)?;
    let n = settings.images;
    let first = unit.seed as usize * n;
    let originals = Originals {
        images: bench.images.held_out.columns(first, n).into_owned(),
        labels: &bench.images.held_out_labels[first..first + n],
        judge: &bench.judge,
        shown: if unit.seed == 0 { settings.shown } else { 0 },
    };
    let tag = unit.tag << 12 | unit.seed as usize;
    let inputs = damaged(unit.corruption, &originals.images, &bench.images.mean(), tag, context.seed);
    let level = ((&inputs - &originals.images).norm_squared() / inputs.len() as f64).sqrt();
    let seed = stream(context.seed, Purpose::Experiment, u64::MAX - tag as u64).random();
    let trial = Trial {
        bench: &bench,
        networks: &networks,
        settings,
        originals: &originals,
        inputs: &inputs,
        level,
        seed,
    };
    let mut methods = vec![(Method::Input, originals.quality(&inputs, None, 0)?)];
    // Some of them keep a single core busy.
    let parts = [Trial::ours, Trial::blind, Trial::edited, Trial::exact, Trial::told, Trial::smoothed];
    let made: Vec<Made> = parts
        .par_iter()
        .map(|part| {
            context.proceed()?;
            part(&trial)
        })
        .collect::<Result<_>>()?;
    methods.extend(made.into_iter().flatten());
    methods.sort_by_key(|(method, _)| *method);
    Ok(Measured {
        methods,
        originals: originals.own_pictures(),
        level,
        accuracy: bench.judge.accuracy,
        source: format!("{}; networks: {}", bench.images.source, networks.source),
    })
}

/// The inputs of a unit with what the methods need.
struct Trial<'a> {
    bench: &'a ImageBench,
    networks: &'a Networks,
    settings: &'a Settings,
    originals: &'a Originals<'a>,
    inputs: &'a DMatrix<f64>,
    level: f64,
    seed: u64,
}

type Made = Vec<(Method, Quality)>;

impl Trial<'_> {
    fn ours(&self) -> Result<Made> {
        let Settings { runs, bridge_eta, flux_eta, floor, cap, .. } = *self.settings;
        let carrier = Carrier::new(&self.networks.spatial, (bridge_eta, flux_eta), floor, cap)?;
        let bridge = carrier.bridge(&repeated(self.inputs, runs), self.seed)?;
        let flux = carrier.flux(self.inputs)?;
        let (cost, missing) = (bridge.mean_evaluations(), lost(&bridge));
        let mean = averaged(&bridge.points, runs);
        Ok(vec![
            (Method::Bridge, self.originals.quality(&bridge.points, Some(cost), missing)?),
            (Method::BridgeMean, self.originals.quality(&mean, Some(runs as f64 * cost), missing)?),
            (Method::Flux, self.originals.quality(&flux.points, Some(flux.mean_evaluations()), lost(&flux))?),
        ])
    }

    /// The law of the end point from the input under the exact score of the data (R10).
    fn exact(&self) -> Result<Made> {
        let data = &self.bench.images.data;
        let process =
            KilledBrownianMotion::new(data.nrows(), 1.0, self.networks.spatial.model.settings().rate)?;
        let oracle = Oracle::new(process, EmpiricalMeasure::new(data.clone())?)?;
        let drawn = data.select_columns(&oracle.draw(self.inputs, self.seed)?.atoms);
        let means: Vec<_> = (0..self.inputs.ncols())
            .into_par_iter()
            .map(|i| data * nalgebra::DVector::from_vec(oracle.end_law(self.inputs.column(i).as_slice())))
            .collect();
        Ok(vec![
            (Method::ExactDraw, self.originals.quality(&drawn, None, 0)?),
            (Method::ExactMean, self.originals.quality(&DMatrix::from_columns(&means), None, 0)?),
        ])
    }

    fn blind(&self) -> Result<Made> {
        let saved = &self.networks.spatial;
        let denoiser = BlindDenoiser::new(saved.model.clone(), saved.parameters.clone())?.clip(-1.0, 1.0)?;
        let once = denoised(&denoiser, &Level::CLEAN, self.inputs);
        let ascent = CoarseToFine::published(self.settings.ascent_cap);
        let ascended = ascent.run(&denoiser, self.inputs, None, self.seed);
        let cost = ascended.evaluations.iter().sum::<usize>() as f64 / ascended.evaluations.len() as f64;
        let nearest = metrics::nearest_index(self.inputs, &self.bench.images.data)?;
        let nearest = self.bench.images.data.select_columns(&nearest);
        Ok(vec![
            (Method::BlindDenoiser, self.originals.quality(&once, Some(1.0), 0)?),
            (Method::CoarseToFine, self.originals.quality(&ascended.points, Some(cost), ascended.capped)?),
            (Method::NearestDatum, self.originals.quality(&nearest, None, 0)?),
        ])
    }

    fn told(&self) -> Result<Made> {
        let saved = &self.networks.told;
        let level = Level { time: self.level, alpha: 1.0, sigma: self.level };
        // Without its network's part the model is the Wiener filter of a Gaussian fit.
        let plain = vec![0.0; saved.parameters.len()];
        let by = |parameters: Vec<f32>| -> Result<DMatrix<f64>> {
            Ok(denoised(&LearnedDenoiser::new(saved.model.clone(), parameters)?, &level, self.inputs))
        };
        Ok(vec![
            (Method::ToldDenoiser, self.originals.quality(&by(saved.parameters.clone())?, Some(1.0), 0)?),
            (Method::Wiener, self.originals.quality(&by(plain)?, None, 0)?),
        ])
    }

    fn edited(&self) -> Result<Made> {
        let saved = &self.networks.told;
        let denoiser =
            LearnedDenoiser::new(saved.model.clone(), saved.parameters.clone())?.clip(-1.0, 1.0)?;
        let (vp, ve) = (VpLinear::default(), Ve::default());
        let schedules: [(Method, &dyn Schedule, f64); 2] =
            [(Method::SdeditVp, &vp, ENDS.0), (Method::SdeditVe, &ve, ENDS.1)];
        let mut made = Vec::new();
        for (method, schedule, end) in schedules {
            let steps = (self.settings.sdedit_steps, end);
            let tried = self.settings.sdedit_ratios.iter().map(|&ratio| {
                let edited = sdedit(schedule, &denoiser, self.inputs, ratio, steps, self.seed)?;
                self.originals.quality(&edited.points, Some(edited.mean_evaluations()), lost(&edited))
            });
            made.push((method, best(tried.collect::<Result<_>>()?)));
        }
        Ok(made)
    }

    fn smoothed(&self) -> Result<Made> {
        let d = self.inputs.nrows();
        let tried = self.settings.tv_weights.iter().map(|&weight| {
            let columns: Vec<f64> = self
                .inputs
                .as_slice()
                .par_chunks(d)
                .flat_map_iter(|image| total_variation(image, SIDE, weight, self.settings.tv_iterations))
                .collect();
            self.originals.quality(&DMatrix::from_vec(d, self.inputs.ncols(), columns), None, 0)
        });
        Ok(vec![(Method::TotalVariation, best(tried.collect::<Result<_>>()?))])
    }
}

/// The one with the largest PSNR.
fn best(tried: Vec<Quality>) -> Quality {
    tried.into_iter().max_by(|a, b| a.psnr.total_cmp(&b.psnr)).expect("the settings were checked")
}

/// D of every column.
fn denoised(denoiser: &dyn Denoiser, level: &Level, points: &DMatrix<f64>) -> DMatrix<f64> {
    let mut out = points.clone();
    let d = points.nrows();
    out.as_mut_slice()
        .par_chunks_mut(32 * d)
        .zip(points.as_slice().par_chunks(32 * d))
        .for_each(|(out, points)| denoiser.denoise(level, points, out));
    out
}
