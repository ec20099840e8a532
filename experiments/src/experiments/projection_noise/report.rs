//! What all units together show.

use anyhow::{Context as _, Result};
use resolvent::metrics::{Estimate, mean};

use super::methods::{Knows, Measured, Method};
use super::{Settings, Unit};
use crate::experiments::carried::Quality;
use crate::experiments::corruption::Corruption;
use crate::experiments::judge::Judge;
use crate::experiments::picture_rows;
use crate::experiments::three_sigma::{ENOUGH_SEEDS, three_sigma};
use crate::outcome::{Check, Figure, Outcome, Table, cells};
use crate::plot::{Axis, Chart, Series};

/// Levels at which the method must be level with blind ones.
const JUDGED: [f64; 2] = [0.4, 0.8];
/// Decibels by which the mean square error is a quarter of what it was.
const NEARER: f64 = 6.0;
/// Kinds of noise side by side on a figure of pictures.
const ABREAST: usize = 3;
/// The methods on charts, so few that lines can be told apart.
const CHARTED: [Method; 7] = [
    Method::Bridge,
    Method::BridgeMean,
    Method::Flux,
    Method::BlindDenoiser,
    Method::CoarseToFine,
    Method::ToldDenoiser,
    Method::SdeditVe,
];

/// One kind of noise over the seeds.
struct Kind {
    corruption: Corruption,
    seeds: Vec<Measured>,
}

impl Kind {
    fn of(&self, method: Method, value: fn(&Quality) -> f64) -> Result<Vec<f64>> {
        let found =
            |measured: &Measured| measured.methods.iter().find(|(m, _)| *m == method).map(|(_, q)| value(q));
        self.seeds.iter().map(found).collect::<Option<_>>().context("a unit lacks a method")
    }

    fn estimate(&self, method: Method, value: fn(&Quality) -> f64) -> Result<Estimate> {
        Ok(mean(&self.of(method, value)?)?)
    }

    /// The mean difference of two methods on the same inputs.
    fn difference(&self, a: Method, b: Method, value: fn(&Quality) -> f64) -> Result<Estimate> {
        let pairs = self.of(a, value)?.into_iter().zip(self.of(b, value)?);
        Ok(mean(&pairs.map(|(a, b)| a - b).collect::<Vec<_>>())?)
    }

    /// The method that is told nothing of the noise, is not of this library, and has the largest mean of `value`.
    fn best_blind(&self, value: fn(&Quality) -> f64) -> Result<Method> {
        let mut best: Option<(f64, Method)> = None;
        for method in Method::ALL.into_iter().filter(|m| m.knows() == Knows::Nothing) {
            let mean = self.estimate(method, value)?.value;
            if best.is_none_or(|(b, _)| mean > b) {
                best = Some((mean, method));
            }
        }
        Ok(best.context("there is a blind method")?.1)
    }

    fn level(&self) -> f64 {
        self.seeds.iter().map(|m| m.level).sum::<f64>() / self.seeds.len() as f64
    }
}

fn psnr(quality: &Quality) -> f64 {
    quality.psnr
}

fn kept(quality: &Quality) -> f64 {
    quality.class_kept
}

fn cost(quality: &Quality) -> f64 {
    quality.evaluations.unwrap_or(0.0)
}

pub(super) fn conclude(settings: &Settings, measured: Vec<(Unit, Measured)>) -> Result<Outcome> {
    let mut kinds: Vec<Kind> = Vec::new();
    for (unit, measured) in measured {
        match kinds.iter_mut().find(|kind| kind.corruption == unit.corruption) {
            Some(kind) => kind.seeds.push(measured),
            None => kinds.push(Kind { corruption: unit.corruption, seeds: vec![measured] }),
        }
    }
    let first = &kinds.first().and_then(|kind| kind.seeds.first()).context("no unit")?;
    let mut outcome = Outcome::default();
    outcome.notes.push(format!(
        "The images: {}. The spatial network and the blind denoiser are one and the same.",
        first.source
    ));
    outcome.checks.push(Check::at_least(
        "accuracy of the judging classifier",
        first.accuracy,
        Judge::least(settings.classifier_steps),
        "below it class kept says nothing; set before training",
    ));
    table(&kinds, settings, &mut outcome)?;
    against_blind(&kinds, settings, &mut outcome)?;
    adaptivity(&kinds, settings, &mut outcome)?;
    charts(&kinds, settings, &mut outcome)?;
    pictures(&kinds, settings, &mut outcome)?;
    notes(&kinds, settings, &mut outcome)?;
    Ok(outcome)
}

