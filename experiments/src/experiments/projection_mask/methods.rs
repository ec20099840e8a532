//! One unit: one mask on some images, completed by every method.

use anyhow::Result;
use nalgebra::DMatrix;
use rand::RngExt;
use rand_distr::StandardNormal;
use rayon::prelude::*;
use resolvent::core::random::{Purpose, stream};
use resolvent::core::schedule::VpLinear;
use resolvent::core::step::{Bridge, Imposed};
use resolvent::core::{EmpiricalMeasure, Ensemble, KilledBrownianMotion, Oracle};
use resolvent::learn::model::SavedModel;
use resolvent::learn::score::{BlindDenoiser, LearnedDenoiser};
use resolvent::metrics;
use serde::{Deserialize, Serialize};

use super::{Settings, Unit};
use crate::experiment::Context;
use crate::experiments::carried::{Carrier, Originals, Quality, RANGE, lost, repeated};
use crate::experiments::image_bench::ImageBench;
use crate::experiments::networks::{Networks, masked};
use crate::rivals::{CoarseToFine, Known, replacement, sdedit};

/// Where sampling ends under VP before the last denoising (Song et al. 2021).
const END: f64 = 1e-3;
/// The noise from which the ascent starts: one for pixels in [0, 1].
const ASCENT_START: f64 = 2.0;

/// What stands in for hidden pixels at the start.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Fill {
    /// The background, -1: the input as it is.
    Black,
    /// 0, between black and white.
    Grey,
    /// The mean of the data.
    Mean,
    /// The mean of the data with normal noise of this deviation.
    Noise(f64),
}

impl Fill {
    pub(super) fn name(self) -> String {
        match self {
            Self::Black => "black".into(),
            Self::Grey => "grey".into(),
            Self::Mean => "the mean".into(),
            Self::Noise(level) => format!("noise {level}"),
        }
    }
}

/// Which learned score drives the bridge.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Score {
    /// One that was trained on isotropic noise alone.
    Noise,
    /// One that was trained on masked images too.
    Masked,
}

impl Score {
    /// What is added to the name of a method.
    pub(super) fn suffix(self) -> &'static str {
        match self {
            Self::Noise => "",
            Self::Masked => ", trained on masks",
        }
    }
}

/// A way of completing an image.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Method {
    /// The filled image itself.
    Input(Fill),
    /// The bridge with the learned score.
    Free(Score, Fill),
    /// The same with known pixels imposed after each step.
    Imposed(Score, Fill),
    /// The end point under the exact score of the data.
    Exact(Fill),
    NearestDatum,
    Replacement,
    Sdedit,
    CoarseToFine,
}

impl Method {
    pub(super) fn name(self) -> String {
        match self {
            Self::Input(fill) => format!("filled with {}", fill.name()),
            Self::Free(score, fill) => format!("bridge from {}{}", fill.name(), score.suffix()),
            Self::Imposed(score, fill) => {
                format!("bridge, known imposed, from {}{}", fill.name(), score.suffix())
            }
            Self::Exact(fill) => format!("exact score from {}", fill.name()),
            Self::NearestDatum => "nearest datum on known pixels".into(),
            Self::Replacement => "replacement, VP".into(),
            Self::Sdedit => "SDEdit VP, best start".into(),
            Self::CoarseToFine => "coarse-to-fine ascent, constrained".into(),
        }
    }
}

/// How good completed images are.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Completed {
    pub(super) method: Method,
    pub(super) quality: Quality,
    /// PSNR on the hidden pixels alone, in decibels.
    pub(super) hidden_psnr: f64,
    /// Root mean square by which known pixels were changed.
    pub(super) moved: f64,
}

/// What every method made of the images of a unit.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Measured {
    pub(super) completed: Vec<Completed>,
    /// The originals that are shown.
    pub(super) originals: Vec<u8>,
    /// The share of held-out images that the judge names rightly.
    pub(super) accuracy: f64,
    /// What the images and the networks are.
    pub(super) source: String,
}

