//! Every kind of damage on the same held-out images, carried back by both schemes.

use anyhow::Result;
use nalgebra::DMatrix;
use rayon::prelude::*;
use resolvent::metrics::{self, Nearest};

use super::Settings;
use super::images::{Images, grey, pixels};
use super::method::{Ends, Method, Scheme};
use crate::experiment::Context;
use crate::experiments::corruption::{Corruption, damaged};
use crate::outcome::{Table, cells};
use crate::plot::{GreyImage, ImagePanel, image_panels};

/// White on black is one, so the whole range is two.
pub(super) const PEAK: f64 = 2.0;

/// One kind of damage on the first held-out images.
pub(super) struct Trial {
    corruption: Corruption,
    inputs: DMatrix<f64>,
    nearest: Nearest,
    /// Σ w_i y_i with the weights of R10, one column per input.
    means: DMatrix<f64>,
    /// The largest of the weights of R10.
    largest: Vec<f64>,
    /// The class that holds most of the weights.
    classes: Vec<u8>,
    /// Several particles for each input, side by side.
    pub(super) posterior: Ends,
    /// One particle for each input.
    bridge: Ends,
}

/// Columns of `batch`, each `times` times.
fn repeated(batch: &DMatrix<f64>, times: usize) -> DMatrix<f64> {
    let columns: Vec<usize> = (0..batch.ncols()).flat_map(|i| std::iter::repeat_n(i, times)).collect();
    batch.select_columns(&columns)
}

/// Σ w_i y_i for each set of weights on the data.
pub(super) fn posterior_means(beliefs: &[Vec<f64>], data: &DMatrix<f64>) -> DMatrix<f64> {
    let mut means = DMatrix::zeros(data.nrows(), beliefs.len());
    for (mut mean, weights) in means.column_iter_mut().zip(beliefs) {
        for (y, &weight) in data.column_iter().zip(weights).filter(|(_, weight)| **weight > 1e-12) {
            mean.axpy(weight, &y, 1.0);
        }
    }
    means
}

impl Trial {
    /// Damages the first held-out images and carries them back. `tag` numbers the kind of damage.
    pub(super) fn run(
        corruption: Corruption,
        tag: usize,
        images: &Images,
        method: &Method<'_>,
        settings: &Settings,
        context: &Context,
    ) -> Result<Self> {
        let originals = images.held_out.columns(0, settings.n_inputs).into_owned();
        let inputs = damaged(corruption, &originals, &settings.fill.image(images), tag, context.seed);
        let beliefs: Vec<Vec<f64>> =
            (0..inputs.ncols()).into_par_iter().map(|i| method.posterior(pixels(&inputs, i))).collect();
        let starts = repeated(&inputs, settings.n_samples);
        let name = corruption.name();
        Ok(Self {
            corruption,
            nearest: metrics::nearest(&inputs, &images.data)?,
            means: posterior_means(&beliefs, &images.data),
            largest: beliefs.iter().map(|weights| weights.iter().fold(0.0, |a: f64, &b| a.max(b))).collect(),
            classes: beliefs.iter().map(|weights| images.likeliest_class(weights)).collect::<Result<_>>()?,
            posterior: method.run(Scheme::Posterior, &starts, 2 * tag as u64, &name)?,
            bridge: method.run(Scheme::Mean, &inputs, 2 * tag as u64 + 1, &name)?,
            inputs,
        })
    }

    fn ends(&self, scheme: Scheme) -> &Ends {
        match scheme {
            Scheme::Posterior => &self.posterior,
            Scheme::Mean => &self.bridge,
        }
    }

    /// Particles of each input.
    fn samples(&self, scheme: Scheme) -> usize {
        self.ends(scheme).ensemble.exits.len() / self.inputs.ncols()
    }

    /// The share of particles that end next to a datum of the class of their original.
    fn class_kept(&self, scheme: Scheme, images: &Images) -> f64 {
        let (samples, indices) = (self.samples(scheme), &self.ends(scheme).nearest.indices);
        share(indices.iter().enumerate(), |(k, &datum)| {
            images.labels[datum] == images.held_out_labels[k / samples]
        })
    }

    /// Mean PSNR of the end points against the originals.
    fn psnr(&self, scheme: Scheme, images: &Images) -> Result<f64> {
        let originals = images.held_out.columns(0, self.inputs.ncols()).into_owned();
        let ends = &self.ends(scheme).ensemble.points;
        Ok(metrics::mean_psnr(ends, &repeated(&originals, self.samples(scheme)), PEAK)?.value)
    }
}

