//! Gaussian data: the law of a run by an exact recursion.

use anyhow::Result;
use resolvent::core::GaussianMixture;
use resolvent::metrics::mean;

use super::{DOUBLINGS, GAUSSIAN, Plan, SIGNIFICANCE, Settings, Sizes, USUAL, World};
use crate::experiment::Context;
use crate::experiments::reverse_time::critical_z;
use crate::outcome::{Check, Outcome, Table, cells};

/// Gaussian data: every step is affine, so that mean and variance at the end are known exactly for any number of steps.
pub(super) fn gaussian(
    worlds: &[World],
    settings: &Settings,
    context: &Context,
    outcome: &mut Outcome,
) -> Result<()> {
    let (centre, deviation) = GAUSSIAN;
    let law = GaussianMixture::one_dimensional(&[1.0], &[centre], &[deviation])?;
    let n = settings.samples;
    let mut table = Table::new(
        "Gaussian on the line",
        format!(
            "N({centre}, {deviation}²): mean, and variance over that of the law at the end of the grid, of {n} samples, and by the exact \
             recursion of the steps and moves; snr {USUAL}, |z|/|s| = σ."
        ),
        &[
            "schedule",
            "moves a level",
            "evaluations",
            "mean",
            "error",
            "recursion",
            "variance / exact",
            "error",
            "recursion",
        ],
    );
    let mut deviations = Vec::new();
    for world in worlds {
        let exact = law.at(&world.last()).covariance()[(0, 0)];
        for &moves in &settings.moves {
            for &evaluations in &settings.evaluations {
                context.proceed()?;
                let plan = Plan { evaluations, moves, snr: USUAL, sizes: Sizes::Noise };
                let (points, spent) = world.sample(&law, plan, n, context.seed)?;
                let (centre, variance) = world.recursion(evaluations / (1 + moves), moves)?;
                let places = mean(points.as_slice())?;
                let squares: Vec<f64> = points.iter().map(|x| (x - centre).powi(2)).collect();
                let squares = mean(&squares)?;
                deviations.push((places.value - centre).abs() / places.standard_error);
                deviations.push((squares.value - variance).abs() / squares.standard_error);
                table.push(cells![
                    world.name,
                    moves,
                    spent,
                    places.value,
                    places.standard_error,
                    centre,
                    squares.value / exact,
                    squares.standard_error / exact,
                    variance / exact
                ]);
            }
        }
    }
    outcome.tables.push(table);
    let count = deviations.len();
    outcome.checks.push(Check::at_most(
        format!("steps and moves on a Gaussian: mean and variance against their recursion, largest of {count} in standard errors"),
        deviations.into_iter().fold(0.0, f64::max),
        critical_z(SIGNIFICANCE, count)?,
        "reverse diffusion and moves are affine; 1e-3 over all",
    ));
    let mut table = Table::new(
        "Bias on the Gaussian",
        format!(
            "Variance over that of the law at the end of the grid, less 1, by the recursion; snr {USUAL}."
        ),
        &["schedule", "moves a level", "steps", "variance / exact - 1"],
    );
    let mut orders = Vec::new();
    let mut falls = Vec::new();
    for world in worlds {
        let exact = law.at(&world.last()).covariance()[(0, 0)];
        for &moves in &settings.moves {
            let mut biases = Vec::new();
            for doubling in 0..=DOUBLINGS {
                let steps = settings.many << doubling;
                let bias = world.recursion(steps, moves)?.1 / exact - 1.0;
                table.push(cells![world.name, moves, steps, bias]);
                biases.push(bias.abs());
            }
            for pair in biases.windows(2) {
                if moves == 0 {
                    orders.push((pair[1] - 0.5 * pair[0]).abs() / pair[0].powi(2));
                } else {
                    falls.push(pair[1] / pair[0]);
                }
            }
        }
    }
    outcome.tables.push(table);
    if !orders.is_empty() {
        outcome.checks.push(Check::at_most(
            "reverse diffusion on a Gaussian: bias of the variance in 2N steps less half that in N, over the square of the latter",
            orders.into_iter().fold(0.0, f64::max),
            1.0,
            "steps of first order, exact recursion; what is left is of second order",
        ));
    }
    if !falls.is_empty() {
        outcome.checks.push(Check::at_most(
            "with moves: bias of the variance in 2N steps over that in N, largest",
            falls.into_iter().fold(0.0, f64::max),
            1.0,
            "falls at every doubling, exact recursion",
        ));
    }
    Ok(())
}