pub(super) fn measure(unit: &Unit, settings: &Settings, context: &Context) -> Result<Measured> {
    let (bench, networks) = settings.bench(context)?;
    let taught = masked(settings.masked_steps, &bench.images, context)?;
    let n = settings.images;
    let first = unit.seed as usize * n;
    let originals = Originals {
        images: bench.images.held_out.columns(first, n).into_owned(),
        labels: &bench.images.held_out_labels[first..first + n],
        judge: &bench.judge,
        shown: if unit.seed == 0 { settings.shown } else { 0 },
    };
    let tag = (unit.tag << 12 | unit.seed as usize) as u64;
    let mut rng = stream(context.seed, Purpose::Experiment, u64::MAX - tag);
    let hidden = unit.mask.mask(&mut rng);
    let known: Vec<bool> = hidden.iter().map(|hidden| !hidden).collect();
    let trial = Trial {
        bench: &bench,
        networks: &networks,
        taught: &taught,
        settings,
        originals: &originals,
        mean: bench.images.mean(),
        rows: hidden.iter().enumerate().filter(|(_, hidden)| **hidden).map(|(k, _)| k).collect(),
        known: &known,
        seed: rng.random(),
    };
    let parts: [Part<'_>; 5] = [
        |trial| trial.inputs(),
        |trial| trial.ours(Score::Noise, &trial.networks.spatial),
        |trial| trial.ours(Score::Masked, trial.taught),
        |trial| trial.others(),
        |trial| trial.exact(),
    ];
    let completed: Vec<Vec<Completed>> = parts
        .par_iter()
        .map(|part| {
            context.proceed()?;
            part(&trial)
        })
        .collect::<Result<_>>()?;
    Ok(Measured {
        completed: completed.into_iter().flatten().collect(),
        originals: originals.own_pictures(),
        accuracy: bench.judge.accuracy,
        source: format!("{}; networks: {}", bench.images.source, networks.source),
    })
}

/// The images of a unit under their mask with what the methods need.
struct Trial<'a> {
    bench: &'a ImageBench,
    networks: &'a Networks,
    /// The network that has seen masked images.
    taught: &'a SavedModel,
    settings: &'a Settings,
    originals: &'a Originals<'a>,
    mean: Vec<f64>,
    /// The hidden pixels.
    rows: Vec<usize>,
    known: &'a [bool],
    seed: u64,
}

/// Some of the methods on the images of a unit.
type Part<'a> = fn(&Trial<'a>) -> Result<Vec<Completed>>;