/// What came back, against the originals.
pub(super) fn quality(trials: &[Trial], images: &Images, settings: &Settings) -> Result<Table> {
    let mut table = Table::new(
        "What comes back",
        format!(
            "{} held-out images, {} backward samples of each (posterior-bridge). PSNR in decibels against the \
             original; the share of inputs whose class is kept, for the nearest datum, for backward samples and for \
             the class with the largest R10 weight; the mean of the largest R10 weight.",
            settings.n_inputs, settings.n_samples
        ),
        &[
            "input",
            "PSNR input",
            "nearest datum",
            "sample",
            "posterior mean",
            "class kept: nearest",
            "sample",
            "weighted",
            "largest weight",
        ],
    );
    let originals = images.held_out.columns(0, settings.n_inputs).into_owned();
    let psnr = |batch: &DMatrix<f64>| metrics::mean_psnr(batch, &originals, PEAK).map(|psnr| psnr.value);
    for trial in trials {
        let truth = &images.held_out_labels;
        let nearest = &trial.nearest.indices;
        table.push(cells![
            trial.corruption.name(),
            psnr(&trial.inputs)?,
            psnr(&images.data.select_columns(nearest))?,
            trial.psnr(Scheme::Posterior, images)?,
            psnr(&trial.means)?,
            share(nearest.iter().zip(truth), |(&datum, &class)| images.labels[datum] == class),
            trial.class_kept(Scheme::Posterior, images),
            share(trial.classes.iter().zip(truth), |(guess, class)| guess == class),
            metrics::mean(&trial.largest)?.value,
        ]);
    }
    Ok(table)
}

/// What it cost, and whether the two schemes agree.
pub(super) fn cost(trials: &[Trial], images: &Images, settings: &Settings) -> Result<Table> {
    let mut table = Table::new(
        "Cost and agreement of the two schemes",
        format!(
            "posterior-bridge: exact, η = {}; bridge: steps towards the posterior mean, η = {}, one particle for each \
             input. Score evaluations of a particle, how the particles ended, and the largest distance of an end point to \
             the data.",
            settings.posterior_eta, settings.bridge_eta
        ),
        &[
            "input",
            "scheme",
            "evaluations",
            "standard error",
            "killed",
            "capped",
            "diverged",
            "PSNR",
            "class kept",
            "farthest from data",
        ],
    );
    for trial in trials {
        for scheme in Scheme::ALL {
            let ends = trial.ends(scheme);
            let evaluations = metrics::mean(&ends.evaluations())?;
            let [killed, capped, diverged] = ends.exits();
            table.push(cells![
                trial.corruption.name(),
                scheme.name(),
                evaluations.value,
                evaluations.standard_error,
                killed,
                capped,
                diverged,
                trial.psnr(scheme, images)?,
                trial.class_kept(scheme, images),
                ends.farthest(),
            ]);
        }
    }
    Ok(table)
}

/// The first inputs of some trials with what came back, side by side.
pub(super) fn figure(trials: &[Trial], images: &Images, settings: &Settings) -> Result<String> {
    let samples = settings.n_samples;
    let shown = first_of_each_class(&images.held_out_labels[..settings.n_inputs], settings.n_shown);
    let panels = trials.iter().map(|trial| {
        let mut rows = vec![
            row(&images.held_out, &shown, |i| i),
            row(&trial.inputs, &shown, |i| i),
            row(&images.data, &shown, |i| trial.nearest.indices[i]),
        ];
        for k in 0..samples {
            rows.push(row(&trial.posterior.ensemble.points, &shown, |i| i * samples + k));
        }
        rows.push(row(&trial.means, &shown, |i| i));
        ImagePanel { heading: trial.corruption.name(), rows }
    });
    let panels: Vec<ImagePanel<'_>> = panels.collect();
    let mut labels = vec!["original".to_owned(), "input".into(), "nearest datum".into()];
    labels.extend((1..=samples).map(|k| format!("backward sample {k}")));
    labels.push("posterior mean".into());
    image_panels(&labels, &panels)
}

/// Images of a batch: for every i of `shown` that in column `column(i)`.
fn row<'a>(batch: &'a DMatrix<f64>, shown: &[usize], column: impl Fn(usize) -> usize) -> Vec<GreyImage<'a>> {
    shown.iter().map(|&i| grey(pixels(batch, column(i)))).collect()
}

/// `count` indices: the first image of each class, then the second of each, and so on.
fn first_of_each_class(labels: &[u8], count: usize) -> Vec<usize> {
    let earlier = |&i: &usize| labels[..i].iter().filter(|&&label| label == labels[i]).count();
    let mut order: Vec<usize> = (0..labels.len()).collect();
    order.sort_by_key(earlier);
    order.truncate(count);
    order
}

fn share<T>(items: impl ExactSizeIterator<Item = T>, holds: impl Fn(T) -> bool) -> f64 {
    let total = items.len() as f64;
    items.map(holds).filter(|&holds| holds).count() as f64 / total
}