fn table(kinds: &[Kind], settings: &Settings, outcome: &mut Outcome) -> Result<()> {
    let mut table = Table::new(
        "What each method makes of noisy images",
        format!(
            "Means over {} seeds of {} held-out images each, with standard errors over seeds. PSNR in decibels and structural \
             similarity (SSIM) against the original, images cut to [-1, 1]; the share whose class the classifier keeps; evaluations \
             of a network for one image. Told: the root mean square of the noise, or the best of several results by PSNR.",
            settings.seeds, settings.images
        ),
        &[
            "noise",
            "method",
            "told",
            "PSNR",
            "±",
            "SSIM",
            "±",
            "class kept",
            "±",
            "evaluations",
            "±",
            "not ended",
        ],
    );
    for kind in kinds {
        for method in Method::ALL {
            let (psnr, ssim) = (kind.estimate(method, psnr)?, kind.estimate(method, |q| q.ssim)?);
            let (kept, cost) = (kind.estimate(method, kept)?, kind.estimate(method, cost)?);
            let costs = cost.value > 0.0;
            let lost: f64 = kind.of(method, |q| q.lost as f64)?.iter().sum();
            table.push(cells![
                kind.corruption.name(),
                method.name(settings.runs),
                if method.knows() == Knows::Level { "yes" } else { "no" },
                psnr.value,
                psnr.standard_error,
                ssim.value,
                ssim.standard_error,
                kept.value,
                kept.standard_error,
                costs.then_some(cost.value),
                costs.then_some(cost.standard_error),
                lost
            ]);
        }
    }
    outcome.tables.push(table);
    let (mut lost, mut runs) = (0.0, 0.0);
    for kind in kinds {
        lost += kind.of(Method::Bridge, |q| q.lost as f64)?.iter().sum::<f64>();
        runs += kind.seeds.len() as f64 * (settings.images * settings.runs) as f64;
    }
    outcome.notes.push(format!(
        "{lost} of {runs} runs of the bridge were given up after {} evaluations, where the network still saw more than δ = {} of noise, \
         and count as they are, in the errors and in the evaluations.",
        settings.cap, settings.floor
    ));
    Ok(())
}

fn against_blind(kinds: &[Kind], settings: &Settings, outcome: &mut Outcome) -> Result<()> {
    // The mean of n draws from the posterior has 1 + 1/n times the least mean square error.
    let loss = 10.0 * (1.0 + 1.0 / settings.runs as f64).log10();
    let ours = Method::BridgeMean;
    let sigmas = three_sigma(settings.seeds)?;
    for kind in kinds {
        let Corruption::Noise(level) = kind.corruption else { continue };
        if !JUDGED.contains(&level) {
            continue;
        }
        outcome.checks.push(Check::at_least(
            format!("σ = {level}: PSNR of a run less that of its input, in decibels"),
            kind.difference(Method::Bridge, Method::Input, psnr)?.value,
            NEARER,
            "a run ends nearer to the picture than a quarter of the input's mean square error",
        ));
        if settings.seeds < ENOUGH_SEEDS {
            continue;
        }
        let rival = kind.best_blind(psnr)?;
        let gap = kind.difference(ours, rival, psnr)?;
        outcome.checks.push(Check::at_least(
            format!(
                "σ = {level}: PSNR of the mean of {} runs less that of the best blind method ({})",
                settings.runs,
                rival.name(settings.runs)
            ),
            gap.value,
            -loss - sigmas * gap.standard_error,
            format!(
                "level but for the {loss:.2} dB that the mean of {} draws loses to the posterior mean, and {sigmas:.1} standard errors over seeds",
                settings.runs
            ),
        ));
        let rival = kind.best_blind(kept)?;
        let gap = kind.difference(ours, rival, kept)?;
        // Not less than that of one image in all.
        let error = gap.standard_error.max(1.0 / (settings.images as f64 * settings.seeds as f64));
        outcome.checks.push(Check::at_least(
            format!(
                "σ = {level}: class kept less that of the best blind method ({})",
                rival.name(settings.runs)
            ),
            gap.value,
            -sigmas * error,
            format!("at least as often, within {sigmas:.1} standard errors over seeds"),
        ));
    }
    Ok(())
}

