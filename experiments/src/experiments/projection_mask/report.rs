//! What all units together show.

use anyhow::{Context as _, Result};
use resolvent::metrics::{Estimate, mean};

use super::methods::{Completed, Fill, Measured, Method};
use super::{Settings, Unit};
use crate::experiments::corruption::Corruption;
use crate::experiments::judge::Judge;
use crate::experiments::picture_rows;
use crate::experiments::three_sigma::{ENOUGH_SEEDS, three_sigma};
use crate::outcome::{Check, Figure, Outcome, Table, cells, largest};
use crate::plot::{Axis, Chart, Series};

/// The noise that hidden pixels are filled with where methods are compared.
const NOISE: f64 = 1.0;
/// Masks side by side on a figure of pictures.
const ABREAST: usize = 2;

/// One mask over the seeds.
struct Mask {
    mask: Corruption,
    seeds: Vec<Measured>,
}

impl Mask {
    /// The methods, in the order in which they are shown.
    fn methods(&self) -> impl Iterator<Item = Method> {
        self.seeds[0].completed.iter().map(|completed| completed.method)
    }

    fn of(&self, method: Method, value: fn(&Completed) -> f64) -> Result<Vec<f64>> {
        let found = |measured: &Measured| measured.completed.iter().find(|c| c.method == method).map(value);
        self.seeds.iter().map(found).collect::<Option<_>>().context("a unit lacks a method")
    }

    fn estimate(&self, method: Method, value: fn(&Completed) -> f64) -> Result<Estimate> {
        Ok(mean(&self.of(method, value)?)?)
    }

    /// The mean difference of two methods on the same inputs.
    fn difference(&self, a: Method, b: Method, value: fn(&Completed) -> f64) -> Result<Estimate> {
        let pairs = self.of(a, value)?.into_iter().zip(self.of(b, value)?);
        Ok(mean(&pairs.map(|(a, b)| a - b).collect::<Vec<_>>())?)
    }
}

fn hidden(completed: &Completed) -> f64 {
    completed.hidden_psnr
}

fn cost(completed: &Completed) -> f64 {
    completed.quality.evaluations.unwrap_or(0.0)
}

pub(super) fn conclude(settings: &Settings, measured: Vec<(Unit, Measured)>) -> Result<Outcome> {
    let mut masks: Vec<Mask> = Vec::new();
    for (unit, measured) in measured {
        match masks.iter_mut().find(|mask| mask.mask == unit.mask) {
            Some(mask) => mask.seeds.push(measured),
            None => masks.push(Mask { mask: unit.mask, seeds: vec![measured] }),
        }
    }
    let first = &masks.first().and_then(|mask| mask.seeds.first()).context("no unit")?;
    let mut outcome = Outcome::default();
    outcome.notes.push(format!("The images: {}.", first.source));
    outcome.checks.push(Check::at_least(
        "accuracy of the judging classifier",
        first.accuracy,
        Judge::least(settings.classifier_steps),
        "below it class kept says nothing; set before training",
    ));
    checks(&masks, settings, &mut outcome)?;
    table(&masks, settings, &mut outcome)?;
    charts(&masks, settings, &mut outcome)?;
    pictures(&masks, &mut outcome)?;
    notes(&masks, settings, &mut outcome)?;
    Ok(outcome)
}

fn checks(masks: &[Mask], settings: &Settings, outcome: &mut Outcome) -> Result<()> {
    let mut moved = Vec::new();
    for mask in masks {
        for method in mask.methods().filter(|method| matches!(method, Method::Imposed(_))) {
            moved.extend(mask.of(method, |completed| completed.moved)?);
        }
        let noise = Method::Free(Fill::Noise(NOISE));
        if settings.seeds >= ENOUGH_SEEDS && mask.methods().any(|method| method == noise) {
            let sigmas = three_sigma(settings.seeds)?;
            let gap = mask.difference(noise, Method::Free(Fill::Black), cost)?;
            outcome.checks.push(Check::at_least(
                format!(
                    "{}: evaluations of a run from noise {NOISE} less those from black",
                    mask.mask.name()
                ),
                gap.value - sigmas * gap.standard_error,
                0.0,
                format!(
                    "a score of isotropic noise sees none of it in black, and a run from there ends sooner; less {sigmas:.1} standard \
                     errors over seeds"
                ),
            ));
        }
    }
    outcome.checks.push(Check::at_most(
        "change of known pixels where they are imposed, largest",
        largest(moved),
        0.0,
        "they are kept to the last bit",
    ));
    Ok(())
}

