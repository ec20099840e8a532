//! Glyphs: the exact score of a set of them, and the score that the shipped network learned from others.

use anyhow::Result;
use nalgebra::DMatrix;
use resolvent::core::{EmpiricalMeasure, EmpiricalScore, KilledBrownianMotion, Oracle, Score};
use resolvent::data::{Atoms, Glyphs, Law, Support};
use resolvent::learn::score::LearnedScore;

use super::arena::Arena;
use super::judge::{Cell, Judge};
use super::rules::Rule;
use super::stepping::Stepping;
use super::units::Run;
use crate::shipped;

/// The glyphs that are the data of the exact score.
const SEED: u64 = 424_242;
/// Rules that the network drives; an evaluation of it costs a hundred of the others, and controls show nothing new.
const LEARNED: [Rule; 6] = [Rule::Lifetime, Rule::Sup, Rule::L2, Rule::Noise, Rule::Data, Rule::Tangent];
/// Dimension of the family.
const INTRINSIC: usize = 7;

/// All rules that exist here, with one step.
pub(super) fn measure(run: &Run<'_>, learned: bool, stepping: Stepping) -> Result<Vec<Cell>> {
    let Run { settings, context, seed } = *run;
    let saved = shipped::glyphs_spatial()?;
    let rate = saved.model.settings().rate;
    let (images, _) = Glyphs.dataset(settings.glyphs, SEED);
    let dim = images.nrows();
    let process = KilledBrownianMotion::new(dim, 1.0, rate)?;
    let atoms = Atoms::uniform(images.clone())?;
    let exact = EmpiricalScore::new(&process, EmpiricalMeasure::new(images)?)?;
    let network = LearnedScore::new(saved.model, saved.parameters)?.clip(-1.0, 1.0)?;
    let law: &dyn Law = if learned { &Glyphs } else { &atoms };
    let support: Option<&dyn Support> = (!learned).then_some(&atoms as &dyn Support);
    let score: &dyn Score = if learned { &network } else { &exact };

    let (starts, _) = process.deaths(&law.sample(settings.glyph_particles, seed), seed)?;
    let reference = run.reference(law, settings.glyphs);
    let judge = Judge {
        scale: neighbouring(&reference),
        reference,
        delta: settings.glyph_delta * (dim as f64).sqrt(),
        rate,
        support,
        counter: None,
    };
    let oracle = Oracle::new(process.clone(), exact.measure().clone())?;
    let mut cells = if learned {
        vec![judge.floor(&starts, &law.sample(settings.glyph_particles, !seed), None)?]
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
        codimension: if learned { dim - INTRINSIC } else { dim },
        planes: INTRINSIC,
        // The mean noise of a start, √d E √ζ = √(πd/4r).
        from: Some((std::f64::consts::PI * dim as f64 / (4.0 * rate)).sqrt()),
        caps: if learned {
            (settings.glyph_cap, settings.glyph_cap)
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
