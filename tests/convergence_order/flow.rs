//! Global errors of the probability flow of a mixture of two normal laws on the line, where the flow keeps the
//! distribution function of every particle: the exact end is a quantile.

use nalgebra::DMatrix;
use resolvent::core::horizon::{HorizonSampler, LinearScheme, Method, Simulation};
use resolvent::core::integrate::Integrator;
use resolvent::core::marginal::{Diffused, GaussianMixture};
use resolvent::core::reversal::ReverseOde;
use resolvent::core::schedule::{Grid, Level, VpLinear};
use resolvent::core::{Error, Schedule};

use crate::Measured;

/// Numbers of steps, of equal length in the logarithm of the signal-to-noise ratio.
const STEPS: [usize; 6] = [40, 80, 160, 320, 640, 1_280];
/// Where the flow ends, short of the data.
const END: f64 = 0.02;
/// The particles, by the values of the distribution function.
const QUANTILES: [f64; 7] = [0.05, 0.2, 0.35, 0.5, 0.6, 0.8, 0.95];
/// How well the exact ends are known: the complementary error function behind them errs by up to 2e-11.
const PRECISION: f64 = 2e-11;

/// A scheme that the library makes from a schedule and a grid.
pub(crate) fn scheme(make: impl Fn(&VpLinear, &Grid) -> Result<LinearScheme, Error>) -> Vec<Measured> {
    let law = law();
    measure(|schedule, grid, ends| ends(&make(schedule, grid).unwrap().with(&law)))
}

/// A one-step scheme for the drift R2.
pub(crate) fn integrator(integrator: &dyn Integrator) -> Vec<Measured> {
    let law = law();
    measure(|schedule, grid, ends| {
        let score = Diffused { schedule, denoiser: &law };
        let horizon = schedule.horizon();
        let flow = ReverseOde { diffusion: schedule, score: &score, horizon };
        let times = grid.levels().iter().map(|level| horizon - level.time).collect();
        ends(&Simulation::new(&flow, integrator, 1, times).unwrap())
    })
}

fn law() -> GaussianMixture {
    GaussianMixture::one_dimensional(&[0.4, 0.6], &[-1.0, 1.2], &[0.4, 0.3]).unwrap()
}

/// The root mean square error of the ends, for every number of steps; `run` hands the method to the function given.
fn measure(run: impl Fn(&VpLinear, &Grid, &dyn Fn(&dyn Method) -> f64) -> f64) -> Vec<Measured> {
    let (law, schedule) = (law(), VpLinear::default());
    let at = |level: &Level| QUANTILES.map(|q| quantile(&law, level, q));
    let (start, end) = (at(&schedule.level(schedule.horizon())), at(&schedule.level(END)));
    let starts = DMatrix::from_row_slice(1, QUANTILES.len(), &start);
    let ends = |method: &dyn Method| {
        let ensemble = HorizonSampler::new(method).run(&starts, 1).unwrap();
        let squares = ensemble.points.iter().zip(end).map(|(x, y)| (x - y).powi(2));
        (squares.sum::<f64>() / QUANTILES.len() as f64).sqrt()
    };
    let measured = STEPS.map(|steps| {
        let grid = Grid::uniform_log_snr(&schedule, steps, END).unwrap();
        let error = run(&schedule, &grid, &ends);
        // Nothing is drawn: all are known equally well down to the precision of the reference.
        Measured { step: 1.0 / steps as f64, error, noise: 1e-3 * error + PRECISION }
    });
    measured.into()
}

/// The place at which the distribution function is `q`, by bisection to neighbouring numbers.
fn quantile(law: &GaussianMixture, level: &Level, q: f64) -> f64 {
    let (mut low, mut high) = (-20.0, 20.0);
    loop {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            return middle;
        }
        if law.cdf(level, middle) < q { low = middle } else { high = middle }
    }
}