fn table(masks: &[Mask], settings: &Settings, outcome: &mut Outcome) -> Result<()> {
    let mut table = Table::new(
        "What each method makes of masked images",
        format!(
            "Means over {} seeds of {} held-out images each, with standard errors over seeds: PSNR in decibels on the hidden pixels and \
             on all, structural similarity (SSIM), the share whose class the classifier keeps, evaluations of a network for one \
             image, the root mean square change of known pixels. The images are cut to [-1, 1].",
            settings.seeds, settings.images
        ),
        &[
            "mask",
            "method",
            "PSNR hidden",
            "±",
            "PSNR",
            "±",
            "SSIM",
            "±",
            "class kept",
            "±",
            "evaluations",
            "±",
            "known moved",
            "not ended",
        ],
    );
    for mask in masks {
        for method in mask.methods() {
            let (hidden, psnr) = (mask.estimate(method, hidden)?, mask.estimate(method, |c| c.quality.psnr)?);
            let ssim = mask.estimate(method, |c| c.quality.ssim)?;
            let (kept, cost) =
                (mask.estimate(method, |c| c.quality.class_kept)?, mask.estimate(method, cost)?);
            let costs = cost.value > 0.0;
            let lost: f64 = mask.of(method, |c| c.quality.lost as f64)?.iter().sum();
            table.push(cells![
                mask.mask.name(),
                method.name(),
                hidden.value,
                hidden.standard_error,
                psnr.value,
                psnr.standard_error,
                ssim.value,
                ssim.standard_error,
                kept.value,
                kept.standard_error,
                costs.then_some(cost.value),
                costs.then_some(cost.standard_error),
                mask.estimate(method, |c| c.moved)?.value,
                lost
            ]);
        }
    }
    outcome.tables.push(table);
    Ok(())
}

fn charts(masks: &[Mask], settings: &Settings, outcome: &mut Outcome) -> Result<()> {
    let mut fills = vec![Fill::Black, Fill::Grey, Fill::Mean];
    fills.extend(settings.fill_noise.iter().map(|&level| Fill::Noise(level)));
    type Value = fn(&Completed) -> f64;
    let shown: [(&str, &str, &str, Value); 2] = [
        ("hidden", "PSNR on hidden pixels (dB)", "How well hidden pixels come back", hidden),
        ("evaluations", "network evaluations of a run", "What a run costs", cost),
    ];
    for (stem, axis, title, value) in shown {
        let names = fills.iter().map(|fill| fill.name()).collect();
        let mut chart = Chart::new(Axis::linear("what hidden pixels are filled with"), Axis::linear(axis))
            .categories(names);
        type Made = fn(Fill) -> Method;
        let ways: [(&str, Made); 2] = [("", Method::Free), (", known imposed", Method::Imposed)];
        for mask in masks {
            for (way, made) in ways {
                let (mut points, mut errors) = (Vec::new(), Vec::new());
                for (place, &fill) in fills.iter().enumerate() {
                    let estimate = mask.estimate(made(fill), value)?;
                    points.push((place as f64, estimate.value));
                    errors.push(2.0 * estimate.standard_error);
                }
                chart =
                    chart.series(Series::marked(format!("{}{way}", mask.mask.name()), points).errors(errors));
            }
        }
        outcome.figures.push(Figure::new(
            stem,
            format!(
                "{title}, by what stands in them at the start: the bridge with the learned score, free or with known pixels imposed \
                 after each step, with two standard errors over {} seeds of {} images.",
                settings.seeds, settings.images
            ),
            chart.svg()?,
        ));
    }
    Ok(())
}

fn pictures(masks: &[Mask], outcome: &mut Outcome) -> Result<()> {
    let mut kinds = Vec::with_capacity(masks.len());
    for mask in masks {
        let Measured { originals, completed, .. } = &mask.seeds[0];
        let made = completed.iter().map(|completed| &completed.quality.pictures[..]);
        let rows = std::iter::once(&originals[..]).chain(made).collect();
        kinds.push(picture_rows::Kind { heading: mask.mask.name(), rows });
    }
    outcome.figures.extend(picture_rows::figures(&kinds, masks[0].methods().map(Method::name), ABREAST)?);
    Ok(())
}

fn notes(masks: &[Mask], settings: &Settings, outcome: &mut Outcome) -> Result<()> {
    for mask in masks {
        // Chosen beforehand: the best of all fills would be compared with what it was chosen by.
        let ours = Method::Imposed(Fill::Noise(NOISE));
        if !mask.methods().any(|method| method == ours) {
            continue;
        }
        let from = |fill: Fill| mask.estimate(Method::Free(fill), cost).map(|cost| cost.value);
        let against = mask.difference(ours, Method::Replacement, hidden)?;
        outcome.notes.push(format!(
            "{}: a run takes {:.1} evaluations from black, {:.1} from grey and {:.1} from the mean. On hidden pixels {} has {:+.2} ± {:.2} dB \
             against replacement.",
            mask.mask.name(),
            from(Fill::Black)?,
            from(Fill::Grey)?,
            from(Fill::Mean)?,
            ours.name(),
            against.value,
            against.standard_error
        ));
    }
    outcome.notes.push(format!(
        "The networks were trained on isotropic noise alone, of which a digit completed by a constant holds none. Imposing known pixels \
         is no conditioning: the score is asked where the forward process does not go. A run in which the network still sees {} per pixel \
         after {} evaluations is given up there and counted. Rivals: SDEdit and replacement take {} steps of VP without a corrector, \
         SDEdit from the best of {} levels, judged by the originals.",
        settings.floor,
        settings.cap,
        settings.steps,
        settings.sdedit_ratios.len()
    ));
    Ok(())
}