impl Trial<'_> {
    fn fills(&self) -> Vec<Fill> {
        let noise = self.settings.fill_noise.iter().map(|&level| Fill::Noise(level));
        [Fill::Black, Fill::Grey, Fill::Mean].into_iter().chain(noise).collect()
    }

    /// The originals with their hidden pixels filled, each `times` times with noise of its own.
    fn filled(&self, fill: Fill, times: usize) -> DMatrix<f64> {
        let mut out = repeated(&self.originals.images, times);
        for (i, mut column) in out.column_iter_mut().enumerate() {
            let mut rng = stream(self.seed, Purpose::Start, i as u64);
            for &k in &self.rows {
                column[k] = match fill {
                    Fill::Black => -1.0,
                    Fill::Grey => 0.0,
                    Fill::Mean => self.mean[k],
                    Fill::Noise(level) => self.mean[k] + level * rng.sample::<f64, _>(StandardNormal),
                };
            }
        }
        out
    }

    fn judged(
        &self,
        method: Method,
        points: &DMatrix<f64>,
        evaluations: Option<f64>,
        lost: usize,
    ) -> Result<Completed> {
        let clipped = points.map(|x| x.clamp(-1.0, 1.0));
        let originals = repeated(&self.originals.images, points.ncols() / self.originals.images.ncols());
        let (hidden, truth) = (clipped.select_rows(&self.rows), originals.select_rows(&self.rows));
        let squares: f64 = self
            .known
            .iter()
            .enumerate()
            .filter(|(_, known)| **known)
            .map(|(k, _)| (points.row(k) - originals.row(k)).norm_squared())
            .sum();
        let count = (self.known.len() - self.rows.len()) * points.ncols();
        Ok(Completed {
            method,
            quality: self.originals.quality(points, evaluations, lost)?,
            hidden_psnr: metrics::mean_psnr(&hidden, &truth, RANGE)?.value,
            moved: (squares / count as f64).sqrt(),
        })
    }

    fn inputs(&self) -> Result<Vec<Completed>> {
        let input = |fill| self.judged(Method::Input(fill), &self.filled(fill, 1), None, 0);
        self.fills().into_iter().map(input).collect()
    }

    fn ours(&self, score: Score, network: &SavedModel) -> Result<Vec<Completed>> {
        let Settings { runs, bridge_eta, floor, cap, .. } = *self.settings;
        let carrier = Carrier::new(network, (bridge_eta, bridge_eta), floor, cap)?;
        let bridge = Bridge::new(carrier.score());
        let imposed = Imposed::new(self.known.len(), &bridge, self.known)?;
        let mut made = Vec::new();
        for fill in self.fills() {
            let starts = self.filled(fill, runs);
            let mut add = |method: Method, ends: &Ensemble| -> Result<()> {
                made.push(self.judged(method, &ends.points, Some(ends.mean_evaluations()), lost(ends))?);
                Ok(())
            };
            add(Method::Free(score, fill), &carrier.bridge(&starts, self.seed)?)?;
            add(Method::Imposed(score, fill), &carrier.bridge_by(&imposed, &starts, self.seed)?)?;
        }
        Ok(made)
    }

    /// The law of the end point from the filled image under the exact score of the data (R10).
    fn exact(&self) -> Result<Vec<Completed>> {
        let data = &self.bench.images.data;
        let process =
            KilledBrownianMotion::new(data.nrows(), 1.0, self.networks.spatial.model.settings().rate)?;
        let oracle = Oracle::new(process, EmpiricalMeasure::new(data.clone())?)?;
        let mut made = Vec::new();
        for fill in self.fills() {
            let drawn = data.select_columns(&oracle.draw(&self.filled(fill, 1), self.seed)?.atoms);
            made.push(self.judged(Method::Exact(fill), &drawn, None, 0)?);
        }
        let kept: Vec<usize> = (0..self.known.len()).filter(|&k| self.known[k]).collect();
        let nearest =
            metrics::nearest_index(&self.originals.images.select_rows(&kept), &data.select_rows(&kept))?;
        made.push(self.judged(Method::NearestDatum, &data.select_columns(&nearest), None, 0)?);
        Ok(made)
    }

    fn others(&self) -> Result<Vec<Completed>> {
        let (blind, told) = (&self.networks.spatial, &self.networks.told);
        let blind = BlindDenoiser::new(blind.model.clone(), blind.parameters.clone())?.clip(-1.0, 1.0)?;
        let told = LearnedDenoiser::new(told.model.clone(), told.parameters.clone())?.clip(-1.0, 1.0)?;
        let known = Known { pixels: self.known, values: &self.originals.images };
        let (steps, vp) = ((self.settings.steps, END), VpLinear::default());
        let replaced = replacement(&vp, &told, &known, steps, self.seed)?;
        let cost = self.settings.steps as f64 + 1.0;
        let mut made = vec![self.judged(Method::Replacement, &replaced, Some(cost), 0)?];

        let input = self.filled(Fill::Mean, 1);
        let mut best: Option<Completed> = None;
        for &ratio in &self.settings.sdedit_ratios {
            let edited = sdedit(&vp, &told, &input, ratio, steps, self.seed)?;
            let tried =
                self.judged(Method::Sdedit, &edited.points, Some(edited.mean_evaluations()), lost(&edited))?;
            if best.as_ref().is_none_or(|best| tried.hidden_psnr > best.hidden_psnr) {
                best = Some(tried);
            }
        }
        made.extend(best);

        // Known pixels in place, hidden ones at the middle of the range, and noise on all.
        let mut starts = self.filled(Fill::Grey, 1);
        for (i, mut column) in starts.column_iter_mut().enumerate() {
            let mut rng = stream(self.seed, Purpose::Oracle, i as u64);
            column.iter_mut().for_each(|x| *x += ASCENT_START * rng.sample::<f64, _>(StandardNormal));
        }
        let ascent = CoarseToFine::published(self.settings.ascent_cap);
        let ascended = ascent.run(&blind, &starts, Some(&known), self.seed);
        let cost = ascended.evaluations.iter().sum::<usize>() as f64 / ascended.evaluations.len() as f64;
        made.push(self.judged(Method::CoarseToFine, &ascended.points, Some(cost), ascended.capped)?);
        Ok(made)
    }
}
