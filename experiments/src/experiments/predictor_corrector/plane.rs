//! Gaussians in the plane.

use anyhow::Result;
use resolvent::core::GaussianMixture;
use resolvent::core::schedule::{Level, diffuse};
use resolvent::data;
use resolvent::metrics::{Order, mean, sliced_wasserstein};

use super::{FLOORS, LATTICE, Plan, Settings, Sizes, USUAL, World};
use crate::experiment::Context;
use crate::outcome::{Figure, Outcome, Table, cells};
use crate::plot::{Axis, Chart, Series};

/// The lattice of Gaussians in the plane: sliced Wasserstein distance.
pub(super) fn plane(
    worlds: &[World],
    settings: &Settings,
    context: &Context,
    outcome: &mut Outcome,
) -> Result<()> {
    let (side, spacing, deviation) = LATTICE;
    let law = data::GaussianMixture::grid(side, spacing, deviation)?;
    let count = law.weights().len();
    let denoiser = GaussianMixture::isotropic(law.weights(), law.means().clone(), &vec![deviation; count])?;
    let n = settings.planar_samples;
    let seed = |k: usize| context.seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(k as u64);
    let distance = |points: &nalgebra::DMatrix<f64>, level: &Level, k: usize| -> Result<f64> {
        let draws = diffuse(level, &denoiser.sample(n, !seed(k)), seed(k).wrapping_add(1 << 40));
        Ok(sliced_wasserstein(points, &draws, settings.projections, Order::One, seed(k))?.value)
    };
    let mut table = Table::new(
        "25 Gaussians in the plane",
        format!(
            "Means {spacing} apart, deviation {deviation}. Sliced Wasserstein distance W₁ of {n} samples to {n} draws from the law at the end \
             of the grid, mean and standard error over {} seeds, at snr {USUAL}; the first row of a schedule is that of two sets of \
             draws, over {FLOORS} pairs.",
            settings.seeds
        ),
        &["schedule", "moves a level", "evaluations", "distance", "error"],
    );
    for world in worlds {
        let level = world.last();
        let floors = (0..FLOORS)
            .map(|k| {
                context.proceed()?;
                let again = diffuse(&level, &denoiser.sample(n, seed(k)), seed(k).wrapping_add(2 << 40));
                distance(&again, &level, k)
            })
            .collect::<Result<Vec<_>>>()?;
        let floor = mean(&floors)?;
        table.push(cells![world.name, "draws", None::<u64>, floor.value, floor.standard_error]);
        let mut chart =
            Chart::new(Axis::log("evaluations per particle"), Axis::log("sliced Wasserstein distance"));
        for &moves in &settings.moves {
            let (mut points, mut errors) = (Vec::new(), Vec::new());
            for &evaluations in &settings.evaluations {
                let plan = Plan { evaluations, moves, snr: USUAL, sizes: Sizes::Noise };
                let (mut distances, mut spent) = (Vec::new(), 0);
                for k in 0..settings.seeds {
                    context.proceed()?;
                    let (points, evaluations) = world.sample(&denoiser, plan, n, seed(k))?;
                    distances.push(distance(&points, &level, k)?);
                    spent = evaluations;
                }
                let distance = mean(&distances)?;
                table.push(cells![world.name, moves, spent, distance.value, distance.standard_error]);
                points.push((spent as f64, distance.value));
                errors.push(distance.standard_error);
            }
            let name = if moves == 1 { "1 move a level".into() } else { format!("{moves} moves a level") };
            chart = chart.series(Series::marked(name, points).errors(errors));
        }
        outcome.figures.push(Figure::new(
            format!("plane-{}", world.name.to_lowercase()),
            format!(
                "{}, 25 Gaussians in the plane ({spacing} apart, deviation {deviation}): sliced Wasserstein distance of {n} samples to the law at the end of \
                 the grid, mean and standard error over {} seeds, snr {USUAL}.",
                world.name, settings.seeds
            ),
            chart.reference(floor.value, "floor: two samples of the law").svg()?,
        ));
    }
    outcome.tables.push(table);
    Ok(())
}
