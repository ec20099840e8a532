//! Images: the exact score of a set of them, and the score that a network learned from others.

use std::sync::Arc;

use anyhow::{Result, ensure};
use nalgebra::DMatrix;
use resolvent::core::{EmpiricalMeasure, EmpiricalScore, KilledBrownianMotion, Oracle, Score};
use resolvent::data::{Atoms, Glyphs, Law, Support};
use resolvent::learn::score::LearnedScore;

use super::Settings;
use super::arena::Arena;
use super::judge::{Cell, Judge};
use super::rules::Rule;
use super::stepping::Stepping;
use super::units::Run;
use crate::experiment::Context;
use crate::experiments::labelled_images::LabelledImages;
use crate::experiments::memo::Memo;
use crate::experiments::networks::Networks;

/// The glyphs that are the data of the exact score.
const SEED: u64 = 424_242;
/// Images of a data set that training is validated on.
const HELD_OUT: usize = 1000;
/// Rules that the network drives; an evaluation of it costs a hundred of the others, and controls show nothing new.
const LEARNED: [Rule; 6] = [Rule::Lifetime, Rule::Sup, Rule::L2, Rule::Noise, Rule::Data, Rule::Tangent];

/// Glyphs, or what `--data` holds.
struct Source {
    images: LabelledImages,
    networks: Arc<Networks>,
}

static SOURCES: Memo<Source> = Memo::new();

impl Source {
    fn load(settings: &Settings, context: &Context) -> Result<Arc<Self>> {
        let Settings { image_data, networks, training_steps, .. } = settings;
        let key = format!("{image_data} {networks} {training_steps} {} {:?}", context.seed, context.data);
        SOURCES.get(&key, || {
            let images = LabelledImages::load(*image_data, HELD_OUT, context)?;
            let networks = Networks::load(networks, *training_steps, &images, context)?;
            Ok(Self { images, networks })
        })
    }

    /// The data of the exact score.
    fn few(&self, n: usize, context: &Context) -> Result<DMatrix<f64>> {
        let images = &self.images.data;
        Ok(match context.data {
            None => Glyphs.dataset(n, SEED).0,
            Some(_) => {
                ensure!(n <= images.ncols(), "setting `images` = {n}: only {} are different", images.ncols());
                images.columns(0, n).into_owned()
            }
        })
    }

    /// The law that the network learned.
    fn law(&self, context: &Context) -> Result<Box<dyn Law>> {
        Ok(match context.data {
            None => Box::new(Glyphs),
            Some(_) => Box::new(Atoms::uniform(self.images.data.clone())?),
        })
    }
}

/// All rules that exist here, with one step.
pub(super) fn measure(run: &Run<'_>, learned: bool, stepping: Stepping) -> Result<Vec<Cell>> {
    let Run { settings, context, seed } = *run;
    let source = Source::load(settings, context)?;
    let saved = source.networks.spatial.clone();
    let rate = saved.model.settings().rate;
    let images = source.few(settings.images, context)?;
    let dim = images.nrows();
    let process = KilledBrownianMotion::new(dim, 1.0, rate)?;
    let atoms = Atoms::uniform(images.clone())?;
    let exact = EmpiricalScore::new(&process, EmpiricalMeasure::new(images)?)?;
    let network = LearnedScore::new(saved.model, saved.parameters)?.clip(-1.0, 1.0)?;
    let all = source.law(context)?;
    let law: &dyn Law = if learned { &*all } else { &atoms };
    let support: Option<&dyn Support> = (!learned).then_some(&atoms as &dyn Support);
    let score: &dyn Score = if learned { &network } else { &exact };

    let (starts, _) = process.deaths(&law.sample(settings.image_particles, seed), seed)?;
    let reference = run.reference(law, settings.images);
    let judge = Judge {
        scale: neighbouring(&reference),
        reference,
        delta: settings.image_delta * (dim as f64).sqrt(),
        rate,
        support,
        counter: None,
    };
    let oracle = Oracle::new(process.clone(), exact.measure().clone())?;
    let mut cells = if learned {
        vec![judge.floor(&starts, &law.sample(settings.image_particles, !seed), None)?]
    } else {
        let drawn = oracle.draw(&starts, seed)?;
        let ends = atoms.points().select_columns(&drawn.atoms);
        vec![judge.floor(&starts, &ends, Some(&drawn.lifetimes))?]
    };
    let sample = run.plugged_in(law)?;
    let arena = Arena {
        process: &process,
        score,
        posterior: None,
        // The learned gain is known to a few per cent, from which the spread cannot be told.
        heeds_spread: !learned,
        stepping,
        control: None,
        sample: &sample,
        support,
        oracle: (!learned).then_some(&oracle),
        hazard: None,
        learned_hazard: None,
        codimension: if learned { dim - settings.image_dimension } else { dim },
        planes: settings.image_dimension,
        // The mean noise of a start, √d E √ζ = √(πd/4r).
        from: Some((std::f64::consts::PI * dim as f64 / (4.0 * rate)).sqrt()),
        caps: if learned {
            (settings.image_cap, settings.image_cap)
        } else {
            (settings.cap, settings.control_cap)
        },
        starts: &starts,
        judge: &judge,
        settings,
        context,
        seed,
    };
    let rules = if learned { &LEARNED[..] } else { &Rule::ALL[..] };
    cells.extend(arena.all(rules)?);
    Ok(cells)
}

/// Mean distance of consecutive columns.
fn neighbouring(points: &DMatrix<f64>) -> f64 {
    let pairs = 1..points.ncols();
    let sum: f64 = pairs.clone().map(|i| (points.column(i) - points.column(i - 1)).norm()).sum();
    sum / pairs.len() as f64
}
