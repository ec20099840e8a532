//! The root mean square error of the denoisers at given noise levels, and the noise level that the spatial one sees.

use anyhow::Result;
use nalgebra::DMatrix;
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;
use resolvent::core::random::{Purpose, stream};
use resolvent::learn::engine::Native;
use resolvent::learn::model::{Model, SavedModel};
use resolvent::metrics::{Estimate, mean};

use super::{Settings, TARGET, Twins};
use crate::experiment::Context;
use crate::experiments::labelled_images::{LabelledImages, grey, pixels};
use crate::outcome::{Check, Figure, Outcome, Table, cells};
use crate::plot::{Axis, Chart, ImagePanel, Series, image_panels};

/// Images that go through a network together.
const TOGETHER: usize = 32;
/// Images shown at each level.
const SHOWN: usize = 6;

/// What was found at one noise level.
struct AtLevel {
    level: f64,
    /// Root mean square errors per pixel: Wiener filter told the level, spatial model, its twin.
    wiener: Estimate,
    spatial: Estimate,
    told: Estimate,
    /// Mean of σ̂/σ and its standard deviation over the mean.
    bias: Estimate,
    scatter: f64,
    /// Some noisy images, and what the spatial model makes of them.
    noisy: DMatrix<f64>,
    denoised: DMatrix<f64>,
}

/// The comparison of the denoisers.
pub(super) struct Denoising {
    at: Vec<AtLevel>,
}

/// Squared errors of the denoised images clipped to the range of pixels, and the levels seen.
struct Judged {
    squares: Vec<f64>,
    levels: Vec<f64>,
    denoised: Vec<f64>,
}

fn judge(
    saved: &SavedModel,
    parameters: &[f32],
    level: f64,
    noisy: &DMatrix<f64>,
    clean: &DMatrix<f64>,
) -> Judged {
    let d = clean.nrows();
    let model: &Model = &saved.model;
    let parts: Vec<Judged> = noisy
        .as_slice()
        .par_chunks(TOGETHER * d)
        .zip(clean.as_slice().par_chunks(TOGETHER * d))
        .map(|(points, clean)| {
            let levels = vec![level; points.len() / d];
            let estimate = model.estimate(&Native, parameters, points, Some(&levels));
            let denoised: Vec<f64> =
                estimate.denoised.iter().map(|v| f64::from(*v).clamp(-1.0, 1.0)).collect();
            let rows = denoised.chunks_exact(d).zip(clean.chunks_exact(d));
            let squares = rows
                .map(|(a, b)| a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>() / d as f64)
                .collect();
            Judged { squares, levels: estimate.log_levels.iter().map(|l| l.exp()).collect(), denoised }
        })
        .collect();
    let mut all = Judged { squares: Vec::new(), levels: Vec::new(), denoised: Vec::new() };
    for part in parts {
        all.squares.extend(part.squares);
        all.levels.extend(part.levels);
        all.denoised.extend(part.denoised);
    }
    all
}

/// The root of a mean of squares, its error by the delta method.
fn root(squares: &[f64]) -> Result<Estimate> {
    let square = mean(squares)?;
    let value = square.value.sqrt();
    Ok(Estimate { value, standard_error: 0.5 * square.standard_error / value })
}

impl Denoising {
    pub(super) fn measure(
        settings: &Settings,
        twins: &Twins,
        images: &LabelledImages,
        context: &Context,
    ) -> Result<Self> {
        let (d, n) = images.held_out.shape();
        let mut at = Vec::new();
        for (index, &level) in settings.levels.iter().enumerate() {
            context.proceed()?;
            let mut noisy = images.held_out.clone();
            for (i, mut column) in noisy.column_iter_mut().enumerate() {
                let mut rng = stream(context.seed, Purpose::Experiment, (index * n + i) as u64);
                column.iter_mut().for_each(|x| {
                    let z: f64 = StandardNormal.sample(&mut rng);
                    *x += level * z;
                });
            }
            let of = |saved: &SavedModel, parameters: &[f32]| {
                judge(saved, parameters, level, &noisy, &images.held_out)
            };
            let (spatial, told) = (&twins.spatial.saved, &twins.told.saved);
            // Without its network's part the told model is the Wiener filter told the level.
            let wiener = of(told, &vec![0.0; told.parameters.len()]);
            let [spatial, told] = [of(spatial, &spatial.parameters), of(told, &told.parameters)];
            let ratios: Vec<f64> = spatial.levels.iter().map(|l| l / level).collect();
            let bias = mean(&ratios)?;
            let shown = SHOWN.min(n);
            at.push(AtLevel {
                level,
                wiener: root(&wiener.squares)?,
                spatial: root(&spatial.squares)?,
                told: root(&told.squares)?,
                bias,
                scatter: bias.standard_error * (n as f64).sqrt() / bias.value,
                noisy: noisy.columns(0, shown).into_owned(),
                denoised: DMatrix::from_column_slice(d, shown, &spatial.denoised[..shown * d]),
            });
        }
        Ok(Self { at })
    }

