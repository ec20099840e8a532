//! What is exact about Langevin dynamics from one start.

use anyhow::{Result, ensure};
use nalgebra::DMatrix;
use resolvent::core::GaussianMixture;
use resolvent::core::schedule::Level;

use super::super::chain::EulerChain;
use super::super::fokker_planck::FokkerPlanck;
use super::clock::Clock;
use super::landscape::{Landscape, score};
use super::start::HALF_WIDTH;
use crate::experiments::tabulated::Tabulated;
use crate::plot::Raster;

/// The interval of the grids; the law has 1e-35 of its mass beyond.
const RANGE: (f64, f64) = (-30.0, 30.0);
/// Cells of the grid of the Fokker-Planck equation, and of the chain.
const CELLS: usize = 2_400;
const CHAIN_CELLS: usize = 1_200;
/// Its longest step.
const EQUATION_STEP: f64 = 0.02;
/// The step by which it is followed for as long as it takes, and the longest time, in units of 1/gap.
const LONG_STEP: f64 = 0.1;
const LONGEST: f64 = 10.0;
/// Columns of the picture of the evolution.
const COLUMNS: usize = 200;

/// What is exact about one start.
pub(super) struct Exact {
    /// By the Fokker-Planck equation, at the wanted times.
    pub(super) laws: Vec<Tabulated>,
    /// Of the Euler-Maruyama chain, at the wanted times.
    pub(super) chain: Vec<Tabulated>,
    /// The chain itself.
    operator: EulerChain,
    /// The distance to the stationary law at every unit of time, as long as it takes.
    pub(super) distances: Vec<(f64, f64)>,
    /// The evolution up to the time shown.
    pub(super) density: Raster,
    /// The error of `laws`, estimated from a grid of twice the width and twice the step, or of `chain`, estimated from
    /// twice the width, whichever is larger.
    pub(super) grid_error: f64,
}

/// The Fokker-Planck equation of `law`.
pub(super) fn equation(law: &GaussianMixture) -> FokkerPlanck {
    FokkerPlanck::new(RANGE, CELLS, |x| law.log_density(&[x]))
}

impl Exact {
    pub(super) fn new(
        law: &GaussianMixture,
        equation: &FokkerPlanck,
        start: impl Fn(f64) -> f64,
        clock: &Clock,
        shown: f64,
    ) -> Result<Self> {
        let laws = evolve(equation, &start, clock.step, EQUATION_STEP, &clock.steps);
        // Half the cells and half as many steps: the error of both is of the second order, so four times as large.
        let coarse = FokkerPlanck::new(RANGE, CELLS / 2, |x| law.log_density(&[x]));
        let even: Vec<usize> = (0..laws.len()).filter(|k| clock.steps[*k].is_multiple_of(2)).collect();
        ensure!(
            !even.is_empty(),
            "settings `times`, `shown`, `fit`: none is an even number of steps of {}, so the error of the grid is unknown",
            clock.step
        );
        let halved: Vec<usize> = even.iter().map(|k| clock.steps[*k] / 2).collect();
        let equation_error = even
            .iter()
            .zip(evolve(&coarse, &start, 2.0 * clock.step, 2.0 * EQUATION_STEP, &halved))
            .map(|(k, coarse)| coarse.distance(|x| laws[*k].at(x)) / 3.0)
            .fold(0.0, f64::max);

        let (operator, chain) = follow(law, &start, clock, CHAIN_CELLS)?;
        let (_, coarse) = follow(law, &start, clock, CHAIN_CELLS / 2)?;
        let grid_error = chain
            .iter()
            .zip(coarse)
            .map(|(chain, coarse)| coarse.distance(|x| chain.at(x)) / 3.0)
            .fold(equation_error, f64::max);

        let ending = (LONGEST / equation.gap()).ceil() as usize;
        let every: Vec<usize> = (0..=ending).collect();
        let cdf = |x: f64| law.cdf(&Level::CLEAN, x);
        let laws_after = evolve(equation, &start, 1.0, LONG_STEP, &every);
        let distances =
            every.iter().zip(laws_after).map(|(time, law)| (*time as f64, law.distance(cdf))).collect();
        Ok(Self { laws, chain, operator, distances, density: density(equation, &start, shown), grid_error })
    }

