//! What all units together show.

use anyhow::{Context as _, Result};
use resolvent::metrics::{Estimate, mean};

use super::methods::{Completed, Fill, Measured, Method, Score};
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

    fn of(&self, method: Method, value: impl Fn(&Completed) -> f64) -> Result<Vec<f64>> {
        let found = |measured: &Measured| measured.completed.iter().find(|c| c.method == method).map(&value);
        self.seeds.iter().map(found).collect::<Option<_>>().context("a unit lacks a method")
    }

    fn estimate(&self, method: Method, value: impl Fn(&Completed) -> f64) -> Result<Estimate> {
        Ok(mean(&self.of(method, value)?)?)
    }

    /// The mean difference of two methods on the same inputs.
    fn difference(&self, a: Method, b: Method, value: impl Fn(&Completed) -> f64) -> Result<Estimate> {
        let pairs = self.of(a, &value)?.into_iter().zip(self.of(b, &value)?);
        Ok(mean(&pairs.map(|(a, b)| a - b).collect::<Vec<_>>())?)
    }
}

fn hidden(completed: &Completed) -> f64 {
    completed.hidden_psnr
}

fn cost(completed: &Completed) -> f64 {
    completed.quality.evaluations.unwrap_or(0.0)
}

/// Evaluations of a run that ended, on average; the others were given up at the cap.
fn ended(completed: &Completed, settings: &Settings) -> f64 {
    let (runs, lost, cap) =
        ((settings.images * settings.runs) as f64, completed.quality.lost as f64, settings.cap as f64);
    if lost < runs { (runs * cost(completed) - lost * cap) / (runs - lost) } else { cap }
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
        for method in mask.methods().filter(|method| matches!(method, Method::Imposed(..))) {
            moved.extend(mask.of(method, |completed| completed.moved)?);
        }
        // Hidden one by one, pixels have edges everywhere, which look like noise whatever they are filled with.
        let whole = matches!(mask.mask, Corruption::LowerHalf | Corruption::Centre);
        if settings.seeds < ENOUGH_SEEDS || !whole {
            continue;
        }
        let sigmas = three_sigma(settings.seeds)?;
        let ended = |completed: &Completed| ended(completed, settings);
        let black = |score| Method::Free(score, Fill::Black);
        let noise = Method::Free(Score::Noise, Fill::Noise(NOISE));
        let mut longer = |name: String, (more, less): (Method, Method), why: &str| -> Result<()> {
            let gap = mask.difference(more, less, ended)?;
            outcome.checks.push(Check::at_least(
                format!("{}: {name}", mask.mask.name()),
                gap.value - sigmas * gap.standard_error,
                0.0,
                format!("{why}; over runs that end, less {sigmas:.1} standard errors over seeds"),
            ));
            Ok(())
        };
        if mask.methods().any(|method| method == noise) {
            longer(
                format!("evaluations of a run from noise {NOISE} less those from black"),
                (noise, black(Score::Noise)),
                "a score of isotropic noise sees little of it in black, and a run from there ends sooner",
            )?;
        }
        longer(
            "evaluations of a run from black, of the score trained on masks less those of the other".into(),
            (black(Score::Masked), black(Score::Noise)),
            "the distance of a masked image from the data, which the exact score sees, is learned where there are examples of it",
        )?;
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
    let names: Vec<String> = fills.iter().map(|fill| fill.name()).collect();
    let chart =
        |axis| Chart::new(Axis::linear("what hidden pixels are filled with"), axis).categories(names.clone());
    type Made = fn(Score, Fill) -> Method;
    type Value = fn(&Completed) -> f64;
    let series = |mask: &Mask, name: String, (made, score): (Made, Score), value: Value| -> Result<Series> {
        let (mut points, mut errors) = (Vec::new(), Vec::new());
        for (place, &fill) in fills.iter().enumerate() {
            let estimate = mask.estimate(made(score, fill), value)?;
            points.push((place as f64, estimate.value));
            errors.push(2.0 * estimate.standard_error);
        }
        Ok(Series::marked(name, points).errors(errors))
    };
    let over = format!("two standard errors over {} seeds of {} images", settings.seeds, settings.images);
    let ways: [(&str, Made); 2] = [("free", Method::Free), ("known imposed", Method::Imposed)];
    for (k, mask) in masks.iter().enumerate() {
        let mut quality = chart(Axis::linear("PSNR on hidden pixels (dB)"));
        for score in [Score::Noise, Score::Masked] {
            for (way, made) in ways {
                quality =
                    quality.series(series(mask, format!("{way}{}", score.suffix()), (made, score), hidden)?);
            }
        }
        outcome.figures.push(Figure::new(
            format!("hidden-{}", k + 1),
            format!(
                "{}: how well hidden pixels come back, by what stands in them at the start: the bridge with a learned score, free or \
                 with known pixels imposed after each step, the score trained on noise alone or on masks too, with {over}.",
                mask.mask.name()
            ),
            quality.svg()?,
        ));
    }
    for (stem, score, training) in [
        ("evaluations", Score::Noise, "trained on noise alone"),
        ("evaluations-masks", Score::Masked, "trained on masks too"),
    ] {
        let mut costs = chart(Axis::log("network evaluations of a run"));
        for mask in masks {
            costs = costs.series(series(mask, mask.mask.name(), (Method::Free, score), cost)?);
        }
        outcome.figures.push(Figure::new(
            stem,
            format!(
                "What a free run of the bridge costs with the score {training}, by what stands in hidden pixels at the start, with {over}. \
                 Runs that were given up count with all that they had, {} evaluations.",
                settings.cap
            ),
            costs.svg()?,
        ));
    }
    Ok(())
}