/// Intercept, slope and R² of a least-squares line.
fn line(points: &[(f64, f64)]) -> (f64, f64, f64) {
    let n = points.len() as f64;
    let (x, y) = points.iter().fold((0.0, 0.0), |(a, b), (x, y)| (a + x / n, b + y / n));
    let (mut xx, mut xy, mut yy) = (0.0, 0.0, 0.0);
    for (a, b) in points {
        xx += (a - x).powi(2);
        xy += (a - x) * (b - y);
        yy += (b - y).powi(2);
    }
    (y - xy / xx * x, xy / xx, xy * xy / (xx * yy))
}

fn adaptivity(kinds: &[Kind], settings: &Settings, outcome: &mut Outcome) -> Result<()> {
    let mut chart = Chart::new(
        Axis::log("noise level σ of the input, not told"),
        Axis::linear("network evaluations of a run"),
    );
    for method in [Method::Bridge, Method::Flux] {
        let (mut points, mut errors) = (Vec::new(), Vec::new());
        for kind in kinds {
            if let Corruption::Noise(level) = kind.corruption {
                let cost = kind.estimate(method, cost)?;
                points.push((level, cost.value));
                errors.push(2.0 * cost.standard_error);
            }
        }
        let logs: Vec<(f64, f64)> = points.iter().map(|(l, e)| ((l / settings.floor).ln(), *e)).collect();
        if logs.len() >= 3 {
            let (start, slope, determined) = line(&logs);
            let name = method.name(settings.runs);
            outcome.checks.push(Check::at_least(
                format!("{name}: R² of evaluations against log(ρ_0/δ)"),
                determined,
                0.95,
                "each step takes a share of the distance that depends on η alone (R18); set before the run",
            ));
            outcome.notes.push(format!(
                "{name}: evaluations are {start:.1} + {slope:.1} log(σ/δ) with R² = {determined:.3}, δ = {} per pixel.",
                settings.floor
            ));
            let at = |level: f64| points.iter().find(|(l, _)| *l == level).map(|(_, e)| *e);
            if let (Some(little), Some(much)) = (at(0.1), at(3.0)) {
                outcome.checks.push(Check::at_least(
                    format!("{name}: evaluations at σ = 3 over those at σ = 0.1"),
                    much / little,
                    3.0,
                    "log(3/δ)/log(0.1/δ) is 3.8 at δ = 0.03; 3 set before the run",
                ));
            }
            let fit = logs.iter().zip(&points).map(|((x, _), (l, _))| (*l, start + slope * x)).collect();
            chart = chart.series(Series::dashed("", fit).exact());
        }
        chart = chart.series(Series::marked(method.name(settings.runs), points).errors(errors));
    }
    if kinds.iter().any(|kind| matches!(kind.corruption, Corruption::Noise(_))) {
        outcome.figures.push(Figure::new(
            "adaptivity",
            format!(
                "The cost of a run follows the noise in the input, which nobody tells it: mean evaluations with two standard errors over \
                 {} seeds, and the line in log σ that fits them best. Both methods end at {} per pixel.",
                settings.seeds, settings.floor
            ),
            chart.svg()?,
        ));
    }
    Ok(())
}

