//! A mixture on the line.

use anyhow::Result;
use resolvent::metrics::{expected_ks, ks_critical, ks_one_sample};

use super::{Plan, SIGNIFICANCE, Settings, Sizes, USUAL, World, mixture};
use crate::experiment::Context;
use crate::outcome::{Figure, Outcome, Table, cells};
use crate::plot::{Axis, Chart, Series};

/// The mixture on the line: Kolmogorov-Smirnov distance to the exact law of the last level.
pub(super) fn line(
    worlds: &[World],
    settings: &Settings,
    context: &Context,
    outcome: &mut Outcome,
) -> Result<()> {
    let law = mixture()?;
    let n = settings.samples;
    let measure = |world: &World, plan: Plan| -> Result<(f64, usize)> {
        context.proceed()?;
        let (points, evaluations) = world.sample(&law, plan, n, context.seed)?;
        let level = world.last();
        Ok((ks_one_sample(points.as_slice(), |x| law.cdf(&level, x))?.statistic, evaluations))
    };
    let floor = expected_ks(n)?;
    let mut table = Table::new(
        "Mixture on the line",
        format!(
            "0.3 N(−1, 0.4²) + 0.7 N(1, 0.2²) by reverse diffusion with Langevin moves: Kolmogorov-Smirnov distance D of {n} samples to \
             the law at the end of the grid. {floor:.5} on average for exact samples, {:.5} at most with probability 0.999.",
            ks_critical(n, SIGNIFICANCE)?
        ),
        &["schedule", "moves a level", "snr", "size from", "evaluations", "D"],
    );
    let many = Plan { evaluations: 2 * settings.many, moves: 1, snr: USUAL, sizes: Sizes::Noise };
    for world in worlds {
        let mut by_moves =
            Chart::new(Axis::log("evaluations per particle"), Axis::log("Kolmogorov-Smirnov distance"));
        for &moves in &settings.moves {
            let mut points = Vec::new();
            for &evaluations in &settings.evaluations {
                let plan = Plan { evaluations, moves, snr: USUAL, sizes: Sizes::Noise };
                let (distance, spent) = measure(world, plan)?;
                let snr = (moves > 0).then_some(USUAL);
                table.push(cells![world.name, moves, snr, plan.sizes.name(), spent, distance]);
                points.push((spent as f64, distance));
            }
            let name = if moves == 1 { "1 move a level".into() } else { format!("{moves} moves a level") };
            by_moves = by_moves.series(Series::marked(name, points));
        }
        let chart = by_moves.reference(floor, "exact samples, on average");
        outcome.figures.push(Figure::new(
            format!("line-{}", world.name.to_lowercase()),
            format!(
                "{}, mixture on the line: distance of {n} samples to the exact law at the end of the grid, against evaluations. \
                 Reverse diffusion with Langevin moves of snr {USUAL} after every step; a level costs one evaluation and one per move.",
                world.name
            ),
            chart.svg()?,
        ));
        let (distance, _) = measure(world, many)?;
        table.push(cells![world.name, 1, USUAL, many.sizes.name(), many.evaluations, distance]);
    }
    let mut by_snr =
        Chart::new(Axis::log("signal-to-noise ratio of a move"), Axis::log("Kolmogorov-Smirnov distance"));
    for world in worlds {
        for sizes in Sizes::ALL {
            let mut points = Vec::new();
            for &snr in &settings.snrs {
                let plan = Plan { evaluations: settings.snr_evaluations, moves: 1, snr, sizes };
                let (distance, spent) = measure(world, plan)?;
                table.push(cells![world.name, 1, snr, sizes.name(), spent, distance]);
                points.push((snr, distance));
            }
            by_snr = by_snr.series(Series::marked(format!("{}, {}", world.name, sizes.name()), points));
        }
    }
    outcome.figures.push(Figure::new(
        "snr",
        format!(
            "Mixture on the line, {} evaluations, one move a level: distance of {n} samples to the exact law against the signal-to-noise \
             ratio, by where |z|/|s| in the size of a move is taken from.",
            settings.snr_evaluations
        ),
        by_snr.reference(floor, "exact samples, on average").svg()?,
    ));
    outcome.tables.push(table);
    Ok(())
}