fn pictures(masks: &[Mask], outcome: &mut Outcome) -> Result<()> {
    let mut kinds = Vec::with_capacity(masks.len());
    for mask in masks {
        let Measured { originals, completed, .. } = &mask.seeds[0];
        let shown = completed.iter().filter(|completed| pictured(completed.method));
        let made = shown.map(|completed| &completed.quality.pictures[..]);
        let rows = std::iter::once(&originals[..]).chain(made).collect();
        kinds.push(picture_rows::Kind { heading: mask.mask.name(), rows });
    }
    let names = masks[0].methods().filter(|method| pictured(*method)).map(Method::name);
    outcome.figures.extend(picture_rows::figures(&kinds, names, ABREAST)?);
    Ok(())
}

/// Three fills are enough to look at; the tables have all.
fn pictured(method: Method) -> bool {
    match method {
        Method::Input(fill) | Method::Free(_, fill) | Method::Imposed(_, fill) | Method::Exact(fill) => {
            matches!(fill, Fill::Black | Fill::Mean) || fill == Fill::Noise(NOISE)
        }
        _ => true,
    }
}

fn notes(masks: &[Mask], settings: &Settings, outcome: &mut Outcome) -> Result<()> {
    for mask in masks {
        // Chosen beforehand: the best of all fills would be compared with what it was chosen by.
        let ours = Method::Imposed(Score::Noise, Fill::Noise(NOISE));
        if !mask.methods().any(|method| method == ours) {
            continue;
        }
        let from = |fill: Fill| mask.estimate(Method::Free(Score::Noise, fill), cost).map(|cost| cost.value);
        let against = mask.difference(ours, Method::Replacement, hidden)?;
        let black = |score| Method::Free(score, Fill::Black);
        let taught = mask.difference(black(Score::Masked), black(Score::Noise), hidden)?;
        let taught_cost = mask.estimate(black(Score::Masked), cost)?.value;
        outcome.notes.push(format!(
            "{}: a run takes {:.1} evaluations from black, {:.1} from grey and {:.1} from the mean, the runs given up included. On hidden pixels {} has {:+.2} ± {:.2} dB \
             against replacement. The score trained on masks takes {taught_cost:.1} evaluations from black, and its hidden pixels have \
             {:+.2} ± {:.2} dB against those of the other score from there.",
            mask.mask.name(),
            from(Fill::Black)?,
            from(Fill::Grey)?,
            from(Fill::Mean)?,
            ours.name(),
            against.value,
            against.standard_error,
            taught.value,
            taught.standard_error
        ));
    }
    outcome.notes.push(format!(
        "Where nothing else is said the networks were trained on isotropic noise alone, of which a digit with a part completed by a constant \
         shows little; where pixels are hidden one by one, their edges look like noise. One was trained on images of which a part is \
         filled with black, grey or the mean, too: its targets there are the exact score of the data, which leads to data near the \
         masked image as it stands, black part and all. Imposing known pixels \
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