fn charts(kinds: &[Kind], settings: &Settings, outcome: &mut Outcome) -> Result<()> {
    let gaussian: Vec<(f64, &Kind)> = kinds
        .iter()
        .filter_map(|kind| match kind.corruption {
            Corruption::Noise(level) => Some((level, kind)),
            _ => None,
        })
        .collect();
    type Value = fn(&Quality) -> f64;
    let shown: [(&str, &str, &str, Value); 3] = [
        ("psnr", "PSNR (dB)", "Peak signal-to-noise ratio", psnr),
        ("ssim", "SSIM", "Structural similarity", |q| q.ssim),
        ("class-kept", "share of images whose class is kept", "Class kept", kept),
    ];
    for (stem, axis, title, value) in shown {
        let mut chart = Chart::new(Axis::log("noise level σ of the input"), Axis::linear(axis));
        for method in CHARTED {
            let (mut points, mut errors) = (Vec::new(), Vec::new());
            for (level, kind) in &gaussian {
                let estimate = kind.estimate(method, value)?;
                points.push((*level, estimate.value));
                errors.push(2.0 * estimate.standard_error);
            }
            chart = chart.series(Series::marked(method.name(settings.runs), points).errors(errors));
        }
        outcome.figures.push(Figure::new(
            stem,
            format!(
                "{title} of what methods make of images under Gaussian noise, with two standard errors over {} seeds of {} images. The \
                 bridge, the flux flow, the blind denoiser and the ascent are not told σ; the denoiser told σ is, and SDEdit has its best \
                 start. One run is a draw, which costs decibels against a mean and keeps what an image is.",
                settings.seeds, settings.images
            ),
            chart.svg()?,
        ));
    }
    Ok(())
}

fn pictures(kinds: &[Kind], settings: &Settings, outcome: &mut Outcome) -> Result<()> {
    let mut shown = Vec::with_capacity(kinds.len());
    for kind in kinds {
        let Measured { originals, methods, .. } = &kind.seeds[0];
        let made = methods.iter().map(|(_, quality)| &quality.pictures[..]);
        let rows = std::iter::once(&originals[..]).chain(made).collect();
        shown.push(picture_rows::Kind { heading: kind.corruption.name(), rows });
    }
    let names = kinds[0].seeds[0].methods.iter().map(|(method, _)| method.name(settings.runs));
    outcome.figures.extend(picture_rows::figures(&shown, names, ABREAST)?);
    Ok(())
}

fn notes(kinds: &[Kind], settings: &Settings, outcome: &mut Outcome) -> Result<()> {
    for kind in kinds {
        let ours = Method::BridgeMean;
        let blind = kind.best_blind(psnr)?;
        let gap = kind.difference(ours, blind, psnr)?;
        let told = kind.difference(ours, Method::ToldDenoiser, psnr)?;
        let single = kind.difference(Method::Bridge, ours, psnr)?;
        outcome.notes.push(format!(
            "{} (root mean square {:.2}): the mean of {} runs has {:+.2} ± {:.2} dB against the best blind method ({}) and {:+.2} ± \
             {:.2} dB against the denoiser told the level; a single run has {:+.2} ± {:.2} dB against the mean.",
            kind.corruption.name(),
            kind.level(),
            settings.runs,
            gap.value,
            gap.standard_error,
            blind.name(settings.runs),
            told.value,
            told.standard_error,
            single.value,
            single.standard_error
        ));
    }
    outcome.notes.push(format!(
        "A draw from the posterior has twice the mean square error of the posterior mean, 3.01 dB, and the mean of n draws 1 + 1/n \
         times: {:.2} dB for {} runs. A denoiser asked once for the mean has neither loss, and gives no image of the data where the \
         posterior is spread.",
        10.0 * (1.0 + 1.0 / settings.runs as f64).log10(),
        settings.runs
    ));
    outcome.notes.push(
        "Kadkhodaie and Simoncelli's ascent runs with its published constants h_0 = β = 0.01 and σ_L = 0.01 for pixels in [0, 1], \
         lengths doubled for pixels in [-1, 1], from the input itself. Its denoiser is the D of the spatial network, which is \
         trained with the weights of the random horizon."
            .into(),
    );
    Ok(())
}
