//! Cost and quality against the noise in the input.

use anyhow::Result;
use nalgebra::DMatrix;
use rayon::prelude::*;
use resolvent::metrics;

use super::Settings;
use super::images::{Images, pixels};
use super::method::{Ends, Method, Scheme, floor};
use super::trials::{PEAK, posterior_means};
use crate::experiment::Context;
use crate::experiments::corruption::{Corruption, damaged};
use crate::outcome::{Figure, Table, cells};
use crate::plot::{Axis, Chart, Series};

/// What was measured at one noise level.
struct Level {
    sigma: f64,
    /// Evaluations of the bridge from noisy data and from noisy held-out images, and of the posterior-bridge from the latter.
    evaluations: [metrics::Estimate; 3],
    /// PSNR of input, nearest datum, backward sample and posterior mean against the held-out original.
    psnr: [metrics::Estimate; 4],
    largest_weight: f64,
}

/// The sweep: runs of the posterior-bridge, figures and table. `tag` numbers the first level.
pub(super) fn run(
    tag: usize,
    images: &Images,
    method: &Method<'_>,
    settings: &Settings,
    context: &Context,
) -> Result<(Vec<Ends>, Vec<Figure>, Table)> {
    let held_out = images.held_out.columns(0, settings.sweep_inputs).into_owned();
    let data = images.data.columns(0, settings.sweep_inputs).into_owned();
    let (mut levels, mut runs) = (Vec::new(), Vec::new());
    for (k, &sigma) in settings.sweep_levels.iter().enumerate() {
        context.proceed()?;
        let tags = (tag + 2 * k, tag + 2 * k + 1);
        let noise = |originals: &DMatrix<f64>, tag| {
            damaged(Corruption::Noise(sigma), originals, images.original(0), tag, context.seed)
        };
        let (inputs, noisy_data) = (noise(&held_out, tags.0), noise(&data, tags.1));
        let name = format!("noise σ = {sigma}");
        let part = 2 * tags.0 as u64;
        let from_data = method.run(Scheme::Mean, &noisy_data, part, &name)?;
        let bridge = method.run(Scheme::Mean, &inputs, part + 1, &name)?;
        let posterior = method.run(Scheme::Posterior, &inputs, part + 2, &name)?;
        let beliefs: Vec<Vec<f64>> =
            (0..inputs.ncols()).into_par_iter().map(|i| method.posterior(pixels(&inputs, i))).collect();
        let largest: Vec<f64> =
            beliefs.iter().map(|weights| weights.iter().fold(0.0, |a: f64, &b| a.max(b))).collect();
        let nearest = metrics::nearest_index(&inputs, &images.data)?;
        let psnr = |batch: &DMatrix<f64>| metrics::mean_psnr(batch, &held_out, PEAK);
        levels.push(Level {
            sigma,
            evaluations: [
                metrics::mean(&from_data.evaluations())?,
                metrics::mean(&bridge.evaluations())?,
                metrics::mean(&posterior.evaluations())?,
            ],
            psnr: [
                psnr(&inputs)?,
                psnr(&images.data.select_columns(&nearest))?,
                psnr(&posterior.ensemble.points)?,
                psnr(&posterior_means(&beliefs, &images.data))?,
            ],
            largest_weight: metrics::mean(&largest)?.value,
        });
        runs.push(posterior);
    }
    let figures =
        vec![cost_figure(&levels, images.data.nrows(), settings)?, quality_figure(&levels, settings)?];
    Ok((runs, figures, table(&levels, settings)))
}

/// Points of a series with its error bars of two standard errors.
fn series(name: &str, levels: &[Level], estimate: impl Fn(&Level) -> metrics::Estimate) -> Series {
    let points = levels.iter().map(|level| (level.sigma, estimate(level).value)).collect();
    let errors = levels.iter().map(|level| 2.0 * estimate(level).standard_error).collect();
    Series::marked(name, points).errors(errors)
}

fn cost_figure(levels: &[Level], dim: usize, settings: &Settings) -> Result<Figure> {
    // Each step takes a share η off the squared distance σ² d, until the floor δ²/d is the longer step; the rest takes 1/η.
    let eta = settings.bridge_eta;
    let floor = floor(settings, dim);
    let expected = |sigma: f64| {
        f64::ln(eta * sigma * sigma * dim as f64 / (floor * floor)) / -f64::ln_1p(-eta) + 1.0 / eta
    };
    let theory = levels.iter().map(|level| (level.sigma, expected(level.sigma))).collect();
    let svg =
        Chart::new(Axis::log("noise level σ of the input"), Axis::linear("score evaluations of a particle"))
            .series(Series::dashed("one datum, d large", theory).exact())
            .series(series("bridge from data + noise", levels, |level| level.evaluations[0]))
            .series(series("bridge from held-out + noise", levels, |level| level.evaluations[1]))
            .series(series("posterior-bridge from held-out + noise", levels, |level| level.evaluations[2]))
            .svg()?;
    Ok(Figure::new(
        "cost",
        format!(
            "The cost follows the noise in the input, though the method is not told its level. Score evaluations of a \
             particle, mean and two standard errors over {} inputs; bridge at η = {eta}, posterior-bridge (exact) at \
             η = {}. The dashed line is the cost from a single datum at distance σ√d. A held-out image has no datum \
             nearer than its neighbours: below that the cost is level.",
            settings.sweep_inputs, settings.posterior_eta
        ),
        svg,
    ))
}

fn quality_figure(levels: &[Level], settings: &Settings) -> Result<Figure> {
    let svg =
        Chart::new(Axis::log("noise level σ of the input"), Axis::linear("PSNR against the original (dB)"))
            .series(series("input", levels, |level| level.psnr[0]))
            .series(series("nearest datum", levels, |level| level.psnr[1]))
            .series(series("backward sample", levels, |level| level.psnr[2]))
            .series(series("posterior mean", levels, |level| level.psnr[3]))
            .svg()?;
    Ok(Figure::new(
        "quality",
        format!(
            "Held-out images with noise: PSNR of the input, of the datum nearest to it, of a backward sample and of the \
             posterior mean Σ w_i y_i (R10); mean and two standard errors over {} images.",
            settings.sweep_inputs
        ),
        svg,
    ))
}

fn table(levels: &[Level], settings: &Settings) -> Table {
    let mut table = Table::new(
        "Noise sweep",
        format!(
            "Means over {} held-out images: PSNR in decibels, evaluations of a particle.",
            settings.sweep_inputs
        ),
        &[
            "noise σ",
            "PSNR input",
            "nearest datum",
            "sample",
            "posterior mean",
            "largest weight",
            "bridge from data",
            "bridge",
            "posterior-bridge",
        ],
    );
    for level in levels {
        let [input, nearest, sample, mean] = level.psnr.map(|psnr| psnr.value);
        let [from_data, bridge, posterior] = level.evaluations.map(|count| count.value);
        table.push(cells![
            level.sigma,
            input,
            nearest,
            sample,
            mean,
            level.largest_weight,
            from_data,
            bridge,
            posterior
        ]);
    }
    table
}