    /// The covariance over `times`, `spacing` steps apart, of being to the right of the saddle, for one particle of the
    /// chain: its law at the earlier time against where it is from there on.
    pub(super) fn covariance(
        &mut self,
        landscape: &Landscape,
        clock: &Clock,
        times: &[f64],
        spacing: usize,
    ) -> DMatrix<f64> {
        let right = self.operator.beyond(landscape.saddle);
        let mut later = right.clone();
        let laws: Vec<&Tabulated> = times.iter().map(|t| &self.chain[clock.index(*t)]).collect();
        let shares: Vec<f64> = laws.iter().map(|law| 1.0 - law.at(landscape.saddle)).collect();
        let mut covariance =
            DMatrix::from_diagonal(&shares.iter().map(|p| p * (1.0 - p)).collect::<Vec<_>>().into());
        for lag in 1..times.len() {
            self.operator.expect(&mut later, spacing);
            for j in 0..times.len() - lag {
                let cells = laws[j].masses().zip(right.iter().zip(&later));
                let both: f64 = cells.map(|(mass, (now, then))| mass * now * then).sum();
                covariance[(j, j + lag)] = both - shares[j] * shares[j + lag];
                covariance[(j + lag, j)] = covariance[(j, j + lag)];
            }
        }
        covariance
    }
}

/// The Euler-Maruyama chain on `cells` cells, and its laws at the wanted times.
fn follow(
    law: &GaussianMixture,
    start: impl Fn(f64) -> f64,
    clock: &Clock,
    cells: usize,
) -> Result<(EulerChain, Vec<Tabulated>)> {
    let mut chain = EulerChain::new(RANGE, cells, clock.step, |x| score(law, x))?;
    let mut masses = FokkerPlanck::new(RANGE, cells, |_| 0.0).masses(start);
    let mut done = 0;
    let laws = clock.steps.iter().map(|&steps| {
        chain.advance(&mut masses, steps - done);
        done = steps;
        chain.law(&masses)
    });
    let laws = laws.collect();
    Ok((chain, laws))
}

/// The laws after these numbers of steps of length `step`, ascending, with no implicit step longer than `longest`.
fn evolve(
    equation: &FokkerPlanck,
    start: impl Fn(f64) -> f64,
    step: f64,
    longest: f64,
    steps: &[usize],
) -> Vec<Tabulated> {
    // A quotient of decimal fractions is whole only up to rounding.
    let parts = (step / longest - 1e-9).ceil().max(1.0);
    let mut stepper = equation.stepper(step / parts);
    let (mut masses, mut done) = (equation.masses(start), 0);
    let law = |&steps: &usize| {
        stepper.advance(&mut masses, (steps - done) * parts as usize);
        done = steps;
        equation.law(&masses)
    };
    steps.iter().map(law).collect()
}

/// The density from the start to the time `shown`.
fn density(equation: &FokkerPlanck, start: impl Fn(f64) -> f64, shown: f64) -> Raster {
    let (low, high) = (-1.1 * HALF_WIDTH, 1.1 * HALF_WIDTH);
    let rows = 220;
    let width = (high - low) / rows as f64;
    // The middle of every column.
    let columns: Vec<usize> = (0..COLUMNS).map(|k| 2 * k + 1).collect();
    let laws = evolve(equation, start, 0.5 * shown / COLUMNS as f64, EQUATION_STEP, &columns);
    let values = (0..rows * COLUMNS)
        .map(|i| {
            let (law, x) = (&laws[i % COLUMNS], low + width * (i / COLUMNS) as f64);
            law.at(x + width) - law.at(x)
        })
        .collect();
    Raster { x: (0.0, shown), y: (low, high), width: COLUMNS, height: rows, values }
}