    pub(super) fn report(&self, settings: &Settings, outcome: &mut Outcome) -> Result<()> {
        for (at, &bound) in self.at.iter().zip(&settings.rmse_bounds) {
            let level = at.level;
            let (bound, source) = if bound > 0.0 {
                (bound, TARGET)
            } else {
                (
                    settings.wiener_factor * at.wiener.value,
                    "the Wiener filter told the level, in the same run",
                )
            };
            let name = |what: &str| format!("{what} at σ = {level}");
            outcome.checks.extend([
                Check::at_most(name("error of the spatial denoiser"), at.spatial.value, bound, source),
                Check::at_most(
                    name("its ratio to the time-conditioned twin's"),
                    at.spatial.value / at.told.value,
                    settings.twin_factor,
                    TARGET,
                ),
            ]);
            if (0.2..=3.0).contains(&level) {
                let name = name("scatter of the estimated level");
                outcome.checks.push(Check::at_most(name, at.scatter, settings.level_scatter, TARGET));
            }
        }
        let caption = "Root mean square error per pixel (pixels in [-1, 1], clipped) on held-out images, with standard errors; \
                       the ratio of the estimated noise level to the true one, and its relative standard deviation.";
        let columns = [
            "σ",
            "Wiener, told",
            "±",
            "spatial",
            "±",
            "time-conditioned",
            "±",
            "level seen/σ",
            "±",
            "scatter",
        ];
        let mut table = Table::new("denoising", caption, &columns);
        for at in &self.at {
            let (w, s, t, b) = (at.wiener, at.spatial, at.told, at.bias);
            table.push(cells![
                at.level,
                w.value,
                w.standard_error,
                s.value,
                s.standard_error,
                t.value,
                t.standard_error,
                b.value,
                b.standard_error,
                at.scatter
            ]);
        }
        outcome.tables.push(table);
        self.figures(outcome)
    }

    fn figures(&self, outcome: &mut Outcome) -> Result<()> {
        let points = |f: fn(&AtLevel) -> f64| self.at.iter().map(|at| (at.level, f(at))).collect::<Vec<_>>();
        let chart = Chart::new(Axis::log("noise level σ"), Axis::log("root mean square error per pixel"))
            .series(Series::dashed("Wiener filter, told σ", points(|at| at.wiener.value)))
            .series(Series::marked("spatial, never told", points(|at| at.spatial.value)))
            .series(Series::marked("time-conditioned, told σ", points(|at| at.told.value)));
        let caption = "Error of the denoised image on held-out images against the noise level.";
        outcome.figures.push(Figure::new("denoising", caption, chart.svg()?));
        let labels: Vec<String> = self.at.iter().map(|at| format!("σ = {}", at.level)).collect();
        let panel = |heading: &str, of: fn(&AtLevel) -> &DMatrix<f64>| ImagePanel {
            heading: heading.to_owned(),
            rows: self
                .at
                .iter()
                .map(|at| (0..of(at).ncols()).map(|i| grey(pixels(of(at), i))).collect())
                .collect(),
        };
        let panels = [panel("noisy", |at| &at.noisy), panel("denoised, σ unknown", |at| &at.denoised)];
        let caption = "Held-out images under noise, and the denoised points D(x) of the spatial model, which is not told the level.";
        outcome.figures.push(Figure::new("denoised", caption, image_panels(&labels, &panels)?));
        Ok(())
    }
}
